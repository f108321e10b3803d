//! `synqc lsp`

use crate::error::Error;
use crate::lsp::{self, transport};

pub fn run() -> Result<(), Error> {
    let broken = |e: &dyn std::fmt::Display| Error::Check(format!("the connection broke: {e}"));
    let (connection, threads) = transport::stdio();
    let served = lsp::serve(&connection);
    // The writer ends when the last sender is gone.
    drop(connection);
    // What went wrong there is why the server ended.
    threads.join().map_err(|e| broken(&e))?;
    served.map_err(|e| broken(&e))
}
