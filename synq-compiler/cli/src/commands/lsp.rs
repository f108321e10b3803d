//! `synqc lsp`

use lsp_server::Connection;

use crate::error::Error;
use crate::lsp;

pub fn run() -> Result<(), Error> {
    let broken = |e: &dyn std::fmt::Display| Error::Check(format!("the connection broke: {e}"));
    let (connection, threads) = Connection::stdio();
    let served = lsp::serve(&connection);
    // The threads end when the last sender is gone.
    drop(connection);
    let joined = threads.join();
    served.map_err(|e| broken(&e))?;
    joined.map_err(|e| broken(&e))
}
