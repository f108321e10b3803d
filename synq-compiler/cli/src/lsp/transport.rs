//! Messages over the standard input and output. What a header announces is bounded, and room is
//! made only for what arrives: `lsp_server`'s own reader ends the process for lack of memory.

use std::io::{self, BufRead, Read};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use lsp_server::{Connection, Message};

/// Largest message, in bytes.
const MAX_MESSAGE: u64 = 64 << 20;
/// Longest header of a message, in bytes.
const MAX_HEADER: u64 = 4096;

/// The threads that read and write.
pub struct Threads {
    /// Why reading ended, if the input did not just end.
    broken: Receiver<io::Error>,
    writer: JoinHandle<io::Result<()>>,
}

/// A connection to the client on the other side of this process's input and output.
pub fn stdio() -> (Connection, Threads) {
    // Neither side runs ahead of the other.
    let (incoming, receiver) = bounded(0);
    let (sender, outgoing) = bounded::<Message>(0);
    let (failed, broken) = bounded(1);
    std::thread::spawn(move || {
        let result = forward(&incoming);
        // Before `incoming` ends, and with it the server.
        if let Err(error) = result {
            let _ = failed.send(error);
        }
        drop(incoming);
    });
    let writer = std::thread::spawn(move || {
        let mut output = io::stdout().lock();
        outgoing
            .into_iter()
            .try_for_each(|message| message.write(&mut output))
    });
    (Connection { sender, receiver }, Threads { broken, writer })
}

/// Reads messages until the last one.
fn forward(incoming: &Sender<Message>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    while let Some(message) = read(&mut input)? {
        let last = matches!(&message, Message::Notification(note) if note.method == "exit");
        // A server that is gone needs no more messages.
        if incoming.send(message).is_err() || last {
            break;
        }
    }
    Ok(())
}

impl Threads {
    /// Waits until all is written, after the server's end of the connection was dropped.
    pub fn join(self) -> io::Result<()> {
        match self.writer.join() {
            Ok(written) => written?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        self.broken.try_recv().map_or(Ok(()), Err)
    }
}

/// The next message; nothing at the end of the input.
fn read(input: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut header = input.by_ref().take(MAX_HEADER);
    let mut length: Option<u64> = None;
    let mut line = String::new();
    loop {
        line.clear();
        if header.read_line(&mut line)? == 0 && header.limit() > 0 {
            return Ok(None);
        }
        let Some(field) = line.strip_suffix("\r\n") else {
            return Err(invalid(format!("malformed header: {line:?}")));
        };
        if field.is_empty() {
            break;
        }
        let Some((name, value)) = field.split_once(": ") else {
            return Err(invalid(format!("malformed header: {line:?}")));
        };
        if name.eq_ignore_ascii_case("Content-Length") {
            length = Some(value.parse().map_err(invalid)?);
        }
    }
    let length = length.ok_or_else(|| invalid("no Content-Length"))?;
    if length > MAX_MESSAGE {
        return Err(invalid(format!(
            "a message of {length} bytes is announced; the limit is {MAX_MESSAGE}"
        )));
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&body).map(Some).map_err(invalid)
}

fn invalid(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}
