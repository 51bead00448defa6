//! One cluster, from its bring-up to its last loss: what is asked of it, in which order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

use crate::cluster::Cluster;
use crate::probe::Writes;
use crate::release::Release;
use crate::report::Run;
use crate::sandbox;
use crate::scenario;
use crate::scripts;
use crate::topologies::SYSTEMS;
use crate::topology::Topology;
use crate::users::Users;

/// How much is asked of a cluster.
pub(crate) struct Course {
    /// Whether its scripts are judged, once it is up.
    pub(crate) scripts: bool,
    /// The losses, by words that their names have: none are all of them. `None`: nothing is lost.
    pub(crate) losses: Option<Vec<String>>,
    /// Whether it is left on for a look.
    pub(crate) keep: bool,
}

/// Brings a cluster up and breaks it: completes its run, as far as it comes, and says what was wrong.
pub(crate) fn prove(
    topology: &Topology,
    release: &Release,
    supply: &Path,
    course: &Course,
    run: &mut Run,
) -> Vec<String> {
    let mut defects = Vec::new();
    let begun = Instant::now();
    let made = catch_unwind(|| Cluster::new(topology, supply, release, &SYSTEMS[0]));
    let Ok(mut cluster) = made else {
        return vec![format!("{}: its machines do not come up: see above", topology.name)];
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        cluster.bring_up();
        run.bring_up = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        eprintln!("{}: up after {:.1} s", topology.name, run.bring_up);
        run.programs = cluster.programs();
        let found = [cluster.site(), cluster.pods_reach_the_api()];
        defects.extend(found.into_iter().filter_map(Result::err));
        if course.scripts {
            defects.extend(scripts::rerun(&cluster));
            defects.extend(topology.starts_over.judge(&cluster));
        }
        if let Some(words) = &course.losses {
            defects.extend(lose(&mut cluster, topology, words, run));
            defects.extend(cluster.pods_reach_the_api().err());
        }
        defects.extend(cluster.members_as_wanted().err());
    }));
    if ended.is_err() {
        defects.push("it has not come to its end: see above".to_owned());
    }
    if course.keep {
        eprintln!("{} is kept; press Enter to end it", topology.name);
        if std::io::stdin().read_line(&mut String::new()).unwrap() == 0 {
            defects.push("it was to be kept, but there is no input to end that".to_owned());
        }
    }
    defects.into_iter().map(|defect| format!("{}: {defect}", topology.name)).collect()
}

/// Breaks it in every way that is asked for.
fn lose(
    cluster: &mut Cluster,
    topology: &Topology,
    words: &[String],
    run: &mut Run,
) -> Vec<String> {
    let mut defects = Vec::new();
    let users = Users::start(cluster, &sandbox::target(), topology.name);
    for scenario in scenario::named(words) {
        defects.extend(scenario.run(cluster, &users, &mut run.events));
    }
    for words in words {
        if !run.events.iter().any(|event| event.what.contains(words)) {
            defects.push(format!("{words}: this cluster has nobody to whom it could happen"));
        }
    }
    let Writes { acknowledged, unacknowledged, lost } = users.writes();
    eprintln!(
        "{}: {acknowledged} acknowledged writes, {} of them lost; {unacknowledged} others happened",
        topology.name,
        lost.len()
    );
    if !lost.is_empty() {
        defects.push(format!("acknowledged writes are gone in the end: {lost:?}"));
    }
    users.finish();
    defects
}
