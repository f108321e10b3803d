//! Random valid graphs, made from a string of bytes: a property test and a fuzz target read them.
//!
//! A node is kept if the library accepts the graph with it, which also tells the type and shape of its result. So every
//! graph is valid, and what is refused on the way has been refused without harm.

use aivm_nn::{ElementType, Model, ModelLimits, Tensor};

use super::{Graph, Message, node, tensor, value};

/// Choices, from bytes; zeros when they are used up.
pub struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Source(bytes)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n.max(1)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Few bytes become many elements.
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut state = u32::from_le_bytes([self.byte(), self.byte(), self.byte(), 1]);
        (0..n)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 11) as u8
            })
            .collect()
    }

    /// Mostly small numbers; sometimes those that are no numbers, infinite, subnormal or −0.
    fn floats(&mut self, n: usize, wild: bool) -> Vec<u8> {
        const SPECIAL: [u32; 8] = [
            0x7fc0_0000, // the NaN
            0xffc1_2345, // one with a sign and a payload
            0x7f80_0001, // one that signals
            0x7f80_0000, // ∞
            0xff80_0000, // −∞
            0x8000_0000, // −0
            0x0000_0003, // subnormal
            0x7f7f_ffff, // the greatest
        ];
        let bytes = self.bytes(2 * n);
        let elements = bytes.chunks(2).flat_map(|b| {
            let x = if wild && b[0] < 8 {
                f32::from_bits(SPECIAL[usize::from(b[0])])
            } else {
                (f32::from(b[0]) - 127.5) * (f32::from(b[1]) + 1.0) / 4096.0
            };
            x.to_le_bytes()
        });
        elements.collect()
    }

    fn elements(&mut self, ty: ElementType, n: usize, wild: bool) -> Vec<u8> {
        match ty {
            ElementType::F32 => self.floats(n, wild),
            ElementType::Bool => self.bytes(n).iter().map(|b| b & 1).collect(),
            ElementType::U8 | ElementType::I8 => self.bytes(n),
            ElementType::I32 => {
                let bytes = self.bytes(n);
                let small = bytes
                    .iter()
                    .flat_map(|b| (i32::from(*b) - 128).to_le_bytes());
                small.collect()
            }
            _ => {
                let bytes = self.bytes(n);
                let small = bytes
                    .iter()
                    .flat_map(|b| (i64::from(*b) - 128).to_le_bytes());
                small.collect()
            }
        }
    }
}

fn code(ty: ElementType) -> i64 {
    match ty {
        ElementType::F32 => 1,
        ElementType::U8 => 2,
        ElementType::I8 => 3,
        ElementType::I32 => 6,
        ElementType::I64 => 7,
        _ => 9,
    }
}

/// A value of the graph so far.
#[derive(Clone)]
struct Known {
    name: String,
    ty: ElementType,
    shape: Vec<u32>,
}

/// A graph with inputs for it.
pub struct Case {
    pub model: Model,
    pub inputs: Vec<Tensor>,
    /// Operators of the nodes that were kept.
    pub operators: Vec<&'static str>,
}

struct Maker<'a> {
    source: Source<'a>,
    graph: Graph,
    known: Vec<Known>,
    constants: usize,
}

impl Maker<'_> {
    fn constant(&mut self, ty: ElementType, shape: &[u32], wild: bool) -> String {
        let n = shape.iter().product::<u32>() as usize;
        let data = self.source.elements(ty, n, wild);
        self.raw(ty, shape, &data)
    }

    fn raw(&mut self, ty: ElementType, shape: &[u32], data: &[u8]) -> String {
        let name = format!("c{}", self.constants);
        self.constants += 1;
        let dims: Vec<i64> = shape.iter().map(|d| i64::from(*d)).collect();
        let tensor = tensor(&name, code(ty), &dims, data);
        self.graph.initializers.push(tensor);
        name
    }

    fn integers(&mut self, list: &[i64]) -> String {
        let data: Vec<u8> = list.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.raw(ElementType::I64, &[list.len() as u32], &data)
    }

    fn scale(&mut self) -> String {
        let scale = self.source.pick(&[0.01f32, 0.037, 0.5, 1.0]);
        self.raw(ElementType::F32, &[], &scale.to_le_bytes())
    }

    /// Some value of a type, the newer the likelier.
    fn some(&mut self, allowed: &[ElementType]) -> Option<Known> {
        let fits: Vec<&Known> = self
            .known
            .iter()
            .filter(|k| allowed.contains(&k.ty))
            .collect();
        let n = fits.len();
        let back = self.source.below(n).min(self.source.below(n));
        fits.get(n.checked_sub(1 + back)?).copied().cloned()
    }

    /// One more node, if what the bytes ask for is accepted.
    fn grow(&mut self) -> Option<&'static str> {
        use ElementType::{Bool, F32, I8, I32, I64, U8};
        let before = self.graph.initializers.len();
        let output = format!("v{}", self.known.len());
        let numbers = [F32, U8, I8, I32, I64];
        let choice = self.source.byte() % 26;
        let mut attributes = Vec::new();
        let (op, inputs): (&'static str, Vec<String>) = match choice {
            0..=2 => {
                let ops = [
                    "Relu",
                    "Sigmoid",
                    "Tanh",
                    "Exp",
                    "Log",
                    "Sqrt",
                    "Abs",
                    "Neg",
                    "Floor",
                    "Round",
                    "Sin",
                    "Erf",
                    "Softplus",
                    "HardSwish",
                    "Gelu",
                    "Reciprocal",
                    "Sign",
                ];
                let op = self.source.pick(&ops);
                (op, vec![self.some(&numbers)?.name])
            }
            3..=5 => {
                let ops = ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Mod"];
                let op = self.source.pick(&ops);
                let a = self.some(&numbers)?;
                let b = if self.source.byte() & 1 == 0 {
                    let shape: &[u32] = if self.source.byte() & 1 == 0 {
                        &[]
                    } else {
                        &a.shape
                    };
                    let shape = shape.to_vec();
                    self.constant(a.ty, &shape, true)
                } else {
                    self.some(&[a.ty])?.name
                };
                (op, vec![a.name, b])
            }
            6 => {
                let a = self.some(&numbers)?;
                let b = self.some(&[a.ty])?;
                let op = self.source.pick(&["Less", "Equal", "GreaterOrEqual"]);
                (op, vec![a.name, b.name])
            }
            7 => {
                let condition = self.some(&[Bool])?;
                let a = self.some(&numbers)?;
                let b = self.some(&[a.ty])?;
                ("Where", vec![condition.name, a.name, b.name])
            }
            8 => {
                let x = self.some(&[F32])?;
                let (k, n) = (*x.shape.last()?, self.source.below(20) as u32 + 1);
                let w = self.constant(F32, &[k, n], false);
                ("MatMul", vec![x.name, w])
            }
            9 => (
                "MatMul",
                vec![self.some(&[F32])?.name, self.some(&[F32])?.name],
            ),
            10 | 11 => {
                let integer = choice == 11;
                let x = self.some(if integer { &[U8, I8] } else { &[F32] })?;
                let channels = *x.shape.get(1)?;
                let groups = if self.source.byte() & 1 == 0 {
                    1
                } else {
                    channels
                };
                let out = groups * (self.source.below(3) as u32 + 1);
                let kernel = [
                    self.source.below(3) as u32 + 1,
                    self.source.below(3) as u32 + 1,
                ];
                let mut shape = vec![out, channels / groups.max(1)];
                shape.extend(&kernel[..x.shape.len().saturating_sub(2).min(2)]);
                let spatial = shape.len() - 2;
                let list = |s: &mut Source<'_>, n| (0..n).map(|_| s.below(2) as i64 + 1).collect();
                let strides: Vec<i64> = list(&mut self.source, spatial);
                let dilations: Vec<i64> = list(&mut self.source, spatial);
                let pads: Vec<i64> = (0..2 * spatial)
                    .map(|_| self.source.below(3) as i64)
                    .collect();
                attributes.push(ints("strides", &strides));
                attributes.push(ints("dilations", &dilations));
                attributes.push(ints("pads", &pads));
                attributes.push(int("group", i64::from(groups)));
                let ty = if integer {
                    self.source.pick(&[U8, I8])
                } else {
                    F32
                };
                let w = self.constant(ty, &shape, self.source.0.len().is_multiple_of(5));
                if !integer {
                    let bias = self.constant(F32, &[out], false);
                    ("Conv", vec![x.name, w, bias])
                } else if self.source.byte() & 1 == 0 {
                    let (zx, zw) = (
                        self.constant(x.ty, &[], false),
                        self.constant(ty, &[], false),
                    );
                    ("ConvInteger", vec![x.name, w, zx, zw])
                } else {
                    let (sx, sw, sy) = (self.scale(), self.scale(), self.scale());
                    let (zx, zw) = (
                        self.constant(x.ty, &[], false),
                        self.constant(ty, &[], false),
                    );
                    let zy = self.constant(x.ty, &[], false);
                    ("QLinearConv", vec![x.name, sx, zx, w, sw, zw, sy, zy])
                }
            }
            12 => {
                let x = self.some(&[U8, I8])?;
                let (k, n) = (*x.shape.last()?, self.source.below(20) as u32 + 1);
                let ty = self.source.pick(&[U8, I8]);
                let w = self.constant(ty, &[k, n], false);
                let (zx, zw) = (
                    self.constant(x.ty, &[], false),
                    self.constant(ty, &[], false),
                );
                if self.source.byte() & 1 == 0 {
                    ("MatMulInteger", vec![x.name, w, zx, zw])
                } else {
                    let (sx, sw, sy) = (self.scale(), self.scale(), self.scale());
                    let zy = self.constant(x.ty, &[], false);
                    ("QLinearMatMul", vec![x.name, sx, zx, w, sw, zw, sy, zy])
                }
            }
            13 | 14 => {
                let x = self.some(&[F32, U8, I8])?;
                let n = x.shape.len().saturating_sub(2);
                let op = self.source.pick(&["MaxPool", "AveragePool"]);
                let list = |s: &mut Source<'_>, base| -> Vec<i64> {
                    (0..n).map(|_| s.below(3) as i64 + base).collect()
                };
                attributes.push(ints("kernel_shape", &list(&mut self.source, 1)));
                attributes.push(ints("strides", &list(&mut self.source, 1)));
                let pads: Vec<i64> = (0..2 * n).map(|_| self.source.below(2) as i64).collect();
                attributes.push(ints("pads", &pads));
                attributes.push(int("ceil_mode", self.source.below(2) as i64));
                if op == "AveragePool" {
                    attributes.push(int("count_include_pad", self.source.below(2) as i64));
                }
                (op, vec![x.name])
            }
            15 => {
                let x = self.some(&[F32])?;
                attributes.push(int("axis", self.axis(&x)));
                let op = self.source.pick(&["Softmax", "LogSoftmax", "Hardmax"]);
                (op, vec![x.name])
            }
            16 => {
                let x = self.some(&numbers)?;
                let ops = ["ReduceSum", "ArgMax", "ReduceMax", "ReduceMean", "ReduceL2"];
                let op = self.source.pick(&ops);
                let axis = self.axis(&x);
                if op == "ReduceSum" {
                    let axes = self.integers(&[axis]);
                    (op, vec![x.name, axes])
                } else {
                    let list = if op == "ArgMax" {
                        int("axis", axis)
                    } else {
                        ints("axes", &[axis])
                    };
                    attributes.push(list);
                    (op, vec![x.name])
                }
            }
            17 => {
                let x = self.some(&[F32, U8, I8, I32, I64, Bool])?;
                let mut perm: Vec<i64> = (0..x.shape.len() as i64).collect();
                let turn = self.source.below(perm.len());
                perm.rotate_left(turn);
                attributes.push(ints("perm", &perm));
                ("Transpose", vec![x.name])
            }
            18 => {
                let x = self.some(&numbers)?;
                let n: u32 = x.shape.iter().product();
                let shapes: [&[i64]; 3] = [&[-1], &[1, -1], &[i64::from(n), 1]];
                let to = self.source.pick(&shapes);
                let to = self.integers(to);
                ("Reshape", vec![x.name, to])
            }
            19 => {
                let x = self.some(&numbers)?;
                let axis = self.axis(&x);
                let (start, step) = (self.source.below(3) as i64, self.source.pick(&[1, 2, -1]));
                let start = if step < 0 { -1 - start } else { start };
                let end = if step < 0 { i64::MIN } else { i64::MAX };
                let inputs = [start, end, axis, step].map(|v| self.integers(&[v]));
                let mut list = vec![x.name];
                list.extend(inputs);
                ("Slice", list)
            }
            20 => {
                let a = self.some(&numbers)?;
                let b = self.some(&[a.ty])?;
                attributes.push(int("axis", self.axis(&a)));
                ("Concat", vec![a.name, b.name])
            }
            21 => {
                let x = self.some(&[F32])?;
                let scale = self.scale();
                let ty = self.source.pick(&[U8, I8]);
                let zero = self.constant(ty, &[], false);
                ("QuantizeLinear", vec![x.name, scale, zero])
            }
            22 => {
                let x = self.some(&[U8, I8])?;
                let scale = self.scale();
                let zero = self.constant(x.ty, &[], false);
                ("DequantizeLinear", vec![x.name, scale, zero])
            }
            23 => {
                let x = self.some(&numbers)?;
                match self.source.below(3) {
                    0 => {
                        let k = self.integers(&[1]);
                        attributes.push(int("axis", self.axis(&x)));
                        ("TopK", vec![x.name, k])
                    }
                    1 => ("DynamicQuantizeLinear", vec![self.some(&[F32])?.name]),
                    _ => {
                        let x = self.some(&[F32])?;
                        let scale = self.constant(F32, &[*x.shape.last()?], false);
                        ("LayerNormalization", vec![x.name, scale])
                    }
                }
            }
            24 => {
                let x = self.some(&numbers)?;
                let low = self.constant(x.ty, &[], false);
                let high = self.constant(x.ty, &[], false);
                ("Clip", vec![x.name, low, high])
            }
            _ => {
                let x = self.some(&[F32, U8, I8, I32, I64, Bool])?;
                match self.source.below(4) {
                    0 => {
                        let to = self.source.pick(&[F32, U8, I8, I32, I64, Bool]);
                        attributes.push(int("to", code(to)));
                        ("Cast", vec![x.name])
                    }
                    1 => {
                        let axis = self.axis(&x);
                        let axis = self.integers(&[axis]);
                        ("CumSum", vec![x.name, axis])
                    }
                    2 => {
                        attributes.push(int("axis", self.axis(&x)));
                        let index = self.integers(&[0, -1, 1]);
                        ("Gather", vec![x.name, index])
                    }
                    _ => {
                        let pads: Vec<i64> = (0..2 * x.shape.len())
                            .map(|_| self.source.below(3) as i64)
                            .collect();
                        let pads = self.integers(&pads);
                        ("Pad", vec![x.name, pads])
                    }
                }
            }
        };
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let mut message = node(op, &inputs, &[&output]);
        for attribute in attributes {
            message = message.bytes(5, attribute);
        }
        self.graph.nodes.push(message);
        let outputs = std::mem::replace(&mut self.graph.outputs, vec![value(&output, 1, &[])]);
        let accepted = load(&self.graph);
        self.graph.outputs = outputs;
        match accepted {
            Some(model) => {
                let info = &model.outputs()[0];
                self.known.push(Known {
                    name: output,
                    ty: info.ty,
                    shape: info.shape.clone(),
                });
                Some(op)
            }
            None => {
                self.graph.nodes.pop();
                self.graph.initializers.truncate(before);
                None
            }
        }
    }

    fn axis(&mut self, x: &Known) -> i64 {
        self.source.below(x.shape.len()) as i64
    }
}

/// Small enough that a fuzzer does many a second.
fn load(graph: &Graph) -> Option<Model> {
    let mut limits = ModelLimits::default();
    limits.elements = 1 << 12;
    limits.memory = 1 << 22;
    limits.folding = 1 << 14;
    Model::from_onnx(&graph.model(), &limits).ok()
}

fn attribute(name: &str, kind: i64) -> Message {
    Message::default().bytes(1, name).int(20, kind)
}

pub fn int(name: &str, v: i64) -> Message {
    attribute(name, 2).int(3, v)
}

pub fn ints(name: &str, list: &[i64]) -> Message {
    let start = attribute(name, 7);
    list.iter().fold(start, |message, v| message.int(8, *v))
}

/// A graph of up to `nodes` nodes; nothing if none was accepted.
pub fn case(bytes: &[u8], nodes: usize) -> Option<Case> {
    let mut maker = Maker {
        source: Source::new(bytes),
        graph: Graph::default(),
        known: Vec::new(),
        constants: 0,
    };
    let plane = [
        maker.source.below(7) as u32 + 1,
        maker.source.below(19) as u32 + 1,
    ];
    let channels = maker.source.below(4) as u32 + 1;
    // Without a float among its inputs a graph may be of integers throughout.
    let integers = maker.source.byte().is_multiple_of(3);
    let inputs = [
        (ElementType::F32, vec![1, channels, plane[0], plane[1]]),
        (ElementType::U8, vec![2, channels, plane[0], plane[1]]),
        (ElementType::I8, vec![plane[0], plane[1]]),
        (ElementType::F32, vec![plane[0], plane[1]]),
        (ElementType::I32, vec![plane[0], plane[1]]),
    ];
    for (i, (ty, shape)) in inputs.into_iter().enumerate() {
        if integers && ty == ElementType::F32 {
            continue;
        }
        let name = format!("x{i}");
        let dims: Vec<i64> = shape.iter().map(|d| i64::from(*d)).collect();
        maker.graph.inputs.push(value(&name, code(ty), &dims));
        maker.known.push(Known { name, ty, shape });
    }
    let first = maker.known.len();
    let operators: Vec<_> = (0..nodes).filter_map(|_| maker.grow()).collect();
    // The last results, so that little of the graph is unused.
    for known in maker.known[first..].iter().rev().take(4) {
        maker.graph.outputs.push(value(&known.name, 1, &[]));
    }
    if maker.graph.outputs.is_empty() {
        return None;
    }
    let model = load(&maker.graph)?;
    let mut inputs = Vec::new();
    for info in model.inputs() {
        let n = info.shape.iter().product::<u32>() as usize;
        let data = maker.source.elements(info.ty, n, true);
        inputs.push(Tensor::new(info.ty, info.shape.clone(), data).ok()?);
    }
    Some(Case {
        model,
        inputs,
        operators,
    })
}
