//! The pages, and what is in them.

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// A code block: its line, the words of its mark, its text.
pub struct Block {
    pub line: usize,
    pub marks: Vec<String>,
    pub text: String,
}

/// A page in Markdown.
pub struct Page {
    /// From the repository's root.
    pub path: PathBuf,
    pub text: String,
    /// Targets of links and images, with their lines.
    pub links: Vec<(usize, String)>,
    pub anchors: Vec<String>,
    pub blocks: Vec<Block>,
}

impl Page {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(root().join(path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (mut links, mut anchors, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        let line = |at: usize| text[..at].matches('\n').count() + 1;
        let (mut heading, mut block) = (None::<String>, None::<Block>);
        for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push((line(range.start), dest_url.into_string()));
                }
                Event::Start(Tag::Heading { level, .. }) if level <= HeadingLevel::H6 => {
                    heading = Some(String::new());
                }
                Event::End(TagEnd::Heading(_)) => {
                    anchors.extend(heading.take().map(|text| slug(&text)));
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let marks = match kind {
                        CodeBlockKind::Fenced(info) => {
                            let words = info.split(',').map(|word| word.trim().to_owned());
                            words.filter(|word| !word.is_empty()).collect()
                        }
                        CodeBlockKind::Indented => Vec::new(),
                    };
                    block = Some(Block {
                        line: line(range.start),
                        marks,
                        text: String::new(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(block.take()),
                Event::Text(part) | Event::Code(part) => {
                    if let Some(block) = &mut block {
                        block.text += &part;
                    } else if let Some(heading) = &mut heading {
                        *heading += &part;
                    }
                }
                _ => {}
            }
        }
        Self {
            path: path.to_path_buf(),
            links,
            anchors,
            blocks,
            text,
        }
    }

    /// Whether it belongs to the book.
    pub fn in_book(&self) -> bool {
        self.path.starts_with("docs")
    }
}

/// The anchor of a heading: what mdBook and code hosts make of it.
fn slug(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.map(|c| match c {
        ' ' => '-',
        c => c.to_ascii_lowercase(),
    })
    .collect()
}

/// All files below a folder of the repository that have an extension, in order.
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The README, the book and the pages beside the code.
pub fn all() -> Vec<Page> {
    let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for folder in [
        "docs",
        "nn-backends",
        "synq-compiler",
        "conformance",
        "vm",
        "sdk-guest",
    ] {
        paths.extend(files(folder, "md"));
    }
    paths.iter().map(|path| Page::read(path)).collect()
}

#[test]
fn headings_become_the_anchors_that_browsers_look_for() {
    assert_eq!(slug("On a GPU"), "on-a-gpu");
    assert_eq!(
        slug("Mappings and `null`".replace('`', "").as_str()),
        "mappings-and-null"
    );
    assert_eq!(
        slug("ONNX: what is read, and what is not"),
        "onnx-what-is-read-and-what-is-not"
    );
}
