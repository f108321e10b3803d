//! The command line of `aivm key`.

use std::path::PathBuf;

use aivm_abi::transaction::Level;
use clap::{Args, Subcommand, ValueEnum};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make keys and write them to a new file, encrypted with a passphrase.
    New(NewArgs),
    /// Show the address and the public keys of a key file; asks for no passphrase.
    Address(AddressArgs),
    /// Sign a deployment or a call, and seal it if its level asks for that.
    Sign(SignArgs),
    /// Check a signed transaction and show what it does.
    Verify(VerifyArgs),
}

/// How the passphrase is given.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// Read the passphrase from the first line of this file instead of AIVM_PASSPHRASE or the terminal.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// Protection levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelName {
    /// Signed with ML-DSA; readable by all.
    Basic,
    /// Signed with ML-DSA; sealed with ML-KEM and AES-256-GCM.
    Enhanced,
    /// Signed with ML-DSA, FN-DSA and SLH-DSA; sealed with ML-KEM and ChaCha20-Poly1305.
    Maximum,
    /// As maximum, and sealed with Classic McEliece as well.
    Military,
}

impl LevelName {
    /// As the flag has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Enhanced => "enhanced",
            Self::Maximum => "maximum",
            Self::Military => "military",
        }
    }
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Basic => Self::Basic,
            LevelName::Enhanced => Self::Enhanced,
            LevelName::Maximum => Self::Maximum,
            LevelName::Military => Self::Military,
        }
    }
}

/// Which keys to make.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The file to write; it must not exist.
    pub file: PathBuf,
    /// Make the keys that this level needs.
    #[arg(long, value_enum, default_value = "basic")]
    pub level: LevelName,
    /// Make signature keys of these schemes instead of the level's, such as mldsa87. May be given several times.
    #[arg(long = "scheme", value_name = "SCHEME")]
    pub schemes: Vec<String>,
    /// How to encrypt the file.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// Whose address.
#[derive(Debug, Args)]
pub struct AddressArgs {
    /// The key file.
    pub file: PathBuf,
    /// Prefix of the network's addresses.
    #[arg(long, default_value = aivm_abi::DEFAULT_PREFIX)]
    pub prefix: String,
}

/// What to sign.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The key file.
    pub file: PathBuf,
    /// Write the envelope's canonical bytes to this file, which may not be one that holds keys.
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Contract to call: an address.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "deploy",
        conflicts_with = "deploy"
    )]
    pub to: Option<String>,
    /// Code to deploy: the hash that its upload gave.
    #[arg(long, value_name = "HASH")]
    pub deploy: Option<String>,
    /// Salt of the deployed contract's address, 32 bytes in hexadecimal.
    #[arg(long, value_name = "HEX", requires = "deploy")]
    pub salt: Option<String>,
    /// Call data or constructor arguments in hexadecimal.
    #[arg(long, value_name = "HEX", default_value = "")]
    pub input: String,
    /// Native value to send.
    #[arg(long, default_value_t = 0)]
    pub value: u64,
    /// Gas limit.
    #[arg(long, default_value_t = aivm::DEFAULT_GAS_LIMIT)]
    pub gas: u64,
    /// Number of the chain.
    #[arg(long)]
    pub chain: u64,
    /// Name of the network.
    #[arg(long)]
    pub network: String,
    /// Number of this transaction among the account's, from 0.
    #[arg(long)]
    pub nonce: u64,
    /// Last block height at which it may run.
    #[arg(long)]
    pub expires: u64,
    /// How strongly to protect it.
    #[arg(long, value_enum, default_value = "basic")]
    pub level: LevelName,
    /// Key file of the one who may read it, for levels above basic and for those alone; only its public part is read.
    #[arg(long, value_name = "FILE")]
    pub seal_to: Option<PathBuf>,
    /// How to decrypt the key file.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

/// What to check.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The envelope, as `sign` wrote it.
    pub envelope: PathBuf,
    /// Number of the chain.
    #[arg(long)]
    pub chain: u64,
    /// Name of the network.
    #[arg(long)]
    pub network: String,
    /// Height of the block that it would run in.
    #[arg(long)]
    pub height: u64,
    /// Next nonce of the account.
    #[arg(long)]
    pub nonce: u64,
    /// A scheme that the chain accepts, besides mldsa65. May be given several times.
    #[arg(long = "accept", value_name = "SCHEME")]
    pub accept: Vec<String>,
    /// Open a sealed action with this key file, if the transaction is valid.
    #[arg(long, value_name = "FILE")]
    pub open: Option<PathBuf>,
    /// How to decrypt the key file.
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}
