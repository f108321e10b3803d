//! Functions that the host chain adds.

use super::NO_SUCH_EXTENSION;
use crate::testing::world::{trap, with};

/// Runs an extension that was given to [`Native`](crate::testing::Native).
///
/// # Errors
/// When the extension fails.
pub fn invoke(name: &str, arguments: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let reply = with(|world| world.extensions.get(name).map(|body| body(arguments)));
    match reply {
        Some(reply) => reply,
        None => trap(NO_SUCH_EXTENSION),
    }
}
