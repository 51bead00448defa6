//! The proving ground: whole clusters of real machines, installed by nothing but generated files,
//! then broken in every way that the endpoint has to survive.
//! `cargo test --test ground`, as root on Debian 12; `-- --help` says what else it does.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests look at files, start programs and measure time; a panic is how they fail"
)]

mod cluster;
mod machine;
#[path = "../programs.rs"]
#[expect(dead_code, reason = "the judges of single files use the rest")]
mod programs;
mod runbook;
mod sandbox;
mod switch;
mod topology;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cluster::Cluster;
use crate::topology::TOPOLOGIES;

#[derive(Parser)]
#[command(about = "Brings up whole clusters from generated trees and breaks them")]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only these topologies; default: all.
    #[arg(long = "topology", global = true)]
    topologies: Vec<String>,
    /// Leave the machines on for a look, until Enter is pressed.
    #[arg(long, global = true)]
    keep: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring clusters up and break nothing.
    Up,
    /// A shell in a machine of a ground that runs with --keep.
    Shell {
        /// The machine.
        node: String,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Verb::Shell { node }) = &arguments.verb {
        return cluster::shell(node);
    }
    if !sandbox::is_inside() {
        return sandbox::enter();
    }
    for topology in TOPOLOGIES {
        if !arguments.topologies.is_empty() && !arguments.topologies.contains(&topology.name.into())
        {
            continue;
        }
        let mut cluster = Cluster::new(&topology);
        let up = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cluster.bring_up()));
        if arguments.keep {
            eprintln!("{} is kept; press Enter to end it", topology.name);
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        if up.is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
