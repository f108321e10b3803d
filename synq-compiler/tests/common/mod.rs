//! A small chain on wasmi, so that compiled contracts run without the VM.
#![allow(dead_code, missing_docs)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use aivm_abi::calldata::{
    JsonAbi, RevertReason, decode_event, decode_output, decode_revert, encode_call,
    encode_constructor, find_function, format_value, parse_arguments,
};
use aivm_abi::export::{self, Output};
use aivm_abi::host::{
    accounts, calls, context, crypto, events, ext, journal, log, math, messaging, nn, storage,
};
use aivm_abi::{Exit, FuncId, Guest, Meter, Transcript, TrapCode, Word, for_each_import};
use alloy_primitives::{U256, U512};
use synq_compiler::{Artifact, MemoryLoader, Options, SourceLoader};
use wasmi::{AsContextMut, Caller, Engine, Linker, Memory, Module, Store};

pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Default)]
pub struct World {
    pub storage: BTreeMap<Word, State>,
    pub balances: BTreeMap<Word, U256>,
    pub events: Vec<(Word, Vec<Word>, Vec<u8>)>,
}

/// A network that a test makes up.
pub type Network = fn(&[nn::Tensor]) -> Vec<nn::Tensor>;

#[derive(Default)]
pub struct Shared {
    pub world: World,
    pub code: BTreeMap<Word, Vec<u8>>,
    pub abis: BTreeMap<Word, JsonAbi>,
    pub inferences: Vec<(Word, Vec<nn::Tensor>)>,
    pub infer: Option<Network>,
    pub depth: u32,
    pub logs: Vec<String>,
    /// Self-calls with a limit below this run out of gas.
    pub scarce: u64,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Return(String),
    Revert(RevertReason),
    Trap(String),
}

#[derive(Clone, Default)]
pub struct Chain(pub Rc<RefCell<Shared>>);

pub struct Host {
    chain: Chain,
    me: Word,
    caller: Word,
    value: Word,
    query: bool,
    checkpoints: Vec<World>,
    transcript: Transcript,
}

fn num(w: Word) -> U256 {
    U256::from_be_bytes(w.to_be_bytes())
}

fn word(n: U256) -> Word {
    Word::from_be_bytes(n.to_be_bytes())
}

impl Meter for Host {
    fn charge(&mut self, _: FuncId) -> Result<(), Exit> {
        Ok(())
    }
    fn charge_bytes(&mut self, _: FuncId, _: u64) -> Result<(), Exit> {
        Ok(())
    }
    fn transfer_limit(&self) -> u32 {
        1 << 20
    }
    fn transcript(&mut self) -> &mut Transcript {
        &mut self.transcript
    }
}

impl Host {
    fn state<T>(&mut self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut shared = self.chain.0.borrow_mut();
        f(shared.world.storage.entry(self.me).or_default())
    }
    fn writes(&self) -> Result<(), Exit> {
        if self.query {
            return Err(TrapCode::WriteInQuery.into());
        }
        Ok(())
    }
}

impl storage::Host for Host {
    fn load(&mut self, key: Word) -> Result<Word, Exit> {
        let value = self.state(|s| s.get(key.to_be_bytes().as_slice()).cloned());
        match value {
            None => Ok(Word::ZERO),
            Some(v) => Ok(Word::from_be_bytes(
                v.try_into().map_err(|_| TrapCode::BadArgument)?,
            )),
        }
    }
    fn store(&mut self, key: Word, value: Word) -> Result<(), Exit> {
        self.writes()?;
        self.state(|s| {
            if value.is_zero() {
                s.remove(key.to_be_bytes().as_slice());
            } else {
                s.insert(key.to_be_bytes().to_vec(), value.to_be_bytes().to_vec());
            }
        });
        Ok(())
    }
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Exit> {
        Ok(self.state(|s| s.get(key).cloned()))
    }
    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        self.state(|s| s.insert(key.to_vec(), value.to_vec()));
        Ok(())
    }
    fn remove(&mut self, key: &[u8]) -> Result<bool, Exit> {
        self.writes()?;
        Ok(self.state(|s| s.remove(key)).is_some())
    }
    fn has(&mut self, key: &[u8]) -> Result<bool, Exit> {
        Ok(self.state(|s| s.contains_key(key)))
    }
}

impl events::Host for Host {
    fn emit(&mut self, topics: Vec<Word>, data: &[u8]) -> Result<(), Exit> {
        self.writes()?;
        let me = self.me;
        let mut shared = self.chain.0.borrow_mut();
        shared.world.events.push((me, topics, data.to_vec()));
        Ok(())
    }
}

impl context::Host for Host {
    fn caller(&mut self) -> Result<Word, Exit> {
        Ok(self.caller)
    }
    fn origin(&mut self) -> Result<Word, Exit> {
        Ok(Word::from(0xaau64))
    }
    fn self_address(&mut self) -> Result<Word, Exit> {
        Ok(self.me)
    }
    fn value(&mut self) -> Result<Word, Exit> {
        Ok(self.value)
    }
    fn block_number(&mut self) -> Result<u64, Exit> {
        Ok(77)
    }
    fn block_timestamp(&mut self) -> Result<u64, Exit> {
        Ok(1_700_000_000)
    }
    fn chain_id(&mut self) -> Result<u64, Exit> {
        Ok(6)
    }
    fn gas_left(&mut self) -> Result<u64, Exit> {
        Ok(1_000_000)
    }
    fn revert(&mut self, data: &[u8]) -> Result<(), Exit> {
        Err(Exit::Revert(data.to_vec()))
    }
}

impl accounts::Host for Host {
    fn balance(&mut self, address: Word) -> Result<Word, Exit> {
        let shared = self.chain.0.borrow();
        Ok(word(
            shared
                .world
                .balances
                .get(&address)
                .copied()
                .unwrap_or_default(),
        ))
    }
    fn transfer(&mut self, to: Word, amount: Word) -> Result<bool, Exit> {
        self.writes()?;
        Ok(self.chain.move_value(self.me, to, num(amount)))
    }
}

impl calls::Host for Host {
    fn call(
        &mut self,
        target: Word,
        value: Word,
        _: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        if self.query {
            return Err(TrapCode::WriteInQuery.into());
        }
        Ok(self
            .chain
            .clone()
            .nested("call", target, self.me, value, input))
    }
    fn query(
        &mut self,
        target: Word,
        _: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        Ok(self
            .chain
            .clone()
            .nested("query", target, self.me, Word::ZERO, input))
    }
    fn self_call(
        &mut self,
        gas: u64,
        input: &[u8],
    ) -> Result<Result<Vec<u8>, calls::Failure>, Exit> {
        if gas < self.chain.0.borrow().scarce {
            return Ok(Err(calls::Failure::Trapped(TrapCode::OutOfGas.code())));
        }
        let before = self.chain.0.borrow().world.clone();
        let result = self
            .chain
            .clone()
            .run("call", self.me, self.caller, self.value, input);
        Ok(match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.chain.0.borrow_mut().world = before;
                Err(calls::Failure::Reverted(data))
            }
            Err(_) => {
                self.chain.0.borrow_mut().world = before;
                Err(calls::Failure::Trapped(1))
            }
        })
    }
    fn allow_reentrancy(&mut self, _: bool) -> Result<(), Exit> {
        Ok(())
    }
}

impl crypto::Host for Host {
    fn keccak256(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(alloy_primitives::keccak256(data).0))
    }
    fn sha256(&mut self, _: &[u8]) -> Result<Word, Exit> {
        Err(TrapCode::Unsupported.into())
    }
    fn sha3_256(&mut self, _: &[u8]) -> Result<Word, Exit> {
        Err(TrapCode::Unsupported.into())
    }
    fn blake3(&mut self, data: &[u8]) -> Result<Word, Exit> {
        Ok(Word::from_be_bytes(blake3::hash(data).into()))
    }
    /// Good when the signature is key followed by message.
    fn verify(
        &mut self,
        _: crypto::SignatureScheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Exit> {
        Ok(signature == [key, message].concat())
    }
    fn verify_all(&mut self, signatures: Vec<crypto::Signed>) -> Result<bool, Exit> {
        let mut all = true;
        for signed in signatures {
            let crypto::Signed {
                scheme,
                key,
                message,
                signature,
            } = signed;
            all &= crypto::Host::verify(self, scheme, &key, &message, &signature)?;
        }
        Ok(all)
    }

    fn address_of(&mut self, scheme: crypto::SignatureScheme, key: &[u8]) -> Result<Word, Exit> {
        Ok(aivm_abi::Address::from_public_key(scheme.name(), key).to_word())
    }

    fn decapsulate(
        &mut self,
        _: crypto::Kem,
        key: &[u8],
        ciphertext: &[u8],
    ) -> Result<Option<Vec<u8>>, Exit> {
        Ok((!key.is_empty()).then(|| [key, ciphertext].concat()))
    }
}

impl nn::Host for Host {
    fn quote(&mut self, _: Word) -> Result<Result<nn::InferenceQuote, nn::Error>, Exit> {
        Ok(Ok(nn::InferenceQuote {
            gas: 4321,
            macs: 2,
            memory: 3,
            profile: nn::Profile::Integer,
        }))
    }
    fn infer(
        &mut self,
        model: Word,
        inputs: Vec<nn::Tensor>,
    ) -> Result<Result<Vec<nn::Tensor>, nn::Error>, Exit> {
        let mut shared = self.chain.0.borrow_mut();
        let Some(infer) = shared.infer else {
            return Ok(Err(nn::Error::ModelNotFound));
        };
        let outputs = infer(&inputs);
        shared.inferences.push((model, inputs));
        Ok(Ok(outputs))
    }
}

impl math::Host for Host {
    fn mul(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).wrapping_mul(num(b))))
    }
    fn div(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).checked_div(num(b)).unwrap_or_default()))
    }
    fn rem(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).checked_rem(num(b)).unwrap_or_default()))
    }
    fn add_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(word(num(a).add_mod(num(b), num(m))))
    }
    fn mul_mod(&mut self, a: Word, b: Word, m: Word) -> Result<Word, Exit> {
        Ok(word(num(a).mul_mod(num(b), num(m))))
    }
    fn exp(&mut self, a: Word, b: Word) -> Result<Word, Exit> {
        Ok(word(num(a).wrapping_pow(num(b))))
    }
}

impl ext::Host for Host {
    fn invoke(&mut self, name: &str, arguments: &[u8]) -> Result<Result<Vec<u8>, Vec<u8>>, Exit> {
        match name {
            "echo" => Ok(Ok(arguments.to_vec())),
            "fail" => Ok(Err(arguments.to_vec())),
            _ => Err(TrapCode::NoSuchExtension.into()),
        }
    }
}

impl journal::Host for Host {
    fn begin(&mut self) -> Result<(), Exit> {
        let world = self.chain.0.borrow().world.clone();
        self.checkpoints.push(world);
        Ok(())
    }
    fn commit(&mut self) -> Result<(), Exit> {
        self.checkpoints.pop().ok_or(TrapCode::Checkpoint)?;
        Ok(())
    }
    fn rollback(&mut self) -> Result<(), Exit> {
        let world = self.checkpoints.pop().ok_or(TrapCode::Checkpoint)?;
        self.chain.0.borrow_mut().world = world;
        Ok(())
    }
}

impl log::Host for Host {
    fn debug(&mut self, message: &str) -> Result<(), Exit> {
        self.chain.0.borrow_mut().logs.push(message.to_owned());
        Ok(())
    }
}

struct WasmiGuest<C> {
    context: C,
    memory: Option<Memory>,
    realloc: Option<wasmi::Func>,
}

impl<C: AsContextMut<Data = Host>> Guest for WasmiGuest<C> {
    type Host = Host;
    fn parts(&mut self) -> Result<(&mut [u8], &mut Host), Exit> {
        let memory = self.memory.ok_or(TrapCode::BadPointer)?;
        Ok(memory.data_and_store_mut(&mut self.context))
    }
    fn realloc(&mut self, align: u32, size: u32) -> Result<u32, Exit> {
        let function = self.realloc.ok_or(TrapCode::BadRealloc)?;
        let function = function
            .typed::<(u32, u32, u32, u32), u32>(&self.context)
            .map_err(Exit::host)?;
        function
            .call(&mut self.context, (0, 0, align, size))
            .map_err(|_| Exit::Trap(TrapCode::Unreachable))
    }
}

fn caller(context: Caller<'_, Host>) -> WasmiGuest<Caller<'_, Host>> {
    let memory = context
        .get_export(export::MEMORY)
        .and_then(|item| item.into_memory());
    let realloc = context
        .get_export(export::REALLOC)
        .and_then(|item| item.into_func());
    WasmiGuest {
        context,
        memory,
        realloc,
    }
}

#[derive(Debug)]
struct Carried(Exit);

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl wasmi::errors::HostError for Carried {}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    macro_rules! link {
        ({ $linker:ident } $(($module:literal, $name:literal, $id:expr, $glue:path,
            ($($arg:ident: $ty:ty),*), $result:ty))*) => {
            $($linker
                .func_wrap(
                    $module,
                    $name,
                    |context: Caller<'_, Host>, $($arg: $ty),*| -> Result<$result, wasmi::Error> {
                        $glue(&mut caller(context), $($arg),*).map_err(|exit| wasmi::Error::host(Carried(exit)))
                    },
                )
                .expect("each import is defined once");)*
        };
    }
    for_each_import!(link, linker);
    linker
}

impl Chain {
    pub fn new() -> Self {
        Self::default()
    }

    fn move_value(&self, from: Word, to: Word, amount: U256) -> bool {
        let mut shared = self.0.borrow_mut();
        let have = shared.world.balances.entry(from).or_default();
        let Some(left) = have.checked_sub(amount) else {
            return false;
        };
        *have = left;
        let there = shared.world.balances.entry(to).or_default();
        *there += amount;
        true
    }

    fn run(
        &self,
        export_name: &str,
        target: Word,
        from: Word,
        value: Word,
        input: &[u8],
    ) -> Result<Output, Exit> {
        let code = self.0.borrow().code.get(&target).cloned();
        let code = code.ok_or(TrapCode::Unsupported)?;
        let engine = Engine::default();
        let module = Module::new(&engine, &code).expect("the compiler makes valid modules");
        let host = Host {
            chain: self.clone(),
            me: target,
            caller: from,
            value,
            query: export_name == "query",
            checkpoints: Vec::new(),
            transcript: Transcript::retaining(0),
        };
        let mut store = Store::new(&engine, host);
        let instance = linker(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("imports are there");
        let memory = instance.get_memory(&store, export::MEMORY);
        let realloc = instance.get_func(&store, export::REALLOC);
        let mut guest = WasmiGuest {
            context: &mut store,
            memory,
            realloc,
        };
        let (pointer, length) = export::lower_input(&mut guest, input)?;
        let function = instance
            .get_typed_func::<(u32, u32), u32>(&store, export_name)
            .expect("exported");
        let result = match function.call(&mut store, (pointer, length)) {
            Ok(result) => result,
            Err(error) => {
                return Err(match error.downcast::<Carried>() {
                    Some(Carried(exit)) => exit,
                    None => Exit::Trap(TrapCode::Unreachable),
                });
            }
        };
        let mut guest = WasmiGuest {
            context: &mut store,
            memory,
            realloc,
        };
        let output = export::lift_output(&mut guest, result, 1 << 20)?;
        let post = instance
            .get_typed_func::<u32, ()>(&store, &format!("cabi_post_{export_name}"))
            .expect("exported");
        post.call(&mut store, result).expect("does nothing");
        Ok(output)
    }

    fn nested(
        &self,
        export_name: &str,
        target: Word,
        from: Word,
        value: Word,
        input: &[u8],
    ) -> Result<Vec<u8>, calls::Failure> {
        if !self.0.borrow().code.contains_key(&target) {
            return Err(calls::Failure::NoContract);
        }
        if self.0.borrow().depth > 8 {
            return Err(calls::Failure::DepthExceeded);
        }
        let before = self.0.borrow().world.clone();
        if !self.move_value(from, target, num(value)) {
            return Err(calls::Failure::InsufficientBalance);
        }
        self.0.borrow_mut().depth += 1;
        let result = self.run(export_name, target, from, value, input);
        self.0.borrow_mut().depth -= 1;
        match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.0.borrow_mut().world = before;
                Err(calls::Failure::Reverted(data))
            }
            Err(Exit::Trap(code)) => {
                self.0.borrow_mut().world = before;
                Err(calls::Failure::Trapped(code.code()))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn outcome(
        &self,
        export_name: &str,
        target: Word,
        from: u64,
        value: u64,
        input: &[u8],
    ) -> Result<Vec<u8>, Outcome> {
        let from = Word::from(from);
        self.0
            .borrow_mut()
            .world
            .balances
            .insert(from, U256::from(1_000_000_000u64));
        let before = self.0.borrow().world.clone();
        self.move_value(from, target, U256::from(value));
        let abi = self.0.borrow().abis.get(&target).cloned();
        let result = self.run(export_name, target, from, Word::from(value), input);
        match result {
            Ok(Output::Return(data)) => Ok(data),
            Ok(Output::Revert(data)) | Err(Exit::Revert(data)) => {
                self.0.borrow_mut().world = before;
                Err(Outcome::Revert(decode_revert(abi.as_ref(), &data)))
            }
            Err(other) => {
                self.0.borrow_mut().world = before;
                Err(Outcome::Trap(format!("{other:?}")))
            }
        }
    }

    pub fn deploy(&self, artifact: &Artifact, address: u64, args: &[&str]) -> Contract {
        self.try_deploy(artifact, address, args).expect("deploys")
    }

    pub fn try_deploy(
        &self,
        artifact: &Artifact,
        address: u64,
        args: &[&str],
    ) -> Result<Contract, Outcome> {
        let address = Word::from(address);
        {
            let mut shared = self.0.borrow_mut();
            shared.code.insert(address, artifact.wasm.clone());
            shared.abis.insert(address, artifact.abi.clone());
        }
        let contract = Contract {
            chain: self.clone(),
            address,
            abi: artifact.abi.clone(),
        };
        let input = match &artifact.abi.constructor {
            Some(constructor) => {
                let values = parse_arguments("constructor", &constructor.inputs, args)
                    .expect("arguments parse");
                encode_constructor(&artifact.abi, &values).expect("arguments fit")
            }
            None => Vec::new(),
        };
        self.outcome("construct", address, 1, 0, &input)?;
        Ok(contract)
    }
}

#[derive(Clone)]
pub struct Contract {
    pub chain: Chain,
    pub address: Word,
    pub abi: JsonAbi,
}

impl Contract {
    /// Calls as account 1; a query when the function is view or pure.
    pub fn call(&self, name: &str, args: &[&str]) -> Outcome {
        self.call_from(1, 0, name, args)
    }

    pub fn call_from(&self, from: u64, value: u64, name: &str, args: &[&str]) -> Outcome {
        let function = find_function(&self.abi, name).expect("the function exists");
        let values = parse_arguments(name, &function.inputs, args).expect("arguments parse");
        let input = encode_call(function, &values).expect("arguments fit");
        let readonly = matches!(
            function.state_mutability,
            alloy_json_abi::StateMutability::View | alloy_json_abi::StateMutability::Pure
        );
        let export_name = if readonly { "query" } else { "call" };
        match self
            .chain
            .outcome(export_name, self.address, from, value, &input)
        {
            Ok(data) => {
                let values = decode_output(function, &data).expect("the output decodes");
                let text: Vec<String> = values.iter().map(format_value).collect();
                Outcome::Return(text.join(", "))
            }
            Err(other) => other,
        }
    }

    /// The result of a call that must succeed.
    pub fn get(&self, name: &str, args: &[&str]) -> String {
        match self.call(name, args) {
            Outcome::Return(text) => text,
            other => panic!("{name}: {other:?}"),
        }
    }

    /// The reason of a call that must revert, as text.
    pub fn fails(&self, name: &str, args: &[&str]) -> String {
        match self.call(name, args) {
            Outcome::Revert(reason) => reason.to_string(),
            other => panic!("{name}: {other:?}"),
        }
    }

    pub fn raw(&self, input: &[u8]) -> Result<Vec<u8>, Outcome> {
        self.chain.outcome("call", self.address, 1, 0, input)
    }

    /// Events so far, as text, oldest first; forgets them.
    pub fn events(&self) -> Vec<String> {
        let list = std::mem::take(&mut self.chain.0.borrow_mut().world.events);
        list.into_iter()
            .map(|(_, topics, data)| {
                let event = decode_event(&self.abi, &topics, &data).expect("the event decodes");
                let fields: Vec<String> = event
                    .fields
                    .iter()
                    .map(|f| format!("{}={}", f.name, format_value(&f.value)))
                    .collect();
                format!("{}({})", event.name, fields.join(", "))
            })
            .collect()
    }
}

pub fn compile_with(loader: &dyn SourceLoader, path: &str, options: &Options) -> Vec<Artifact> {
    match synq_compiler::compile(path, loader, options) {
        Ok(output) => {
            for artifact in &output.contracts {
                wasmparser::Validator::new()
                    .validate_all(&artifact.wasm)
                    .unwrap_or_else(|e| {
                        panic!("{}: {e}", artifact.name);
                    });
            }
            output.contracts
        }
        Err(diagnostics) => panic!("{}", diagnostics.render(false)),
    }
}

pub fn compile(source: &str) -> Vec<Artifact> {
    let loader = MemoryLoader::new().with_source("test.synq", source);
    compile_with(&loader, "test.synq", &Options::new())
}

/// Compiles and deploys the last contract of a source.
pub fn deploy(source: &str, args: &[&str]) -> Contract {
    let artifacts = compile(source);
    let last = artifacts.last().expect("a contract");
    Chain::new().deploy(last, 0x1000, args)
}

pub fn full_mul(a: U256, b: U256) -> U512 {
    U512::from(a) * U512::from(b)
}

impl messaging::Host for Host {
    fn send(&mut self, _: u64, _: &[u8], _: &[u8]) -> Result<u64, Exit> {
        Ok(0)
    }

    fn peek(&mut self, _: Word) -> Result<Result<messaging::Message, messaging::Refusal>, Exit> {
        Ok(Err(messaging::Refusal::Unknown))
    }

    fn consume(&mut self, _: Word) -> Result<Result<messaging::Message, messaging::Refusal>, Exit> {
        Ok(Err(messaging::Refusal::Unknown))
    }
}

// Interfaces of other hosts: the defaults trap.
impl aivm_abi::host::wasi_nn_tensor::Host for Host {}
impl aivm_abi::host::wasi_nn_graph::Host for Host {}
impl aivm_abi::host::wasi_nn_inference::Host for Host {}
impl aivm_abi::host::wasi_nn_errors::Host for Host {}
impl aivm_abi::host::wasi_ephemeral_nn::Host for Host {}
impl aivm_abi::host::wasi_snapshot_preview1::Host for Host {}
