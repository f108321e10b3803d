//! Running the tool.

use std::process::{Command, Output};

pub fn aivm(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aivm"))
        .args(args)
        .output()
        .unwrap()
}

/// What it says, to people.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
