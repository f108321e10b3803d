//! Bad input, and the code with which it is refused or trapped.

mod allocators;
mod contracts;
mod modules;
mod pointers;
mod results;

use super::draft::File;
use super::guest::{guest, module};

pub fn files() -> Vec<File> {
    vec![
        modules::file(),
        contracts::file(),
        pointers::file(),
        allocators::file(),
        results::file(),
        modules::models(),
    ]
}

/// The smallest contract.
fn plain() -> Vec<u8> {
    module(guest(&[], ""))
}
