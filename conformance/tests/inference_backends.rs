//! A contract that infers gives one receipt, whatever its node runs the model on.

use std::path::Path;
use std::sync::{Arc, Mutex};

use aivm::{Address, BlockContext, Call, Deploy, MemoryHost, Status, Vm, VmBuilder};
use aivm_abi::calldata::{DynSolValue, encode_call, find_function};
use aivm_nn::gpu::{Gpu, GpuApi, GpuError};
use aivm_nn::kernels::Isa;
use aivm_nn::{Backend, RunError, prepare};
use synq_compiler::{FolderLoader, Options, compile};

/// Deploys the digit contract, shows it three images, and gives the receipts' hashes.
fn receipts(builder: VmBuilder) -> Result<Vec<String>, aivm::Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = FolderLoader::new(root.join("vm/examples"));
    let output = compile("digits.synq", &folder, &Options::new()).unwrap();
    let contract = &output.contracts[0];
    let models = root.join("nn-backends/models");
    let onnx = std::fs::read(models.join("digits.onnx")).unwrap();
    let images = std::fs::read(models.join("digits-test.bin")).unwrap();

    let vm = builder.inference_traces(true).build()?;
    let mut chain = MemoryHost::new();
    chain.set_block(BlockContext::new(1, 100).with_timestamp(1_700_000_000));
    let alice = Address::from([0xa1; 20]);
    vm.register_model(&mut chain, &onnx)?;
    let code = vm.upload(&mut chain, &contract.wasm)?.code;
    let address = vm
        .deploy(&mut chain, &Deploy::new(alice, code, []))?
        .address;
    let read = find_function(&contract.abi, "read").unwrap();
    images
        .chunks(65)
        .take(3)
        .map(|image| {
            let pixels = image[..64].iter().map(|p| DynSolValue::from(*p)).collect();
            let rows = DynSolValue::FixedArray(vec![DynSolValue::FixedArray(pixels)]);
            let input = encode_call(read, &[rows]).unwrap();
            let receipt = vm.call(&mut chain, &Call::new(alice, address, input))?;
            assert_eq!(receipt.status, Status::Return);
            Ok(receipt.hash().to_string())
        })
        .collect()
}

#[test]
fn one_receipt_on_every_backend() {
    let expected = receipts(Vm::builder()).unwrap();
    let reference = |model| prepare(model, Backend::Reference);
    let found = receipts(Vm::builder().inference_backend(reference)).unwrap();
    assert_eq!(found, expected, "reference");
    for isa in Isa::available() {
        let backend = Backend::CpuWith { isa, threads: 2 };
        let found = receipts(Vm::builder().inference_backend(move |m| prepare(m, backend)));
        assert_eq!(found.unwrap(), expected, "{}", isa.name());
    }
    for api in [GpuApi::Vulkan, GpuApi::Gl] {
        let gpu = match Gpu::open(api) {
            Ok(gpu) => gpu,
            Err(error @ GpuError::NoAdapter(_)) => {
                assert!(std::env::var_os("CI").is_none(), "{error}");
                println!("NOT TESTED: {error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let prepared = Arc::new(Mutex::new(0));
        let count = prepared.clone();
        let found = receipts(Vm::builder().inference_backend(move |model| {
            *count.lock().unwrap() += 1;
            Ok(gpu.prepare(model)?)
        }));
        assert_eq!(found.unwrap(), expected, "{api}");
        assert_eq!(*prepared.lock().unwrap(), 1, "prepared once, then kept");
    }
}

#[test]
fn a_broken_backend_is_an_error_of_the_node() {
    let broken = |_| Err(RunError::Device("the device was lost".into()));
    let error = receipts(Vm::builder().inference_backend(broken)).unwrap_err();
    assert!(error.to_string().contains("the device was lost"), "{error}");
}
