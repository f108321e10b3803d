//! Parts of a host that have nothing to decide.

use aivm_abi::Exit;
use aivm_abi::host::crypto;

/// Implements for a host the interfaces that tests of other things do not use: extensions `echo` and
/// `fail`, messages that never arrive, and interfaces of other hosts, which trap.
#[macro_export]
macro_rules! plain_hosts {
    ($host:ty) => {
        impl aivm_abi::host::ext::Host for $host {
            fn invoke(
                &mut self,
                name: &str,
                arguments: &[u8],
            ) -> Result<Result<Vec<u8>, Vec<u8>>, aivm_abi::Exit> {
                match name {
                    "echo" => Ok(Ok(arguments.to_vec())),
                    "fail" => Ok(Err(arguments.to_vec())),
                    _ => Err(aivm_abi::TrapCode::NoSuchExtension.into()),
                }
            }
        }

        impl aivm_abi::host::messaging::Host for $host {
            fn send(&mut self, _: u64, _: &[u8], _: &[u8]) -> Result<u64, aivm_abi::Exit> {
                Ok(0)
            }

            fn peek(
                &mut self,
                _: aivm_abi::Word,
            ) -> Result<
                Result<aivm_abi::host::messaging::Message, aivm_abi::host::messaging::Refusal>,
                aivm_abi::Exit,
            > {
                Ok(Err(aivm_abi::host::messaging::Refusal::Unknown))
            }

            fn consume(
                &mut self,
                id: aivm_abi::Word,
            ) -> Result<
                Result<aivm_abi::host::messaging::Message, aivm_abi::host::messaging::Refusal>,
                aivm_abi::Exit,
            > {
                aivm_abi::host::messaging::Host::peek(self, id)
            }
        }

        // Interfaces of other hosts: the defaults trap.
        impl aivm_abi::host::wasi_nn_tensor::Host for $host {}
        impl aivm_abi::host::wasi_nn_graph::Host for $host {}
        impl aivm_abi::host::wasi_nn_inference::Host for $host {}
        impl aivm_abi::host::wasi_nn_errors::Host for $host {}
        impl aivm_abi::host::wasi_ephemeral_nn::Host for $host {}
        impl aivm_abi::host::wasi_snapshot_preview1::Host for $host {}
    };
}

/// Whether every signature holds, each verified by the host.
///
/// # Errors
///
/// What the host ends with.
pub fn verify_all(
    host: &mut impl crypto::Host,
    signatures: Vec<crypto::Signed>,
) -> Result<bool, Exit> {
    let mut all = true;
    for signed in signatures {
        let crypto::Signed {
            scheme,
            key,
            message,
            signature,
        } = signed;
        all &= host.verify(scheme, &key, &message, &signature)?;
    }
    Ok(all)
}
