//! Every SynQ example of the book parses.

use synq_compiler::FileId;
use synq_compiler::syntax::parse;

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
fn every_example_parses() {
    let book = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book/src/synq");
    let mut pages: Vec<_> = std::fs::read_dir(book)
        .expect("the book is there")
        .map(|e| e.expect("the entry can be read").path())
        .collect();
    pages.sort();
    let (mut count, mut refused) = (0, String::new());
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("UTF-8");
        for (line, _, example) in examples(&text) {
            count += 1;
            for d in parse(FileId(0), &example).diagnostics {
                let at = line + example[..d.span.start as usize].lines().count();
                refused += &format!("{}:{at}: {} {}\n", page.display(), d.code, d.message);
            }
        }
    }
    assert_eq!(refused, "");
    assert!(count >= 30, "found {count} examples");
}
