//! A chain in C with models by name, an inbox, functions of its own and a PQ-Gas lane gets the receipts that a chain in Rust gets.

mod common;

use std::path::PathBuf;

use aivm::{
    Address, BlockContext, Call, Deploy, Error, Host, InboxMessage, MemoryHost, Receipt, Status,
    TrapCode, Vm,
};
use aivm_abi::calldata::Function;
use synq_compiler::{ChainProfile, MemoryLoader, Options, compile};

const CHECKER: &str = "pragma synq ^1.0.0;

contract Checker {
    function doubled(x: UInt256) public -> UInt256 { debug(\"to be\\ndoubled\"); return twice(x); }
    function thrice(x: UInt256) public -> UInt256 { return triple(x); }
    function check(key: MLDSAPublicKey, message: Bytes, signature: MLDSASignature) public view -> Bool {
        return verifyMLDSASignature(key, message, signature);
    }
}
";

fn alice() -> Address {
    let mut address = Address::ZERO;
    address.0[0] = 0xa1;
    address
}

fn repository() -> PathBuf {
    common::folder().join("../..")
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = repository().join("sdk-guest/examples/fixtures");
    std::fs::read(folder.join(name)).unwrap()
}

fn selector(signature: &str) -> [u8; 4] {
    Function::parse(signature).unwrap().selector().0
}

/// Arguments of Solidity.
#[derive(Default)]
struct Arguments(Vec<u8>);

impl Arguments {
    fn word(mut self, bytes: &[u8]) -> Self {
        self.0.resize(self.0.len() + 32 - bytes.len(), 0);
        self.0.extend(bytes);
        self
    }

    fn number(self, number: u64) -> Self {
        self.word(&number.to_be_bytes())
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut new = self.number(bytes.len() as u64);
        new.0.extend(bytes);
        new.0
            .resize(new.0.len() + bytes.len().wrapping_neg() % 32, 0);
        new
    }
}

struct Chain {
    vm: Vm,
    host: MemoryHost,
    said: String,
}

impl Chain {
    fn say(&mut self, what: &str, receipt: &Receipt) {
        let status = match receipt.status {
            Status::Return => 0,
            Status::Revert => 1,
            _ => 2,
        };
        self.said += &format!(
            "{what}: status {status}, {} bytes, {} messages, receipt {}\n",
            receipt.output.len(),
            receipt.outbox.len(),
            receipt.hash()
        );
    }

    fn deploy(&mut self, what: &str, wasm: &[u8], arguments: &[u8]) -> Address {
        let code = self.vm.upload(&mut self.host, wasm).unwrap().code;
        let deploy = Deploy::new(alice(), code, arguments);
        let deployed = self.vm.deploy(&mut self.host, &deploy).unwrap();
        self.say(what, &deployed.receipt);
        deployed.address
    }

    fn call(&mut self, what: &str, to: Address, input: &[u8]) -> Receipt {
        let call = Call::new(alice(), to, input);
        let receipt = self.vm.call(&mut self.host, &call).unwrap();
        self.log();
        self.say(what, &receipt);
        receipt
    }

    /// Lines of contracts, as the C program shows them.
    fn log(&mut self) {
        for (_, line) in self.host.take_log() {
            self.said += &format!("log: {}\n", line.replace('\n', "?"));
        }
    }

    fn failure(&mut self, what: &str, code: u32, message: &str) {
        self.said += &format!("{what}: code {code}, {message}\n");
    }
}

/// What the C program prints.
fn expected(checker: &[u8], model: &[u8], image: &[u8], selectors: [[u8; 4]; 5]) -> String {
    let [deposit, release, check, doubled, thrice] = selectors;
    let mut host = MemoryHost::new().with_log().with_extension(
        "twice",
        |arguments| 1000 + arguments.len() as u64,
        |call| match call.arguments[31] {
            0 => Err(b"nothing".to_vec()),
            x => Ok(Arguments::default().number(2 * u64::from(x)).0),
        },
    );
    let block = BlockContext::new(7, 1)
        .with_timestamp(1001)
        .with_network("c-example");
    host.set_block(block);
    let mut chain = Chain {
        vm: Vm::builder().build().unwrap(),
        host,
        said: String::new(),
    };

    let there = b"their bridge";
    let construct = Arguments::default().number(5).number(64).bytes(there);
    let bridge = chain.deploy("bridge", &fixture("bridge.wasm"), &construct.0);
    let mut receiver = Address::ZERO;
    receiver.0[0] = 0xb0;
    let input = Arguments(deposit.to_vec()).word(&receiver.0).number(64);
    let input = input.bytes(b"hello").0;
    let call = Call::new(alice(), bridge, input);
    let receipt = chain.vm.call(&mut chain.host, &call).unwrap();
    let [sent] = receipt.outbox.as_slice() else {
        panic!("one message: {receipt:?}");
    };
    assert_eq!((sent.destination, sent.sequence), (5, 0));
    let id = sent.id(receipt.chain_id);
    chain.said += &format!(
        "to chain 5, number 0, recipient of {} bytes, payload of {} bytes, identifier {id}\n",
        there.len(),
        sent.payload.len()
    );
    chain.failure(
        "the next one",
        103,
        "there are 1 messages, none has index 1",
    );
    chain.say("deposit", &receipt);

    let input = Arguments(release.to_vec()).word(&id.0).0;
    let statuses = [Status::Revert, Status::Return, Status::Revert];
    for status in statuses {
        assert_eq!(chain.call("release", bridge, &input).status, status);
        let message = InboxMessage {
            source_chain: 5,
            destination: 7,
            sender: there.to_vec(),
            recipient: bridge,
            payload: sent.payload.clone(),
        };
        chain.host.deliver(id.0, message);
    }
    let wrote = "the host failed: the callback `inbox_message` wrote what it has not: `data`";
    for why in [
        "the host failed: the callback `inbox_message` gave -1".to_owned(),
        format!("{wrote} is null"),
        format!("{wrote} has {} bytes, more than there can be", usize::MAX),
    ] {
        chain.failure("inbox", 14, &why);
    }

    let stored = chain.host.storage_range(&bridge, &[], usize::MAX).unwrap();
    assert!(stored.len() > 1, "more than a page: {stored:?}");
    for (key, value) in &stored {
        let key = common::hexadecimal(key);
        chain.said += &format!("stored: {key} has {} bytes\n", value.len());
    }
    chain.said += &format!("{} entries\n", stored.len());

    let model = chain.vm.register_model(&mut chain.host, model).unwrap();
    let classifier = chain.deploy("classifier", &fixture("classifier-wit.wasm"), &[]);
    // The second time the VM holds the model, and only asks whether it is still there.
    for status in [Status::Revert, Status::Return, Status::Return] {
        assert_eq!(chain.call("classify", classifier, image).status, status);
        chain.host.name_model("digits", model.model);
    }
    chain.failure(
        "name",
        14,
        "the host failed: the callback `model_named` gave -2",
    );

    let to = chain.deploy("checker", checker, &[]);
    for (selector, x, status) in [
        (doubled, 200, Status::Return),
        (doubled, 0, Status::Revert),
        (thrice, 1, Status::Trap(TrapCode::NoSuchExtension)),
    ] {
        let input = Arguments(selector.to_vec()).number(x).0;
        let receipt = chain.call("doubled", to, &input);
        assert_eq!(receipt.status, status);
        if status.is_success() {
            assert_eq!(receipt.output, Arguments::default().number(2 * x).0);
        }
    }
    // What the call says before it fails stays said.
    chain.said += "log: to be?doubled\n";
    chain.failure(
        "doubled",
        14,
        "the host failed: the callback `extension` gave -9",
    );
    let (key, signature) = ([0; 1952], [0; 3309]);
    let input = Arguments(check.to_vec())
        .number(96)
        .number(96 + 32 + 1952)
        .number(96 + 32 + 1952 + 64)
        .bytes(&key)
        .bytes(b"message")
        .bytes(&signature);
    let call = Call::new(alice(), to, input.0);
    let mut lane = chain.vm.block_pq_gas(&chain.host).unwrap();
    let mut calls = 0;
    let refused = loop {
        match chain.vm.call_in_block(&mut chain.host, &call, &mut lane) {
            Ok(receipt) => assert_eq!(receipt.status, Status::Return, "{receipt:?}"),
            Err(refused) => break refused,
        }
        calls += 1;
    };
    assert!(matches!(refused, Error::BlockFull { .. }), "{refused}");
    assert!(calls > 10, "{calls}");
    chain.failure("block", 19, &refused.to_string());
    let commits = chain.host.commits();
    chain.said
        + &format!(
            "{calls} calls; {} of {} left\nasked for code yes, for models yes; doubled for a1; lines 3; commits {commits}\n",
            lane.left(),
            lane.limit()
        )
}

#[test]
fn a_chain_in_c_has_what_a_chain_may_have() {
    let sources = MemoryLoader::new().with_source("checker.synq", CHECKER);
    let profile = ["twice", "triple"].map(|name| {
        format!("[functions.{name}]\ninputs = [\"UInt256\"]\noutputs = [\"UInt256\"]\n")
    });
    let profile = ChainProfile::from_toml(&profile.concat()).unwrap();
    let options = Options::new().with_profile(profile);
    let output = compile("checker.synq", &sources, &options).unwrap();
    let checker = &output.contracts[0];
    let of_checker = |name: &str| checker.abi.function(name).unwrap()[0].selector().0;
    let selectors = [
        selector("deposit(address,bytes)"),
        selector("release(bytes32)"),
        of_checker("check"),
        of_checker("doubled"),
        of_checker("thrice"),
    ];
    let models = repository().join("nn-backends/models");
    let model = std::fs::read(models.join("digits.onnx")).unwrap();
    let images = std::fs::read(models.join("digits-test.bin")).unwrap();
    let image = &images[..64];

    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    for (name, bytes) in [
        ("bridge.wasm", &fixture("bridge.wasm")[..]),
        ("classifier.wasm", &fixture("classifier-wit.wasm")),
        ("checker.wasm", &checker.wasm),
        ("digits.onnx", &model),
        ("image", image),
    ] {
        std::fs::write(work.join(name), bytes).unwrap();
    }
    let [deposit, release, check, doubled, thrice] =
        selectors.map(|selector| common::hexadecimal(&selector));
    let arguments = [
        "bridge.wasm",
        "classifier.wasm",
        "checker.wasm",
        "digits.onnx",
        "image",
        &deposit,
        &release,
        &check,
        &doubled,
        &thrice,
    ];
    let expected = expected(&checker.wasm, &model, image, selectors);
    common::prints("chain", work, &arguments, &expected);
}
