//! The `hagen` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hagen::cli::run(std::env::args_os())
}
