//! PQ-Gas that the transactions of a block share.

use aivm::BlockPqGas;

use crate::error::{AivmCode, Failure, guarded};
use crate::host::{AivmHost, Chain};
use crate::receipt::AivmReceipt;
use crate::vm::{AivmCall, AivmDeploy, AivmVm, DeployedTo, call_of, deploy_of, machine, on};

/// The PQ-Gas lane of one block: what its transactions may use together.
///
/// A transaction that needs more than is left is refused with `AIVM_CODE_BLOCK_FULL` and changes nothing; it waits for a
/// later block. So a receipt never depends on how full a block was.
pub struct AivmBlockPqGas(BlockPqGas);

/// Opens the lane of the block that the chain is in, with nothing used.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_block_new(
    vm: *const AivmVm,
    host: *mut AivmHost,
    block: *mut *mut AivmBlockPqGas,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, to) = unsafe {
            let to = block.as_mut().ok_or_else(|| Failure::null("block"))?;
            (machine(vm)?, to)
        };
        let lane = on!(host, chain => vm.block_pq_gas(&*chain))?;
        *to = Box::into_raw(Box::new(AivmBlockPqGas(lane)));
        Ok(())
    })
}

/// PQ-Gas that the block may use. A null pointer has none.
///
/// # Safety
///
/// `block` is null or was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_block_pq_gas_limit(block: *const AivmBlockPqGas) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { block.as_ref() }.map_or(0, |block| block.0.limit())
}

/// PQ-Gas that is left to the block. A null pointer has none.
///
/// # Safety
///
/// `block` is null or was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_block_pq_gas_left(block: *const AivmBlockPqGas) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { block.as_ref() }.map_or(0, |block| block.0.left())
}

/// Frees a lane.
///
/// # Safety
///
/// `block` was made by this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_block_free(block: *mut AivmBlockPqGas) {
    if !block.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(block) });
    }
}

unsafe fn lane<'a>(block: *mut AivmBlockPqGas) -> Result<&'a mut BlockPqGas, Failure> {
    // SAFETY: the caller's promise.
    unsafe { block.as_mut() }
        .map(|block| &mut block.0)
        .ok_or_else(|| Failure::null("block"))
}

/// As `aivm_call`, in a block.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_call_in_block(
    vm: *const AivmVm,
    host: *mut AivmHost,
    call: *const AivmCall,
    block: *mut AivmBlockPqGas,
    receipt: *mut *mut AivmReceipt,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, call, lane, to) = unsafe {
            let to = receipt.as_mut().ok_or_else(|| Failure::null("receipt"))?;
            (machine(vm)?, call_of(call)?, lane(block)?, to)
        };
        let receipt = on!(host, chain => vm.call_in_block(chain, &call, lane))?;
        *to = AivmReceipt::into_raw(receipt);
        Ok(())
    })
}

/// As `aivm_deploy`, in a block.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_deploy_in_block(
    vm: *const AivmVm,
    host: *mut AivmHost,
    deploy: *const AivmDeploy,
    block: *mut AivmBlockPqGas,
    address: *mut u8,
    receipt: *mut *mut AivmReceipt,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, request, lane, to) = unsafe {
            (
                machine(vm)?,
                deploy_of(deploy)?,
                lane(block)?,
                DeployedTo::new(address, receipt)?,
            )
        };
        let deployed = on!(host, chain => vm.deploy_in_block(chain, &request, lane))?;
        // SAFETY: the caller's promise.
        unsafe { to.put(deployed) }
    })
}
