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

mod arguments;
#[path = "../../bundle.rs"]
mod bundle;
mod cluster;
mod digest;
mod el;
mod event;
mod harm;
mod health;
mod judge;
mod lone;
mod machine;
mod measured;
#[expect(dead_code, reason = "the suite's tests of it use the rest")]
mod outage;
mod probe;
#[path = "../programs.rs"]
#[expect(dead_code, reason = "the judges of single files use the rest")]
mod programs;
mod proof;
#[expect(dead_code, reason = "the suite's test of README uses the rest")]
mod record;
mod release;
mod repair;
#[expect(dead_code, reason = "likewise")]
mod report;
mod runbook;
mod sandbox;
mod scenario;
mod scripts;
mod switch;
mod target;
mod topologies;
mod topology;
mod traces;
mod tree;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;

use crate::arguments::{Arguments, Asked, Verb, Work};
use crate::digest::digest;
use crate::record::{Record, Records};
use crate::report::{Host, Run, markdown};
use crate::topologies::{RELEASES, TOPOLOGIES};
use crate::topology::Topology;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.verb {
        Some(Verb::Shell { node }) => cluster::shell(node),
        Some(Verb::Records) => say_records(),
        Some(Verb::Modules(clusters)) => say_modules(&clusters.up(false)),
        Some(Verb::Traces) => {
            // Those that it kills find it there.
            supply(&[RELEASES[0].minor]);
            traces::judge()
        }
        Some(Verb::Up { clusters, kept }) => ground(clusters.up(kept.keep)),
        Some(Verb::Scripts { clusters, kept, lone, os }) => {
            ground(clusters.scripts(*lone, os, kept.keep))
        }
        None => ground(arguments.proof()),
    }
}

/// Does the work, first outside of the ground's namespaces, then inside.
fn ground(mut work: Work) -> ExitCode {
    // Before all else: whatever changes from here on shows in what the digest is at the end.
    let digests: BTreeMap<String, String> = match sandbox::given() {
        Some(given) => serde_json::from_str(&given).unwrap(),
        None => {
            work.clusters.iter().filter(|asked| asked.is_recorded()).map(Asked::digest).collect()
        }
    };
    let holds = |asked: &Asked| records().hold(&asked.what(), &digests[asked.topology.name]);
    if work.due {
        work.clusters.retain(|asked| !holds(asked));
    }
    if sandbox::given().is_some() {
        return inside(&work, &digests);
    }
    if work.due {
        for gone in change_records(|records| records.retain(&recorded_names())) {
            println!("there is no {gone} any more: its record is gone");
        }
        if work.clusters.is_empty() {
            println!("nothing is due");
            return ExitCode::SUCCESS;
        }
    } else {
        let recorded = work.clusters.iter().filter(|asked| asked.is_recorded());
        for asked in recorded.filter(|asked| !holds(asked)) {
            eprintln!("{}: its record is due, and only --due makes one", asked.topology.name);
        }
    }
    // What is built here is left for the next run.
    supply(&work.minors());
    sandbox::enter(&serde_json::to_string(&digests).unwrap())
}

/// Judges all that is asked for, inside.
fn inside(work: &Work, digests: &BTreeMap<String, String>) -> ExitCode {
    let supply = sandbox::target().join("supply");
    let mut defects = Vec::new();
    if let Some((system, release)) = work.lone {
        let found = catch_unwind(|| match system.has_rpms() {
            false => lone::debian(&TOPOLOGIES[0], &supply, release, system),
            true => el::lone(&supply, release, system),
        });
        defects.extend(found.unwrap_or_else(|_| vec!["one machine: see above".to_owned()]));
    }
    let (mut runs, mut recorded) = (Vec::new(), Vec::new());
    for asked in &work.clusters {
        let Asked { topology, release, course } = asked;
        let mut run = Run { topology: asked.what(), host: host(), ..Run::default() };
        let mut found = proof::prove(topology, release, &supply, course, &mut run);
        if course.losses.is_some() {
            runs.push(run.clone());
            // At once: a later one may be killed.
            fs::write(sandbox::target().join("report.md"), markdown(&runs)).unwrap();
        }
        if work.due {
            let before = digests[topology.name].clone();
            // What cannot be told any more has changed.
            let after = catch_unwind(|| asked.digest().1).unwrap_or_default();
            match Record::of(run, [before, after], found) {
                Ok(record) => {
                    change_records(|records| records.put(record));
                    recorded.push(topology.name);
                    found = Vec::new();
                }
                Err(all) => found = all,
            }
        }
        defects.extend(found);
    }
    if !runs.is_empty() {
        println!("{}", markdown(&runs));
    }
    for defect in &defects {
        eprintln!("FAILED: {defect}");
    }
    if !recorded.is_empty() {
        println!("recorded in tests/real/report.json: {}", recorded.join(", "));
        println!(
            "HAGEN_BLESS=1 cargo test --locked --test suite ground:: takes that over into README; \
             commit both"
        );
    }
    if work.due && recorded.len() < work.clusters.len() {
        eprintln!("mend what FAILED, and run --due again: it takes up what is left");
    }
    if defects.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says of each topology that has a record whether that is of this tree and harness.
fn say_records() -> ExitCode {
    let mut records = records();
    let mut due = false;
    for topology in recorded() {
        let release = topology.own_release();
        let holds = records.hold(&topology.what(release), &digest(topology, release));
        println!("{}: {}", topology.name, if holds { "recorded" } else { "due" });
        due |= !holds;
    }
    let gone = records.retain(&recorded_names());
    for gone in &gone {
        eprintln!("{gone}: recorded, but no topology");
    }
    if due || !gone.is_empty() {
        eprintln!("cargo test --locked --test ground -- --due mends that");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Prints the modules of these clusters' programs.
fn say_modules(work: &Work) -> ExitCode {
    let modules = work.clusters.iter().flat_map(|asked| asked.release.modules());
    for module in modules.collect::<BTreeSet<String>>() {
        println!("{module}");
    }
    ExitCode::SUCCESS
}

/// All that have records.
fn recorded() -> impl Iterator<Item = &'static Topology> {
    TOPOLOGIES.iter().filter(|topology| !topology.on_request)
}

/// The same in the words of the report.
fn recorded_names() -> Vec<String> {
    recorded().map(|topology| topology.what(topology.own_release())).collect()
}

/// The records of this checkout.
fn records() -> Records {
    Records::parse(&fs::read_to_string(report()).unwrap())
}

/// Changes them.
fn change_records<T>(change: impl FnOnce(&mut Records) -> T) -> T {
    let mut records = records();
    let before = records.clone();
    let result = change(&mut records);
    if records != before {
        fs::write(report(), records.json()).unwrap();
    }
    result
}

fn report() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/report.json")
}

/// Where it is measured, and how.
fn host() -> Host {
    let read = |file: &str| fs::read_to_string(file).unwrap();
    let memory = read("/proc/meminfo");
    let kilobytes: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    Host {
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        cgroup: if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() { 2 } else { 1 },
        cores: std::thread::available_parallelism().unwrap().get(),
        memory: (kilobytes + (1 << 19)) >> 20,
        interval: probe::INTERVAL,
        deadline: probe::DEADLINE,
        watched: scenario::watched(),
    }
}

/// Makes everything that machines fetch, if it is not there.
fn supply(minors: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/supply/make");
    // What it says on the way, it says to whoever waits for it.
    let made =
        Command::new(script).args(minors).stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(made.unwrap().success(), "tests/real/supply/make has failed: see above");
}
