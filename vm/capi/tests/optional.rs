//! What a chain need not have, asked wrongly.

use std::ffi::{CStr, c_void};
use std::mem::offset_of;
use std::ptr;

use aivm_capi::block::{
    aivm_block_free, aivm_block_new, aivm_block_pq_gas_left, aivm_block_pq_gas_limit,
    aivm_call_in_block, aivm_deploy_in_block,
};
use aivm_capi::callbacks::{AivmCallbacks, AivmChange};
use aivm_capi::error::{AivmCode, aivm_error_message};
use aivm_capi::host::{
    AivmBlock, AivmBytes, AivmHost, AivmInboxMessage, AivmSink, aivm_host_deliver, aivm_host_free,
    aivm_host_name_model, aivm_host_new, aivm_host_new_memory, aivm_host_set_optional,
};
use aivm_capi::optional::{AivmExtensionCall, AivmOptionalCallbacks};
use aivm_capi::receipt::{aivm_receipt_message, aivm_receipt_message_count};
use aivm_capi::vm::{
    AivmDeploy, AivmVm, aivm_deploy, aivm_register_model, aivm_upload, aivm_vm_free, aivm_vm_new,
};

fn message() -> String {
    // SAFETY: the library ends its messages with a zero byte.
    let text = unsafe { CStr::from_ptr(aivm_error_message()) };
    text.to_str().unwrap().to_owned()
}

unsafe extern "C" fn block(_: *mut c_void, _: *mut AivmBlock) {}
unsafe extern "C" fn nothing_stored(
    _: *mut c_void,
    _: *const u8,
    _: *const u8,
    _: usize,
    _: *mut AivmSink,
) -> i32 {
    0
}
unsafe extern "C" fn nothing(_: *mut c_void, _: *const u8, _: *mut u8) -> i32 {
    0
}
unsafe extern "C" fn no_bytes(_: *mut c_void, _: *const u8, _: *mut AivmSink) -> i32 {
    0
}
unsafe extern "C" fn commit(_: *mut c_void, _: *const AivmChange, _: usize) -> i32 {
    0
}
unsafe extern "C" fn fails(_: *mut c_void, _: *const u8) -> i32 {
    -4
}
unsafe extern "C" fn is_odd(_: *mut c_void, _: *const u8) -> i32 {
    2
}
/// Says that there is code, and has none.
unsafe extern "C" fn lies(_: *mut c_void, _: *const u8) -> i32 {
    1
}
unsafe extern "C" fn writes_from_nowhere(
    _: *mut c_void,
    _: *const u8,
    module: *mut AivmSink,
) -> i32 {
    // SAFETY: the sink is the one that was given.
    unsafe { aivm_capi::host::aivm_sink_write(module, ptr::null(), 3) };
    1
}

unsafe extern "C" fn free_of_charge(
    _: *mut c_void,
    _: *const AivmExtensionCall,
    _: *mut u64,
) -> i32 {
    1
}

const NONE: AivmOptionalCallbacks = AivmOptionalCallbacks {
    size: size_of::<AivmOptionalCallbacks>(),
    has_code: None,
    has_model: None,
    model_named: None,
    inbox_message: None,
    extension_gas: None,
    extension: None,
    debug_log: None,
    storage_range: None,
};

const EMPTY: AivmBytes = AivmBytes {
    data: ptr::null(),
    len: 0,
};

const CALLBACKS: AivmCallbacks = AivmCallbacks {
    user: ptr::null_mut(),
    block: Some(block),
    storage_get: Some(nothing_stored),
    balance: Some(nothing),
    contract: Some(nothing),
    code: Some(no_bytes),
    model: Some(no_bytes),
    commit: Some(commit),
    state_root: None,
};

fn host(callbacks: &AivmCallbacks) -> *mut AivmHost {
    let mut host = ptr::null_mut();
    // SAFETY: both live to the end of the call, and the callbacks are functions.
    let code = unsafe { aivm_host_new(callbacks, &raw mut host) };
    assert_eq!(code, AivmCode::Ok);
    host
}

fn machine() -> *mut AivmVm {
    let mut vm = ptr::null_mut();
    // SAFETY: it can be written.
    assert_eq!(unsafe { aivm_vm_new(&raw mut vm) }, AivmCode::Ok);
    vm
}

/// Deploys code that no chain has.
fn deploy(vm: *mut AivmVm, host: *mut AivmHost) -> AivmCode {
    let deploy = AivmDeploy {
        from: [1; 20],
        code: [2; 32],
        salt: [0; 32],
        input: EMPTY,
        value: [0; 32],
        gas_limit: 0,
    };
    let (mut address, mut receipt) = ([0; 20], ptr::null_mut());
    // SAFETY: handles that were not freed, and what lives to the end of the call.
    let code = unsafe {
        aivm_deploy(
            vm,
            host,
            &raw const deploy,
            address.as_mut_ptr(),
            &raw mut receipt,
        )
    };
    assert_eq!((address, receipt.is_null()), ([0; 20], true));
    code
}

fn set(host: *mut AivmHost, optional: &AivmOptionalCallbacks) -> AivmCode {
    // SAFETY: a handle that was not freed, or null, and what lives to the end of the call.
    unsafe { aivm_host_set_optional(host, optional) }
}

#[test]
fn lookups_that_fail_end_the_call() {
    let (vm, host) = (machine(), host(&CALLBACKS));
    // Without the callback the chain is asked for the code itself.
    assert_eq!(deploy(vm, host), AivmCode::UnknownCode);
    for (has_code, code, text) in [
        (
            fails as unsafe extern "C" fn(_, _) -> _,
            AivmCode::Host,
            "the callback `has_code` gave -4",
        ),
        (is_odd, AivmCode::Host, "the callback `has_code` gave 2"),
        (lies, AivmCode::UnknownCode, ""),
    ] {
        let optional = AivmOptionalCallbacks {
            has_code: Some(has_code),
            ..NONE
        };
        assert_eq!(set(host, &optional), AivmCode::Ok);
        assert_eq!(deploy(vm, host), code, "{text}");
        assert!(message().contains(text), "{}", message());
    }
    // A callback that is taken away is as if it had never been there; so is one that an older header does not have.
    assert_eq!(set(host, &NONE), AivmCode::Ok);
    assert_eq!(deploy(vm, host), AivmCode::UnknownCode);
    let older = AivmOptionalCallbacks {
        size: offset_of!(AivmOptionalCallbacks, has_code),
        has_code: Some(fails),
        ..NONE
    };
    assert_eq!(set(host, &older), AivmCode::Ok);
    assert_eq!(deploy(vm, host), AivmCode::UnknownCode);
    let known = AivmOptionalCallbacks {
        size: offset_of!(AivmOptionalCallbacks, has_model),
        ..older
    };
    assert_eq!(set(host, &known), AivmCode::Ok);
    assert_eq!(deploy(vm, host), AivmCode::Host);
    // SAFETY: they are not used again.
    unsafe {
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}

#[test]
fn bytes_from_nowhere_are_a_failure() {
    let callbacks = AivmCallbacks {
        code: Some(writes_from_nowhere),
        ..CALLBACKS
    };
    let (vm, host) = (machine(), host(&callbacks));
    assert_eq!(deploy(vm, host), AivmCode::Host);
    let text = "the callback `code` wrote what it has not: `data` is null";
    assert!(message().contains(text), "{}", message());
    // SAFETY: they are not used again.
    unsafe {
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}

unsafe extern "C" fn block_of_no_text(_: *mut c_void, block: *mut AivmBlock) {
    // SAFETY: the library's promise; the text ends with a zero byte.
    unsafe { (*block).network = c"\xff".as_ptr() };
}

#[test]
fn a_block_whose_network_is_no_text_is_a_failure() {
    let callbacks = AivmCallbacks {
        block: Some(block_of_no_text),
        ..CALLBACKS
    };
    let (vm, host) = (machine(), host(&callbacks));
    assert_eq!(deploy(vm, host), AivmCode::Host);
    let text = "the callback `block` gave a network that is not UTF-8";
    assert!(message().contains(text), "{}", message());
    // SAFETY: they are not used again.
    unsafe {
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}

unsafe extern "C" fn must_not_commit(_: *mut c_void, _: *const AivmChange, _: usize) -> i32 {
    panic!("something was committed")
}

#[test]
fn nothing_is_committed_when_there_is_no_place_for_its_hash() {
    let callbacks = AivmCallbacks {
        commit: Some(must_not_commit),
        ..CALLBACKS
    };
    let (vm, host) = (machine(), host(&callbacks));
    let guest = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func $nothing (param i32 i32) (result i32) (i32.const 0))
        (export "construct" (func $nothing)) (export "call" (func $nothing))
        (export "query" (func $nothing)))"#;
    let wasm = wat::parse_str(guest).unwrap();
    let root = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../nn-backends/models/digits.onnx"
    );
    let onnx = std::fs::read(root).unwrap();
    let (no_hash, no_gas) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: handles that were not freed, and what lives to the end of the calls.
    unsafe {
        let code = aivm_upload(vm, host, wasm.as_ptr(), wasm.len(), no_hash, no_gas);
        assert_eq!(
            (code, message().contains("`code`")),
            (AivmCode::Null, true),
            "{}",
            message()
        );
        let code = aivm_register_model(vm, host, onnx.as_ptr(), onnx.len(), no_hash, no_gas);
        assert_eq!(
            (code, message().contains("`model`")),
            (AivmCode::Null, true),
            "{}",
            message()
        );
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}

#[test]
fn sizes_and_pointers_are_checked() {
    let (vm, host) = (machine(), host(&CALLBACKS));
    let known = size_of::<AivmOptionalCallbacks>();
    for size in [0, 1, 7, 12, known - 1, known + 8, usize::MAX] {
        let optional = AivmOptionalCallbacks { size, ..NONE };
        assert_eq!(set(host, &optional), AivmCode::Length, "{size}");
        let text = format!("`optional->size` is {size}; set it to");
        assert!(message().starts_with(&text), "{}", message());
    }
    let half = AivmOptionalCallbacks {
        extension_gas: Some(free_of_charge),
        ..NONE
    };
    assert_eq!(set(host, &half), AivmCode::Callback);
    assert_eq!(
        message(),
        "the callback `extension` is null, but `extension_gas` is not"
    );
    assert_eq!(set(ptr::null_mut(), &NONE), AivmCode::Null);
    let memory = aivm_host_new_memory();
    assert_eq!(set(memory, &NONE), AivmCode::Config);

    let news = AivmInboxMessage {
        source_chain: 5,
        destination: 7,
        recipient: [3; 20],
    };
    let from = |data: &[u8], len| AivmBytes {
        data: data.as_ptr(),
        len,
    };
    let id = [7; 32];
    // SAFETY: every pointer is null, as the test wants it, or of something that lives to its end; a length that is more
    // than there can be is never followed.
    unsafe {
        assert_eq!(aivm_host_set_optional(host, ptr::null()), AivmCode::Null);
        let deliver =
            |host, id, news, sender, payload| aivm_host_deliver(host, id, news, sender, payload);
        let (id, sender) = (id.as_ptr(), from(b"who", 3));
        let none = AivmBytes {
            data: ptr::null(),
            len: 3,
        };
        let endless = from(b"x", isize::MAX as usize + 1);
        for (host, id, news, sender, payload, code) in [
            (memory, id, &raw const news, sender, EMPTY, AivmCode::Ok),
            (
                ptr::null_mut(),
                id,
                &raw const news,
                sender,
                EMPTY,
                AivmCode::Null,
            ),
            (
                memory,
                ptr::null(),
                &raw const news,
                sender,
                EMPTY,
                AivmCode::Null,
            ),
            (memory, id, ptr::null(), sender, EMPTY, AivmCode::Null),
            (memory, id, &raw const news, none, EMPTY, AivmCode::Null),
            (memory, id, &raw const news, sender, none, AivmCode::Null),
            (
                memory,
                id,
                &raw const news,
                endless,
                EMPTY,
                AivmCode::Length,
            ),
            (
                memory,
                id,
                &raw const news,
                sender,
                endless,
                AivmCode::Length,
            ),
            (host, id, &raw const news, sender, EMPTY, AivmCode::Config),
        ] {
            assert_eq!(deliver(host, id, news, sender, payload), code);
        }
        for (host, name, model, code) in [
            (memory, c"digits".as_ptr(), id, AivmCode::Ok),
            (memory, ptr::null(), id, AivmCode::Null),
            (memory, c"digits".as_ptr(), ptr::null(), AivmCode::Null),
            (memory, c"\xff".as_ptr(), id, AivmCode::Utf8),
            (host, c"digits".as_ptr(), id, AivmCode::Config),
        ] {
            assert_eq!(aivm_host_name_model(host, name, model), code);
        }

        assert_eq!(aivm_receipt_message_count(ptr::null()), 0);
        let none = aivm_receipt_message(ptr::null(), 0, ptr::null_mut());
        assert_eq!(none, AivmCode::Null);

        // A lane.
        let mut lane = ptr::null_mut();
        assert_eq!(aivm_block_new(vm, memory, ptr::null_mut()), AivmCode::Null);
        assert_eq!(
            aivm_block_new(vm, ptr::null_mut(), &raw mut lane),
            AivmCode::Null
        );
        assert_eq!(
            aivm_block_new(ptr::null(), memory, &raw mut lane),
            AivmCode::Null
        );
        assert!(lane.is_null());
        assert_eq!(aivm_block_new(vm, memory, &raw mut lane), AivmCode::Ok);
        let all = aivm_block_pq_gas_limit(lane);
        assert!(all > 0);
        assert_eq!(aivm_block_pq_gas_left(lane), all);
        assert_eq!(
            (
                aivm_block_pq_gas_limit(ptr::null()),
                aivm_block_pq_gas_left(ptr::null())
            ),
            (0, 0)
        );
        let (mut address, mut receipt) = ([0; 20], ptr::null_mut());
        let deploy = AivmDeploy {
            from: [1; 20],
            code: [2; 32],
            salt: [0; 32],
            input: EMPTY,
            value: [0; 32],
            gas_limit: 0,
        };
        let mut deployed = |lane, address| {
            aivm_deploy_in_block(
                vm,
                memory,
                &raw const deploy,
                lane,
                address,
                &raw mut receipt,
            )
        };
        let to = address.as_mut_ptr();
        assert_eq!(deployed(ptr::null_mut(), to), AivmCode::Null);
        assert_eq!(message(), "`block` is null");
        assert_eq!(deployed(lane, ptr::null_mut()), AivmCode::Null);
        assert_eq!(deployed(lane, to), AivmCode::UnknownCode);
        let called = aivm_call_in_block(vm, memory, ptr::null(), lane, &raw mut receipt);
        assert_eq!(called, AivmCode::Null);
        assert_eq!(aivm_block_pq_gas_left(lane), all, "nothing ran");
        aivm_block_free(lane);
        aivm_block_free(ptr::null_mut());
        aivm_host_free(memory);
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}
