//! What the documentation says exists, exists: links, pages, pictures, tests, commands.

#[path = "docs/blocks.rs"]
mod blocks;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/pages.rs"]
mod pages;
#[path = "docs/tests_named.rs"]
mod tests_named;
