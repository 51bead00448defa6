//! The command line: the only module that prints, reads the clock, the environment and the
//! user's files, and draws entropy. One file per verb.
//!
//! Results go to standard output, everything about them to standard error. Exit codes: 0 fine,
//! 1 what was read has errors (or what was compared differs), 2 wrong usage or the operating
//! system stood in the way. A warning changes no code without `--strict`.

#![expect(
    clippy::disallowed_methods,
    reason = "files, clock and environment are read here and handed to pure functions"
)]

mod build;
mod calendar;
mod check;
mod compiled;
mod console;
mod diff;
mod exit;
mod explain;
mod git;
mod impact;
mod init;
mod input;
mod options;
mod reporting;
mod schema;
mod secrets;
mod shell;
mod show;
mod summary;
mod verify;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::console::{Color, Console};
use self::exit::{Exit, Failure};

/// Compile one inventory file into the complete file tree of a highly available Kubernetes
/// cluster.
///
/// The tree holds every file of every node at its final path: haproxy or nginx, keepalived, etcd,
/// kubeadm, the kubelet, the pod network, all keys and certificates, and the scripts that install
/// them.
/// It is a function of the inventory, one small secrets bundle and nothing else: no network, no
/// clock, no randomness. Built again anywhere, it is the same byte for byte.
#[derive(Parser, Debug)]
#[command(
    name = "hagen",
    version,
    after_long_help = "\
Start:
  hagen init prod.yaml           an inventory to edit, and its secrets bundle
  hagen check prod.yaml          what is wrong with it?
  hagen build prod.yaml -o out   the tree; out/README.md says how to roll it out
  hagen diff prod.yaml -o out    after an edit: what changes where, which units restart?

Results go to standard output, everything about them to standard error.

Exit codes:
  0  all is well (diff: the same)
  1  what was read has errors (diff, build --check: different)
  2  wrong usage, or a file could not be read or written (diff: also errors in the input)
  A warning changes no exit code without --strict."
)]
struct Cli {
    /// When to colour text: auto (on a terminal, unless NO_COLOR is set), always or never.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        global = true,
        hide_possible_values = true,
        help_heading = EVERYWHERE
    )]
    color: Color,
    /// Say only what is wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    quiet: bool,
    /// Say more: what is in added files, which certificates expire when.
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    verbose: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Init(init::Init),
    Check(check::Check),
    Build(build::Build),
    Diff(diff::Diff),
    Verify(verify::Verify),
    Why(why::Why),
    Show(show::Show),
    Explain(explain::Explain),
    Secrets(secrets::Secrets),
    Schema(schema::Schema),
    Completions(shell::Completions),
    #[command(name = "man")]
    Manual(shell::Manual),
}

/// Heads the options that every verb has.
const EVERYWHERE: &str = "Options of every verb";

/// The definition of the command line, for manual pages and tests.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Keys are in this process' memory: no core file is to hold them, not even one that the system
/// pipes to a program, which heeds no limit; and no other process of the user looks into it.
fn hide_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // A system that knows neither keeps what it does by itself.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Runs hagen with these arguments, the program's own name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            console::usage(&error, &arguments);
            return if error.use_stderr() { Exit::Failed.into() } else { Exit::Fine.into() };
        }
    };
    hide_memory();
    let console = Console::new(cli.color, cli.quiet, cli.verbose);
    let done: Result<Exit, Failure> = match &cli.verb {
        Verb::Init(verb) => verb.run(&console),
        Verb::Check(verb) => verb.run(&console),
        Verb::Build(verb) => verb.run(&console),
        Verb::Diff(verb) => verb.run(&console),
        Verb::Verify(verb) => verb.run(&console),
        Verb::Show(verb) => verb.run(&console),
        Verb::Why(verb) => verb.run(&console),
        Verb::Explain(verb) => verb.run(&console),
        Verb::Secrets(verb) => verb.run(&console),
        Verb::Schema(verb) => verb.run(&console),
        Verb::Completions(verb) => verb.run(&console),
        Verb::Manual(verb) => verb.run(&console),
    };
    done.unwrap_or_else(|failure| {
        console.fail(&failure);
        Exit::Failed
    })
    .into()
}
