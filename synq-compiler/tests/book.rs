//! Every SynQ example of the book compiles, or is refused where the book says so.

use synq_compiler::{Options, SourceLoader, compile};

/// One example; models are those of the repository.
struct Example(String);

impl SourceLoader for Example {
    fn source(&self, _: &str) -> Result<String, String> {
        Ok(self.0.clone())
    }
    fn model(&self, path: &str) -> Result<Vec<u8>, String> {
        let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../nn-backends");
        std::fs::read(models.join(path)).map_err(|e| e.to_string())
    }
}

/// The blocks of a page that are marked as SynQ: line, marks, text.
fn examples(page: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) if info.starts_with("synq") => {
                open = Some((number + 1, info.to_owned(), String::new()));
            }
            (None, Some(info)) => open = Some((0, info.to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take().filter(|b| b.0 > 0)),
            (Some(block), None) => block.2 += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

#[test]
fn every_example_compiles() {
    let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/synq");
    let mut pages: Vec<_> = std::fs::read_dir(book)
        .expect("the book is there")
        .map(|e| e.expect("the entry can be read").path())
        .collect();
    pages.sort();
    let (mut count, mut wrong) = (0, String::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("UTF-8");
        for (line, marks, example) in examples(&text) {
            let place = format!("{}:{line}", page.file_name().unwrap_or_default().display());
            let fails = match marks.as_str() {
                "synq" => false,
                "synq,fails" => true,
                // Compiled and run with the functions of tests, by the tests of `synqc`.
                "synq,ignore" | "synq,test" => continue,
                other => panic!("{place}: unknown mark {other}"),
            };
            count += 1;
            match compile("example.synq", &Example(example), &Options::default()) {
                Ok(_) if fails => wrong += &format!("{place} is not refused\n"),
                Err(why) if !fails => wrong += &format!("{place}\n{why}\n"),
                _ => {}
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert!(count >= 30, "found {count} examples");
}
