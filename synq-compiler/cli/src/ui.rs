//! Output for people and, with `--json`, for programs.

use std::cell::OnceCell;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use synq_compiler::{Diagnostic, Diagnostics};

use crate::args::{Color, Global};
use crate::error::Error;

/// How errors name the standard output.
pub const OUTPUT: &str = "standard output";

/// Says that results did not reach the standard output; gives the exit code.
pub fn say_lost(error: &Error) -> ExitCode {
    // With the standard error gone as well, the code is all that is left.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(error.exit_code())
}

/// Where and how to print.
pub struct Ui {
    /// Print one JSON document instead of text.
    pub json: bool,
    color_out: bool,
    color_err: bool,
    quiet: bool,
    lost: OnceCell<std::io::Error>,
}

impl Ui {
    /// From the options that all commands share.
    pub fn new(global: &Global) -> Self {
        let on = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
        };
        Self {
            json: global.json,
            color_out: on(std::io::stdout().is_terminal()),
            color_err: on(std::io::stderr().is_terminal()),
            quiet: global.quiet,
            lost: OnceCell::new(),
        }
    }

    /// A result: text on the standard output.
    pub fn print(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        if let Err(e) = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
            // The first reason stays.
            self.lost.get_or_init(|| e);
        }
    }

    /// Why results did not reach the standard output, if some did not.
    pub fn lost(self) -> Option<Error> {
        let reason = self.lost.into_inner()?;
        Some(Error::file(OUTPUT, reason))
    }

    /// A result as JSON, when that was asked for.
    pub fn print_json(&self, value: &Value) {
        if self.json {
            self.print(serde_json::to_string_pretty(value).unwrap_or_default());
        }
    }

    /// A line about what is going on, for people only.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// `text` in green on the standard output.
    pub fn good(&self, text: &str) -> String {
        paint(self.color_out, "32", text)
    }

    /// `text` in red on the standard output.
    pub fn bad(&self, text: &str) -> String {
        paint(self.color_out, "31", text)
    }

    /// Errors and warnings, on the standard error.
    pub fn diagnostics(&self, diagnostics: &Diagnostics) {
        if !self.json {
            let _ = write!(std::io::stderr(), "{}", diagnostics.render(self.color_err));
        }
    }

    /// Warnings, on the standard error.
    pub fn warnings(&self, warnings: &Diagnostics) {
        if self.json || self.quiet {
            return;
        }
        let _ = write!(std::io::stderr(), "{}", warnings.render(self.color_err));
    }

    /// Why the command failed.
    pub fn failure(&self, error: &Error) {
        if self.json {
            let diagnostics = match error {
                Error::Said => return,
                other => Value::Array(other.diagnostics()),
            };
            let mut value = json!({
                "ok": false,
                "error": error.to_string(),
                "diagnostics": diagnostics,
            });
            if let (Error::Formatting { changed, .. }, Some(object)) =
                (error, value.as_object_mut())
            {
                object.insert("changed".into(), json!(changed));
            }
            self.print_json(&value);
            return;
        }
        let text = match error {
            Error::Said => return,
            Error::Formatting { errors, .. } => {
                return errors.iter().for_each(|error| self.failure(error));
            }
            Error::Source(d) => {
                let errors = d.list.iter().filter(|d| is_error(d)).count();
                format!(
                    "{}{}: {errors} error{} in the source",
                    d.render(self.color_err),
                    paint(self.color_err, "1;31", "error"),
                    if errors == 1 { "" } else { "s" }
                )
            }
            other => format!("{}: {other}", paint(self.color_err, "1;31", "error")),
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Says `what` on the standard error when `work` takes more than two seconds.
    pub fn progress<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        if self.json || self.quiet || !std::io::stderr().is_terminal() {
            return work();
        }
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let text = what.to_owned();
        let thread = std::thread::spawn(move || {
            for tick in 0u64.. {
                std::thread::park_timeout(Duration::from_millis(100));
                if seen.load(Ordering::Acquire) {
                    if tick > 20 {
                        let _ = write!(std::io::stderr(), "\r\x1b[K");
                    }
                    return;
                }
                if tick >= 20 && tick.is_multiple_of(10) {
                    let _ = write!(std::io::stderr(), "\r\x1b[K{text} … {} s", tick / 10);
                }
            }
        });
        let result = work();
        done.store(true, Ordering::Release);
        thread.thread().unpark();
        // The thread only prints; there is nothing to learn from its end.
        let _ = thread.join();
        result
    }
}

fn paint(on: bool, code: &str, text: &str) -> String {
    if on {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == synq_compiler::Severity::Error
}
