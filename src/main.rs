//! The `hagen` binary: everything is in the library.

#![expect(clippy::disallowed_methods, reason = "the arguments are read here and nowhere else")]

use std::process::ExitCode;

fn main() -> ExitCode {
    hagen::cli::run(std::env::args_os())
}
