//! Reads what the tests want to know of an ONNX file, independently of the library's parser.

/// The length-delimited fields of a message, and its integers as eight bytes.
fn fields(mut b: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(b: &mut &[u8]) -> u64 {
        let (mut v, mut shift) = (0, 0);
        while let Some((first, rest)) = b.split_first() {
            *b = rest;
            v |= u64::from(first & 0x7f) << shift;
            shift += 7;
            if first & 0x80 == 0 {
                break;
            }
        }
        v
    }
    let mut out = Vec::new();
    while !b.is_empty() {
        let key = varint(&mut b);
        let len = match key & 7 {
            0 => {
                let v = varint(&mut b);
                out.push((key >> 3, v.to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            5 => 4,
            _ => varint(&mut b) as usize,
        };
        let (head, tail) = b.split_at(len);
        out.push((key >> 3, head.to_vec()));
        b = tail;
    }
    out
}

fn all(b: &[u8], n: u64) -> Vec<Vec<u8>> {
    let list = fields(b).into_iter().filter(|(k, _)| *k == n);
    list.map(|(_, v)| v).collect()
}

fn text(b: &[u8], n: u64) -> String {
    let first = all(b, n).into_iter().next().unwrap_or_default();
    String::from_utf8_lossy(&first).into_owned()
}

/// An input or output.
pub struct Value {
    pub name: String,
    /// `TensorProto.DataType`, or nothing if it is no tensor.
    pub ty: Option<u64>,
}

/// What a file declares.
pub struct Outline {
    pub inputs: Vec<Value>,
    pub outputs: Vec<Value>,
    /// Domain and operator of each node of the main graph.
    pub operators: Vec<(String, String)>,
}

pub fn outline(model: &[u8]) -> Outline {
    let graph = all(model, 7).into_iter().next().unwrap_or_default();
    let values = |n| {
        let value = |info: Vec<u8>| {
            let tensor = all(&info, 2).iter().flat_map(|t| all(t, 1)).next();
            let ty = tensor.and_then(|t| all(&t, 1).into_iter().next());
            Value {
                name: text(&info, 1),
                ty: ty.and_then(|b| Some(u64::from_le_bytes(b.try_into().ok()?))),
            }
        };
        all(&graph, n).into_iter().map(value).collect()
    };
    Outline {
        inputs: values(11),
        outputs: values(12),
        operators: all(&graph, 1)
            .iter()
            .map(|node| (text(node, 7), text(node, 4)))
            .collect(),
    }
}
