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

#[path = "../../bundle.rs"]
mod bundle;
mod cluster;
mod el;
mod machine;
#[expect(dead_code, reason = "the suite's tests of it use the rest")]
mod outage;
mod probe;
#[path = "../programs.rs"]
#[expect(dead_code, reason = "the judges of single files use the rest")]
mod programs;
mod record;
#[expect(dead_code, reason = "the suite's test of README uses the rest")]
mod report;
mod runbook;
mod sandbox;
mod scenario;
mod scripts;
mod switch;
mod topology;
mod traces;
mod users;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::cluster::Cluster;
use crate::probe::Writes;
use crate::programs::run;
use crate::report::{Host, Report, Run};
use crate::scenario::SCENARIOS;
use crate::topology::{ALONE, NEWEST, Release, System, TOPOLOGIES, Topology};
use crate::users::Users;

#[derive(Parser)]
#[command(about = "Brings up whole clusters from generated trees and breaks them")]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Only these topologies; default: all but separate-haproxy.
    #[arg(long = "topology", global = true)]
    topologies: Vec<String>,
    /// Only these scenarios, by words that their names have, and no script is judged; default: those
    /// of the topology.
    #[arg(long = "scenario", global = true)]
    scenarios: Vec<String>,
    /// Leave the machines on for a look, until Enter is pressed.
    #[arg(long, global = true)]
    keep: bool,
    /// Only topologies whose record in tests/real/report.json is of another tree or harness.
    #[arg(long)]
    due: bool,
    /// The minor of Kubernetes: 1.37, 1.30 or 1.20. Default: 1.37; stacked-nginx has 1.20 alone, the
    /// newest of these that CentOS 7 runs.
    #[arg(long, global = true)]
    kubernetes: Option<String>,
}

impl Arguments {
    /// Whether a topology is to be brought up.
    fn wants(&self, topology: &Topology) -> bool {
        match (&self.verb, &self.topologies[..]) {
            (Some(Verb::Scripts { lone: true, .. } | Verb::Traces), _) => false,
            (_, []) => {
                let asked = self.kubernetes.as_deref();
                !topology.on_request
                    && (asked.is_none() || topology.only.is_none_or(|only| Some(only) == asked))
                    && !(self.due && self.holds(topology))
            }
            (_, named) => named.iter().any(|name| name == topology.name),
        }
    }

    /// Whether the record of a topology is of this tree.
    fn holds(&self, topology: &Topology) -> bool {
        record::holds(topology, self.release(topology), self.system())
    }

    /// The words of the scenarios that a topology is asked for; none are all.
    fn scenarios<'a>(&'a self, topology: &'a Topology) -> Vec<&'a str> {
        match &self.scenarios[..] {
            [] => topology.scenarios.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        }
    }

    /// The release of a cluster.
    fn release(&self, topology: &Topology) -> &'static Release {
        match (topology.only, self.kubernetes.as_deref()) {
            (Some(only), Some(asked)) if only != asked => {
                panic!("{} runs Kubernetes {only}, and not {asked}", topology.name)
            }
            (only, asked) => Release::of(only.or(asked).unwrap_or(NEWEST)),
        }
    }

    /// Every minor that a cluster of this run has.
    fn minors(&self) -> Vec<&'static str> {
        let wanted = TOPOLOGIES.iter().filter(|topology| self.wants(topology));
        let mut minors: Vec<_> = wanted.map(|topology| self.release(topology).minor).collect();
        if minors.is_empty() {
            minors.push(self.release(&ALONE).minor);
        }
        minors.sort_unstable();
        minors.dedup();
        minors
    }

    /// The system of machines that no topology has another for.
    fn system(&self) -> &'static System {
        match &self.verb {
            Some(Verb::Scripts { os, .. }) => System::of(os),
            _ => System::of("debian-12"),
        }
    }

    fn judges_scripts(&self) -> bool {
        match self.verb {
            None => self.scenarios.is_empty(),
            Some(Verb::Scripts { .. }) => true,
            Some(_) => false,
        }
    }
}

#[derive(Subcommand)]
enum Verb {
    /// Bring clusters up and break nothing.
    Up,
    /// Run the scripts twice, too early, on bad hosts, killed half-way and after a reset.
    Scripts {
        /// On one fresh machine only.
        #[arg(long)]
        lone: bool,
        /// The machine's system: debian-12, rocky-9 or, with Kubernetes 1.20, centos-7.
        #[arg(long, requires = "lone", default_value = "debian-12")]
        os: String,
    },
    /// Say which records are of another tree or harness.
    Records,
    /// Kill grounds and look for what they leave.
    Traces,
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
    if matches!(arguments.verb, Some(Verb::Records)) {
        return records(&arguments);
    }
    if !sandbox::is_inside() {
        // What is built here is left for the next run.
        supply(&arguments.minors());
        if matches!(arguments.verb, Some(Verb::Traces)) {
            return traces::judge();
        }
        return sandbox::enter();
    }
    let mut report = Report::resumed(&sandbox::target(), host());
    let mut defects = Vec::new();
    // A topology that is asked for is a whole cluster.
    if arguments.topologies.is_empty() && arguments.judges_scripts() {
        let supply = supply(&arguments.minors());
        let release = arguments.release(&ALONE);
        let system = arguments.system();
        let found = catch_unwind(|| match system.has_rpms() {
            false => scripts::lone(&TOPOLOGIES[0], &supply, release),
            true => el::lone(&supply, release, system),
        });
        defects.extend(found.unwrap_or_else(|_| vec!["one machine: see above".to_owned()]));
    }
    for topology in &TOPOLOGIES {
        if arguments.wants(topology) {
            defects.extend(judge(topology, &arguments, &mut report));
        }
    }
    for defect in &defects {
        eprintln!("FAILED: {defect}");
    }
    if arguments.verb.is_none() {
        println!("{}", report.markdown());
    }
    if defects.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says of each topology that is not asked for by name alone whether its record is of this tree.
fn records(arguments: &Arguments) -> ExitCode {
    let mut due = false;
    for topology in TOPOLOGIES.iter().filter(|topology| !topology.on_request) {
        let holds = arguments.holds(topology);
        println!("{}: {}", topology.name, if holds { "recorded" } else { "due" });
        due |= !holds;
    }
    if due {
        eprintln!(
            "run what is due with --due, and commit target/real/report.json as tests/real/report.json"
        );
    }
    if due { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Brings a cluster up and breaks it; what was found wrong.
fn judge(topology: &Topology, arguments: &Arguments, report: &mut Report) -> Vec<String> {
    let release = arguments.release(topology);
    let supply = supply(&[release.minor]);
    let begun = Instant::now();
    let mut cluster = Cluster::new(topology, &supply, release, arguments.system());
    let ended = catch_unwind(AssertUnwindSafe(|| {
        cluster.bring_up();
        let bring_up = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        eprintln!("{}: up after {bring_up:.1} s", topology.name);
        let found = [cluster.site(), cluster.pods_reach_the_api()];
        let mut defects: Vec<String> = found.into_iter().filter_map(Result::err).collect();
        if arguments.judges_scripts() {
            defects.extend(scripts::rerun(&cluster));
            // One cluster speaks for all that have etcd where it has.
            match topology.name {
                "stacked-haproxy" => defects.extend(scripts::start_over(&cluster)),
                "external-haproxy" => defects.extend(scripts::external(&cluster)),
                "stacked-nginx" => defects.extend(scripts::worker_starts_over(&cluster, "w2")),
                _ => {}
            }
        }
        if arguments.verb.is_some() {
            defects.extend(cluster.members_as_wanted().err());
            return defects;
        }
        let programs = cluster.programs();
        let digest = match arguments.scenarios.is_empty() {
            true => record::digest(topology, release, arguments.system()),
            // A part is no record.
            false => String::new(),
        };
        let what = topology.what(release);
        let mut run = Run { topology: what, digest, programs, bring_up, events: vec![] };
        let users = Users::start(&cluster, &sandbox::target(), topology.name);
        for scenario in &SCENARIOS {
            let wanted = arguments.scenarios(topology);
            if wanted.is_empty() || wanted.iter().any(|words| scenario.what.contains(words)) {
                let (events, found) = scenario.run(&mut cluster, &users);
                run.events.extend(events);
                defects.extend(found);
            }
        }
        let found = [cluster.pods_reach_the_api(), cluster.members_as_wanted()];
        defects.extend(found.into_iter().filter_map(Result::err));
        let Writes { acknowledged, unacknowledged, lost } = users.writes();
        eprintln!(
            "{}: {acknowledged} acknowledged writes, {} of them lost; {unacknowledged} others happened",
            topology.name,
            lost.len()
        );
        users.finish();
        report.put(run);
        report.write(&sandbox::target());
        defects
    }));
    let mut defects = ended.unwrap_or_else(|_| vec!["see above".to_owned()]);
    if arguments.keep {
        eprintln!("{} is kept; press Enter to end it", topology.name);
        if std::io::stdin().read_line(&mut String::new()).unwrap() == 0 {
            defects.push("it was to be kept, but there is no input to end that".to_owned());
        }
    }
    defects.into_iter().map(|defect| format!("{}: {defect}", topology.name)).collect()
}

/// Where it is measured, and how.
fn host() -> Host {
    let read = |file: &str| std::fs::read_to_string(file).unwrap();
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

/// Everything that machines fetch, made if it is not there.
fn supply(minors: &[&str]) -> PathBuf {
    if sandbox::is_inside() {
        // Made on the way here.
        return sandbox::target().join("supply");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/supply/make");
    let folder = run(Command::new(script).args(minors)).succeeded();
    PathBuf::from(folder.stdout.trim())
}
