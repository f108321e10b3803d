//! The precompiles at 0xA101 to 0xA107 that the twins call, for revm. They are written on the
//! same libraries as the VM's host functions, not on the VM.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use aivm::ExtensionResult;
use aivm_conformance::Chain;
use aivm_conformance::vector::Answer;
use aivm_gas::GasSchedule;
use aivm_nn::{Backend, ElementType, Model, ModelLimits, Prepared, Tensor, prepare};
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{I256, U256};
use pqcrypto_traits::kem::{Ciphertext as _, SecretKey as _, SharedSecret as _};
use pqcrypto_traits::sign::{DetachedSignature as _, PublicKey as _};
use revm::context::{Cfg, ContextTr};
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult};
use revm::primitives::{Address, AddressSet};
use sha3::{Digest, Sha3_256};

/// What a chain offers: models by content address, and functions of its own.
#[derive(Default)]
pub struct Offers {
    models: BTreeMap<[u8; 32], Prepared>,
    chain: Chain,
}

impl Offers {
    /// The functions of a vector's chain.
    pub fn of(chain: &Chain) -> Self {
        Self {
            chain: chain.clone(),
            ..Self::default()
        }
    }

    fn function(&self, arguments: &[DynSolValue]) -> Option<&Answer> {
        let [name, arguments] = arguments else {
            return None;
        };
        let found = self
            .chain
            .extension(name.as_str()?, arguments.as_bytes()?)?;
        Some(&found.answer)
    }

    pub fn add(&mut self, onnx: &[u8]) {
        let model = Model::from_onnx(onnx, &ModelLimits::default()).expect("a good model");
        let hash = model.hash();
        let prepared = prepare(Arc::new(model), Backend::default()).expect("a good model");
        self.models.insert(hash, prepared);
    }

    fn get(&self, word: &DynSolValue) -> Option<&Prepared> {
        let (word, _) = word.as_fixed_bytes()?;
        self.models.get(word)
    }

    fn infer(&self, arguments: &[DynSolValue]) -> Option<Vec<u8>> {
        let [hash, inputs] = arguments else {
            return None;
        };
        let prepared = self.get(hash)?;
        let model = prepared.model();
        let types = model.inputs().iter().map(|i| array_type(i.ty, &i.shape));
        let values = DynSolType::Tuple(types.collect())
            .abi_decode_params(inputs.as_bytes()?)
            .ok()?;
        let tensors: Vec<Tensor> = values
            .as_tuple()?
            .iter()
            .zip(model.inputs())
            .map(|(value, info)| {
                let mut data = Vec::new();
                bytes_of(value, info.ty, &mut data);
                Tensor::new(info.ty, info.shape.clone(), data).ok()
            })
            .collect::<Option<_>>()?;
        let outputs = prepared.run(&tensors).ok()?;
        let values = outputs.iter().map(|t| {
            let shape: Vec<usize> = t.shape.iter().map(|d| *d as usize).collect();
            value_of(t.ty, &shape, &t.data)
        });
        Some(DynSolValue::Tuple(values.collect()).abi_encode_params())
    }
}

/// Solidity writes the innermost dimension first.
fn array_type(ty: ElementType, shape: &[u32]) -> DynSolType {
    let element = match ty {
        ElementType::U8 => DynSolType::Uint(8),
        other => DynSolType::Int(8 * other.size()),
    };
    shape.iter().rev().fold(element, |inner, d| {
        DynSolType::FixedArray(Box::new(inner), *d as usize)
    })
}

fn bytes_of(value: &DynSolValue, ty: ElementType, out: &mut Vec<u8>) {
    match value {
        DynSolValue::FixedArray(parts) => parts.iter().for_each(|p| bytes_of(p, ty, out)),
        DynSolValue::Uint(n, _) => out.extend(&n.to_le_bytes::<32>()[..ty.size()]),
        DynSolValue::Int(n, _) => out.extend(&n.into_raw().to_le_bytes::<32>()[..ty.size()]),
        other => panic!("not a tensor: {other:?}"),
    }
}

fn value_of(ty: ElementType, shape: &[usize], data: &[u8]) -> DynSolValue {
    if let [first, rest @ ..] = shape {
        let parts = data.chunks(data.len() / first);
        return DynSolValue::FixedArray(parts.map(|p| value_of(ty, rest, p)).collect());
    }
    let mut bytes = [0u8; 8];
    bytes[..data.len()].copy_from_slice(data);
    let low = u64::from_le_bytes(bytes);
    if ty == ElementType::U8 {
        return DynSolValue::Uint(U256::from(low), 8);
    }
    let shift = 64 - 8 * ty.size();
    let signed = ((low << shift) as i64) >> shift;
    DynSolValue::Int(I256::try_from(signed).expect("it fits"), 8 * ty.size())
}

fn arguments(types: &str, input: &[u8]) -> Option<Vec<DynSolValue>> {
    let types = DynSolType::parse(types).expect("a list of types");
    match types.abi_decode_params(input).ok()? {
        DynSolValue::Tuple(values) => Some(values),
        _ => None,
    }
}

fn number(value: &DynSolValue) -> u64 {
    value.as_uint().map_or(u64::MAX, |(n, _)| n.to::<u64>())
}

/// Schemes are numbered as in the `crypto` interface.
fn verify(arguments: &[DynSolValue]) -> Option<bool> {
    let [scheme, key, message, signature] = arguments else {
        return None;
    };
    let (key, message, signature) = (key.as_bytes()?, message.as_bytes()?, signature.as_bytes()?);
    macro_rules! with {
        ($module:path) => {{
            use $module as m;
            match (
                m::PublicKey::from_bytes(key),
                m::DetachedSignature::from_bytes(signature),
            ) {
                (Ok(k), Ok(s)) => m::verify_detached_signature(&s, message, &k).is_ok(),
                _ => false,
            }
        }};
    }
    Some(match number(scheme) {
        0 => with!(pqcrypto_mldsa::mldsa44),
        1 => with!(pqcrypto_mldsa::mldsa65),
        2 => with!(pqcrypto_mldsa::mldsa87),
        3 => with!(pqcrypto_falcon::falcon512),
        4 => with!(pqcrypto_falcon::falcon1024),
        other => panic!("no contract that is replayed has scheme {other}"),
    })
}

fn decapsulate(arguments: &[DynSolValue]) -> Option<Vec<u8>> {
    let [kem, key, sealed] = arguments else {
        return None;
    };
    let (key, sealed) = (key.as_bytes()?, sealed.as_bytes()?);
    macro_rules! with {
        ($module:path) => {{
            use $module as m;
            match (
                m::SecretKey::from_bytes(key),
                m::Ciphertext::from_bytes(sealed),
            ) {
                (Ok(k), Ok(c)) => m::decapsulate(&c, &k).as_bytes().to_vec(),
                _ => Vec::new(),
            }
        }};
    }
    Some(match number(kem) {
        0 => with!(pqcrypto_mlkem::mlkem512),
        1 => with!(pqcrypto_mlkem::mlkem768),
        2 => with!(pqcrypto_mlkem::mlkem1024),
        other => panic!("no contract that is replayed has mechanism {other}"),
    })
}

/// Ethereum's precompiles and ours.
pub struct Precompiles {
    inner: EthPrecompiles,
    offers: Rc<Offers>,
}

impl Precompiles {
    pub fn new(inner: EthPrecompiles, offers: Rc<Offers>) -> Self {
        Self { inner, offers }
    }

    /// Output, or revert data.
    fn answer(&self, number: u16, input: &[u8]) -> Option<ExtensionResult> {
        let word = |n: U256| n.to_be_bytes::<32>().to_vec();
        let output = match number {
            0xa101 => {
                let good = verify(&arguments("(uint8,bytes,bytes,bytes)", input)?)?;
                Some(word(U256::from(u8::from(good))))
            }
            0xa102 => {
                let secret = decapsulate(&arguments("(uint8,bytes,bytes)", input)?)?;
                Some(DynSolValue::Tuple(vec![DynSolValue::Bytes(secret)]).abi_encode_params())
            }
            0xa103 => Some(Sha3_256::digest(input).to_vec()),
            0xa104 => Some(blake3::hash(input).as_bytes().to_vec()),
            0xa105 => self.offers.infer(&arguments("(bytes32,bytes)", input)?),
            0xa106 => {
                let prepared = self.offers.get(arguments("(bytes32)", input)?.first()?)?;
                let quote = prepared.model().quote(&GasSchedule::v1().nn);
                Some(word(U256::from(quote.gas)))
            }
            0xa107 => {
                let answer = self.offers.function(&arguments("(string,bytes)", input)?)?;
                return Some(answer.clone().into());
            }
            _ => None,
        };
        output.map(Ok)
    }
}

impl<C: ContextTr> PrecompileProvider<C> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <C::Cfg as Cfg>::Spec) -> bool {
        <EthPrecompiles as PrecompileProvider<C>>::set_spec(&mut self.inner, spec)
    }

    fn run(
        &mut self,
        context: &mut C,
        inputs: &CallInputs,
    ) -> Result<Option<Self::Output>, String> {
        let address = inputs.bytecode_address.into_array();
        let (zeros, last) = address.split_at(18);
        let number = u16::from_be_bytes([last[0], last[1]]);
        if zeros.iter().any(|b| *b != 0) || !(0xa101..=0xa107).contains(&number) {
            return self.inner.run(context, inputs);
        }
        let gas = Gas::new(inputs.gas_limit);
        let input = inputs.input.as_bytes(context);
        let (result, output) = match self.answer(number, &input) {
            Some(Ok(output)) => (InstructionResult::Return, output),
            Some(Err(output)) => (InstructionResult::Revert, output),
            None => (InstructionResult::Revert, Vec::new()),
        };
        Ok(Some(InterpreterResult::new(result, output.into(), gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.inner.warm_addresses()
    }

    fn contains(&self, address: &Address) -> bool {
        self.inner.contains(address)
    }
}
