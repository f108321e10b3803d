//! The chain that the tool runs contracts on, in memory or in a file.

use std::path::Path;

use aivm::inspect::{FailurePlace, SourceMap};
use aivm::{
    Address, BlockContext, Call, Deploy, DiskCache, Hash, MemoryHost, Receipt, RedbHost, Vm, Word,
};
use aivm_abi::calldata::{JsonAbi, parse_abi};

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

/// Reads an ABI.
fn abi(path: &Path) -> Result<JsonAbi, CliError> {
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

/// A VM, a chain, a deployed contract and what to call.
pub struct World {
    pub vm: Vm,
    pub chain: Chain,
    pub abi: Option<JsonAbi>,
    pub contract: Address,
    /// Receipt of the deployment; none when the chain had the contract.
    pub deployed: Option<Receipt>,
    pub calls: Vec<(Call, Encoded)>,
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
        let from: Address = args.from.parse().map_err(|source| CliError::Address {
            text: args.from.clone(),
            source,
        })?;
        let mut chain = Self::chain(args, from)?;
        let abi = match &args.abi {
            Some(path) => Some(abi(path)?),
            None => None,
        };
        let init = encode_init(&args.init, abi.as_ref(), &args.contract)?;
        let encoded: Vec<Encoded> = args
            .calls
            .iter()
            .map(|call| encode(call, abi.as_ref(), &args.contract))
            .collect::<Result<_, _>>()?;

        for path in &args.models {
            let onnx = read(path)?;
            let model = on!(&mut chain, host => vm.register_model(host.as_mut(), &onnx))?.model;
            if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
                match &mut chain {
                    Chain::Memory(host) => host.name_model(name, model),
                    Chain::File(host) => host.name_model(name, model).map_err(aivm::Error::from)?,
                }
            }
        }
        let wasm = read(&args.contract)?;
        if !wasm.starts_with(b"\0asm") {
            return Err(CliError::NoModule(args.contract.clone()));
        }
        let uploaded = on!(&mut chain, host => vm.upload(host.as_mut(), &wasm))?;
        let mut salt = [0; 32];
        salt[24..].copy_from_slice(&args.salt.to_be_bytes());
        let deploy = Deploy::new(from, uploaded.code, init)
            .with_salt(salt)
            .with_gas_limit(args.gas);
        let contract = deploy.address();
        let mut place = FailurePlace::new();
        let inspector = &mut place;
        let result = on!(
            &mut chain,
            host => vm.deploy_inspected(host.as_mut(), &deploy, inspector)
        );
        let deployed = match result {
            Ok(deployed) => Some(deployed.receipt),
            Err(aivm::Error::AddressInUse(_)) if args.state.is_some() => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(Receipt { status, output, .. }) = &deployed
            && let Some(reason) = reason(*status, abi.as_ref(), output)
        {
            return Err(CliError::Constructor {
                status: *status,
                reason,
                at: places(&vm, &chain, &place)?,
            });
        }
        let calls = encoded
            .into_iter()
            .map(|encoded| {
                let call = Call::new(from, contract, encoded.input.clone())
                    .with_value(Word::from(args.value))
                    .with_gas_limit(args.gas);
                (call, encoded)
            })
            .collect();
        Ok(Self {
            vm,
            chain,
            abi,
            contract,
            deployed,
            calls,
        })
    }

    fn chain(args: &RunArgs, from: Address) -> Result<Chain, CliError> {
        let block = BlockContext::new(1, args.block).with_network("local");
        let balance = Word::from(u128::MAX);
        Ok(match &args.state {
            None => {
                let mut host = MemoryHost::new().with_state_root();
                host.set_block(block);
                host.set_balance(from, balance);
                Chain::Memory(Box::new(host))
            }
            Some(path) => {
                let mut host = RedbHost::open(path)?;
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
