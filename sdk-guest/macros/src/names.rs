//! Names in the ABI.

use syn::{Attribute, Ident, LitStr};

/// A Rust name in camel case: `balance_of` is `balanceOf`.
pub fn camel(ident: &Ident) -> String {
    let mut out = String::new();
    let mut upper = false;
    for letter in bare(ident).chars() {
        if letter == '_' && !out.is_empty() {
            upper = true;
        } else if std::mem::take(&mut upper) {
            out.extend(letter.to_uppercase());
        } else {
            out.push(letter);
        }
    }
    out
}

/// A name without the `r#` of raw identifiers.
pub fn bare(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// Removes the attribute with this name and tells whether it was there.
pub fn take_flag(attributes: &mut Vec<Attribute>, name: &str) -> bool {
    let before = attributes.len();
    attributes.retain(|attribute| !attribute.path().is_ident(name));
    attributes.len() != before
}

/// Removes `#[name("…")]` and gives what it says.
pub fn take_name(attributes: &mut Vec<Attribute>) -> syn::Result<Option<String>> {
    let mut name = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("name")) {
        name = Some(attribute.parse_args::<LitStr>()?.value());
    }
    take_flag(attributes, "name");
    Ok(name)
}
