//! Networks: each operator against arithmetic done here, quotes, and a real model against onnxruntime.

mod digits;
mod elementwise;
mod failures;
mod movement;
mod products;
mod rounding;

use aivm_conformance::outcome::Claim;
use aivm_nn::{Model, ModelLimits};

use super::draft::*;
use super::guest::{HEAP, call, guest, push_word};
use super::onnx::{self, BOOL, F32, I8, I32, I64, Message, Shape, U8, tensor};

pub fn files() -> Vec<File> {
    vec![
        operators(),
        rounding::file(),
        digits::file(),
        failures::file(),
    ]
}

fn operators() -> File {
    let mut file = File::new(
        "nn",
        "operators",
        "The generator computes the output itself, with integers or with single IEEE operations of its own, as ONNX defines the operator.",
    );
    file.share_wat("infer", &inferrer());
    elementwise::arithmetic(&mut file);
    elementwise::logic(&mut file);
    elementwise::unary(&mut file);
    movement::moves(&mut file);
    movement::reductions(&mut file);
    products::matrices(&mut file);
    products::windows(&mut file);
    elementwise::casts(&mut file);
    file
}

/// Input: the model's hash as a word in memory, the number of tensors (4 bytes), 4 unused, then
/// their records with pointers as they will lie; it begins at [`HEAP`]. Returns the first output's
/// bytes, or reverts with the number of the error.
fn inferrer() -> String {
    let hash = push_word("(local.get $at)");
    let body = format!(
        "(call $nn.infer {hash} (i32.add (local.get $at) (i32.const 40)) (i32.load offset=32 (local.get $at)) (i32.const 2048))
         (if (i32.load8_u (i32.const 2048)) (then (return (call $result (i32.const 1) (i32.const 2052) (i32.const 1)))))
         (call $result (i32.const 0) (i32.load offset=12 (i32.load (i32.const 2052))) (i32.load offset=16 (i32.load (i32.const 2052))))"
    );
    guest(&["nn.infer"], &call(&body))
}

/// Returns gas, multiply-accumulates, memory and profile as they lie in memory.
fn quoter() -> String {
    let body = format!(
        "(call $nn.quote {} (i32.const 2048))
         (if (i32.load8_u (i32.const 2048)) (then (return (call $result (i32.const 1) (i32.const 2056) (i32.const 1)))))
         (call $result (i32.const 0) (i32.const 2056) (i32.const 25))",
        push_word("(local.get $at)")
    );
    guest(&["nn.quote"], &call(&body))
}

/// Numbers of the element types on the border.
fn code(ty: i64) -> u8 {
    match ty {
        U8 => 0,
        I8 => 1,
        I32 => 3,
        I64 => 4,
        F32 => 5,
        BOOL => 6,
        other => panic!("no type {other}"),
    }
}

fn request(model: &[u8; 32], inputs: &[(Shape<'_>, Vec<u8>)]) -> Vec<u8> {
    let mut word = *model;
    word.reverse();
    let mut data = word.to_vec();
    data.extend((inputs.len() as u32).to_le_bytes());
    data.extend([0; 4]);
    let records = data.len();
    data.resize(records + 20 * inputs.len(), 0);
    for (i, ((ty, dims), bytes)) in inputs.iter().enumerate() {
        while !data.len().is_multiple_of(8) {
            data.push(0);
        }
        let shape = HEAP + data.len() as u32;
        for dim in *dims {
            data.extend((*dim as u32).to_le_bytes());
        }
        let content = HEAP + data.len() as u32;
        data.extend(bytes);
        let record = &mut data[records + 20 * i..][..20];
        record[0] = code(*ty);
        for (place, value) in [
            (4, shape),
            (8, dims.len() as u32),
            (12, content),
            (16, bytes.len() as u32),
        ] {
            record[place..place + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
    data
}

fn f(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn i(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn l(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn b(values: &[i8]) -> Vec<u8> {
    values.iter().map(|v| v.cast_unsigned()).collect()
}

fn loaded(onnx: &[u8]) -> Model {
    Model::from_onnx(onnx, &ModelLimits::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// A model of one operator with what goes in.
struct Case<'a> {
    name: String,
    rule: &'a str,
    op: &'a str,
    inputs: Vec<(Shape<'a>, Vec<u8>)>,
    constants: Vec<Message>,
    attributes: Vec<Message>,
}

impl<'a> Case<'a> {
    fn new(op: &'a str, name: impl Into<String>, rule: &'a str) -> Self {
        Self {
            name: name.into(),
            rule,
            op,
            inputs: Vec::new(),
            constants: Vec::new(),
            attributes: Vec::new(),
        }
    }

    fn input(mut self, ty: i64, dims: &'a [i64], bytes: Vec<u8>) -> Self {
        self.inputs.push(((ty, dims), bytes));
        self
    }

    fn constant(mut self, ty: i64, dims: &[i64], bytes: &[u8]) -> Self {
        let name = format!("c{}", self.constants.len());
        self.constants.push(tensor(&name, ty, dims, bytes));
        self
    }

    fn attribute(mut self, attribute: Message) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Adds a vector in which this output is what comes out.
    fn gives(self, file: &mut File, ty: i64, dims: &[i64], expected: Vec<u8>) {
        let shapes: Vec<Shape<'_>> = self.inputs.iter().map(|(shape, _)| *shape).collect();
        let (constants, attributes) = (&self.constants, &self.attributes);
        let onnx = onnx::one(self.op, &shapes, constants, attributes, (ty, dims));
        let model = loaded(&onnx);
        let prices = aivm::GasSchedule::v1().nn;
        let price = prices.register_base
            + prices.register_per_byte * onnx.len() as u64
            + prices.register_per_work
                * Model::from_onnx_measured(&onnx, &ModelLimits::default()).1
            + prices.register_per_node * model.graph().nodes().len() as u64;
        let registered = Claim {
            price: Some(price),
            ..Claim::default()
        };
        let inferred = Claim {
            inference: Some(model.quote(&prices).gas),
            ..Claim::returns(expected)
        };
        file.push(
            Draft::new(self.name, self.rule)
                .register(onnx, registered)
                .put("infer")
                .call("infer", request(&model.hash(), &self.inputs), inferred),
        );
    }
}
