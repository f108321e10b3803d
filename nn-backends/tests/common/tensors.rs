//! Tensors of numbers.

use aivm_nn::{ElementType, Tensor};

pub fn floats(shape: &[u32], values: &[f32]) -> Tensor {
    let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    Tensor::new(ElementType::F32, shape.to_vec(), data).unwrap()
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    let (chunks, _) = tensor.data.as_chunks::<4>();
    chunks.iter().map(|c| f32::from_le_bytes(*c)).collect()
}
