//! When members that hear no leader choose another one.

use super::{ELECTION_TIMEOUT, section};
use crate::report::{Finding, Path};
use crate::site::Cluster;

/// etcd's own default: <https://etcd.io/docs/latest/tuning/#time-parameters>.
pub(super) const HEARTBEAT_MS: u64 = 100;
/// etcd's own default, ten heartbeats.
pub(super) const ELECTION_MS: u64 = 1000;
/// etcd refuses more: `maxElectionMs` in `server/embed/config.go`.
const LONGEST_ELECTION_MS: u64 = 50_000;

/// Milliseconds, and where they are decided.
struct Time {
    milliseconds: u64,
    at: Path,
}

/// The timing of members that systemd runs.
pub(super) fn of_external(heartbeat_ms: u64, election_ms: u64) -> Option<Finding> {
    let of = |milliseconds, key: &str| Time { milliseconds, at: section().key(key) };
    let heartbeat = of(heartbeat_ms, "heartbeatInterval");
    let election = of(election_ms, "electionTimeout");
    check(&heartbeat, &election, |time| format!("electionTimeout: {time}ms"))
}

/// The timing of members that kubeadm runs.
pub(super) fn of_stacked(cluster: &Cluster<'_>) -> Option<Finding> {
    let settings = &cluster.etcd.settings;
    let of = |flag: &str, default| Time {
        // What is no number is another finding.
        milliseconds: settings.get(flag).and_then(|value| value.parse().ok()).unwrap_or(default),
        at: section().key("settings").key(flag),
    };
    let heartbeat = of("heartbeat-interval", HEARTBEAT_MS);
    let election = of("election-timeout", ELECTION_MS);
    check(&heartbeat, &election, |time| format!("election-timeout: \"{time}\""))
}

/// What etcd itself checks at start (`Validate` in `server/embed/config.go`).
fn check(heartbeat: &Time, election: &Time, write: fn(u64) -> String) -> Option<Finding> {
    let Time { milliseconds: election_ms, at } = election;
    let Time { milliseconds: heartbeat_ms, at: heartbeat_at } = heartbeat;
    let finding = |message: String| Finding::new(&ELECTION_TIMEOUT, at.clone(), message);
    if *heartbeat_ms == 0 || *election_ms == 0 {
        let zero = if *heartbeat_ms == 0 { heartbeat_at } else { at };
        return Some(
            Finding::new(&ELECTION_TIMEOUT, zero.clone(), "etcd refuses a time of 0")
                .label("no time")
                .help("remove it: a heartbeat takes 100 ms, an election 1 s"),
        );
    }
    if *election_ms < heartbeat_ms.saturating_mul(5) {
        let ten = write(heartbeat_ms.saturating_mul(10));
        return Some(
            finding(format!(
                "etcd wants at least five heartbeats of {heartbeat_ms} ms; this is {election_ms} ms"
            ))
            .label("too short")
            .because(heartbeat_at.clone(), "the heartbeat")
            .help(format!("write `{ten}`, ten heartbeats")),
        );
    }
    (*election_ms > LONGEST_ELECTION_MS).then(|| {
        finding(format!("etcd accepts at most {LONGEST_ELECTION_MS} ms; this is {election_ms} ms"))
            .label("too long")
            .help(format!("write `{}` or less", write(LONGEST_ELECTION_MS)))
    })
}
