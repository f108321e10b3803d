//! Tensors from and to files: `.npy`, JSON, bytes.

use aivm_nn::{ElementType, Tensor, TensorInfo};
use serde_json::Value;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an `.npy` file, versions 1 to 3, of a type that models have, in row-major order.
pub fn from_npy(bytes: &[u8]) -> Result<Tensor, String> {
    let short = || "the .npy header is cut short".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("not an .npy file")?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let (length, rest) = match major {
        1 => {
            let (n, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
            (usize::from(u16::from_le_bytes(*n)), rest)
        }
        2 | 3 => {
            let (n, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
            (u32::from_le_bytes(*n) as usize, rest)
        }
        other => return Err(format!(".npy version {other} is not supported")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| "the .npy header is not text")?;
    let field = |name: &str| {
        let (_, rest) = header.split_once(&format!("'{name}':"))?;
        Some(rest.trim_start())
    };
    let descr = field("descr").and_then(|d| d.strip_prefix('\''));
    let descr = descr.and_then(|d| d.split('\'').next()).unwrap_or_default();
    let ty = match descr {
        "|u1" | "u1" => ElementType::U8,
        "|i1" | "i1" => ElementType::I8,
        "<i2" => ElementType::I16,
        "<i4" => ElementType::I32,
        "<i8" => ElementType::I64,
        "<f4" => ElementType::F32,
        "<u2" => ElementType::U16,
        "<u4" => ElementType::U32,
        "<u8" => ElementType::U64,
        "<f8" => ElementType::F64,
        "|b1" | "b1" => ElementType::Bool,
        other => {
            return Err(format!(
                "element type `{other}` is not supported; convert to an integer type, float32, float64 or bool"
            ));
        }
    };
    if !field("fortran_order").is_some_and(|f| f.starts_with("False")) {
        return Err("the array is in column-major order; save np.ascontiguousarray(x)".to_owned());
    }
    let shape = field("shape").and_then(|s| s.strip_prefix('('));
    let shape = shape.and_then(|s| s.split_once(')')).map(|(s, _)| s);
    let shape = shape.ok_or("the .npy header has no shape")?;
    let dims = shape.split(',').map(str::trim).filter(|d| !d.is_empty());
    let dims = dims.map(str::parse).collect::<Result<Vec<u32>, _>>();
    let dims = dims.map_err(|_| "the .npy header has a shape that is none")?;
    Tensor::new(ty, dims, data.to_vec()).map_err(|error| error.to_string())
}

/// Writes an `.npy` file, version 1.
pub fn to_npy(tensor: &Tensor) -> Vec<u8> {
    let descr = match tensor.ty {
        ElementType::U8 => "|u1",
        ElementType::I8 => "|i1",
        ElementType::I16 => "<i2",
        ElementType::I32 => "<i4",
        ElementType::I64 => "<i8",
        ElementType::F32 => "<f4",
        ElementType::U16 => "<u2",
        ElementType::U32 => "<u4",
        ElementType::U64 => "<u8",
        ElementType::F64 => "<f8",
        _ => "|b1",
    };
    let dims: String = tensor.shape.iter().map(|d| format!("{d}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    // The data begin at a multiple of 64.
    let length = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    while header.len() < length - 1 {
        header.push(' ');
    }
    header.push('\n');
    let mut out = MAGIC.to_vec();
    out.extend([1, 0]);
    out.extend((length as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(&tensor.data);
    out
}

/// Reads nested lists, or one flat list, as the elements of an input.
pub fn from_json(text: &[u8], info: &TensorInfo) -> Result<Tensor, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let expected: u64 = info.shape.iter().map(|d| u64::from(*d)).product();
    let mut leaves = Vec::new();
    flatten(&value, &mut leaves);
    if leaves.len() as u64 != expected {
        return Err(format!(
            "{} elements, but the input has the shape {:?}",
            leaves.len(),
            info.shape
        ));
    }
    let mut data = Vec::new();
    for leaf in leaves {
        element(leaf, info.ty, &mut data)
            .ok_or_else(|| format!("{leaf} is not of the type {}", info.ty))?;
    }
    Tensor::new(info.ty, info.shape.clone(), data).map_err(|error| error.to_string())
}

fn flatten<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, out)),
        leaf => out.push(leaf),
    }
}

fn element(leaf: &Value, ty: ElementType, out: &mut Vec<u8>) -> Option<()> {
    match ty {
        ElementType::U8 => out.push(leaf.as_u64()?.try_into().ok()?),
        ElementType::I8 => out.push(i8::try_from(leaf.as_i64()?).ok()? as u8),
        ElementType::I16 => out.extend(i16::try_from(leaf.as_i64()?).ok()?.to_le_bytes()),
        ElementType::I32 => out.extend(i32::try_from(leaf.as_i64()?).ok()?.to_le_bytes()),
        ElementType::I64 => out.extend(leaf.as_i64()?.to_le_bytes()),
        ElementType::F32 => out.extend((leaf.as_f64()? as f32).to_le_bytes()),
        ElementType::U16 => out.extend(u16::try_from(leaf.as_u64()?).ok()?.to_le_bytes()),
        ElementType::U32 => out.extend(u32::try_from(leaf.as_u64()?).ok()?.to_le_bytes()),
        ElementType::U64 => out.extend(leaf.as_u64()?.to_le_bytes()),
        ElementType::F64 => out.extend(leaf.as_f64()?.to_le_bytes()),
        ElementType::Bool => out.push(u8::from(leaf.as_bool()?)),
        _ => return None,
    }
    Some(())
}

/// The elements as a flat JSON list. Numbers that JSON lacks are text.
pub fn to_json(tensor: &Tensor) -> Value {
    let list = |size: usize, read: &dyn Fn(&[u8]) -> Value| -> Value {
        tensor.data.chunks_exact(size).map(read).collect()
    };
    fn le<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().unwrap_or([0; N])
    }
    match tensor.ty {
        ElementType::U8 => list(1, &|b| b[0].into()),
        ElementType::I8 => list(1, &|b| (b[0] as i8).into()),
        ElementType::I16 => list(2, &|b| i16::from_le_bytes(le(b)).into()),
        ElementType::I32 => list(4, &|b| i32::from_le_bytes(le(b)).into()),
        ElementType::I64 => list(8, &|b| i64::from_le_bytes(le(b)).into()),
        ElementType::F32 => list(4, &|b| {
            let x = f32::from_le_bytes(le(b));
            if x.is_finite() {
                x.into()
            } else {
                x.to_string().into()
            }
        }),
        ElementType::U16 => list(2, &|b| u16::from_le_bytes(le(b)).into()),
        ElementType::U32 => list(4, &|b| u32::from_le_bytes(le(b)).into()),
        ElementType::U64 => list(8, &|b| u64::from_le_bytes(le(b)).into()),
        ElementType::F64 => list(8, &|b| {
            let x = f64::from_le_bytes(le(b));
            if x.is_finite() {
                x.into()
            } else {
                x.to_string().into()
            }
        }),
        _ => list(1, &|b| (b[0] != 0).into()),
    }
}

/// The elements as text, at most `limit` of them.
pub fn text(tensor: &Tensor, limit: usize) -> String {
    let Value::Array(items) = to_json(tensor) else {
        return String::new();
    };
    let shown: Vec<String> = items.iter().take(limit).map(Value::to_string).collect();
    let more = items.len() - shown.len();
    match more {
        0 => shown.join(" "),
        more => format!("{} … and {more} more", shown.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_files_round_trip() {
        for (ty, shape) in [
            (ElementType::F32, vec![2, 3]),
            (ElementType::I64, vec![]),
            (ElementType::U8, vec![5]),
            (ElementType::Bool, vec![1, 1, 2]),
            (ElementType::I16, vec![0, 4]),
            (ElementType::F64, vec![3]),
            (ElementType::U16, vec![3, 1]),
        ] {
            let n: u32 = shape.iter().product();
            let data = (0..n as usize * ty.size()).map(|i| (i % 2) as u8).collect();
            let tensor = Tensor::new(ty, shape, data).unwrap();
            let bytes = to_npy(&tensor);
            let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            assert_eq!(header % 64, 0);
            assert_eq!(from_npy(&bytes), Ok(tensor));
        }
    }

    #[test]
    fn what_is_no_npy_file_is_refused() {
        let good = to_npy(&Tensor::new(ElementType::F32, vec![2], vec![0; 8]).unwrap());
        for len in 0..good.len() {
            assert!(from_npy(&good[..len]).is_err(), "{len}");
        }
        let change = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&good[6..]).replace(from, to);
            let mut bytes = MAGIC.to_vec();
            bytes.extend(text.as_bytes());
            from_npy(&bytes).unwrap_err()
        };
        assert!(change("<f4", "<c8").contains("convert"));
        assert!(change("False", "True ").contains("column-major"));
        assert!(change("(2, )", "(3, )").contains("12 bytes"));
        assert!(change("(2, )", "(-1,)").contains("shape"));
        assert!(change("(2, )", "[2, ]").contains("shape"));
    }
}
