//! What happens to a cluster that is up: one loss at a time, felt by its users, healed before the
//! next.

use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::event::{BAR, Bar, Event};
use crate::outage::{QUIET, Window};
use crate::probe::Prober;
use crate::target::{Target, same_role};
use crate::users::Users;

/// A loss is watched until every read and write has succeeded for [`QUIET`] seconds, and until names
/// and services have, but no longer than this: a part of them fails until the node
/// counts as lost, which takes 50 s (`--node-monitor-grace-period`, 40 s before 1.32). Whether that
/// part is all of them shows at once.
const PODS: f64 = 20.0;
/// But no longer than this: some failures last until the repair.
const WATCH: f64 = 40.0;
/// The above, in the words of the report.
pub(crate) fn watched() -> String {
    format!(
        "until every read and write had succeeded for {QUIET} s, and every request of a pod, if \
         that took no longer than {PODS} s"
    )
}
/// How long a healed cluster may take to be healthy.
const RECOVERY: Duration = Duration::from_secs(300);
/// For how long every probe succeeds before the next event.
const STEADY: f64 = 2.0;
/// API servers talk to separate members of etcd in turn, and gRPC gives a dead connection 10 s
/// (`keepaliveTimeout` in apiserver's storage/storagebackend/factory/etcd3.go): `etcd/all-endpoints`.
const STALL: f64 = 12.0;
/// A busy host makes an outage longer now and then, a defect makes each one longer: this many tries
/// in the same role that are all too long are one.
const TRIES: usize = 3;

/// One kind of loss.
pub(crate) struct Scenario {
    /// The words of the report.
    pub(crate) what: &'static str,
    pub(crate) targets: &'static [Target],
    pub(crate) bar: Bar,
    pub(crate) harm: fn(&mut Cluster, &str),
    pub(crate) heal: fn(&mut Cluster, &str),
}

/// Every loss, in the order in which they happen.
pub(crate) static SCENARIOS: [Scenario; 10] = [
    Scenario {
        what: "powered off",
        targets: &[Target::Holder, Target::Other],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.power_off(node),
        heal: |cluster, node| cluster.power_on(node),
    },
    Scenario {
        what: "network unplugged",
        targets: &[Target::Holder, Target::Other],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.cable(node, false),
        heal: |cluster, node| cluster.cable(node, true),
    },
    Scenario {
        what: "balancer killed",
        targets: &[Target::Door],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.kill(node, cluster.tree.balancer),
        heal: |_, _| {},
    },
    Scenario {
        what: "keepalived killed",
        targets: &[Target::Holder],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.kill(node, "keepalived.service"),
        heal: |_, _| {},
    },
    Scenario {
        what: "API server hung",
        targets: &[Target::Plane],
        bar: Bar::PromisedByChecks(BAR),
        harm: |cluster, node| cluster.signal_api_server(node, "STOP"),
        heal: |cluster, node| cluster.signal_api_server(node, "CONT"),
    },
    Scenario {
        what: "cut off from the other control planes",
        targets: &[Target::Holder, Target::Other],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.part(node),
        heal: |cluster, node| cluster.reunite(node),
    },
    Scenario {
        what: "disk lost, replaced by the runbook",
        targets: &[Target::Plane],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.lose_disk(node),
        heal: |cluster, node| cluster.replace(node),
    },
    Scenario {
        what: "worker powered off",
        targets: &[Target::Worker],
        bar: Bar::Promised(BAR),
        harm: |cluster, node| cluster.power_off(node),
        heal: |cluster, node| cluster.power_on(node),
    },
    Scenario {
        what: "machine of etcd powered off",
        targets: &[Target::EachSeparateMember],
        bar: Bar::Promised(STALL),
        harm: |cluster, node| cluster.power_off(node),
        heal: |cluster, node| cluster.power_on(node),
    },
    Scenario {
        what: "all control planes powered off",
        targets: &[Target::All],
        bar: Bar::None,
        harm: |cluster, _| cluster.power_off_control_planes(),
        heal: |cluster, _| cluster.power_on_control_planes(),
    },
];

/// The losses that have any of these words in their names; without words, all.
pub(crate) fn named(words: &[String]) -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().filter(|scenario| {
        words.is_empty() || words.iter().any(|words| scenario.what.contains(words))
    })
}

impl Scenario {
    /// Runs it: adds what users felt, and says what of that must not be.
    pub(crate) fn run(
        &self,
        cluster: &mut Cluster,
        users: &Users<'_>,
        events: &mut Vec<Event>,
    ) -> Vec<String> {
        let mut defects = Vec::new();
        // Who has a role is known when its turn has come.
        for target in self.targets {
            for node in target.nodes(cluster) {
                defects.extend(self.until_within_the_bar(node, cluster, users, events));
            }
        }
        defects
    }

    fn until_within_the_bar(
        &self,
        mut node: String,
        cluster: &mut Cluster,
        users: &Users<'_>,
        events: &mut Vec<Event>,
    ) -> Vec<String> {
        let mut defects = Vec::new();
        for tries in 1..=TRIES {
            let held = cluster.vip_holders().contains(&node);
            let event = self.on(&node, cluster, users);
            defects.extend(event.defects(cluster.vips()));
            let missed = self.bar.missed(&event, cluster.tree.balancer_checks);
            events.push(event);
            let Some(missed) = missed else { break };
            if tries == TRIES {
                defects.push(missed);
            } else {
                eprintln!("once more: {missed}");
                node = same_role(cluster, node, held);
            }
        }
        defects
    }

    fn on(&self, node: &str, cluster: &mut Cluster, users: &Users<'_>) -> Event {
        settle(cluster, users, self.what);
        let holder = cluster.holder();
        let role = if holder.is_some_and(|holder| node == holder) { " (VIP)" } else { "" };
        let begin = Prober::now();
        (self.harm)(cluster, node);
        // With nobody left to answer there is nothing to wait for.
        if self.bar != Bar::None {
            watch(users);
        }
        let holders = cluster.vip_holders();
        let repair = Prober::now();
        (self.heal)(cluster, node);
        settle(cluster, users, self.what);
        let end = Prober::now();
        cluster.share_alike();
        let event = Event {
            what: self.what.to_owned(),
            node: format!("{node}{role}"),
            lost: users.outage(Window { from: begin, to: repair }),
            healed: users.outage(Window { from: repair, to: end }),
            lost_writes: users.writes().lost,
            holders,
            holders_healed: cluster.vip_holders(),
            heal: ((end - repair) * 10.0).round() / 10.0,
        };
        eprintln!(
            "{}: {}: {:.1} s out, {:.1} s while it was healed, {:.1} s without a name or a service, \
             healthy after {:.0} s",
            event.node,
            self.what,
            event.lost.seconds(),
            event.healed.seconds(),
            event.silence(),
            event.heal
        );
        for (when, outage) in [("lost", &event.lost), ("healed", &event.healed)] {
            for (kind, measured) in outage.kinds() {
                if measured.failed > 0 {
                    eprintln!("  {when}, {kind}: {measured:?}");
                }
            }
        }
        event
    }
}

/// Waits for the end of what users feel of a loss that has just happened.
fn watch(users: &Users<'_>) {
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let seconds = begun.elapsed().as_secs_f64();
        let pods = || seconds > PODS || users.pod.steady(QUIET);
        if seconds > WATCH || (seconds > QUIET && users.client.steady(QUIET) && pods()) {
            return;
        }
    }
}

/// Waits until the cluster is whole and users have seen no failure for a while.
fn settle(cluster: &Cluster, users: &Users<'_>, what: &str) {
    let begun = Instant::now();
    loop {
        let health = cluster.health();
        if health.is_ok() && users.steady(STEADY) {
            return;
        }
        assert!(
            begun.elapsed() < RECOVERY,
            "{what}: not healthy after {RECOVERY:?}: {}",
            health.err().unwrap_or_else(|| "probes fail".to_owned())
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}
