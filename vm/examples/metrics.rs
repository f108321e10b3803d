//! A node that shows its measurements to Prometheus.
//!
//! ```sh
//! cargo run --release --features aivm/metrics --example metrics            # prints them
//! cargo run --release --features aivm/metrics --example metrics -- 9464    # serves them on this port
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use aivm::{Address, Call, Deploy, MemoryHost, Vm};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use synq_compiler::{FolderLoader, Options, compile};

fn main() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::default();
    let vm = Vm::builder().metrics(&mut registry).build()?;

    let folder = FolderLoader::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"));
    let output = compile("counter.synq", &folder, &Options::new())?;
    let (mut chain, alice) = (MemoryHost::new(), Address([0xa1; 20]));
    let code = vm.upload(&mut chain, &output.contracts[0].wasm)?.code;
    let counter = vm.deploy(&mut chain, &Deploy::new(alice, code, []))?;
    for input in [&[0xd0, 0x9d, 0xe0, 0x8a][..], b"nothing"] {
        vm.call(&mut chain, &Call::new(alice, counter.address, input))?;
    }

    let Some(port) = std::env::args().nth(1) else {
        let mut text = String::new();
        encode(&mut text, &registry)?;
        print!("{text}");
        return Ok(());
    };
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    println!("http://{}/metrics", listener.local_addr()?);
    for stream in listener.incoming() {
        let mut stream = stream?;
        let _ = stream.read(&mut [0; 1_024])?;
        let mut text = String::new();
        encode(&mut text, &registry)?;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )?;
    }
    Ok(())
}
