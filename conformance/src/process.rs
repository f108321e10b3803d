//! An implementation in a child process: a case on a line of JSON in, an answer on a line out.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
};
use std::time::{Duration, Instant};

use crate::adapter::{Adapter, AdapterError, Answer, Case, Results};

/// Bytes of an answer.
const MAX_ANSWER: u64 = 64 << 20;
/// Characters of what it says about itself that are kept.
const MAX_TEXT: usize = 1_000;
/// Answers that wait: the one that was asked for, and one too many, which shows that there is one.
const WAITING: usize = 2;
/// Failures in a row after which nothing more is tried.
const MAX_FAILURES: u32 = 3;
/// How long a child may take to end once its input has.
const GRACE: Duration = Duration::from_secs(2);

/// A program that answers cases. It is started again when it ended, hung or talked nonsense.
pub struct Process {
    command: String,
    timeout: Duration,
    child: Option<Running>,
    failures: u32,
}

/// A child with its two ends, each served by a thread, because either may block.
struct Running {
    child: Child,
    cases: Option<Sender<String>>,
    answers: Receiver<std::io::Result<Vec<u8>>>,
}

impl Process {
    /// Starts `command`, a program and its arguments separated by blanks, in quotes where they have
    /// blanks themselves. It has `timeout` for each answer.
    ///
    /// # Errors
    /// When it cannot be started, or a quote in it does not end.
    pub fn start(command: &str, timeout: Duration) -> Result<Self, AdapterError> {
        Ok(Self {
            command: command.to_owned(),
            timeout,
            child: Some(Running::start(command)?),
            failures: 0,
        })
    }

    fn ask(&mut self, case: &Case) -> Result<Answer, AdapterError> {
        let running = match &mut self.child {
            Some(running) => running,
            none => none.insert(Running::start(&self.command)?),
        };
        let mut line =
            serde_json::to_string(case).map_err(|e| AdapterError::Failed(e.to_string()))?;
        line.push('\n');
        match running.answers.try_recv() {
            Err(TryRecvError::Empty) => {}
            Ok(Ok(line)) if line.is_empty() => return Err(AdapterError::Ended),
            Err(TryRecvError::Disconnected) => return Err(AdapterError::Ended),
            Ok(Ok(line)) => {
                return Err(AdapterError::Answer(format!(
                    "a line that answers no case: {}",
                    start(&line)
                )));
            }
            Ok(Err(error)) => return Err(AdapterError::Answer(error.to_string())),
        }
        if let Some(cases) = &running.cases {
            cases.send(line).map_err(|_| AdapterError::Ended)?;
        }
        let answer = match running.answers.recv_timeout(self.timeout) {
            Ok(Ok(line)) if line.is_empty() => return Err(AdapterError::Ended),
            Ok(Ok(line)) => line,
            Ok(Err(error)) => return Err(AdapterError::Answer(error.to_string())),
            Err(RecvTimeoutError::Timeout) => return Err(AdapterError::Timeout(self.timeout)),
            Err(RecvTimeoutError::Disconnected) => return Err(AdapterError::Ended),
        };
        serde_json::from_slice(&answer).map_err(|error| {
            let error = cut(error.to_string());
            AdapterError::Answer(format!("{error} in {}", start(&answer)))
        })
    }
}

/// The start of a line, in quotes.
fn start(line: &[u8]) -> String {
    let line = line.get(..320).unwrap_or(line);
    let start: String = String::from_utf8_lossy(line).chars().take(80).collect();
    format!("{:?}", start.trim_end())
}

/// Text without what is more than anybody reads.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

impl Adapter for Process {
    fn run(&mut self, case: &Case) -> Result<Results, AdapterError> {
        match self.ask(case) {
            Ok(answer) => {
                self.failures = 0;
                match answer {
                    Answer::Results(results) => Ok(results),
                    Answer::Error(message) => Err(AdapterError::Failed(cut(message))),
                    Answer::Unsupported(why) => Err(AdapterError::Unsupported(cut(why))),
                }
            }
            Err(error) => {
                // Whatever it would say next may belong to this case.
                if let Some(mut running) = self.child.take() {
                    running.kill();
                }
                self.failures += 1;
                match self.failures {
                    MAX_FAILURES.. => Err(AdapterError::GaveUp {
                        count: self.failures,
                        last: error.to_string(),
                    }),
                    _ => Err(error),
                }
            }
        }
    }
}

impl Running {
    fn start(command: &str) -> Result<Self, AdapterError> {
        let failed = |source| AdapterError::Start {
            command: command.to_string(),
            source,
        };
        let lost = || failed(std::io::Error::other("its pipes are not connected"));
        let open = || failed(std::io::Error::other("a quote in it does not end"));
        let mut words = shlex::split(command).ok_or_else(open)?.into_iter();
        let mut child = Command::new(words.next().unwrap_or_default())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut input = child.stdin.take().ok_or_else(lost)?;
        let output = child.stdout.take().ok_or_else(lost)?;
        let (cases, to_write) = channel::<String>();
        std::thread::spawn(move || {
            for line in to_write {
                if input
                    .write_all(line.as_bytes())
                    .and_then(|()| input.flush())
                    .is_err()
                {
                    return;
                }
            }
        });
        let (send, answers) = sync_channel(WAITING);
        std::thread::spawn(move || read_lines(output, &send));
        Ok(Self {
            child,
            cases: Some(cases),
            answers,
        })
    }

    fn kill(&mut self) {
        self.cases = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends each line, an empty one at the end, and an error for one that is too long.
fn read_lines(output: ChildStdout, send: &SyncSender<std::io::Result<Vec<u8>>>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let result = match output
            .by_ref()
            .take(MAX_ANSWER)
            .read_until(b'\n', &mut line)
        {
            Ok(_) if line.len() as u64 >= MAX_ANSWER => {
                Err(std::io::Error::other("it is longer than 64 MiB"))
            }
            Ok(_) => Ok(line),
            Err(error) => Err(error),
        };
        let ends = !matches!(&result, Ok(line) if !line.is_empty());
        if send.send(result).is_err() || ends {
            return;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Closing its input asks the child to end.
        self.cases = None;
        let start = Instant::now();
        while start.elapsed() < GRACE {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
        self.kill();
    }
}
