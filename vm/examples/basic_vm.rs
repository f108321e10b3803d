//! A SynQ contract reads handwritten digits with a neural network. Everything runs twice, the
//! second time from a cold cache, and gives the same receipts.
//!
//! ```sh
//! cargo run --release --example basic_vm          # six images, with pictures
//! cargo run --release --example basic_vm -- --all # all held-out images, summary only
//! ```

use std::error::Error;
use std::path::Path;

use aivm::{Address, BlockContext, Call, Deploy, MemoryHost, Receipt, Status, Vm};
use aivm_abi::calldata::{
    DynSolValue, JsonAbi, decode_event, decode_output, encode_call, find_function, format_value,
};
use synq_compiler::{FolderLoader, Options, compile};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A held-out image: 64 pixels (0 to 16, row-major) and the digit that a person wrote.
struct Image {
    pixels: [u8; 64],
    label: u8,
}

fn main() -> Outcome<()> {
    let all = std::env::args().any(|argument| argument == "--all");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = root.join("../nn-backends/models");

    let folder = FolderLoader::new(root.join("examples"));
    let output =
        compile("digits.synq", &folder, &Options::new()).map_err(|errors| errors.render(false))?;
    let contract = output.contracts.first().ok_or("no contract")?;
    let onnx = std::fs::read(models.join("digits.onnx"))?;
    let images = read_images(&std::fs::read(models.join("digits-test.bin"))?)?;
    let images = if all { &images[..] } else { &images[..6] };
    println!(
        "compiled digits.synq to {} bytes of Wasm; the model has {} bytes",
        contract.wasm.len(),
        onnx.len()
    );

    let first = run(&contract.wasm, &contract.abi, &onnx, images, !all)?;
    let second = run(&contract.wasm, &contract.abi, &onnx, images, false)?;
    let same = first.iter().zip(&second).filter(|(a, b)| a == b).count();
    println!(
        "\nsecond run from a cold cache: {same} of {} receipt hashes are the same",
        first.len()
    );
    if same != first.len() {
        return Err("the runs differ".into());
    }
    Ok(())
}

/// Starts a chain and a VM, deploys the contract and shows it each image. Gives the receipt hashes.
fn run(
    wasm: &[u8],
    abi: &JsonAbi,
    onnx: &[u8],
    images: &[Image],
    pictures: bool,
) -> Outcome<Vec<String>> {
    let vm = Vm::builder().build()?;
    let mut chain = MemoryHost::new();
    chain.set_block(BlockContext::new(1, 100).with_timestamp(1_700_000_000));
    let alice = Address::from([0xa1; 20]);

    let model = vm.register_model(&mut chain, onnx)?;
    let code = vm.upload(&mut chain, wasm)?;
    let deployed = vm.deploy(&mut chain, &Deploy::new(alice, code.code, []))?;
    if deployed.receipt.status != Status::Return {
        return Err(format!("the constructor failed: {:?}", deployed.receipt.status).into());
    }
    if pictures {
        println!("model     {}", hex::encode(model.model));
        println!("contract  {}\n", deployed.address);
    }

    let read = find_function(abi, "read")?;
    let mut hashes = vec![deployed.receipt.hash().to_string()];
    let mut right = 0;
    for image in images {
        let rows = DynSolValue::FixedArray(vec![DynSolValue::FixedArray(
            image
                .pixels
                .iter()
                .map(|&pixel| DynSolValue::from(pixel))
                .collect(),
        )]);
        let input = encode_call(read, &[rows])?;
        let receipt = vm.call(&mut chain, &Call::new(alice, deployed.address, input))?;
        if receipt.status != Status::Return {
            return Err(format!("the call failed: {:?}", receipt.status).into());
        }
        let answer = decode_output(read, &receipt.output)?;
        let digit = answer
            .first()
            .and_then(DynSolValue::as_uint)
            .ok_or("no answer")?
            .0;
        right += usize::from(digit.to::<u8>() == image.label);
        if pictures {
            show(image, digit.to::<u8>(), abi, &receipt)?;
        }
        hashes.push(receipt.hash().to_string());
    }
    println!("{right} of {} images read right", images.len());

    let last_digit = find_function(abi, "lastDigit")?;
    let input = encode_call(last_digit, &[DynSolValue::Address(alice.0.into())])?;
    let stored = vm.query(&chain, &Call::new(alice, deployed.address, input))?;
    let last = decode_output(last_digit, &stored.output)?;
    let last = last.iter().map(format_value).collect::<String>();
    println!("the contract remembers {last} for {alice}");
    Ok(hashes)
}

/// Prints a picture with what the call gave beside it.
fn show(image: &Image, digit: u8, abi: &JsonAbi, receipt: &Receipt) -> Outcome<()> {
    let gas = &receipt.gas;
    let mut beside = vec![
        format!("read as {digit}, written as {}", image.label),
        format!(
            "gas {}: execution {}, host {}, inference {}, storage {}; PQ {}",
            gas.total(),
            gas.execution,
            gas.host,
            gas.inference,
            gas.storage,
            gas.pq
        ),
    ];
    for event in &receipt.events {
        beside.push(format!(
            "event {}",
            decode_event(abi, &event.topics, &event.data)?
        ));
    }
    beside.push(format!("receipt {}", receipt.hash()));
    for (row, pixels) in image.pixels.chunks(8).enumerate() {
        let picture: String = pixels.iter().map(|&pixel| shade(pixel)).collect();
        let text = row.checked_sub(2).and_then(|line| beside.get(line));
        println!("  {picture}   {}", text.map_or("", String::as_str));
    }
    println!();
    Ok(())
}

/// Two columns of ink for a pixel of 0 to 16.
fn shade(pixel: u8) -> &'static str {
    match pixel {
        0..=1 => "  ",
        2..=5 => "░░",
        6..=9 => "▒▒",
        10..=13 => "▓▓",
        _ => "██",
    }
}

fn read_images(bytes: &[u8]) -> Outcome<Vec<Image>> {
    bytes
        .chunks(65)
        .map(|record| {
            let (pixels, label) = record.split_first_chunk::<64>().ok_or("a short record")?;
            let label = *label.first().ok_or("a short record")?;
            Ok(Image {
                pixels: *pixels,
                label,
            })
        })
        .collect()
}
