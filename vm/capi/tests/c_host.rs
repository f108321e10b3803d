//! A host in C runs the digits contract and gets the receipts that a host in Rust gets.

mod common;

use std::ffi::{CStr, c_void};
use std::ptr;

use aivm::{Address, BlockContext, Call, Deploy, MemoryHost, Vm};
use aivm_capi::callbacks::AivmCallbacks;
use aivm_capi::error::{AivmCode, aivm_error_message};
use aivm_capi::host::{
    AivmBlock, aivm_host_free, aivm_host_new, aivm_host_new_memory, aivm_host_set_balance,
    aivm_host_set_block,
};
use aivm_capi::receipt::aivm_receipt_free;
use aivm_capi::vm::{AivmCall, aivm_call, aivm_upload, aivm_vm_free, aivm_vm_new};
use synq_compiler::{FolderLoader, Options, compile};

const IMAGES: usize = 6;
const ALICE: Address = {
    let mut address = [0; 20];
    address[0] = 0xa1;
    Address(address)
};

struct Case {
    wasm: Vec<u8>,
    selector: [u8; 4],
    model: Vec<u8>,
    images: Vec<u8>,
}

fn case() -> Case {
    let examples = FolderLoader::new(common::folder().join("../examples"));
    let output = compile("digits.synq", &examples, &Options::new()).unwrap();
    let contract = &output.contracts[0];
    let models = common::folder().join("../../nn-backends/models");
    let mut images = std::fs::read(models.join("digits-test.bin")).unwrap();
    images.truncate(IMAGES * 65);
    Case {
        wasm: contract.wasm.clone(),
        selector: contract.abi.function("read").unwrap()[0].selector().0,
        model: std::fs::read(models.join("digits.onnx")).unwrap(),
        images,
    }
}

/// What the C program prints, as a host in Rust finds it.
fn expected(case: &Case) -> String {
    let vm = Vm::builder().build().unwrap();
    let mut host = MemoryHost::new();
    let block = |height: u64| {
        BlockContext::new(7, height)
            .with_timestamp(1000 + height)
            .with_network("c-example")
    };
    host.set_block(block(1));
    vm.register_model(&mut host, &case.model).unwrap();
    let code = vm.upload(&mut host, &case.wasm).unwrap().code;
    let deployed = vm.deploy(&mut host, &Deploy::new(ALICE, code, [])).unwrap();
    let (mut text, mut right) = (String::new(), 0);
    for (index, record) in case.images.chunks(65).enumerate() {
        host.set_block(block(2 + index as u64));
        let mut input = case.selector.to_vec();
        for pixel in &record[..64] {
            input.extend([0; 31]);
            input.push(*pixel);
        }
        let call = Call::new(ALICE, deployed.address, input);
        let receipt = vm.call(&mut host, &call).unwrap();
        right += usize::from(receipt.output[31] == record[64]);
        text += &format!(
            "class {} status 0 gas {} inference {} events 1 receipt {}\n",
            receipt.output[31],
            receipt.gas.total(),
            receipt.gas.inference,
            receipt.hash(),
        );
    }
    assert_eq!(right, IMAGES - 1, "the network misreads the first image");
    text + &format!("commits {}\n", host.commits())
}

#[test]
fn a_host_in_c_gets_the_same_receipts_and_leaks_nothing() {
    let case = case();
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    std::fs::write(work.join("digits.wasm"), &case.wasm).unwrap();
    std::fs::write(work.join("digits.onnx"), &case.model).unwrap();
    std::fs::write(work.join("images"), &case.images).unwrap();
    let selector = common::hexadecimal(&case.selector);
    let arguments = ["digits.wasm", "digits.onnx", "images", &selector];
    common::prints("digits", work, &arguments, &expected(&case));
}

fn message() -> String {
    // SAFETY: the library ends its messages with a zero byte.
    let text = unsafe { CStr::from_ptr(aivm_error_message()) };
    text.to_str().unwrap().to_owned()
}

unsafe extern "C" fn no_block(_: *mut c_void, _: *mut AivmBlock) {}
unsafe extern "C" fn no_value(
    _: *mut c_void,
    _: *const u8,
    _: *const u8,
    _: usize,
    _: *mut aivm_capi::host::AivmSink,
) -> i32 {
    -5
}
unsafe extern "C" fn no_number(_: *mut c_void, _: *const u8, _: *mut u8) -> i32 {
    -6
}
unsafe extern "C" fn no_bytes(
    _: *mut c_void,
    _: *const u8,
    _: *mut aivm_capi::host::AivmSink,
) -> i32 {
    0
}
unsafe extern "C" fn no_commit(
    _: *mut c_void,
    _: *const aivm_capi::callbacks::AivmChange,
    _: usize,
) -> i32 {
    -7
}

#[test]
fn mistakes_are_codes_with_messages() {
    // SAFETY: every pointer below is null, as the test wants it, or of something that lives to its end.
    unsafe {
        let mut vm = ptr::null_mut();
        assert_eq!(aivm_vm_new(ptr::null_mut()), AivmCode::Null);
        assert_eq!(message(), "`vm` is null");
        assert_eq!(aivm_vm_new(&raw mut vm), AivmCode::Ok);

        let host = aivm_host_new_memory();
        let mut hash = [0; 32];
        let text = b"no module";
        let upload = |host, data: *const u8, to: &mut [u8; 32]| {
            aivm_upload(vm, host, data, text.len(), to.as_mut_ptr(), ptr::null_mut())
        };
        let code = upload(host, text.as_ptr(), &mut hash);
        assert_eq!(code, AivmCode::InvalidModule);
        assert!(
            message().starts_with("the module is refused"),
            "{}",
            message()
        );
        assert_eq!(upload(host, ptr::null(), &mut hash), AivmCode::Null);
        assert_eq!(
            upload(ptr::null_mut(), text.as_ptr(), &mut hash),
            AivmCode::Null
        );
        assert_eq!(hash, [0; 32], "nothing is written on failure");

        let block = AivmBlock {
            chain_id: 1,
            number: 1,
            timestamp: 0,
            network: c"\xff".as_ptr(),
        };
        assert_eq!(aivm_host_set_block(host, &raw const block), AivmCode::Utf8);

        let call = AivmCall {
            from: ALICE.0,
            to: [9; 20],
            input: aivm_capi::host::AivmBytes {
                data: ptr::null(),
                len: 0,
            },
            value: [0; 32],
            gas_limit: 0,
            tx_hash: [0; 32],
        };
        let mut receipt = ptr::null_mut();
        let code = aivm_call(vm, host, &raw const call, &raw mut receipt);
        assert_eq!(code, AivmCode::NoContract);
        assert!(receipt.is_null());
        aivm_receipt_free(receipt);
        aivm_host_free(host);

        let mut callbacks = AivmCallbacks {
            user: ptr::null_mut(),
            block: Some(no_block),
            storage_get: Some(no_value),
            balance: Some(no_number),
            contract: Some(no_number),
            code: Some(no_bytes),
            model: Some(no_bytes),
            commit: None,
            state_root: None,
        };
        let mut host = ptr::null_mut();
        let code = aivm_host_new(&raw const callbacks, &raw mut host);
        assert_eq!(code, AivmCode::Callback);
        assert_eq!(message(), "the callback `commit` is null");
        callbacks.commit = Some(no_commit);
        let code = aivm_host_new(&raw const callbacks, &raw mut host);
        assert_eq!(code, AivmCode::Ok);
        let code = aivm_call(vm, host, &raw const call, &raw mut receipt);
        assert_eq!(code, AivmCode::Host);
        assert!(
            message().contains("the callback `contract` gave -6"),
            "{}",
            message()
        );
        let balance = aivm_host_set_balance(host, [0; 20].as_ptr(), [0; 32].as_ptr());
        assert_eq!(balance, AivmCode::Config);
        aivm_host_free(host);
        aivm_vm_free(vm);
    }
}
