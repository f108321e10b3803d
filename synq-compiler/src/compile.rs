//! The whole way from sources to artifacts.

use std::collections::BTreeMap;

use alloy_json_abi::JsonAbi;

use crate::diagnostics::{Diagnostic, Diagnostics, Severity, Sink};
use crate::profile::ChainProfile;
use crate::source::{SourceLoader, Sources, Span};
use crate::syntax::ast::{ItemKind, SourceFile};
use crate::{abi, codegen, sema};

/// Version of the language that this compiler takes, for `pragma synq`.
pub const LANGUAGE_VERSION: semver::Version = semver::Version::new(1, 0, 0);

/// Largest source file, in bytes.
pub const MAX_SOURCE: usize = 4 << 20;
/// Most files in one run.
const MAX_FILES: usize = 256;

/// What the author may choose.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Functions that the host chain adds.
    pub profile: ChainProfile,
    /// Whether the module names its functions and source lines.
    pub debug: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: ChainProfile::default(),
            debug: true,
        }
    }
}

impl Options {
    /// The defaults: no chain profile, source lines in the module.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the chain profile.
    #[must_use]
    pub fn with_profile(mut self, profile: ChainProfile) -> Self {
        self.profile = profile;
        self
    }

    /// Whether the module names its functions and source lines, for traps, traces and
    /// profiles. They change nothing but its size and hash.
    #[must_use]
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }
}

/// A model that a contract uses.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ModelUse {
    /// Its name in the source.
    pub name: String,
    /// Its content address, `blake3:` and hex digits.
    pub hash: String,
}

/// A compiled contract.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Artifact {
    /// Name of the contract.
    pub name: String,
    /// The module.
    pub wasm: Vec<u8>,
    /// Its Solidity ABI.
    pub abi: JsonAbi,
    /// The ABI as JSON, with gas annotations and documentation.
    pub abi_json: serde_json::Value,
    /// Source, code and model hashes.
    pub manifest: serde_json::Value,
    /// Models it needs on the chain.
    pub models: Vec<ModelUse>,
}

/// What a run gives.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Output {
    /// Contracts of the file that was named, in source order.
    pub contracts: Vec<Artifact>,
    /// Warnings, with the sources.
    pub diagnostics: Diagnostics,
    /// Types of the parameters and locals of the functions compiled: where the name was
    /// declared, and the type as the language writes it.
    pub locals: Vec<(Span, String)>,
}

/// Parsed and checked, but not compiled.
struct Front {
    files: Vec<(String, SourceFile)>,
    sources: Sources,
    sink: Sink,
}

fn read(path: &str, loader: &dyn SourceLoader) -> Front {
    let mut front = Front {
        files: Vec::new(),
        sources: Sources::new(),
        sink: Sink::new(),
    };
    let mut todo: Vec<(String, Option<Span>)> = vec![(path.to_owned(), None)];
    while let Some((path, named)) = todo.pop() {
        if front.sources.find(&path).is_some() {
            continue;
        }
        let mut refuse = |message: String| {
            let span = named.unwrap_or_default();
            front
                .sink
                .push(Diagnostic::error("E0601", span, message).label("named here"));
        };
        let text = match loader.source(&path) {
            Ok(text) if text.len() > MAX_SOURCE => {
                refuse(format!("`{path}` has more than {MAX_SOURCE} bytes"));
                continue;
            }
            Ok(text) => text,
            Err(why) => {
                refuse(format!("cannot read `{path}`: {why}"));
                if named.is_none() {
                    front.sources.add(path, "");
                }
                continue;
            }
        };
        if front.files.len() >= MAX_FILES {
            refuse(format!("more than {MAX_FILES} files"));
            continue;
        }
        let id = front.sources.add(path.clone(), text);
        let parsed = crate::syntax::parse(id, front.sources.text(id));
        front.sink.extend(parsed.diagnostics);
        for item in &parsed.file.items {
            match &item.kind {
                ItemKind::Import(import) => {
                    todo.push((sema::join(&path, &import.path), Some(import.path_span)));
                }
                ItemKind::Pragma(pragma) => check_pragma(pragma, &mut front.sink),
                _ => {}
            }
        }
        front.files.push((path, parsed.file));
    }
    front
}

fn check_pragma(pragma: &crate::syntax::ast::Pragma, sink: &mut Sink) {
    if pragma.name.name != "synq" {
        sink.push(
            Diagnostic::error(
                "E0602",
                pragma.name.span,
                format!("unknown pragma `{}`", pragma.name.name),
            )
            .label("expected `synq`"),
        );
        return;
    }
    // semver wants commas between comparators.
    let text = pragma.requirement.replace(',', " ");
    let mut parts: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match parts.last_mut() {
            Some(last) if last.chars().all(|c| "^<>=~".contains(c)) => last.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    let requirement = if parts.is_empty() {
        None
    } else {
        semver::VersionReq::parse(&parts.join(", ")).ok()
    };
    match requirement {
        None => sink.push(
            Diagnostic::error(
                "E0603",
                pragma.requirement_span,
                format!("`{}` is not a version requirement", pragma.requirement),
            )
            .label("expected something like `^1.0.0` or `>=1.0.0 <2.0.0`"),
        ),
        Some(requirement) if !requirement.matches(&LANGUAGE_VERSION) => sink.push(
            Diagnostic::error(
                "E0604",
                pragma.requirement_span,
                format!(
                    "this source wants SynQ `{}`, the compiler speaks {LANGUAGE_VERSION}",
                    pragma.requirement
                ),
            )
            .label("required here"),
        ),
        Some(_) => {}
    }
}

/// Parses and checks a source and what it imports, without producing code.
pub fn check(path: &str, loader: &dyn SourceLoader, options: &Options) -> Diagnostics {
    let mut front = read(path, loader);
    if front.sink.errors() == 0 {
        let symbols = sema::collect(
            &front.files,
            loader,
            options.profile.declarations(),
            &mut front.sink,
        );
        for (index, contract) in symbols.contracts.iter().enumerate() {
            if !contract.interface {
                sema::contract(&symbols, index, &mut front.sink);
            }
        }
    }
    Diagnostics {
        sources: front.sources,
        list: front.sink.finish(),
    }
}

/// Compiles the contracts of a source file.
///
/// # Errors
/// All diagnostics, when there is an error among them.
pub fn compile(
    path: &str,
    loader: &dyn SourceLoader,
    options: &Options,
) -> Result<Output, Diagnostics> {
    let mut front = read(path, loader);
    let mut artifacts = Vec::new();
    let mut locals = Vec::new();
    if front.sink.errors() == 0 {
        let symbols = sema::collect(
            &front.files,
            loader,
            options.profile.declarations(),
            &mut front.sink,
        );
        let mut checked = Vec::new();
        for (index, contract) in symbols.contracts.iter().enumerate() {
            if contract.interface {
                continue;
            }
            let own = contract.ast.name.span.file.0 == 0;
            if let Some(ir) = sema::contract(&symbols, index, &mut front.sink)
                && own
            {
                checked.push((index, ir));
            }
        }
        if front.sink.errors() == 0 {
            let hashes: BTreeMap<String, String> = front
                .sources
                .iter()
                .map(|(path, text)| {
                    let hash = blake3::hash(text.as_bytes()).to_hex();
                    (path.to_owned(), format!("blake3:{hash}"))
                })
                .collect();
            let lines = options.debug.then(|| codegen::Lines::new(&front.sources));
            for (index, ir) in &checked {
                let all = ir.functions.iter().flat_map(|f| &f.locals);
                for local in all.filter(|local| !local.name.is_empty()) {
                    locals.push((local.span, symbols.world.name(&local.ty)));
                }
                match artifact(&symbols, *index, ir, &hashes, lines.as_ref()) {
                    Ok(artifact) => artifacts.push(artifact),
                    Err(why) => {
                        let span = symbols
                            .contracts
                            .get(*index)
                            .map_or(Span::default(), |c| c.ast.name.span);
                        front.sink.push(Diagnostic::error(
                            "E0701",
                            span,
                            format!("`{}` cannot be compiled: {why}", ir.name),
                        ));
                    }
                }
            }
        }
    }
    let failed = front.sink.errors() > 0;
    let diagnostics = Diagnostics {
        sources: front.sources,
        list: front.sink.finish(),
    };
    debug_assert_eq!(
        failed,
        diagnostics
            .list
            .iter()
            .any(|d| d.severity == Severity::Error)
    );
    if failed {
        return Err(diagnostics);
    }
    Ok(Output {
        contracts: artifacts,
        diagnostics,
        locals,
    })
}

/// The Solidity twin of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Twin {
    /// Name of the contract.
    pub name: String,
    /// Solidity 0.8 text.
    pub text: String,
}

/// Writes the contracts of a source file as Solidity with the same ABI.
///
/// # Errors
/// All diagnostics, when there is an error among them, or when a contract does something that
/// Solidity cannot express.
pub fn twins(
    path: &str,
    loader: &dyn SourceLoader,
    options: &Options,
) -> Result<Vec<Twin>, Diagnostics> {
    let mut front = read(path, loader);
    let mut twins = Vec::new();
    if front.sink.errors() == 0 {
        let symbols = sema::collect(
            &front.files,
            loader,
            options.profile.declarations(),
            &mut front.sink,
        );
        for (index, contract) in symbols.contracts.iter().enumerate() {
            if contract.interface || contract.ast.name.span.file.0 != 0 {
                continue;
            }
            let Some(ir) = sema::contract(&symbols, index, &mut front.sink) else {
                continue;
            };
            if front.sink.errors() > 0 {
                continue;
            }
            let variables = contract
                .variables
                .iter()
                .filter(|v| !v.constant)
                .map(|v| (v.slot, (v.ast.name.name.clone(), v.ty.clone())))
                .collect();
            match crate::solidity::emit(&symbols.world, &ir, &variables) {
                Ok(text) => twins.push(Twin {
                    name: ir.name.clone(),
                    text,
                }),
                Err(unsupported) => front.sink.push(
                    Diagnostic::error(
                        "E0702",
                        unsupported.span,
                        format!("Solidity has no twin of {}", unsupported.what),
                    )
                    .label("cannot be written in Solidity"),
                ),
            }
        }
    }
    if front.sink.errors() > 0 {
        return Err(Diagnostics {
            sources: front.sources,
            list: front.sink.finish(),
        });
    }
    Ok(twins)
}

fn artifact(
    symbols: &sema::symbols::Symbols<'_>,
    index: usize,
    ir: &crate::ir::Contract,
    sources: &BTreeMap<String, String>,
    lines: Option<&codegen::Lines>,
) -> Result<Artifact, Box<dyn std::error::Error + Send + Sync>> {
    let models: Vec<ModelUse> = ir
        .models
        .iter()
        .map(|m| ModelUse {
            name: m.name.clone(),
            hash: format!("blake3:{}", hex::encode(m.hash)),
        })
        .collect();
    let mut compact = ir.clone();
    crate::ir::reuse(&mut compact);
    let wasm = codegen::generate(&symbols.world, &compact, Vec::new(), lines)?;
    let abi_json = abi::json(symbols, index, ir);
    let abi: JsonAbi = serde_json::from_value(abi_json.clone())?;
    let manifest = serde_json::json!({
        "name": ir.name,
        "compiler": env!("CARGO_PKG_VERSION"),
        "language": LANGUAGE_VERSION.to_string(),
        "debug": lines.is_some(),
        "code": format!("blake3:{}", blake3::hash(&wasm).to_hex()),
        "sources": sources,
        "models": models,
    });
    Ok(Artifact {
        name: ir.name.clone(),
        wasm,
        abi,
        abi_json,
        manifest,
        models,
    })
}
