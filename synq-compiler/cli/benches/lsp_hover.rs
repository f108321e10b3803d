//! How long the language server takes to answer: `cargo bench --bench lsp_hover`.
//!
//! The server runs as a process and is spoken to over its standard input and output, as an
//! editor does. Times include writing the request and reading the answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

struct Client {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("it is written");
        self.input.flush().expect("it is written");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("it is read");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("it is read");
        serde_json::from_slice(&body).expect("JSON")
    }

    fn ask(&mut self, id: usize, method: &str, params: Value) -> (Value, Duration) {
        let start = Instant::now();
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let answer = self.receive();
            if answer["id"] == id {
                return (answer["result"].clone(), start.elapsed());
            }
        }
    }
}

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let folder = folder.canonicalize().expect("the folder is there");
    let mut largest = (0, folder.clone());
    for entry in std::fs::read_dir(&folder).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_some_and(|e| e == "synq") {
            let lines = std::fs::read_to_string(&path)
                .expect("UTF-8")
                .lines()
                .count();
            largest = largest.max((lines, path));
        }
    }
    let text = std::fs::read_to_string(&largest.1).expect("UTF-8");
    let uri = format!("file://{}", largest.1.display());
    let mut server = Command::new(env!("CARGO_BIN_EXE_synqc"))
        .arg("lsp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut client = Client {
        input: server.stdin.take().expect("piped"),
        output: BufReader::new(server.stdout.take().expect("piped")),
    };
    client.ask(0, "initialize", json!({ "capabilities": {} }));
    client.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
    // Every word of the file that begins a declaration or a use.
    let mut places = Vec::new();
    for (line, content) in text.lines().enumerate() {
        if let Some(at) = content.find(|c: char| c.is_ascii_alphabetic()) {
            places.push((line, at));
            if let Some(next) = content.get(at..).and_then(|rest| rest.find(' ')) {
                places.push((line, at + next + 1));
            }
        }
    }
    let position = |(line, character): (usize, usize)| json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
    let start = Instant::now();
    client.send(
        &json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
        "textDocument": { "uri": uri, "languageId": "synq", "version": 1, "text": text } } }),
    );
    client.receive();
    let diagnosed = start.elapsed();
    let (_, first) = client.ask(1, "textDocument/hover", position(places[0]));
    let mut times: Vec<Duration> = Vec::new();
    let mut answered = 0;
    for (number, place) in places.iter().enumerate() {
        let (result, time) = client.ask(number + 2, "textDocument/hover", position(*place));
        answered += usize::from(!result.is_null());
        times.push(time);
    }
    times.sort();
    let ms = |t: Duration| t.as_secs_f64() * 1e3;
    println!(
        "{} ({} lines): diagnostics {:.2} ms after opening; hover: first {:.2} ms, then median {:.2} ms, worst {:.2} ms of {} ({answered} answered)",
        largest.1.file_name().unwrap_or_default().to_string_lossy(),
        largest.0,
        ms(diagnosed),
        ms(first),
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
        times.len(),
    );
    let mut edits: Vec<(Duration, Duration)> = Vec::new();
    for round in 0..20 {
        let edited = format!("{text}\n// {round}\n");
        let start = Instant::now();
        client.send(&json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": { "uri": uri, "version": round + 2 }, "contentChanges": [{ "text": edited }] } }));
        client.receive();
        let diagnosed = start.elapsed();
        let (_, hover) = client.ask(
            10_000 + round,
            "textDocument/hover",
            position(places[places.len() / 2]),
        );
        edits.push((diagnosed, hover));
    }
    edits.sort();
    let worst = edits.iter().map(|e| e.1).max().unwrap_or_default();
    println!(
        "after an edit: diagnostics {:.2} ms, a hover at once {:.2} ms at worst",
        ms(edits[edits.len() / 2].0),
        ms(worst)
    );
    client.ask(20_000, "shutdown", Value::Null);
    client.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
    server.wait().expect("it ends");
}
