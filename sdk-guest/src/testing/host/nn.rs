//! Neural networks, by the reference of `aivm-nn`.

use crate::Word;
pub use crate::bindings::synergy::aivm::nn::{Error, InferenceQuote, Profile, Tensor, TensorType};

/// Quote for a model, under the first gas schedule.
///
/// # Errors
/// When the test did not register the model.
#[cfg(feature = "nn")]
pub fn quote(model: Word) -> Result<InferenceQuote, Error> {
    on(model, |model| {
        let quote = model.quote(&aivm_gas::GasSchedule::v1().nn);
        Ok(InferenceQuote {
            gas: quote.gas,
            macs: quote.macs,
            memory: quote.memory,
            profile: match quote.profile {
                aivm_nn::Profile::Integer => Profile::Integer,
                _ => Profile::StrictF32,
            },
        })
    })
}

/// Runs a model.
///
/// # Errors
/// When the test did not register the model, or the inputs are not the model's.
#[cfg(feature = "nn")]
pub fn infer(model: Word, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    use aivm_nn::ElementType;
    on(model, |model| {
        let inputs = inputs.iter().map(|input| {
            let ty = ElementType::from_code(input.ty as u8)?;
            aivm_nn::Tensor::new(ty, input.dimensions.clone(), input.data.clone()).ok()
        });
        let inputs: Option<Vec<_>> = inputs.collect();
        let inputs = inputs.ok_or(Error::ShapeMismatch)?;
        let outputs = aivm_nn::run(model, &aivm_nn::Reference, &inputs, &mut ());
        let outputs = outputs.map_err(|_| Error::ShapeMismatch)?;
        Ok(outputs
            .into_iter()
            .map(|output| Tensor {
                ty: case(output.ty),
                dimensions: output.shape,
                data: output.data,
            })
            .collect())
    })
}

#[cfg(feature = "nn")]
fn case(ty: aivm_nn::ElementType) -> TensorType {
    use aivm_nn::ElementType;
    match ty {
        ElementType::U8 => TensorType::U8,
        ElementType::I8 => TensorType::I8,
        ElementType::I16 => TensorType::I16,
        ElementType::I32 => TensorType::I32,
        ElementType::I64 => TensorType::I64,
        ElementType::F32 => TensorType::Fp32,
        _ => TensorType::Bool,
    }
}

#[cfg(feature = "nn")]
fn on<T>(hash: Word, work: impl FnOnce(&aivm_nn::Model) -> Result<T, Error>) -> Result<T, Error> {
    let hash = crate::U256::from(hash).to_be_bytes();
    crate::testing::world::with(|world| match world.models.get(&hash) {
        Some(model) => work(model),
        None => Err(Error::ModelNotFound),
    })
}

/// Needs the feature `nn`.
///
/// # Errors
/// Never.
#[cfg(not(feature = "nn"))]
pub fn quote(_model: Word) -> Result<InferenceQuote, Error> {
    panic!("models need the feature `nn` of aivm-sdk")
}

/// Needs the feature `nn`.
///
/// # Errors
/// Never.
#[cfg(not(feature = "nn"))]
pub fn infer(_model: Word, _inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
    panic!("models need the feature `nn` of aivm-sdk")
}
