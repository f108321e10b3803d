//! The chain that the tool runs contracts on, in memory or in a file.

use std::fs::OpenOptions;
use std::path::Path;

use aivm::inspect::{FailurePlace, SourceMap};
use aivm::{
    Address, BlockContext, Call, Deploy, DiskCache, Hash, Host, MemoryHost, Receipt, RedbHost, Vm,
    Word,
};
use aivm_abi::Printable;
use aivm_abi::calldata::{Function, JsonAbi, parse_abi};

use crate::args::RunArgs;
use crate::calls::{Encoded, encode, encode_init, reason};
use crate::error::CliError;

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|source| CliError::File {
        path: path.to_owned(),
        source,
    })
}

/// Makes sure that a file to be written is none of those that the command reads.
pub fn check_no_input(path: &Path, read: &[&Path]) -> Result<(), CliError> {
    // A file that is not there yet is none of them.
    let Ok(to) = path.canonicalize() else {
        return Ok(());
    };
    let mut read = read.iter().filter_map(|read| read.canonicalize().ok());
    match read.any(|read| read == to) {
        true => Err(CliError::Input(path.to_owned())),
        false => Ok(()),
    }
}

/// Makes sure that a file can be written, and is none of those that the command reads, before anything
/// is done that would then be lost.
pub fn check_writable(path: &Path, read: &[&Path]) -> Result<(), CliError> {
    check_no_input(path, read)?;
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.map(drop).map_err(|source| CliError::File {
        path: path.to_owned(),
        source,
    })
}

/// Reads an ABI.
fn read_abi(path: &Path) -> Result<JsonAbi, CliError> {
    parse_abi(&String::from_utf8_lossy(&read(path)?)).map_err(|source| CliError::Abi {
        path: path.to_owned(),
        source,
    })
}

/// A chain of either kind.
pub enum Chain {
    /// Gone when the command ends.
    Memory(Box<MemoryHost>),
    /// Kept.
    File(Box<RedbHost>),
}

/// Runs an expression on the host, whichever it is.
macro_rules! on {
    ($chain:expr, $host:ident => $body:expr) => {
        match $chain {
            $crate::world::Chain::Memory($host) => $body,
            $crate::world::Chain::File($host) => $body,
        }
    };
}
pub(crate) use on;

/// A deployment, and the lines that the constructor wrote.
pub struct Deployment {
    pub receipt: Receipt,
    pub log: Vec<(Address, String)>,
}

/// A call as it was written, as it is made, and how to read what it returns.
pub struct Request {
    pub text: String,
    pub call: Call,
    pub function: Option<Function>,
}

/// A VM, a chain, a deployed contract and what to call.
pub struct World {
    pub vm: Vm,
    pub chain: Chain,
    pub abi: Option<JsonAbi>,
    pub contract: Address,
    /// None when the chain had the contract.
    pub deployed: Option<Deployment>,
    pub calls: Vec<Request>,
}

impl World {
    /// Deploys the contract unless the chain has it already.
    pub fn new(args: &RunArgs) -> Result<Self, CliError> {
        let mut builder = Vm::builder();
        if let Some(folder) = &args.cache {
            // The tool's own cache holds nothing that its user could not write anyway.
            let disk = DiskCache::open(folder, b"aivm command line");
            builder = builder.disk_cache(disk.map_err(|source| CliError::File {
                path: folder.clone(),
                source,
            })?);
        }
        let vm = builder.build()?;
        let wasm = read(&args.contract)?;
        if !wasm.starts_with(b"\0asm") {
            return Err(CliError::NoModule(args.contract.clone()));
        }
        let from: Address = args.from.parse().map_err(|source| CliError::Address {
            text: args.from.clone(),
            source,
        })?;
        let abi = args.abi.as_deref().map(read_abi).transpose()?;
        let encoded: Vec<Encoded> = args
            .calls
            .iter()
            .map(|call| encode(call, abi.as_ref(), &args.contract))
            .collect::<Result<_, _>>()?;

        let mut chain = Self::chain(args, from)?;
        for path in &args.models {
            let onnx = read(path)?;
            let registered = on!(&mut chain, host => vm.register_model(host.as_mut(), &onnx));
            let model = registered.map_err(|source| CliError::Onnx {
                path: path.clone(),
                source: Box::new(source),
            })?;
            let model = model.model;
            if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
                match &mut chain {
                    Chain::Memory(host) => host.name_model(name, model),
                    Chain::File(host) => host.name_model(name, model).map_err(aivm::Error::from)?,
                }
            }
        }
        let mut salt = [0; 32];
        salt[24..].copy_from_slice(&args.salt.to_be_bytes());
        let uploaded = on!(&mut chain, host => vm.upload(host.as_mut(), &wasm))?;
        let deploy = |init| {
            Deploy::new(from, uploaded.code, init)
                .with_salt(salt)
                .with_gas_limit(args.gas)
        };
        // The address does not depend on the constructor's arguments.
        let contract = deploy(Vec::new()).address();
        let deployed = match on!(&chain, host => host.contract(&contract))? {
            Some(_) => None,
            None => {
                let init = encode_init(&args.init, abi.as_ref(), &args.contract)?;
                Some(construct(&vm, &mut chain, abi.as_ref(), &deploy(init))?)
            }
        };
        let requests = args
            .calls
            .iter()
            .zip(encoded)
            .map(|(text, encoded)| Request {
                text: text.clone(),
                call: Call::new(from, contract, encoded.input)
                    .with_value(Word::from(args.value))
                    .with_gas_limit(args.gas),
                function: encoded.function,
            });
        Ok(Self {
            calls: requests.collect(),
            vm,
            chain,
            abi,
            contract,
            deployed,
        })
    }

    fn chain(args: &RunArgs, from: Address) -> Result<Chain, CliError> {
        let block = BlockContext::new(1, args.block)
            .with_timestamp(args.time)
            .with_network("local");
        let balance = Word::from(u128::MAX);
        Ok(match &args.state {
            None => {
                let mut host = MemoryHost::new().with_state_root().with_log();
                host.set_block(block);
                host.set_balance(from, balance);
                Chain::Memory(Box::new(host))
            }
            Some(path) => {
                let host = RedbHost::open(path).map_err(|source| CliError::State {
                    path: path.clone(),
                    source,
                })?;
                let mut host = host.with_log();
                host.set_block(block);
                if host.commits()? == 0 {
                    host.set_balance(from, balance)?;
                }
                Chain::File(Box::new(host))
            }
        })
    }
}

impl World {
    /// Leads from code to functions and source lines.
    pub fn source_map(&self, code: &Hash) -> Result<SourceMap, CliError> {
        source_map(&self.vm, &self.chain, code)
    }

    /// Where a call failed, innermost first: functions with source lines, or all functions of
    /// a module that has none.
    pub fn places(&self, failure: &FailurePlace) -> Result<Vec<String>, CliError> {
        places(&self.vm, &self.chain, failure)
    }
}

/// Deploys; a constructor that does not return is an error.
fn construct(
    vm: &Vm,
    chain: &mut Chain,
    abi: Option<&JsonAbi>,
    deploy: &Deploy,
) -> Result<Deployment, CliError> {
    let mut place = FailurePlace::new();
    let inspector = &mut place;
    let deployed = on!(
        &mut *chain,
        host => vm.deploy_inspected(host.as_mut(), deploy, inspector)
    )?;
    let receipt = deployed.receipt;
    match reason(receipt.status, abi, &receipt.output) {
        None => Ok(Deployment {
            receipt,
            log: take_log(chain),
        }),
        Some(reason) => Err(CliError::Constructor {
            status: receipt.status,
            reason: Printable(&reason).to_string(),
            at: places(vm, chain, &place)?,
            no_arguments: deploy.input.is_empty() && receipt.output.is_empty(),
        }),
    }
}

/// Lines that contracts wrote since the last time.
pub fn take_log(chain: &mut Chain) -> Vec<(Address, String)> {
    on!(chain, host => host.take_log())
}

fn source_map(vm: &Vm, chain: &Chain, code: &Hash) -> Result<SourceMap, CliError> {
    Ok(on!(chain, host => vm.source_map(host.as_ref(), code))?)
}

fn places(vm: &Vm, chain: &Chain, failure: &FailurePlace) -> Result<Vec<String>, CliError> {
    let Some((code, stack)) = failure.found() else {
        return Ok(Vec::new());
    };
    let map = source_map(vm, chain, code)?;
    let located = stack.iter().map(|place| map.locate(*place));
    let shown = located.filter(|place| place.line.is_some() || !map.has_lines());
    let notes = map.notes().iter().map(|note| format!("note: {note}"));
    Ok(shown.map(|place| place.to_string()).chain(notes).collect())
}
