//! Neural networks. No model can be registered yet, so none is found.

use aivm_abi::host::nn::{Error, Host, InferenceQuote, Tensor};
use aivm_abi::{Exit, Word};

use super::frame::Frame;

impl Host for Frame<'_, '_> {
    fn quote(&mut self, _model: Word) -> Result<Result<InferenceQuote, Error>, Exit> {
        Ok(Err(Error::ModelNotFound))
    }

    fn infer(
        &mut self,
        _model: Word,
        _inputs: Vec<Tensor>,
    ) -> Result<Result<Vec<Tensor>, Error>, Exit> {
        Ok(Err(Error::ModelNotFound))
    }
}
