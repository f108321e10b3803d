//! Links lead somewhere, and every page and picture is led to.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::pages::{Page, all, files, root};

/// The path without `.` and `..`, if it does not leave the repository.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !plain.pop() => return None,
            Component::Normal(part) => plain.push(part),
            _ => {}
        }
    }
    Some(plain)
}

/// What a relative link names: a file of the repository and an anchor in it.
fn target(page: &Page, link: &str) -> Option<(PathBuf, String)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = match path {
        "" => page.path.clone(),
        path => page.path.parent().unwrap_or(Path::new("")).join(path),
    };
    Some((path, anchor.to_owned()))
}

#[test]
fn every_link_resolves() {
    let pages = all();
    let (mut checked, mut wrong) = (0, String::new());
    for page in &pages {
        for (line, link) in &page.links {
            let Some((path, anchor)) = target(page, link) else {
                continue;
            };
            checked += 1;
            let mut complain = |why: &str| {
                wrong += &format!("{}:{line}: {link}: {why}\n", page.path.display());
            };
            let Some(path) = plain(&path) else {
                complain("leaves the repository");
                continue;
            };
            if !root().join(&path).exists() {
                complain("no such file");
            }
            if page.in_book() && !path.starts_with("docs") {
                complain("leaves the book; name the file in the text");
            }
            if page.in_book() && root().join(&path).is_dir() {
                complain("is a folder; link its page");
            }
            let named = pages.iter().find(|other| other.path == path);
            if !anchor.is_empty() && !named.is_some_and(|p| p.anchors.contains(&anchor)) {
                complain("no such heading");
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert!(checked > 80, "{checked} links checked");
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = Page::read(Path::new("docs/SUMMARY.md"));
    let listed: Vec<_> = summary
        .links
        .iter()
        .map(|(_, link)| Path::new("docs").join(link))
        .collect();
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a page is listed twice");
    let pages: BTreeSet<_> = files("docs", "md").into_iter().collect();
    let missing: Vec<_> = pages
        .iter()
        .filter(|page| !once.contains(*page) && !page.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(
        missing,
        Vec::<&PathBuf>::new(),
        "pages that docs/SUMMARY.md does not list"
    );
}

#[test]
fn every_picture_has_its_source_and_is_shown() {
    let pages = all();
    let rendered = files("docs/images", "svg");
    assert!(rendered.len() >= 5, "{rendered:?}");
    for picture in &rendered {
        let source = picture.with_extension("dot");
        let text = std::fs::read_to_string(root().join(&source));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        // Each label of the source stands in the picture, so it was rendered again.
        let svg = std::fs::read_to_string(root().join(picture)).unwrap();
        let shown: String = svg
            .split('<')
            .filter_map(|tag| tag.split_once('>'))
            .fold(String::new(), |text, (_, content)| text + content);
        let bare = |text: &str| -> String {
            let text = text
                .replace("&#45;", "-")
                .replace("&#39;", "'")
                .replace("&gt;", ">")
                .replace("&#160;", "");
            text.replace("&amp;", "&").split_whitespace().collect()
        };
        let shown = bare(&shown);
        for label in text.split("label=\"").skip(1) {
            let label = label.split('"').next().unwrap_or_default();
            for line in label.replace("\\l", "\\n").split("\\n") {
                assert!(
                    shown.contains(&bare(line)),
                    "{} does not show `{line}`: dot -Tsvg {} -o {}",
                    picture.display(),
                    source.display(),
                    picture.display()
                );
            }
        }
        let name = picture.file_name().unwrap().to_str().unwrap();
        assert!(
            pages
                .iter()
                .any(|p| p.links.iter().any(|(_, link)| link.ends_with(name))),
            "no page shows {}",
            picture.display()
        );
    }
    for source in files("docs/images", "dot") {
        assert!(
            rendered.contains(&source.with_extension("svg")),
            "{} is not rendered",
            source.display()
        );
    }
}
