//! The language server over its standard input and output, as an editor talks to it.

use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};

struct Editor {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: i32,
}

impl Editor {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_synqc"))
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut editor = Self {
            child,
            input,
            output,
            next: 0,
        };
        let answer = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(answer["capabilities"]["hoverProvider"], true);
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: Message) {
        message.write(&mut self.input).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification::new(method.to_owned(), params).into());
    }

    fn read(&mut self) -> Message {
        Message::read(&mut self.output)
            .expect("well-formed")
            .expect("the server answers")
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        self.send(Request::new(self.next.into(), method.to_owned(), params).into());
        loop {
            if let Message::Response(response) = self.read() {
                assert_eq!(response.id, self.next.into());
                assert!(response.error.is_none(), "{:?}", response.error);
                return response.result.unwrap_or(Value::Null);
            }
        }
    }

    fn diagnostics(&mut self) -> Value {
        loop {
            if let Message::Notification(n) = self.read()
                && n.method == "textDocument/publishDiagnostics"
            {
                return n.params["diagnostics"].clone();
            }
        }
    }

    fn open(&mut self, uri: &str, text: &str) -> Value {
        let document = json!({ "uri": uri, "languageId": "synq", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics()
    }

    fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        self.ask(
            method,
            json!({
                "textDocument": { "uri": uri },
                "position": { "line": line, "character": character },
            }),
        )
    }

    fn stop(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().expect("ends").success());
    }
}

const TEXT: &str = "import \"./lib.synq\";
contract C {
    struct P { id: UInt256; ok: Bool; }
    total: UInt256 public;
    /// Adds to the total.
    @public function add(amount: UInt256) -> UInt256 {
        let p = P(id: amount, ok: true);
        total += p.id; // \u{1d54f}
        return helper(total);
    }
}
";

#[test]
fn an_editor_is_served() {
    let dir = tempfile::tempdir().expect("a folder");
    let lib = "/// Doubles.\nfunction helper(x: UInt256) -> UInt256 { return x * 2; }\n";
    std::fs::write(dir.path().join("lib.synq"), lib).expect("written");
    let uri = format!("file://{}/a.synq", dir.path().display());
    let mut editor = Editor::start(dir.path());
    assert_eq!(editor.open(&uri, TEXT), json!([]));

    // `amount` in the body is the parameter.
    let hover = editor.at("textDocument/hover", &uri, 6, 24);
    assert_eq!(hover["contents"]["value"], "```synq\namount: UInt256\n```");
    assert_eq!(hover["range"]["start"]["character"], 22);
    // The type of a local is known though it is not written; a call has a price.
    let hover = editor.at("textDocument/hover", &uri, 7, 17);
    assert_eq!(hover["contents"]["value"], "```synq\np: P\n```");
    let hover = editor.at("textDocument/hover", &uri, 5, 22);
    let text = hover["contents"]["value"].as_str().expect("text");
    let gas = text
        .split("at least ")
        .nth(1)
        .and_then(|t| t.split(' ').next());
    let gas: u64 = gas.and_then(|g| g.parse().ok()).expect("gas");
    assert!((50_000..1_000_000).contains(&gas), "{text}");
    assert!(text.ends_with("Adds to the total."), "{text}");
    // `helper` comes from the other file, which is not open.
    let hover = editor.at("textDocument/hover", &uri, 8, 16);
    let text = hover["contents"]["value"].as_str().expect("text");
    assert!(
        text.contains("function helper(x: UInt256) -> UInt256"),
        "{text}"
    );
    assert!(text.contains("Doubles."), "{text}");
    let place = editor.at("textDocument/definition", &uri, 8, 16);
    assert!(
        place["uri"]
            .as_str()
            .is_some_and(|u| u.ends_with("/lib.synq"))
    );
    assert_eq!(
        place["range"]["start"],
        json!({ "line": 1, "character": 9 })
    );
    // `total` is the state variable.
    let place = editor.at("textDocument/definition", &uri, 7, 10);
    assert_eq!(
        place["range"]["start"],
        json!({ "line": 3, "character": 4 })
    );

    let labels = |items: &Value| -> Vec<String> {
        let items = items.as_array().expect("a list");
        items
            .iter()
            .filter_map(|i| i["label"].as_str().map(str::to_owned))
            .collect()
    };
    let items = labels(&editor.at("textDocument/completion", &uri, 7, 8));
    for wanted in ["total", "amount", "add", "helper", "UInt256", "require"] {
        assert!(items.iter().any(|i| i == wanted), "{wanted} in {items:?}");
    }

    // A change with a mistake, then one that repairs it.
    let broken = TEXT.replace("helper(total)", "helper(totl)");
    let change = |text: &str| json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": text }] });
    editor.tell("textDocument/didChange", change(&broken));
    let found = editor.diagnostics();
    assert_eq!(found[0]["code"], "E0201");
    assert_eq!(
        found[0]["range"]["start"],
        json!({ "line": 8, "character": 22 })
    );
    assert!(
        found[0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("total"))
    );
    editor.tell(
        "textDocument/didChange",
        change(&TEXT.replace(" return", "return")),
    );
    assert_eq!(editor.diagnostics(), json!([]));

    let options = json!({ "textDocument": { "uri": uri }, "options": { "tabSize": 4 } });
    let edits = editor.ask("textDocument/formatting", options);
    let new = edits[0]["newText"].as_str().expect("an edit");
    assert!(
        new.contains("    struct P {\n        id: UInt256;\n"),
        "{new}"
    );
    editor.stop();
}

#[test]
fn nonsense_is_survived() {
    let dir = tempfile::tempdir().expect("a folder");
    let uri = format!("file://{}/a.synq", dir.path().display());
    let mut editor = Editor::start(dir.path());
    let found = editor.open(&uri, "contract {{{ \u{0} \u{fffd}");
    assert!(found.as_array().is_some_and(|l| !l.is_empty()));
    assert_eq!(editor.at("textDocument/hover", &uri, 99, 99), Value::Null);
    assert_eq!(
        editor.at("textDocument/hover", "file:///nowhere", 0, 0),
        Value::Null
    );
    editor.at("textDocument/completion", &uri, 0, 3);
    editor.stop();
}

#[test]
fn messages_beyond_the_bounds_end_the_server_with_a_reason() {
    for (input, reason) in [
        (
            "Content-Length: 99999999999\r\n\r\n".to_owned(),
            "a message of 99999999999 bytes is announced; the limit is 67108864",
        ),
        (
            "Content-Length: 9\r\n\r\n{}".to_owned(),
            "unexpected end of file",
        ),
        ("X".repeat(100_000), "malformed header"),
        ("X: y\r\n\r\n".to_owned(), "no Content-Length"),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_synqc"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut pipe = child.stdin.take().expect("piped");
        // The server may have ended before it has read all.
        let _ = pipe.write_all(input.as_bytes());
        drop(pipe);
        let done = child.wait_with_output().expect("ends");
        let text = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error: the connection broke: "), "{text}");
        assert!(text.contains(reason), "{reason}: {text}");
    }
}
