//! Sources, as compiler, formatter and language server read them.

use lsp_server::{Connection, Message, Notification, Request};
use serde_json::{Value, json};
use synq_compiler::{ChainProfile, MemoryLoader, Options, compile, fmt};

use crate::bytes::{seed, text};

#[path = "../../../synq-compiler/tests/robust/grammar.rs"]
mod grammar;

/// Any text: the compiler and the formatter answer.
pub fn source(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let loader = MemoryLoader::new().with_source("a.synq", &*text);
    if let Err(errors) = compile("a.synq", &loader, &Options::new()) {
        assert!(!errors.list.is_empty());
        let _ = (errors.render(false), errors.to_json());
    }
    if let Ok(formatted) = fmt::format("a.synq", &text) {
        assert_eq!(fmt::format("a.synq", &formatted).ok(), Some(formatted));
    }
}

/// Programs of the grammar: formatting keeps their code. Eight bytes are the seed of one.
pub fn program(data: &[u8]) {
    let mut source = match seed(data) {
        Some(seed) => grammar::Source::seeded(seed),
        None => grammar::Source::from_bytes(data),
    };
    let text = grammar::program(&mut source, 40);
    let build = |text: &str| {
        let loader = MemoryLoader::new().with_source("a.synq", text);
        let output = compile("a.synq", &loader, &Options::new().with_debug(false));
        output.ok().map(|output| output.contracts[0].wasm.clone())
    };
    let formatted = fmt::format("a.synq", &text).expect("the grammar is the language's");
    assert_eq!(build(&text), build(&formatted));
}

/// Any text is a chain profile, or refused.
pub fn profile(data: &[u8]) {
    if let Ok(profile) = ChainProfile::from_toml(text(data)) {
        let names = profile.names().count();
        assert_eq!(profile.clone().with(&profile).names().count(), names);
    }
}

/// An editor. An input of JSON lines is messages; any other is the text of a document, asked about in some places.
pub fn language_server(data: &[u8]) {
    let (server, client) = Connection::memory();
    let send = |message: Message| client.sender.send(message).unwrap();
    let mut number = 0;
    let mut request = |method: &str, params: Value| {
        number += 1;
        send(Request::new(number.into(), method.to_owned(), params).into());
    };
    request("initialize", json!({ "capabilities": {} }));
    send(Notification::new("initialized".to_owned(), json!({})).into());
    let lines: Vec<Value> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    if lines.iter().any(Value::is_object) {
        for line in &lines {
            let method = line["method"].as_str().unwrap_or("textDocument/hover");
            // These end the conversation.
            if matches!(method, "shutdown" | "exit" | "initialize") {
                continue;
            }
            let params = line["params"].clone();
            match line["id"].is_null() {
                true => send(Notification::new(method.to_owned(), params).into()),
                false => request(method, params),
            }
        }
    } else {
        let uri = "file:///nowhere/a.synq";
        let text = String::from_utf8_lossy(data);
        let document = json!({ "textDocument": { "uri": uri, "text": text } });
        send(Notification::new("textDocument/didOpen".to_owned(), document).into());
        let count = text.lines().count() as u64;
        for place in 0..6u64 {
            // Past the end too.
            let position = json!({ "line": place * 7919 % (count + 2), "character": place * 13 });
            let params = json!({ "textDocument": { "uri": uri }, "position": position });
            for method in ["hover", "definition", "completion"] {
                request(&format!("textDocument/{method}"), params.clone());
            }
        }
        request(
            "textDocument/formatting",
            json!({ "textDocument": { "uri": uri } }),
        );
    }
    request("shutdown", Value::Null);
    send(Notification::new("exit".to_owned(), Value::Null).into());
    synqc::lsp::serve(&server).unwrap();
    let answered = client.receiver.try_iter();
    let answered = answered
        .filter(|message| matches!(message, Message::Response(_)))
        .count();
    assert_eq!(answered, number as usize, "each request has one answer");
}
