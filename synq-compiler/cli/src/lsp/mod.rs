//! The language server: diagnostics, hover, go to definition, completion, formatting.
//!
//! Messages are handled one after another; each answer is computed from the text as it is.

mod declarations;
mod documents;
pub(crate) mod transport;

use std::collections::BTreeMap;
use std::error::Error as StdError;

use declarations::{Declaration, Index};
use documents::{Documents, Text};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use serde_json::{Value, json};
use synq_compiler::{Severity, fmt};

use crate::world::costs;

/// Words that begin or belong to a construct.
const WORDS: [&str; 45] = [
    "pragma",
    "import",
    "contract",
    "interface",
    "struct",
    "enum",
    "event",
    "error",
    "model",
    "function",
    "constructor",
    "public",
    "external",
    "internal",
    "private",
    "view",
    "pure",
    "payable",
    "constant",
    "immutable",
    "indexed",
    "storage",
    "memory",
    "let",
    "if",
    "else",
    "for",
    "in",
    "while",
    "do",
    "break",
    "continue",
    "return",
    "returns",
    "emit",
    "revert",
    "require",
    "delete",
    "new",
    "unchecked",
    "require_pqc",
    "or",
    "with_gas_limit",
    "mapping",
    "modifier",
];

/// Types of the language, and its functions.
const BUILTINS: [&str; 47] = [
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UInt128",
    "UInt256",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Int128",
    "Int256",
    "Bool",
    "Address",
    "Bytes",
    "Bytes32",
    "String",
    "MLDSAPublicKey",
    "MLDSASignature",
    "FNDSAPublicKey",
    "FNDSASignature",
    "SLHDSAPublicKey",
    "SLHDSASignature",
    "MLKEMPublicKey",
    "MLKEMCiphertext",
    "PQAuth",
    "msg",
    "block",
    "abi",
    "this",
    "true",
    "false",
    "null",
    "keccak256",
    "sha256",
    "blake3",
    "argmax",
    "gasleft",
    "addmod",
    "mulmod",
    "callContract",
    "sendNative",
    "verifyMLDSASignature",
    "verifyFNDSASignature",
    "verifySLHDSASignature",
    "mlkemDecapsulate",
    "authenticated_pqc",
];

/// Serves one client until it says that it is done.
///
/// # Errors
/// When the connection breaks, or the client does not follow the protocol.
pub fn serve(connection: &Connection) -> Result<(), Box<dyn StdError + Send + Sync>> {
    connection.initialize(json!({
        "textDocumentSync": { "openClose": true, "change": 1, "save": true },
        "hoverProvider": true,
        "definitionProvider": true,
        "documentFormattingProvider": true,
        "completionProvider": { "triggerCharacters": ["."] },
    }))?;
    let mut server = Server {
        documents: Documents::default(),
        known: BTreeMap::new(),
    };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                connection
                    .sender
                    .send(Message::Response(server.request(request)))?;
            }
            Message::Notification(notification) => {
                if let Some(published) = server.notification(&notification) {
                    connection.sender.send(Message::Notification(published))?;
                    server.learn(&notification);
                }
            }
            Message::Response(_) => {}
        }
    }
    Ok(())
}

struct Server {
    documents: Documents,
    /// What compiling each open document told, the last time that it compiled.
    known: BTreeMap<String, Known>,
}

/// Types and gas, for hovering.
#[derive(Default)]
struct Known {
    /// Types of locals by the file and byte at which they are declared.
    types: BTreeMap<(String, u32), String>,
    /// Least gas of public functions by contract and name.
    gas: BTreeMap<(String, String), u64>,
}

impl Server {
    fn request(&mut self, request: Request) -> Response {
        let uri = request.params["textDocument"]["uri"]
            .as_str()
            .unwrap_or_default();
        let position = &request.params["position"];
        let result = match request.method.as_str() {
            "textDocument/hover" => self.hover(uri, position),
            "textDocument/definition" => self.definition(uri, position),
            "textDocument/completion" => self.completion(uri, position),
            "textDocument/formatting" => self.formatting(uri),
            method => {
                let message = format!("{method} is not supported");
                return Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message);
            }
        };
        Response::new_ok(request.id, result.unwrap_or(Value::Null))
    }

    /// Takes note of a change; gives the diagnostics to publish.
    fn notification(&mut self, notification: &Notification) -> Option<Notification> {
        let params = &notification.params;
        let uri = params["textDocument"]["uri"].as_str()?;
        match notification.method.as_str() {
            "textDocument/didOpen" => {
                self.documents
                    .set(uri, params["textDocument"]["text"].as_str()?);
            }
            "textDocument/didChange" => {
                let text = params["contentChanges"].as_array()?.last()?["text"].as_str()?;
                self.documents.set(uri, text);
            }
            "textDocument/didSave" => {}
            "textDocument/didClose" => {
                self.documents.remove(uri);
                self.known.remove(uri);
                return Some(published(uri, json!([])));
            }
            _ => return None,
        }
        Some(published(uri, self.diagnostics(uri)?))
    }

    /// Compiles a document that changed, once its diagnostics are published, so that hovering
    /// need not wait for it.
    fn learn(&mut self, notification: &Notification) {
        let Some(uri) = notification.params["textDocument"]["uri"].as_str() else {
            return;
        };
        let Some(file) = self.documents.file(uri) else {
            return;
        };
        let compiled = synq_compiler::compile(&file.name, &file.loader, &file.options);
        // What does not compile now is known as it was before.
        let Ok(output) = compiled else { return };
        let mut known = Known::default();
        let sources = &output.diagnostics.sources;
        for (span, ty) in output.locals {
            let file = sources.path(span.file).to_owned();
            known.types.insert((file, span.start), ty);
        }
        for contract in &output.contracts {
            for (signature, gas) in costs::at_least(contract) {
                let name = signature.split('(').next().unwrap_or_default().to_owned();
                let entry = known.gas.entry((contract.name.clone(), name));
                let least = entry.or_insert(gas);
                *least = gas.min(*least);
            }
        }
        self.known.insert(uri.to_owned(), known);
    }

    fn diagnostics(&self, uri: &str) -> Option<Value> {
        let file = self.documents.file(uri)?;
        let found = synq_compiler::check(&file.name, &file.loader, &file.options);
        let text = Text::new(self.documents.text(uri)?);
        let list: Vec<Value> = found
            .list
            .iter()
            // Problems in imported files are shown when those are open.
            .filter(|d| found.sources.path(d.span.file) == file.name)
            .map(|d| {
                let mut message = d.message.clone();
                for note in &d.notes {
                    message.push_str(&format!("\nnote: {note}"));
                }
                if let Some(fix) = &d.suggestion {
                    message.push_str(&format!("\nhelp: {}", fix.message));
                    if !fix.replacement.is_empty() {
                        message.push_str(&format!(": {}", fix.replacement));
                    }
                }
                json!({
                    "range": text.range(d.span.start, d.span.end),
                    "severity": if d.severity == Severity::Error { 1 } else { 2 },
                    "code": d.code,
                    "source": "synqc",
                    "message": message,
                })
            })
            .collect();
        Some(json!(list))
    }

    fn formatting(&self, uri: &str) -> Option<Value> {
        let old = self.documents.text(uri)?;
        let new = fmt::format(uri, old).ok()?;
        if new == old {
            return Some(json!([]));
        }
        let whole = Text::new(old).range(0, u32::try_from(old.len()).ok()?);
        Some(json!([{ "range": whole, "newText": new }]))
    }

    fn found(&self, uri: &str, position: &Value) -> Option<(Index, Declaration, u32, u32)> {
        let file = self.documents.file(uri)?;
        let text = self.documents.text(uri)?;
        let offset = Text::new(text).offset(position)?;
        let (start, end) = documents::word(text, offset)?;
        let index = Index::new(&file.name, &file.loader);
        let name = text.get(start as usize..end as usize)?;
        let declaration = index.find(name, start)?.clone();
        Some((index, declaration, start, end))
    }

    fn hover(&self, uri: &str, position: &Value) -> Option<Value> {
        let (index, declaration, start, end) = self.found(uri, position)?;
        let known = self.known.get(uri);
        let file = index.sources.path(declaration.span.file).to_owned();
        let place = (file, declaration.span.start);
        let mut text = match known.and_then(|k| k.types.get(&place)) {
            Some(ty) if declaration.is_untyped() => {
                format!("```synq\n{}: {ty}\n```", declaration.name)
            }
            _ => format!("```synq\n{}\n```", declaration.text),
        };
        let owner = declaration.owner().unwrap_or_default().to_owned();
        if let Some(gas) = known.and_then(|k| k.gas.get(&(owner, declaration.name.clone()))) {
            text.push_str(&format!("\n\nat least {gas} gas a call"));
        }
        if !declaration.docs.is_empty() {
            text.push_str(&format!("\n\n{}", declaration.docs.join("\n")));
        }
        Some(json!({
            "contents": { "kind": "markdown", "value": text },
            "range": Text::new(self.documents.text(uri)?).range(start, end),
        }))
    }

    fn definition(&self, uri: &str, position: &Value) -> Option<Value> {
        let (index, declaration, _, _) = self.found(uri, position)?;
        let span = declaration.span;
        let text = index.sources.text(span.file);
        let file = self.documents.file(uri)?;
        Some(json!({
            "uri": file.uri_of(index.sources.path(span.file)),
            "range": Text::new(text).range(span.start, span.end),
        }))
    }

    fn completion(&self, uri: &str, position: &Value) -> Option<Value> {
        let file = self.documents.file(uri)?;
        let text = self.documents.text(uri)?;
        let offset = Text::new(text).offset(position)?;
        let start = documents::word(text, offset).map_or(offset, |(start, _)| start);
        let before = text.get(..start as usize)?.trim_end();
        let index = Index::new(&file.name, &file.loader);
        let item = |label: &str, kind: u32, detail: &str| json!({ "label": label, "kind": kind, "detail": detail });
        if let Some(object) = before.strip_suffix('.') {
            let at = u32::try_from(object.len()).ok()?;
            let object = documents::word(object, at)
                .and_then(|(a, b)| object.get(a as usize..b as usize))
                .unwrap_or_default();
            let items: Vec<Value> = index
                .members(object, at)
                .into_iter()
                .map(|(name, detail)| item(&name, 5, &detail))
                .collect();
            return Some(json!(items));
        }
        let mut items: Vec<Value> = index
            .visible(offset)
            .map(|d| item(&d.name, d.kind, &d.text))
            .collect();
        items.extend(WORDS.iter().map(|w| item(w, 14, "")));
        items.extend(BUILTINS.iter().map(|w| item(w, 3, "")));
        Some(json!(items))
    }
}

fn published(uri: &str, diagnostics: Value) -> Notification {
    Notification::new(
        "textDocument/publishDiagnostics".to_owned(),
        json!({ "uri": uri, "diagnostics": diagnostics }),
    )
}
