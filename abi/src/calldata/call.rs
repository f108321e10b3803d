//! Calls and their results.

use alloy_dyn_abi::parser::{TypeSpecifier, TypeStem};
use alloy_dyn_abi::{DynSolType, DynSolValue, FunctionExt, JsonAbiExt, Specifier};
use alloy_json_abi::{Function, JsonAbi, Param};

use super::{CalldataError, text};

/// Most dimensions of an array. Types are dropped by recursion, so more could take all of the stack.
const MAX_DIMENSIONS: usize = 32;

/// Most words of the parameters of a function, event or error without what arrays of variable length hold. A decoder
/// makes room for all of them before it looks at the data.
const MAX_WORDS: usize = 1 << 16;

/// Reads a contract ABI from JSON.
///
/// # Errors
///
/// [`CalldataError::Abi`] with the place, also for arrays of more than 32 dimensions and for lists of parameters of more
/// than 65,536 words: arrays of fixed length count all of their elements, arrays of variable length one element. What is
/// an array or a struct of one counts a word more than what it holds.
pub fn parse_abi(json: &str) -> Result<JsonAbi, CalldataError> {
    let abi: JsonAbi =
        serde_json::from_str(json).map_err(|error| CalldataError::Abi(error.to_string()))?;
    let functions = abi.functions();
    let params = functions
        .flat_map(|function| function.inputs.iter().chain(&function.outputs))
        .chain(abi.errors().flat_map(|error| &error.inputs))
        .chain(abi.constructor.iter().flat_map(|made| &made.inputs));
    let mut events = abi.events().flat_map(|event| &event.inputs);
    let deep = params.into_iter().any(is_deep)
        || events.any(|input| dimensions(&input.ty) || input.components.iter().any(is_deep));
    if deep {
        return Err(CalldataError::Abi(format!(
            "an array has more than {MAX_DIMENSIONS} dimensions"
        )));
    }
    match can_be_decoded(&abi) {
        true => Ok(abi),
        false => Err(CalldataError::Abi(format!(
            "parameters have more than {MAX_WORDS} words"
        ))),
    }
}

/// Whether no parameters have more words than a decoder should make room for.
fn can_be_decoded(abi: &JsonAbi) -> bool {
    let functions = abi.functions();
    let mut lists = functions
        .flat_map(|function| [&function.inputs, &function.outputs])
        .chain(abi.errors().map(|error| &error.inputs))
        .chain(abi.constructor.iter().map(|made| &made.inputs));
    let mut events = abi.events().map(|event| {
        let inputs = event.inputs.iter();
        sum(inputs.map(|input| words(&input.ty, &input.components)))
    });
    lists.all(|list| words_of(list).is_some()) && events.all(|words| words.is_some())
}

/// Words of parameters; none if there are too many.
fn words_of(params: &[Param]) -> Option<usize> {
    sum(params
        .iter()
        .map(|param| words(&param.ty, &param.components)))
}

/// Words of a type; none if there are too many.
fn words(ty: &str, components: &[Param]) -> Option<usize> {
    // A type that cannot be parsed cannot be decoded either.
    let Ok(ty) = TypeSpecifier::parse(ty) else {
        return Some(1);
    };
    match components {
        [] => words_of_type(&ty, None),
        components => words_of_type(
            &ty,
            Some(structure(words_of(components)?, components.len())?),
        ),
    }
}

/// As [`words`], for elements of `element` words where the type's text does not say what these are.
fn words_of_type(ty: &TypeSpecifier<'_>, element: Option<usize>) -> Option<usize> {
    let element = match (element, &ty.stem) {
        (Some(words), _) => words,
        (None, TypeStem::Root(_)) => 1,
        (None, TypeStem::Tuple(tuple)) => {
            let types = tuple.types.iter();
            let words = sum(types.map(|ty| words_of_type(ty, None)))?;
            structure(words, tuple.types.len())?
        }
    };
    ty.sizes.iter().try_fold(element, |words, size| {
        let length = size.map_or(1, std::num::NonZeroUsize::get);
        // Arrays of one in one another take memory as well.
        let least = words.checked_add(1)?;
        bounded(words.checked_mul(length)?.max(least))
    })
}

/// Words of a struct whose components have so many.
fn structure(words: usize, components: usize) -> Option<usize> {
    match components {
        0 | 1 => bounded(words.checked_add(1)?),
        _ => Some(words),
    }
}

fn sum(mut words: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    words.try_fold(0usize, |sum, words| bounded(sum.checked_add(words?)?))
}

fn bounded(words: usize) -> Option<usize> {
    (words <= MAX_WORDS).then_some(words)
}

/// Whether the type names an array of too many dimensions.
fn dimensions(ty: &str) -> bool {
    ty.bytes()
        .filter(|byte| *byte == b'[')
        .nth(MAX_DIMENSIONS)
        .is_some()
}

/// The reader of JSON bounds how deep structs lie in one another.
fn is_deep(param: &Param) -> bool {
    dimensions(&param.ty) || param.components.iter().any(is_deep)
}

/// Finds a function by name, by signature (`transfer(address,uint256)`) or by selector
/// (`0xa9059cbb`).
///
/// # Errors
///
/// [`CalldataError::NoFunction`], or [`CalldataError::Ambiguous`] for an overloaded name.
pub fn find_function<'a>(abi: &'a JsonAbi, name: &str) -> Result<&'a Function, CalldataError> {
    let selector = name.strip_prefix("0x").and_then(|digits| {
        let mut bytes = [0; 4];
        hex::decode_to_slice(digits, &mut bytes)
            .ok()
            .map(|()| bytes)
    });
    let matches: Vec<&Function> = abi
        .functions()
        .filter(|function| match selector {
            Some(selector) => function.selector() == selector,
            None if name.contains('(') => function.signature() == name,
            None => function.name == name,
        })
        .collect();
    match matches.as_slice() {
        [function] => Ok(function),
        [] => Err(CalldataError::NoFunction {
            name: name.to_owned(),
            known: signatures(abi.functions()),
        }),
        several => Err(CalldataError::Ambiguous {
            name: name.to_owned(),
            candidates: signatures(several.iter().copied()),
        }),
    }
}

fn signatures<'a>(functions: impl Iterator<Item = &'a Function>) -> String {
    let names: Vec<String> = functions
        .map(|function| format!("`{}`", function.signature()))
        .collect();
    if names.is_empty() {
        "none at all".into()
    } else {
        names.join(", ")
    }
}

/// Call data: the selector and the encoded arguments.
///
/// # Errors
///
/// [`CalldataError::ArgumentCount`], or [`CalldataError::Argument`] for a value of another type.
pub fn encode_call(
    function: &Function,
    arguments: &[DynSolValue],
) -> Result<Vec<u8>, CalldataError> {
    check(&function.signature(), &function.inputs, arguments)?;
    function
        .abi_encode_input(arguments)
        .map_err(|error| data_error(&function.signature(), &error))
}

/// Input of a deployment: the encoded arguments of the constructor, without a selector. A
/// contract without a constructor takes none.
///
/// # Errors
///
/// As [`encode_call`].
pub fn encode_constructor(
    abi: &JsonAbi,
    arguments: &[DynSolValue],
) -> Result<Vec<u8>, CalldataError> {
    match &abi.constructor {
        Some(constructor) => {
            check("constructor", &constructor.inputs, arguments)?;
            constructor
                .abi_encode_input(arguments)
                .map_err(|error| data_error("constructor", &error))
        }
        None => check("constructor", &[], arguments).map(|()| Vec::new()),
    }
}

fn check(
    signature: &str,
    params: &[Param],
    arguments: &[DynSolValue],
) -> Result<(), CalldataError> {
    count(signature, params, arguments.len())?;
    for (index, (param, value)) in params.iter().zip(arguments).enumerate() {
        if !resolve(index, param)?.matches(value) {
            let found = value
                .sol_type_name()
                .map_or_else(|| "a value without a type".into(), |name| name.into_owned());
            return Err(argument(
                index,
                param,
                format!("a value of type {found} was given"),
            ));
        }
    }
    Ok(())
}

fn count(signature: &str, params: &[Param], given: usize) -> Result<(), CalldataError> {
    if params.len() == given {
        Ok(())
    } else {
        Err(CalldataError::ArgumentCount {
            signature: signature.to_owned(),
            expected: params.len(),
            given,
        })
    }
}

fn resolve(index: usize, param: &Param) -> Result<DynSolType, CalldataError> {
    param
        .resolve()
        .map_err(|error| argument(index, param, error.to_string()))
}

fn argument(index: usize, param: &Param, reason: String) -> CalldataError {
    CalldataError::Argument {
        index: index.saturating_add(1),
        name: param.name.clone(),
        ty: param.selector_type().into_owned(),
        reason,
    }
}

fn data_error(signature: &str, error: &alloy_dyn_abi::Error) -> CalldataError {
    CalldataError::Data {
        signature: signature.to_owned(),
        reason: error.to_string(),
    }
}

/// Reads arguments from text, one text an argument: numbers in any base, `0x` bytes,
/// addresses in hexadecimal or Bech32m, `[…]` for arrays, `(…)` for structs, text with or without
/// quotes. In quotes `\n`, `\r`, `\t`, `\\`, `\"`, `\'`, `\xNN`, `\uNNNN` and `\u{…}` are escapes.
///
/// # Errors
///
/// As [`encode_call`].
pub fn parse_arguments<T: AsRef<str>>(
    signature: &str,
    params: &[Param],
    arguments: &[T],
) -> Result<Vec<DynSolValue>, CalldataError> {
    count(signature, params, arguments.len())?;
    let mut values = Vec::with_capacity(params.len());
    for (index, (param, given)) in params.iter().zip(arguments).enumerate() {
        let ty = resolve(index, param)?;
        values.push(
            text::parse_value(&ty, given.as_ref())
                .map_err(|error| argument(index, param, error.to_string()))?,
        );
    }
    Ok(values)
}

/// Splits arguments at the commas outside of brackets, parentheses and quotes. Quotes around an
/// argument stay: [`parse_arguments`] reads what they hold.
pub fn split_arguments(text: &str) -> Vec<String> {
    text::split(text).into_iter().map(str::to_owned).collect()
}

/// Reads a call as people write it: `name(argument, …)`, or `name` alone without arguments.
/// `name` may be a signature with the arguments behind it, `name(type,…)(argument, …)`, to pick
/// one of several functions; otherwise the first that the arguments fit is taken.
///
/// # Errors
///
/// [`CalldataError::BadCall`] for other text, [`CalldataError::NoFunction`], or why the
/// arguments do not fit.
pub fn parse_call<'a>(
    abi: &'a JsonAbi,
    text: &str,
) -> Result<(&'a Function, Vec<DynSolValue>), CalldataError> {
    let text = text.trim();
    let (name, rest) = text
        .split_once('(')
        .map_or((text, ""), |(name, rest)| (name.trim(), rest));
    let bad = || CalldataError::BadCall(text.to_owned());
    let inner = match rest {
        "" if !text.contains('(') => "",
        rest => rest.strip_suffix(')').ok_or_else(bad)?,
    };
    let (types, inner) = match inner.split_once(")(") {
        Some((types, inner)) if abi.functions().any(|f| is(f, name, types)) => (Some(types), inner),
        _ => (None, inner),
    };
    let arguments = split_arguments(inner);
    let mut first = None;
    for function in abi.functions().filter(|f| f.name == name) {
        if types.is_some_and(|types| !is(function, name, types)) {
            continue;
        }
        match parse_arguments(&function.signature(), &function.inputs, &arguments) {
            Ok(values) => return Ok((function, values)),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| CalldataError::NoFunction {
        name: name.to_owned(),
        known: signatures(abi.functions()),
    }))
}

fn is(function: &Function, name: &str, types: &str) -> bool {
    let types: String = types.split_whitespace().collect();
    function.signature() == format!("{name}({types})")
}

/// Reads call data: the function and its arguments.
///
/// # Errors
///
/// [`CalldataError::TooShort`], [`CalldataError::UnknownSelector`] or [`CalldataError::Data`].
pub fn decode_call<'a>(
    abi: &'a JsonAbi,
    data: &[u8],
) -> Result<(&'a Function, Vec<DynSolValue>), CalldataError> {
    let (selector, arguments) = data
        .split_first_chunk::<4>()
        .ok_or(CalldataError::TooShort(data.len()))?;
    let function = abi
        .function_by_selector((*selector).into())
        .ok_or(CalldataError::UnknownSelector(*selector))?;
    let values = function
        .abi_decode_input(arguments)
        .map_err(|error| data_error(&function.signature(), &error))?;
    Ok((function, values))
}

/// Reads what a function returned.
///
/// # Errors
///
/// [`CalldataError::Data`].
pub fn decode_output(function: &Function, data: &[u8]) -> Result<Vec<DynSolValue>, CalldataError> {
    function
        .abi_decode_output(data)
        .map_err(|error| data_error(&function.signature(), &error))
}
