//! Messages for people.

/// Writes a line to the test's output.
pub fn debug(message: &str) {
    println!("{message}");
}
