//! Uploading, deploying, calling.

use aivm::{Address, Call, Deploy, Deployed, Vm, Word};

use crate::error::{AivmCode, Failure, guarded};
use crate::host::{AivmBytes, AivmHost, Chain, put, slice};
use crate::receipt::AivmReceipt;

/// A virtual machine with its caches; threads may share it.
pub struct AivmVm(Vm);

/// A deployment.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmDeploy {
    /// Who deploys and pays.
    pub from: [u8; 20],
    /// Hash of the code, as `aivm_upload` gave it.
    pub code: [u8; 32],
    /// Part of the address, so that one sender can deploy the same code twice.
    pub salt: [u8; 32],
    /// Arguments of the constructor.
    pub input: AivmBytes,
    /// Native value to send, most significant byte first.
    pub value: [u8; 32],
    /// Gas limit; 0 stands for the default of 100,000,000.
    pub gas_limit: u64,
}

/// A call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct AivmCall {
    /// Who calls and pays.
    pub from: [u8; 20],
    /// The contract.
    pub to: [u8; 20],
    /// Call data.
    pub input: AivmBytes,
    /// Native value to send, most significant byte first.
    pub value: [u8; 32],
    /// Gas limit; 0 stands for the default of 100,000,000.
    pub gas_limit: u64,
    /// Hash of the transaction, for the receipt.
    pub tx_hash: [u8; 32],
}

/// Runs an expression on the chain behind a handle.
macro_rules! on {
    ($host:expr, $chain:ident => $body:expr) => {{
        // SAFETY: the caller of the function promised that the handle can be used.
        match unsafe { $host.as_mut() } {
            None => return Err(Failure::null("host")),
            Some(AivmHost(Chain::Memory(host))) => {
                let $chain = host.as_mut();
                $body
            }
            Some(AivmHost(Chain::Callbacks($chain))) => $body,
        }
    }};
}

pub(crate) use on;

pub(crate) unsafe fn machine<'a>(vm: *const AivmVm) -> Result<&'a Vm, Failure> {
    // SAFETY: the caller's promise.
    unsafe { vm.as_ref() }
        .map(|vm| &vm.0)
        .ok_or_else(|| Failure::null("vm"))
}

fn limit(gas: u64) -> u64 {
    match gas {
        0 => aivm::DEFAULT_GAS_LIMIT,
        gas => gas,
    }
}

pub(crate) unsafe fn call_of(call: *const AivmCall) -> Result<Call, Failure> {
    // SAFETY: the caller's promise.
    let (call, input) = unsafe {
        let call = call.as_ref().ok_or_else(|| Failure::null("call"))?;
        (call, slice("call->input", call.input.data, call.input.len)?)
    };
    Ok(Call::new(Address(call.from), Address(call.to), input)
        .with_value(Word::from_be_bytes(call.value))
        .with_gas_limit(limit(call.gas_limit))
        .with_tx_hash(call.tx_hash))
}

pub(crate) unsafe fn deploy_of(deploy: *const AivmDeploy) -> Result<Deploy, Failure> {
    // SAFETY: the caller's promise.
    let (deploy, input) = unsafe {
        let deploy = deploy.as_ref().ok_or_else(|| Failure::null("deploy"))?;
        let input = slice("deploy->input", deploy.input.data, deploy.input.len)?;
        (deploy, input)
    };
    Ok(Deploy::new(Address(deploy.from), deploy.code, input)
        .with_salt(deploy.salt)
        .with_value(Word::from_be_bytes(deploy.value))
        .with_gas_limit(limit(deploy.gas_limit)))
}

/// Where a deployment puts its results.
pub(crate) struct DeployedTo<'a> {
    address: *mut u8,
    receipt: &'a mut *mut AivmReceipt,
}

impl DeployedTo<'_> {
    /// Checks the pointers before anything runs.
    pub unsafe fn new(address: *mut u8, receipt: *mut *mut AivmReceipt) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let receipt = unsafe { receipt.as_mut() }.ok_or_else(|| Failure::null("receipt"))?;
        not_null("address", address)?;
        Ok(Self { address, receipt })
    }

    pub unsafe fn put(self, deployed: Deployed) -> Result<(), Failure> {
        // SAFETY: the caller's promise, and not null.
        unsafe { put("address", self.address, &deployed.address.0) }?;
        *self.receipt = AivmReceipt::into_raw(deployed.receipt);
        Ok(())
    }
}

/// Makes a virtual machine with the default configuration.
///
/// # Safety
///
/// `vm` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_vm_new(vm: *mut *mut AivmVm) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { vm.as_mut() }.ok_or_else(|| Failure::null("vm"))?;
        *to = Box::into_raw(Box::new(AivmVm(Vm::builder().build()?)));
        Ok(())
    })
}

/// Frees a virtual machine.
///
/// # Safety
///
/// `vm` was made by this library and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_vm_free(vm: *mut AivmVm) {
    if !vm.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(vm) });
    }
}

/// Checks a module and puts it on the chain. Writes its hash, 32 bytes, and what the upload costs.
///
/// # Safety
///
/// The pointers can be used; `gas` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_upload(
    vm: *const AivmVm,
    host: *mut AivmHost,
    module: *const u8,
    module_len: usize,
    code: *mut u8,
    gas: *mut u64,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, module) = unsafe { (machine(vm)?, slice("module", module, module_len)?) };
        // Before anything is committed.
        not_null("code", code)?;
        let uploaded = on!(host, chain => vm.upload(chain, module))?;
        // SAFETY: the caller's promise.
        unsafe { answer(code, &uploaded.code, gas, uploaded.gas) }
    })
}

/// Checks a model and puts it on the chain. Writes its hash, 32 bytes, and what the registration costs.
///
/// # Safety
///
/// The pointers can be used; `gas` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_register_model(
    vm: *const AivmVm,
    host: *mut AivmHost,
    file: *const u8,
    file_len: usize,
    model: *mut u8,
    gas: *mut u64,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, file) = unsafe { (machine(vm)?, slice("file", file, file_len)?) };
        not_null("model", model)?;
        let registered = on!(host, chain => vm.register_model(chain, file))?;
        // SAFETY: the caller's promise.
        unsafe { answer(model, &registered.model, gas, registered.gas) }
    })
}

fn not_null(name: &'static str, to: *const u8) -> Result<(), Failure> {
    match to.is_null() {
        true => Err(Failure::null(name)),
        false => Ok(()),
    }
}

unsafe fn answer(hash: *mut u8, value: &[u8; 32], gas: *mut u64, used: u64) -> Result<(), Failure> {
    // SAFETY: the caller's promise.
    unsafe {
        put("hash", hash, value)?;
        if let Some(gas) = gas.as_mut() {
            *gas = used;
        }
    }
    Ok(())
}

/// Deploys a contract. Writes its address, 20 bytes, and the receipt.
///
/// A contract whose constructor reverts or traps is no failure of this function: the receipt says so.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_deploy(
    vm: *const AivmVm,
    host: *mut AivmHost,
    deploy: *const AivmDeploy,
    address: *mut u8,
    receipt: *mut *mut AivmReceipt,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, request, to) = unsafe {
            (
                machine(vm)?,
                deploy_of(deploy)?,
                DeployedTo::new(address, receipt)?,
            )
        };
        let deployed = on!(host, chain => vm.deploy(chain, &request))?;
        // SAFETY: the caller's promise.
        unsafe { to.put(deployed) }
    })
}

/// Calls a contract and commits what it did.
///
/// A call that reverts or traps is no failure of this function: the receipt says so.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_call(
    vm: *const AivmVm,
    host: *mut AivmHost,
    call: *const AivmCall,
    receipt: *mut *mut AivmReceipt,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, call, to) = unsafe {
            let to = receipt.as_mut().ok_or_else(|| Failure::null("receipt"))?;
            (machine(vm)?, call_of(call)?, to)
        };
        let receipt = on!(host, chain => vm.call(chain, &call))?;
        *to = AivmReceipt::into_raw(receipt);
        Ok(())
    })
}

/// Calls a contract that may only read.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_query(
    vm: *const AivmVm,
    host: *mut AivmHost,
    call: *const AivmCall,
    receipt: *mut *mut AivmReceipt,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, call, to) = unsafe {
            let to = receipt.as_mut().ok_or_else(|| Failure::null("receipt"))?;
            (machine(vm)?, call_of(call)?, to)
        };
        let receipt = on!(host, chain => vm.query(&*chain, &call))?;
        *to = AivmReceipt::into_raw(receipt);
        Ok(())
    })
}

/// Runs a call, keeps none of its effects, and writes a gas limit that is enough for it.
///
/// # Safety
///
/// The pointers can be used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aivm_estimate(
    vm: *const AivmVm,
    host: *mut AivmHost,
    call: *const AivmCall,
    gas_limit: *mut u64,
) -> AivmCode {
    guarded(|| {
        // SAFETY: the caller's promise.
        let (vm, call, to) = unsafe {
            let to = gas_limit
                .as_mut()
                .ok_or_else(|| Failure::null("gas_limit"))?;
            (machine(vm)?, call_of(call)?, to)
        };
        *to = on!(host, chain => vm.estimate(&*chain, &call))?.gas_limit;
        Ok(())
    })
}
