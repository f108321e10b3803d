//! The program `synqc`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    sigpipe::reset(); // a reader that has seen enough, such as `head`, ends the program quietly
    synqc::main()
}
