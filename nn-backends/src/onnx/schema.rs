//! The ONNX messages and fields that this crate reads, borrowed from the file's bytes.
//!
//! Every `parse` counts what it creates against a [`Budget`], so that a small file cannot make a large
//! structure. Sub-graphs stay bytes until somebody asks for them.

use std::collections::BTreeMap;

use super::wire::{Fields, WireError};
use crate::error::ModelError;
use crate::limits::ModelLimits;

/// Counts what parsing has created so far.
#[derive(Debug)]
pub struct Budget<'l> {
    pub limits: &'l ModelLimits,
    nodes: usize,
    values: usize,
    /// Elements that attributes may still hold, all together.
    scalars: usize,
}

impl<'l> Budget<'l> {
    pub fn new(limits: &'l ModelLimits) -> Self {
        Budget {
            limits,
            nodes: 0,
            values: 0,
            scalars: 1 << 22,
        }
    }

    fn node(&mut self) -> Result<(), ModelError> {
        self.nodes += 1;
        limit("nodes", self.nodes, self.limits.nodes)
    }

    fn values(&mut self, n: usize) -> Result<(), ModelError> {
        self.values = self.values.saturating_add(n);
        limit("values", self.values, self.limits.values)
    }

    fn name<'a>(&self, name: &'a str) -> Result<&'a str, ModelError> {
        limit("bytes of a name", name.len(), self.limits.name_bytes)?;
        Ok(name)
    }
}

pub(crate) fn limit(what: &'static str, found: usize, max: usize) -> Result<(), ModelError> {
    if found > max {
        return Err(ModelError::Limit {
            what,
            found: found as u64,
            max: max as u64,
        });
    }
    Ok(())
}

/// `ModelProto`.
#[derive(Debug, Default)]
pub struct ModelProto<'a> {
    pub ir_version: i64,
    /// Version by domain; the default domain is the empty string.
    pub opsets: BTreeMap<&'a str, i64>,
    pub graph: Option<&'a [u8]>,
    pub has_functions: bool,
}

impl<'a> ModelProto<'a> {
    pub fn parse(bytes: &'a [u8], budget: &mut Budget<'_>) -> Result<Self, ModelError> {
        limit("bytes", bytes.len(), budget.limits.bytes)?;
        let mut model = ModelProto::default();
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => model.ir_version = field.int()?,
                7 if model.graph.is_some() => {
                    return Err(ModelError::Malformed("more than one graph"));
                }
                7 => model.graph = Some(field.bytes()?),
                8 => {
                    let (mut domain, mut version) = ("", 0);
                    for field in Fields::new(field.bytes()?) {
                        let field = field?;
                        match field.number {
                            1 => domain = budget.name(field.string()?)?,
                            2 => version = field.int()?,
                            _ => {}
                        }
                    }
                    // `ai.onnx` is the default domain's long name.
                    let domain = if domain == "ai.onnx" { "" } else { domain };
                    if model.opsets.insert(domain, version).is_some() {
                        return Err(ModelError::Malformed("an operator set is imported twice"));
                    }
                    limit("operator sets", model.opsets.len(), 16)?;
                }
                25 => model.has_functions = true,
                _ => {}
            }
        }
        Ok(model)
    }
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub struct GraphProto<'a> {
    pub nodes: Vec<NodeProto<'a>>,
    pub initializers: Vec<TensorProto<'a>>,
    pub inputs: Vec<ValueInfoProto<'a>>,
    pub outputs: Vec<ValueInfoProto<'a>>,
}

impl<'a> GraphProto<'a> {
    pub fn parse(bytes: &'a [u8], budget: &mut Budget<'_>) -> Result<Self, ModelError> {
        let mut graph = GraphProto::default();
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => {
                    budget.node()?;
                    graph.nodes.push(NodeProto::parse(field.bytes()?, budget)?);
                }
                5 => {
                    budget.values(1)?;
                    let tensor = TensorProto::parse(field.bytes()?, budget)?;
                    graph.initializers.push(tensor);
                }
                11 | 12 => {
                    budget.values(1)?;
                    let info = ValueInfoProto::parse(field.bytes()?, budget)?;
                    if field.number == 11 {
                        graph.inputs.push(info);
                    } else {
                        graph.outputs.push(info);
                    }
                }
                15 => {
                    return Err(ModelError::Malformed(
                        "sparse initialisers are not supported",
                    ));
                }
                _ => {}
            }
        }
        Ok(graph)
    }
}

/// `NodeProto`. Absent optional inputs and outputs have an empty name.
#[derive(Debug, Default)]
pub struct NodeProto<'a> {
    pub name: &'a str,
    pub op_type: &'a str,
    pub domain: &'a str,
    pub inputs: Vec<&'a str>,
    pub outputs: Vec<&'a str>,
    pub attributes: BTreeMap<&'a str, Attribute<'a>>,
}

impl<'a> NodeProto<'a> {
    fn parse(bytes: &'a [u8], budget: &mut Budget<'_>) -> Result<Self, ModelError> {
        let mut node = NodeProto::default();
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 | 2 => {
                    let name = budget.name(field.string()?)?;
                    let list = if field.number == 1 {
                        &mut node.inputs
                    } else {
                        budget.values(1)?;
                        &mut node.outputs
                    };
                    list.push(name);
                    let arity = node.inputs.len() + node.outputs.len();
                    limit(
                        "inputs and outputs of a node",
                        arity,
                        budget.limits.node_arity,
                    )?;
                }
                3 => node.name = budget.name(field.string()?)?,
                4 => node.op_type = budget.name(field.string()?)?,
                5 => {
                    let (name, attribute) = Attribute::parse(field.bytes()?, budget)?;
                    if node.attributes.insert(name, attribute).is_some() {
                        return Err(ModelError::Malformed("an attribute is given twice"));
                    }
                    let n = node.attributes.len();
                    limit("attributes of a node", n, budget.limits.attributes)?;
                }
                7 => {
                    node.domain = match budget.name(field.string()?)? {
                        "ai.onnx" => "",
                        domain => domain,
                    }
                }
                _ => {}
            }
        }
        Ok(node)
    }
}

/// The value of an `AttributeProto`.
#[derive(Debug, Clone)]
pub enum Attribute<'a> {
    Float(f32),
    Int(i64),
    String(&'a [u8]),
    Tensor(TensorProto<'a>),
    /// Not parsed yet.
    Graph(&'a [u8]),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    /// A kind that no supported operator uses.
    Other,
}

impl<'a> Attribute<'a> {
    fn parse(bytes: &'a [u8], budget: &mut Budget<'_>) -> Result<(&'a str, Self), ModelError> {
        let mut name = "";
        let mut kind = None;
        let (mut float, mut int, mut string) = (0.0, 0, &[][..]);
        let (mut tensor, mut graph) = (None, None);
        let (mut floats, mut ints) = (Vec::new(), Vec::new());
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => name = budget.name(field.string()?)?,
                2 => float = field.float()?,
                3 => int = field.int()?,
                4 => string = field.bytes()?,
                5 => tensor = Some(TensorProto::parse(field.bytes()?, budget)?),
                6 => graph = Some(field.bytes()?),
                7 => field.floats(&mut floats, budget.scalars)?,
                8 => field.ints(&mut ints, budget.scalars)?,
                20 => kind = Some(field.int()?),
                _ => {}
            }
        }
        budget.scalars = budget.scalars.saturating_sub(floats.len() + ints.len());
        let attribute = match kind {
            Some(1) => Attribute::Float(float),
            Some(2) => Attribute::Int(int),
            Some(3) => Attribute::String(string),
            Some(4) => Attribute::Tensor(tensor.ok_or(ModelError::Malformed("empty attribute"))?),
            Some(5) => Attribute::Graph(graph.ok_or(ModelError::Malformed("empty attribute"))?),
            Some(6) => Attribute::Floats(floats),
            Some(7) => Attribute::Ints(ints),
            _ => Attribute::Other,
        };
        Ok((name, attribute))
    }
}

/// `TensorProto`. The data stays encoded until [`super::decode::tensor`] reads it.
#[derive(Debug, Default, Clone)]
pub struct TensorProto<'a> {
    pub name: &'a str,
    pub data_type: i64,
    pub dims: Vec<i64>,
    pub raw: Option<&'a [u8]>,
    pub external: bool,
    /// The whole message: typed data is read from here.
    pub message: &'a [u8],
}

impl<'a> TensorProto<'a> {
    pub fn parse(bytes: &'a [u8], budget: &Budget<'_>) -> Result<Self, ModelError> {
        let mut tensor = TensorProto {
            message: bytes,
            ..TensorProto::default()
        };
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => field.ints(&mut tensor.dims, budget.limits.rank)?,
                2 => tensor.data_type = field.int()?,
                3 => return Err(ModelError::Malformed("segmented tensors are not supported")),
                8 => tensor.name = budget.name(field.string()?)?,
                9 => tensor.raw = Some(field.bytes()?),
                13 => tensor.external = true,
                14 => tensor.external |= field.int()? != 0,
                _ => {}
            }
        }
        Ok(tensor)
    }
}

/// One dimension of a declared shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim<'a> {
    Value(i64),
    Symbol(&'a str),
    Unknown,
}

/// `ValueInfoProto`.
#[derive(Debug, Default)]
pub struct ValueInfoProto<'a> {
    pub name: &'a str,
    /// `None` if it is not a dense tensor.
    pub data_type: Option<i64>,
    /// `None` if the rank is not declared.
    pub shape: Option<Vec<Dim<'a>>>,
}

impl<'a> ValueInfoProto<'a> {
    fn parse(bytes: &'a [u8], budget: &Budget<'_>) -> Result<Self, ModelError> {
        let mut info = ValueInfoProto::default();
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => info.name = budget.name(field.string()?)?,
                2 => {
                    for field in Fields::new(field.bytes()?) {
                        let field = field?;
                        if field.number == 1 {
                            info.tensor_type(field.bytes()?, budget)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(info)
    }

    fn tensor_type(&mut self, bytes: &'a [u8], budget: &Budget<'_>) -> Result<(), ModelError> {
        for field in Fields::new(bytes) {
            let field = field?;
            match field.number {
                1 => self.data_type = Some(field.int()?),
                2 => {
                    let mut dims = Vec::new();
                    for field in Fields::new(field.bytes()?) {
                        let field = field?;
                        if field.number == 1 {
                            dims.push(dimension(field.bytes()?, budget)?);
                            limit("dimensions", dims.len(), budget.limits.rank)?;
                        }
                    }
                    self.shape = Some(dims);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn dimension<'a>(bytes: &'a [u8], budget: &Budget<'_>) -> Result<Dim<'a>, ModelError> {
    let mut dim = Dim::Unknown;
    for field in Fields::new(bytes) {
        let field = field?;
        match field.number {
            1 => dim = Dim::Value(field.int()?),
            2 => dim = Dim::Symbol(budget.name(field.string()?)?),
            _ => {}
        }
    }
    Ok(dim)
}

impl From<WireError> for ModelError {
    fn from(error: WireError) -> Self {
        ModelError::Wire(error)
    }
}
