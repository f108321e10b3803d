//! The command line of `aivm model`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const QUANTIZE: &str = "Make an f32 model one of 8-bit integers, with ranges from calibration inputs.

Weights become int8 with a scale for each channel, activations uint8 with the least and greatest element that any \
calibration input gives: a hundred inputs of the kind that the model will see are usually enough. Inputs and outputs \
become uint8 as well, unless --float-io is given; the scales are printed, and kept in the file's metadata. The result \
is an ONNX file with QuantizeLinear and DequantizeLinear, which other runtimes read too, and the same bytes whenever and \
wherever it is made.

Example, with images as bytes from 0 to 255:
  aivm model quantize model.onnx --input images.npy --range pixels=0,255 -o model-int8.onnx";

/// Looks into models, runs them and settles disputes about what they gave.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show a model's operations with shapes and cost; for a refused model every node and the reason.
    Inspect(FileArgs),
    /// Show what one inference costs.
    Quote(QuoteArgs),
    /// Write a manifest for a model.
    Manifest(ManifestArgs),
    /// Check that a manifest is well formed and says what the model is.
    Verify(VerifyArgs),
    /// Make an f32 model one of 8-bit integers, with ranges from calibration inputs.
    #[command(long_about = QUANTIZE)]
    Quantize(QuantizeArgs),
    /// Run a model and print its outputs.
    Run(RunArgs),
    /// Run a model and keep what its convolutions and products gave, with inputs and outputs, in a file.
    Trace(TraceArgs),
    /// Find the first operation, and in it the first tile, in which two traces differ.
    Dispute(DisputeArgs),
    /// Recompute one tile of a trace from the operands it needs.
    VerifyTile(VerifyTileArgs),
}

/// A model file and what it leaves open.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The model, an ONNX file.
    pub model: PathBuf,
    /// A number for a symbolic dimension. May be given several times.
    #[arg(long = "dim", value_name = "NAME=NUMBER")]
    pub dimensions: Vec<String>,
    /// The whole shape of an input, such as 'x=1,3,48,192'. May be given several times.
    #[arg(long = "shape", value_name = "INPUT=SHAPE")]
    pub shapes: Vec<String>,
    /// An input that is frozen to a constant: 'sr=rate.npy'. May be given several times.
    #[arg(long = "constant", value_name = "INPUT=FILE")]
    pub constants: Vec<String>,
}

/// What to quote.
#[derive(Debug, Args)]
pub struct QuoteArgs {
    /// The model.
    #[command(flatten)]
    pub file: FileArgs,
    /// A gas schedule as JSON; without it, the first schedule.
    #[arg(long, value_name = "FILE")]
    pub schedule: Option<PathBuf>,
}

/// What a manifest says beside what the model has.
#[derive(Debug, Args)]
pub struct ManifestArgs {
    /// The model.
    #[command(flatten)]
    pub file: FileArgs,
    /// Name for programs: lower-case letters, digits, '.', '_', '-'.
    #[arg(long)]
    pub id: String,
    /// Version, as 'major.minor.patch'.
    #[arg(long = "model-version", value_name = "VERSION")]
    pub version: String,
    /// Who made it.
    #[arg(long)]
    pub author: String,
    /// SPDX licence expression.
    #[arg(long)]
    pub licence: String,
    /// What it is for.
    #[arg(long)]
    pub description: Option<String>,
}

/// What to check.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The manifest, JSON.
    pub manifest: PathBuf,
    /// The model, an ONNX file.
    pub model: PathBuf,
}

/// What computes a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackendArg {
    /// The processor's best instruction set.
    Cpu,
    /// The scalar definition: slow.
    Reference,
    /// A GPU, over Vulkan.
    Vulkan,
    /// A GPU, over OpenGL.
    Gl,
    /// A GPU, over Metal.
    Metal,
    /// A GPU, over DirectX 12.
    Dx12,
}

/// What to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The model.
    #[command(flatten)]
    pub file: FileArgs,
    /// An input, in the model's order or as 'NAME=…': an .npy file, a .json file of nested lists, any other file
    /// with the elements' bytes (little-endian), or JSON itself, such as '[[1, 2], [3, 4]]'.
    #[arg(long = "input", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// What computes: the processor, the scalar definition, or a GPU behind one of its interfaces, if this program was
    /// built with the feature 'wgpu'. All give the same bits.
    #[arg(long, value_enum, default_value_t = BackendArg::Cpu)]
    pub backend: BackendArg,
    /// The same as '--backend reference'.
    #[arg(long, conflicts_with = "backend")]
    pub reference: bool,
    /// Write each output to this folder as NAME.npy.
    #[arg(long, value_name = "FOLDER")]
    pub outputs: Option<PathBuf>,
}

/// What to quantise.
#[derive(Debug, Args)]
pub struct QuantizeArgs {
    /// The model, in f32.
    #[command(flatten)]
    pub file: FileArgs,
    /// A calibration input, as 'run' takes them. May be given many times: without names they go to the model's inputs
    /// in turn. An .npy file with an axis more, or a file of bytes that is longer, holds several.
    #[arg(long = "input", value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// The range of a tensor, in place of what calibration finds: 'pixels=0,255'. May be given several times.
    #[arg(
        long = "range",
        value_name = "TENSOR=LOW,HIGH",
        allow_hyphen_values = true
    )]
    pub ranges: Vec<String>,
    /// Keep inputs and outputs in f32.
    #[arg(long)]
    pub float_io: bool,
    /// The quantised model to write.
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
}

/// What to trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// What to run.
    #[command(flatten)]
    pub run: RunArgs,
    /// The trace file to write.
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Most bytes of tensors to keep; behind it only digests are kept.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    pub limit: u64,
}

/// Two traces.
#[derive(Debug, Args)]
pub struct DisputeArgs {
    /// Trace of one node.
    pub a: PathBuf,
    /// Trace of the other.
    pub b: PathBuf,
    /// The model; with it, the difference is recomputed and named.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Manifest of the model, for what its file leaves open.
    #[arg(long, value_name = "FILE", requires = "model")]
    pub manifest: Option<PathBuf>,
}

/// A tile.
#[derive(Debug, Args)]
pub struct VerifyTileArgs {
    /// The model.
    #[command(flatten)]
    pub file: FileArgs,
    /// The trace.
    pub trace: PathBuf,
    /// Number of the operation, as 'inspect' shows it: a convolution, a product, or what gives an output.
    #[arg(long)]
    pub operation: u32,
    /// Position among the operation's results.
    #[arg(long, default_value_t = 0)]
    pub output: u16,
    /// Number of the tile; a tile has 1,024 bytes.
    #[arg(long, default_value_t = 0)]
    pub tile: usize,
    /// Root that the trace must have, in hexadecimal, as a receipt's inference states it.
    #[arg(long, value_name = "HASH")]
    pub root: Option<String>,
}
