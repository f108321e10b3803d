//! The program `synqc`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    synqc::main()
}
