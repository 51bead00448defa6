//! What the command line asks for. An option that would change nothing is refused.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::digest::digest;
use crate::proof::Course;
use crate::release::{Release, System};
use crate::scenario::SCENARIOS;
use crate::topologies::{ALONE, RELEASES, SYSTEMS, TOPOLOGIES};
use crate::topology::Topology;

#[derive(Parser)]
#[command(about = "Brings up whole clusters from generated trees and breaks them")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    clusters: Clusters,
    #[command(flatten)]
    kept: Kept,
    /// Only these losses, by words that their names have, and no script is judged; default: those
    /// of the topology
    #[arg(long = "scenario", value_name = "WORDS", value_parser = loss)]
    losses: Vec<String>,
    /// Only topologies whose record is of another tree or harness; each that has nothing wrong is
    /// recorded in tests/real/report.json at once
    #[arg(long, conflicts_with_all = ["losses", "kubernetes"])]
    due: bool,
}

/// Which clusters.
#[derive(Args)]
pub(crate) struct Clusters {
    /// Only this topology; may be given several times. Default: all that have records
    #[arg(long = "topology", value_name = "NAME", value_parser = topology())]
    topologies: Vec<&'static Topology>,
    /// The minor of Kubernetes, where the topology's systems run any; default: the first
    #[arg(long, value_name = "MINOR", value_parser = kubernetes())]
    kubernetes: Option<&'static Release>,
}

/// What becomes of them.
#[derive(Args)]
pub(crate) struct Kept {
    /// Leave the machines on for a look, until Enter is pressed
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Bring clusters up and break nothing
    Up {
        #[command(flatten)]
        clusters: Clusters,
        #[command(flatten)]
        kept: Kept,
    },
    /// Run the scripts twice, too early, on bad hosts, killed half-way and after a reset
    Scripts {
        #[command(flatten)]
        clusters: Clusters,
        #[command(flatten)]
        kept: Kept,
        /// On one fresh machine only
        #[arg(long, conflicts_with_all = ["topologies", "keep"])]
        lone: bool,
        /// The machine's system
        #[arg(long, requires = "lone", value_parser = system(), default_value = SYSTEMS[0].name)]
        os: &'static System,
    },
    /// Say of each topology whether its record is of this tree and harness
    Records,
    /// Print the Go modules that the programs of clusters are built from, for tests/real/go/build
    Modules(Clusters),
    /// Kill grounds and look for what they leave
    Traces,
    /// A shell in a machine of a ground that runs with --keep
    Shell {
        /// The machine
        node: String,
    },
}

/// A ground's work.
pub(crate) struct Work {
    /// One machine, before all else.
    pub(crate) lone: Option<(&'static System, &'static Release)>,
    pub(crate) clusters: Vec<Asked>,
    /// Whether only those that are due are brought up, and recorded.
    pub(crate) due: bool,
}

/// A cluster that is asked for.
pub(crate) struct Asked {
    pub(crate) topology: &'static Topology,
    pub(crate) release: &'static Release,
    pub(crate) course: Course,
}

impl Asked {
    /// Whether its run can be a record: nothing that the topology has to stand is left out, of the
    /// release that it has by itself.
    pub(crate) fn is_recorded(&self) -> bool {
        let whole = self.course.scripts && self.course.losses.is_some();
        let own = self.topology.own_release().minor == self.release.minor;
        whole && own && !self.topology.on_request
    }

    /// How the report calls it.
    pub(crate) fn what(&self) -> String {
        self.topology.what(self.release)
    }

    /// Its name, and the digest of what is measured of it.
    pub(crate) fn digest(&self) -> (String, String) {
        (self.topology.name.to_owned(), digest(self.topology, self.release))
    }
}

impl Work {
    /// Every minor of it.
    pub(crate) fn minors(&self) -> Vec<&'static str> {
        let lone = self.lone.iter().map(|(_, release)| release.minor);
        let clusters = self.clusters.iter().map(|asked| asked.release.minor);
        let mut minors: Vec<_> = lone.chain(clusters).collect();
        minors.sort_unstable();
        minors.dedup();
        minors
    }
}

impl Arguments {
    /// What is asked for without a verb.
    pub(crate) fn proof(&self) -> Work {
        let Self { verb: _, clusters, kept: Kept { keep }, losses, due } = self;
        if let Some(topology) = clusters.topologies.iter().find(|topology| topology.on_request)
            && *due
        {
            refused(&format!("{} is on request alone and has no record", topology.name));
        }
        let own = |topology: &Topology| {
            let words = topology.scenarios.iter().map(|words| loss(words));
            words.collect::<Result<_, _>>().expect("topologies.rs names losses")
        };
        let course = |topology: &Topology| Course {
            scripts: losses.is_empty(),
            losses: Some(if losses.is_empty() { own(topology) } else { losses.clone() }),
            keep: *keep,
        };
        // A topology or a loss that is asked for is a whole cluster's.
        let whole = *due || !losses.is_empty() || !clusters.topologies.is_empty();
        Work {
            lone: (!whole).then(|| clusters.lone(&SYSTEMS[0])),
            clusters: clusters.asked(course),
            due: *due,
        }
    }
}

impl Clusters {
    /// Clusters that are up, and nothing else.
    pub(crate) fn up(&self, keep: bool) -> Work {
        let course = |_: &Topology| Course { scripts: false, losses: None, keep };
        Work { lone: None, clusters: self.asked(course), due: false }
    }

    /// The scripts: on one machine and, unless it is all, on clusters.
    pub(crate) fn scripts(&self, lone: bool, os: &'static System, keep: bool) -> Work {
        let course = |_: &Topology| Course { scripts: true, losses: None, keep };
        Work {
            lone: self.topologies.is_empty().then(|| self.lone(os)),
            clusters: if lone { vec![] } else { self.asked(course) },
            due: false,
        }
    }

    /// The one machine.
    fn lone(&self, system: &'static System) -> (&'static System, &'static Release) {
        let release = ALONE.release(system, self.kubernetes);
        (system, release.unwrap_or_else(|problem| refused(&problem)))
    }

    fn asked(&self, course: impl Fn(&Topology) -> Course) -> Vec<Asked> {
        let all = self.topologies.is_empty();
        let mut clusters = Vec::new();
        for topology in TOPOLOGIES {
            let named = self.topologies.iter().any(|named| named.name == topology.name);
            if !(named || all && !topology.on_request) {
                continue;
            }
            match topology.release(&SYSTEMS[0], self.kubernetes) {
                Ok(release) => {
                    clusters.push(Asked { topology, release, course: course(topology) });
                }
                Err(problem) if all => eprintln!("left out: {problem}"),
                Err(problem) => refused(&problem),
            }
        }
        clusters
    }
}

/// Ends with what cannot be.
fn refused(problem: &str) -> ! {
    Arguments::command().error(ErrorKind::ValueValidation, problem).exit()
}

fn topology() -> impl TypedValueParser<Value = &'static Topology> {
    let names = PossibleValuesParser::new(TOPOLOGIES.iter().map(|topology| topology.name));
    names.map(|name| TOPOLOGIES.iter().find(|topology| topology.name == name).unwrap())
}

fn kubernetes() -> impl TypedValueParser<Value = &'static Release> {
    let minors = PossibleValuesParser::new(RELEASES.iter().map(|release| release.minor));
    minors.map(|minor| Release::of(&minor))
}

fn system() -> impl TypedValueParser<Value = &'static System> {
    let names = PossibleValuesParser::new(SYSTEMS.iter().map(|system| system.name));
    names.map(|name| System::of(&name))
}

/// Words that some loss has in its name.
fn loss(words: &str) -> Result<String, String> {
    if SCENARIOS.iter().any(|scenario| scenario.what.contains(words)) {
        return Ok(words.to_owned());
    }
    let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.what).collect();
    Err(format!("no loss is called so; they are: {}", known.join("; ")))
}
