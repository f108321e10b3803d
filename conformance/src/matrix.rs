//! The same workload under many circumstances, which must all give one digest.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::Serialize;

use crate::digest::{Digest, Part};

/// Exit status of `digest` when this machine lacks what a setup asks for.
pub const UNAVAILABLE: u8 = 3;

/// A circumstance: a program, its arguments and its environment.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Short name.
    pub name: String,
    /// What is special about it.
    pub what: String,
    program: Vec<String>,
    arguments: Vec<&'static str>,
    environment: Vec<(&'static str, &'static str)>,
    /// Runs of the program that share the workload.
    parts: usize,
}

/// What came of a configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What is special about it.
    pub what: String,
    /// The digest, when it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_run: Option<String>,
    /// First item that differs from the first configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs_at: Option<String>,
    /// Seconds it took.
    pub seconds: f64,
}

/// The whole matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// Digest of the first configuration.
    pub digest: String,
    /// Vectors in the workload.
    pub vectors: usize,
    /// Transactions in the workload.
    pub transactions: usize,
    /// Configurations, in order.
    pub rows: Vec<Row>,
}

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatrixError {
    /// This program cannot find or start itself, or a program that was given.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A configuration gave no digest.
    #[error("the configuration `{name}` gave no digest: {message}")]
    Failed {
        /// Its name.
        name: String,
        /// What it said.
        message: String,
    },
    /// A further configuration is not `NAME=COMMAND`.
    #[error("`{0}` is not NAME=COMMAND")]
    Also(String),
    /// The page has no place for the table.
    #[error("{} has no lines `{BEGIN}` and `{END}`", .0.display())]
    NoPlace(PathBuf),
    /// The page cannot be read or written.
    #[error("cannot read or write {}: {source}", path.display())]
    Page {
        /// The page.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Names, what is special, arguments and environment of the configurations of this machine.
type Known = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const BASE: Known = (
    "base",
    "one thread, code compiled anew for each case",
    &[],
    &[],
);

/// Those that a quick look takes.
const SMALL: [Known; 3] = [
    (
        "threads, warm",
        "two threads, two for each inference; compiled code kept, second run of a process",
        &["--threads", "2", "--code", "warm"],
        &[],
    ),
    (
        "baseline, disk",
        "code for any processor that will do (SSSE3), loaded from disk; scalar kernels",
        &[
            "--processor",
            "baseline",
            "--inference",
            "scalar",
            "--code",
            "disk",
        ],
        &[],
    ),
    (
        "surroundings",
        "Turkish locale, time zone UTC+14, most verbose logs, inspectors on every call",
        &["--observed"],
        &[
            ("LC_ALL", "tr_TR.UTF-8"),
            ("LANG", "tr_TR.UTF-8"),
            ("TZ", "Pacific/Kiritimati"),
            ("RUST_LOG", "trace"),
            ("RUST_BACKTRACE", "full"),
        ],
    ),
];

const MORE: [Known; 9] = [
    (
        "threads",
        "two threads, two for each inference",
        &["--threads", "2"],
        &[],
    ),
    (
        "warm",
        "compiled code kept, second run of a process",
        &["--code", "warm"],
        &[],
    ),
    (
        "disk",
        "compiled code loaded from disk",
        &["--code", "disk"],
        &[],
    ),
    (
        "avx2",
        "code without AVX-512; AVX2 kernels",
        &["--processor", "avx2", "--inference", "avx2"],
        &[],
    ),
    (
        "avx-vnni",
        "AVX-VNNI kernels",
        &["--inference", "avx-vnni"],
        &[],
    ),
    (
        "avx512-vnni",
        "AVX-512 VNNI kernels",
        &["--inference", "avx512-vnni"],
        &[],
    ),
    (
        "reference",
        "networks on the scalar definition",
        &["--inference", "reference"],
        &[],
    ),
    (
        "vulkan",
        "networks on Vulkan",
        &["--inference", "vulkan"],
        &[],
    ),
    ("gl", "networks on OpenGL", &["--inference", "gl"], &[]),
];

/// The configurations, the one that the others are compared with first.
///
/// # Errors
/// When this program cannot be found, or a further configuration is not `NAME=COMMAND`. Each of those does the
/// workload in `also_parts` runs.
pub fn configurations(
    small: bool,
    also: &[String],
    also_parts: usize,
) -> Result<Vec<Configuration>, MatrixError> {
    let own = std::env::current_exe().map_err(|source| MatrixError::Start {
        program: "this program".into(),
        source,
    })?;
    let own = vec![own.display().to_string()];
    let more: &[Known] = if small { &[] } else { &MORE };
    let known = [BASE].into_iter().chain(SMALL).chain(more.iter().copied());
    let mut list: Vec<Configuration> = known
        .map(|(name, what, arguments, environment)| Configuration {
            name: name.into(),
            what: what.into(),
            program: own.clone(),
            arguments: arguments.to_vec(),
            environment: environment.to_vec(),
            parts: 1,
        })
        .collect();
    for text in also {
        let (name, command) = text
            .split_once('=')
            .ok_or_else(|| MatrixError::Also(text.clone()))?;
        let program: Vec<String> = command.split_whitespace().map(String::from).collect();
        if name.is_empty() || program.is_empty() {
            return Err(MatrixError::Also(text.clone()));
        }
        let (name, what) = name.split_once(':').unwrap_or((name, "another program"));
        list.push(Configuration {
            name: name.into(),
            what: what.into(),
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            parts: also_parts,
        });
    }
    Ok(list)
}

impl Configuration {
    /// Runs the workload; the inner error says why this machine cannot.
    fn run(&self, vectors: &Path, root: &Path) -> Result<Result<Digest, String>, MatrixError> {
        let parts: Vec<Part> = Part::all(self.parts).collect();
        let run = |part: &Part| self.run_part(*part, vectors, root);
        let parts: Result<Result<Vec<_>, _>, _> = parts.par_iter().map(run).collect();
        Ok(parts?.map(Digest::joined))
    }

    fn run_part(
        &self,
        part: Part,
        vectors: &Path,
        root: &Path,
    ) -> Result<Result<Digest, String>, MatrixError> {
        progress(&match self.parts {
            1 => self.name.clone(),
            _ => format!("{}, part {part}", self.name),
        });
        let (program, first) = self
            .program
            .split_first()
            .ok_or_else(|| MatrixError::Also(self.name.clone()))?;
        let output = Command::new(program)
            .args(first)
            .args(["digest", "--json", "--vectors"])
            .arg(vectors)
            .arg("--root")
            .arg(root)
            .args(["--part", &part.to_string()])
            .args(&self.arguments)
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .map_err(|source| MatrixError::Start {
                program: program.clone(),
                source,
            })?;
        let failed = |message: &str| MatrixError::Failed {
            name: self.name.clone(),
            message: message.trim().into(),
        };
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => serde_json::from_slice(&output.stdout)
                .map(Ok)
                .map_err(|error| failed(&error.to_string())),
            Some(code) if code == i32::from(UNAVAILABLE) => {
                let said = said.trim();
                Ok(Err(said.strip_prefix("error: ").unwrap_or(said).into()))
            }
            _ => Err(failed(&format!("{}, {said}", output.status))),
        }
    }
}

/// Shows on a terminal what is being run.
fn progress(what: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        // Nothing depends on it.
        let _ = write!(terminal, "\r\x1b[K{what}").and_then(|()| terminal.flush());
    }
}

/// Runs all configurations, `jobs` at a time, and compares each with the first.
///
/// # Errors
/// When one fails; that this machine lacks something is no failure.
pub fn matrix(
    configurations: &[Configuration],
    vectors: &Path,
    root: &Path,
    jobs: usize,
) -> Result<Matrix, MatrixError> {
    let run = |configuration: &Configuration| {
        let start = Instant::now();
        let outcome = configuration.run(vectors, root)?;
        Ok((outcome, start.elapsed().as_secs_f64()))
    };
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let outcomes: Result<Vec<_>, MatrixError> =
        threads.install(|| configurations.par_iter().map(run).collect());
    progress("");

    let mut matrix = Matrix {
        digest: String::new(),
        vectors: 0,
        transactions: 0,
        rows: Vec::new(),
    };
    let mut first: Option<Digest> = None;
    for (configuration, (outcome, seconds)) in configurations.iter().zip(outcomes?) {
        let mut row = Row {
            name: configuration.name.clone(),
            what: configuration.what.clone(),
            digest: None,
            not_run: None,
            differs_at: None,
            seconds,
        };
        match outcome {
            Err(reason) => row.not_run = Some(reason),
            Ok(digest) => {
                row.digest = Some(digest.digest.clone());
                let base = first.get_or_insert_with(|| digest.clone());
                row.differs_at = difference(base, &digest);
            }
        }
        matrix.rows.push(row);
    }
    if let Some(first) = first {
        matrix.digest = first.digest;
        matrix.vectors = first.vectors;
        matrix.transactions = first.transactions;
    }
    Ok(matrix)
}

/// The first item at which two workloads differ.
fn difference(expected: &Digest, found: &Digest) -> Option<String> {
    if expected.digest == found.digest {
        return None;
    }
    let pairs = expected.items.iter().zip(&found.items);
    let first = pairs.into_iter().find(|(a, b)| a != b);
    Some(match first {
        Some((item, _)) => item.0.clone(),
        None => format!(
            "the number of items: {} and {}",
            expected.items.len(),
            found.items.len()
        ),
    })
}

impl Matrix {
    /// Whether all configurations that ran gave one digest.
    pub fn agrees(&self) -> bool {
        self.rows.iter().all(|row| row.differs_at.is_none())
    }

    /// The matrix as a table in Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from("| configuration | | digest | s |\n|---|---|---|--:|\n");
        for row in &self.rows {
            let digest = match (&row.digest, &row.not_run, &row.differs_at) {
                (_, Some(reason), _) => format!("not run: {reason}"),
                (Some(digest), _, Some(item)) => {
                    format!("**`{}`**, first at {item}", short(digest))
                }
                (Some(digest), _, None) => format!("`{}`", short(digest)),
                (None, None, _) => "not run".into(),
            };
            text += &format!(
                "| {} | {} | {digest} | {:.0} |\n",
                row.name, row.what, row.seconds
            );
        }
        text
    }

    /// The digest and what it is of, as a line in Markdown.
    pub fn line(&self) -> String {
        format!(
            "{} vectors and {} transactions: `{}`\n",
            self.vectors, self.transactions, self.digest
        )
    }
}

/// Enough of a digest to tell it from others.
fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// Lines between which the matrix stands in a page.
const BEGIN: &str = "<!-- matrix -->";
const END: &str = "<!-- end of the matrix -->";

/// Puts the matrix into a page, in place of the one that is there.
///
/// # Errors
/// When the page cannot be read or written, or has no place for it.
pub fn write(matrix: &Matrix, page: &Path) -> Result<(), MatrixError> {
    let failed = |source| MatrixError::Page {
        path: page.into(),
        source,
    };
    let text = std::fs::read_to_string(page).map_err(failed)?;
    let parts = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| MatrixError::NoPlace(page.into()))?;
    let (line, table) = (matrix.line(), matrix.table());
    let text = format!("{before}{BEGIN}\n{line}\n{table}{END}{after}");
    std::fs::write(page, text).map_err(failed)
}
