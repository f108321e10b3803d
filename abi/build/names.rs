//! WIT names in Rust.

const KEYWORDS: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut",
    "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "type", "unsafe",
    "use", "where", "while", "yield", "box", "final", "macro", "override", "priv", "try", "typeof",
    "unsized", "virtual", "abstract", "become", "do",
];

/// `self-call` as `self_call`.
pub fn snake(name: &str) -> String {
    let name = name.replace(['-', ':', '/', '.'], "_").to_lowercase();
    if KEYWORDS.contains(&name.as_str()) {
        format!("{name}_")
    } else {
        name
    }
}

/// `[method]tensor.data-type` as `tensor_data_type`, `[constructor]tensor` as `new_tensor`.
pub fn function(name: &str) -> String {
    let Some((kind, name)) = name.strip_prefix('[').and_then(|name| name.split_once(']')) else {
        return snake(name);
    };
    match kind {
        "constructor" => snake(&format!("new-{name}")),
        "resource-drop" => snake(&format!("drop-{name}")),
        _ => snake(name),
    }
}

/// `signature-scheme` as `SignatureScheme`.
pub fn pascal(name: &str) -> String {
    name.split(['-', ':', '/', '.'])
        .map(|part| {
            // `FP32` is `Fp32` in Rust.
            let part = if part.chars().any(char::is_lowercase) {
                part.into()
            } else {
                part.to_lowercase()
            };
            let mut chars = part.chars();
            chars.next().map_or(String::new(), |first| {
                first.to_uppercase().chain(chars).collect()
            })
        })
        .collect()
}

/// A doc comment; `name` stands in where the WIT has none.
pub fn docs(docs: Option<&str>, name: &str, indent: &str) -> String {
    let text = docs
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map_or_else(|| format!("`{name}`."), String::from);
    // `aivm:` style names must not read as links.
    text.lines()
        .map(|line| format!("{indent}/// {}\n", line.trim_end()))
        .collect()
}
