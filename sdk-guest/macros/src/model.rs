//! `model!`.

use std::path::Path;

use aivm_nn::{ElementType, Model, ModelLimits, TensorInfo};
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

pub fn expand(path: &LitStr) -> syn::Result<TokenStream> {
    let fail = |why: String| syn::Error::new(path.span(), why);
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let file = Path::new(&folder).join(path.value());
    let bytes = std::fs::read(&file)
        .map_err(|why| fail(format!("cannot read the model {}: {why}", file.display())))?;
    let model = Model::from_onnx(&bytes, &ModelLimits::default())
        .map_err(|why| fail(format!("{} is not a model: {why}", file.display())))?;
    let (inputs, outputs) = (types(model.inputs()), types(model.outputs()));
    let hash = model.hash();
    let Some(file) = file.to_str() else {
        return Err(fail("the path is not UTF-8".to_owned()));
    };
    Ok(quote!({
        // Compiled again when the file changes; the bytes do not get into the contract.
        const _: &[u8] = ::core::include_bytes!(#file);
        ::aivm_sdk::model::Model::<#inputs, #outputs>::from_hash([#(#hash),*])
    }))
}

/// One tensor's type, or a tuple of several.
fn types(tensors: &[TensorInfo]) -> TokenStream {
    let types: Vec<TokenStream> = tensors.iter().map(array).collect();
    match types.as_slice() {
        [one] => one.clone(),
        several => quote!((#(#several),*)),
    }
}

fn array(tensor: &TensorInfo) -> TokenStream {
    let element = match tensor.ty {
        ElementType::U8 => quote!(u8),
        ElementType::I8 => quote!(i8),
        ElementType::I16 => quote!(i16),
        ElementType::I32 => quote!(i32),
        ElementType::I64 => quote!(i64),
        ElementType::F32 => quote!(f32),
        _ => quote!(bool),
    };
    tensor.shape.iter().rev().fold(element, |inner, &length| {
        let length = length as usize;
        quote!([#inner; #length])
    })
}
