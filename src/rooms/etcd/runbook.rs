//! What the runbook says of etcd, whoever runs it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::plan::External;
use super::{
    AFTERWARDS, BIN, BRING_UP, CONFIGURATION, DATA, ETCDCTL_ENV, LOST_MEMBER, OVERRIDE, steps,
};
use crate::rooms::{Output, Place};
use crate::site::{Cluster, EtcdMode, host_port, loopback};

/// Real names, addresses and commands.
#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    external_etcd: bool,
    members: Vec<&'a str>,
    /// Who runs `kubeadm init`.
    first: &'a str,
    /// Folders of a member that systemd runs.
    etcd_data: Vec<&'a str>,
    /// The folder of a stacked member's data.
    stacked_data: &'a str,
    /// The member on a node, as that node reaches it.
    etcd_local: String,
    /// Where members keep the snapshots that a timer takes.
    backup: Option<&'a str>,
    restore: Option<Restore<'a>>,
    /// The members' settings, and those that win until the next boot.
    etcd_conf: &'static str,
    etcd_override: &'static str,
    etcdctl_env: &'static str,
    etcdctl_api_variable: bool,
    etcd_bin: &'static str,
}

/// More than a cluster writes between two snapshots
/// (<https://etcd.io/docs/v3.6/op-guide/recovery/#restoring-with-revision-bump>).
const BUMPED: &str = " \\\n     --bump-revision=1000000000 --mark-compacted";

/// How external members start from a snapshot, with the program that this release of etcd does it with.
#[derive(Serialize)]
struct Restore<'a> {
    program: String,
    data: &'a str,
    /// What keeps revisions from going back, where the program knows it.
    revisions: &'static str,
}

pub(super) fn render(external: Option<&External>, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let etcd = &cluster.etcd;
    let first = cluster.control_planes().next();
    let own = first.map_or(Ipv4Addr::LOCALHOST.into(), |first| first.address);
    let mut etcd_data: Vec<&str> =
        external.into_iter().flat_map(|external| &external.data).map(String::as_str).collect();
    etcd_data.sort_unstable();
    let context = Context {
        cluster: &cluster.site.name,
        external_etcd: external.is_some(),
        members: cluster.members().map(|member| member.name.as_str()).collect(),
        first: first.map_or("", |first| &first.name),
        restore: restore(&etcd_data, cluster),
        etcd_data,
        stacked_data: &etcd.data_dir,
        etcd_local: format!("https://{}", host_port(loopback(own), etcd.client_port)),
        backup: external.and_then(|external| Some(external.backup.as_ref()?.directory.as_str())),
        etcd_conf: CONFIGURATION,
        etcd_override: OVERRIDE,
        etcdctl_env: ETCDCTL_ENV,
        etcdctl_api_variable: etcd.version.release().is_some_and(|f| f.etcdctl_api_variable),
        etcd_bin: BIN,
    };
    let kind = match etcd.mode {
        EtcdMode::External => "systemd units",
        EtcdMode::Stacked => "static pods",
    };
    out.phrase(Place::Ground, format!("etcd {} as {kind}", etcd.version));
    let all = etcd.members.len();
    let lost = all.saturating_sub(1) / 2;
    let survives = format!("reads and writes survive the loss of {lost} of {all} etcd members");
    out.phrase(Place::Survives, survives);
    if external.is_some() {
        out.prose(Place::BringUp(steps::PHASE.step), BRING_UP.id, &context);
        out.prose(Place::Afterwards, AFTERWARDS.id, &context);
        if all > 1 {
            out.prose(Place::Loss, LOST_MEMBER.id, &context);
        }
    }
    out.prose(Place::Data, DATA.id, &context);
}

/// `None` where a member keeps its log in a folder of its own, which takes other commands.
fn restore<'a>(folders: &[&'a str], cluster: &Cluster<'_>) -> Option<Restore<'a>> {
    let [data] = *folders else { return None };
    let facts = cluster.etcd.version.release();
    let program = match facts {
        Some(facts) if facts.etcdutl => format!("{}/etcdutl", BIN),
        _ => format!("ETCDCTL_API=3 {}/etcdctl", BIN),
    };
    let bumps = facts.is_some_and(|facts| facts.etcdutl_for_restore);
    Some(Restore { program, data, revisions: if bumps { BUMPED } else { "" } })
}
