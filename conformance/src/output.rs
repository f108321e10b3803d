//! Standard output, which may be a full disk or a reader that has seen enough.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// What a shell shows for a program that was ended because nobody reads its output.
const NOBODY_READS: i32 = 141;

/// Prints text. Where that is impossible the program says so and ends with exit status 2.
///
/// A reader such as `head` that went away ends it quietly. The signal that does so elsewhere stays
/// ignored here: it would come as well when an implementation under test has ended.
pub fn text(text: impl Display) {
    let mut output = std::io::stdout().lock();
    if let Err(error) = write!(output, "{text}").and_then(|()| output.flush()) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(NOBODY_READS);
        }
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(2);
    }
}

/// Prints text and ends the line.
pub fn line(text: impl Display) {
    self::text(format_args!("{text}\n"));
}
