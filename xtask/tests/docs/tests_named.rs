//! Tests that a page names exist.

use std::collections::BTreeSet;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::pages::{Page, files, root};

/// Names of all functions in the repository's Rust sources.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files("", "rs") {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        for part in text.split("fn ").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            names.insert(name);
        }
    }
    names
}

/// The code in the last cell of each row of the tables of a page, row by row.
fn last_cells(page: &Page) -> Vec<(String, Vec<String>)> {
    let (mut rows, mut row, mut cell) = (Vec::new(), String::new(), Vec::new());
    for event in Parser::new_ext(&page.text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableRow) => row.clear(),
            Event::Start(Tag::TableCell) => cell = Vec::new(),
            Event::Text(text) => row += &text,
            Event::Code(code) => cell.push(code.into_string()),
            Event::End(TagEnd::TableRow) => rows.push((row.clone(), cell.clone())),
            _ => {}
        }
    }
    rows
}

#[test]
fn every_row_of_the_security_page_names_tests_that_exist() {
    let known = functions();
    let page = Page::read(Path::new("docs/security.md"));
    let (mut named, mut wrong) = (0, String::new());
    for (row, tests) in last_cells(&page) {
        if tests.is_empty() {
            wrong += &format!("no test: {row}\n");
        }
        for test in tests {
            named += 1;
            let exists = match test.contains('/') {
                true => root().join(&test).exists(),
                false => known.contains(&test),
            };
            if !exists {
                wrong += &format!("no such test: {test}\n");
            }
        }
    }
    assert_eq!(wrong, "", "\n{wrong}");
    assert!(named > 50, "{named} tests named");
}

#[test]
fn every_pitfall_test_stands_in_the_table() {
    let page = Page::read(Path::new("docs/security.md"));
    for name in functions()
        .iter()
        .filter(|name| name.starts_with("pitfall_"))
    {
        assert!(
            page.text.contains(name.as_str()),
            "{name} is not on the page"
        );
    }
}
