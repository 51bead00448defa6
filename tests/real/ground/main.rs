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
mod outage;
mod probe;
#[path = "../programs.rs"]
#[expect(dead_code, reason = "the judges of single files use the rest")]
mod programs;
mod report;
mod runbook;
mod sandbox;
mod scenario;
mod switch;
mod topology;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::cluster::Cluster;
use crate::probe::Prober;
use crate::programs::run;
use crate::report::Run;
use crate::scenario::SCENARIOS;
use crate::topology::{Release, TOPOLOGIES, Topology};

#[derive(Parser)]
#[command(about = "Brings up whole clusters from generated trees and breaks them")]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only these topologies; default: all.
    #[arg(long = "topology", global = true)]
    topologies: Vec<String>,
    /// Only these scenarios, by words that their names have; default: all.
    #[arg(long = "scenario", global = true)]
    scenarios: Vec<String>,
    /// Leave the machines on for a look, until Enter is pressed.
    #[arg(long, global = true)]
    keep: bool,
    /// The minor of Kubernetes: 1.37, 1.30 or 1.20.
    #[arg(long, global = true, default_value = "1.37")]
    kubernetes: String,
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
        // What is built here is left for the next run.
        supply(&arguments.kubernetes);
        return sandbox::enter();
    }
    let mut defects = Vec::new();
    for topology in &TOPOLOGIES {
        let wanted = &arguments.topologies;
        if wanted.is_empty() || wanted.iter().any(|name| name == topology.name) {
            defects.extend(judge(topology, &arguments));
        }
    }
    for defect in &defects {
        eprintln!("FAILED: {defect}");
    }
    if defects.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Brings a cluster up and breaks it; what was found wrong.
fn judge(topology: &Topology, arguments: &Arguments) -> Vec<String> {
    let supply = supply(&arguments.kubernetes);
    let begun = Instant::now();
    let mut cluster = Cluster::new(topology, &supply, Release::of(&arguments.kubernetes));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        cluster.bring_up();
        let bring_up = begun.elapsed().as_secs_f64();
        eprintln!("{}: up after {bring_up:.1} s", topology.name);
        let mut run = Run { topology: topology.what.into(), bring_up, ..Run::default() };
        let mut defects = Vec::new();
        if arguments.verb.is_none() {
            let log = sandbox::target().join(format!("{}.log", topology.name));
            std::fs::remove_file(&log).ok();
            let client = Box::new(cluster::client);
            let prober = Prober::start(client, &cluster.server(), &cluster.kubeconfig(), &log);
            for scenario in &SCENARIOS {
                let wanted = &arguments.scenarios;
                if wanted.is_empty() || wanted.iter().any(|words| scenario.what.contains(words)) {
                    let events = scenario.run(&mut cluster, &prober);
                    defects.extend(events.iter().flat_map(|event| scenario.defects(event)));
                    run.events.extend(events);
                }
            }
            prober.finish();
        }
        defects
    }));
    if arguments.keep {
        eprintln!("{} is kept; press Enter to end it", topology.name);
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
    ended.unwrap_or_else(|_| vec![format!("{}: see above", topology.name)])
}

/// Everything that machines fetch, made if it is not there.
fn supply(kubernetes: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/supply/make");
    let folder = run(Command::new(script).arg(kubernetes)).succeeded();
    PathBuf::from(folder.stdout.trim())
}
