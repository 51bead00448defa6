//! The step of an external member, and what the checks are told of a member of either kind.

use super::{PART, STEP};
use crate::claims::{Phase, Script};
use crate::document::Assignments;
use crate::site::{Cluster, EtcdMode, Host, host_port, loopback};

/// When a member starts.
pub(super) const PHASE: Phase = Phase::of(40);

/// The step that starts a member.
pub(super) const START: Script = Script::step("40-etcd", STEP.id);

/// What looks at a member, whoever runs it; also where one was before and is no more.
pub(super) const MEMBER: Script = Script::part("etcd", PHASE.step, PART.id);

/// How the member on a node is reached there; empty without one.
pub(super) fn words(node: &Host, cluster: &Cluster<'_>) -> Assignments {
    let etcd = &cluster.etcd;
    let metrics = host_port(loopback(node.address), etcd.metrics_port);
    let member = if node.member() { format!("http://{metrics}") } else { String::new() };
    let mut words = Assignments::default();
    words.word("member", &member);
    if node.member() && etcd.mode == EtcdMode::External {
        words
            .word("etcd_version", &etcd.version.to_string())
            .word("etcd_endpoint", &cluster.etcd_client_url(node))
            .word("etcd_members", &etcd.members.len().to_string());
    }
    words
}
