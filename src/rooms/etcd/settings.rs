//! The settings of one member, as environment variables.

use serde::Serialize;

use super::ETCD_PKI;
use super::plan::External;
use crate::catalog::{EtcdRelease, EtcdSetting};
use crate::site::{Cluster, Etcd, Host, host_port, loopback};

/// Settings that belong together.
#[derive(Serialize)]
pub(super) struct Group {
    /// What they are about, as a comment.
    pub(super) about: &'static str,
    /// In the order in which they are written.
    pub(super) settings: Vec<Setting>,
}

/// One setting.
#[derive(Serialize)]
pub(super) struct Setting {
    /// `ETCD_` and the flag in capitals.
    pub(super) variable: String,
    /// Free of quotes, `$` and line ends, as every value of the inventory is.
    pub(super) value: String,
}

/// `ETCD_PRE_VOTE` for `pre-vote`.
fn setting(flag: &str, value: impl ToString) -> Setting {
    let variable = format!("ETCD_{}", flag.to_ascii_uppercase().replace('-', "_"));
    Setting { variable, value: value.to_string() }
}

fn group(about: &'static str, settings: Vec<(&str, String)>) -> Group {
    let settings = settings.into_iter().map(|(flag, value)| setting(flag, value)).collect();
    Group { about, settings }
}

/// Everything that this member is started with.
pub(super) fn of(
    member: &Host,
    plan: &External,
    facts: &EtcdRelease,
    cluster: &Cluster<'_>,
) -> Vec<Group> {
    let etcd = &cluster.etcd;
    let url = |scheme: &str, address, port| format!("{scheme}://{}", host_port(address, port));
    let client = url("https", member.address, etcd.client_port);
    let local_client = url("https", loopback(member.address), etcd.client_port);
    let peer = url("https", member.address, etcd.peer_port);
    let metrics = url("http", loopback(member.address), etcd.metrics_port);
    let initial: Vec<String> = cluster
        .members()
        .map(|other| format!("{}={}", other.name, url("https", other.address, etcd.peer_port)))
        .collect();
    let pki = |file: &str| format!("{}/{file}", ETCD_PKI);
    let yes = || "true".to_owned();
    let mut groups = vec![
        group(
            "Who this is, and where its data lives.",
            vec![("name", member.name.clone()), ("data-dir", etcd.data_dir.clone())],
        ),
        group(
            "Clients: API servers and etcdctl, with a certificate of etcd's authority.",
            vec![
                ("listen-client-urls", format!("{client},{local_client}")),
                ("advertise-client-urls", client),
                ("cert-file", pki("server.crt")),
                ("key-file", pki("server.key")),
                ("trusted-ca-file", pki("ca.crt")),
                ("client-cert-auth", yes()),
            ],
        ),
        group(
            "Peers: the other members, likewise.",
            vec![
                ("listen-peer-urls", peer.clone()),
                ("initial-advertise-peer-urls", peer),
                ("peer-cert-file", pki("peer.crt")),
                ("peer-key-file", pki("peer.key")),
                ("peer-trusted-ca-file", pki("ca.crt")),
                ("peer-client-cert-auth", yes()),
            ],
        ),
        group(
            "The first start; ignored once the data folder holds a member.",
            vec![
                ("initial-cluster", initial.join(",")),
                ("initial-cluster-state", "new".into()),
                ("initial-cluster-token", cluster.site.name.clone()),
            ],
        ),
        group(
            "Metrics and health in plain HTTP, for this host only.",
            vec![("listen-metrics-urls", metrics)],
        ),
    ];
    let (tuned, rest) = tuning(plan, facts, etcd);
    groups.push(group("Timing in milliseconds, size in bytes, care for the data.", tuned));
    if !rest.is_empty() {
        groups.push(group("From `etcd.settings`.", rest));
    }
    groups
}

type Flags<'a> = Vec<(&'a str, String)>;

/// Settings that have a good value of ours, the user's in its place where there is one; and what
/// else the user said.
fn tuning<'a>(plan: &External, facts: &'a EtcdRelease, etcd: &'a Etcd) -> (Flags<'a>, Flags<'a>) {
    let Etcd { version, settings: said, .. } = etcd;
    let mut ours = vec![
        ("heartbeat-interval", plan.heartbeat_ms.to_string()),
        ("election-timeout", plan.election_ms.to_string()),
        ("quota-backend-bytes", plan.quota_bytes.to_string()),
        // The API server compacts every five minutes by itself; this is for a cluster that has
        // lost all of them.
        ("auto-compaction-mode", "periodic".to_owned()),
        ("auto-compaction-retention", "8h".to_owned()),
        // What kubeadm writes, and etcd's own default from 3.6 on: less memory, and a restarted
        // member replays less.
        ("snapshot-count", "10000".to_owned()),
    ];
    if facts.pre_vote_setting {
        // A member that comes back from a partition does not unseat a healthy leader.
        ours.push(("pre-vote", "true".to_owned()));
    }
    if facts.logger_setting {
        // 3.4 still has an older form, deprecated, unless told so; the only one from 3.5 on.
        ours.push(("logger", "zap".to_owned()));
    }
    match &facts.initial_corrupt_check {
        EtcdSetting::Flag(flag) => ours.push((flag, "true".to_owned())),
        EtcdSetting::Gate(gate) => ours.push(("feature-gates", format!("{gate}=true"))),
    }
    if let Some(flag) = &facts.watch_progress_notify_interval
        && facts.flag_status(flag, version.patch).is_known()
    {
        // kubeadm's value for stacked members: the API server's watch cache keeps up with the
        // store on quiet resources.
        ours.push((flag, "5s".to_owned()));
    }
    for (flag, value) in &mut ours {
        match said.get(*flag) {
            // The last word on a gate wins.
            Some(gates) if *flag == "feature-gates" => *value = format!("{value},{gates}"),
            Some(other) => value.clone_from(other),
            None => {}
        }
    }
    let rest = said
        .iter()
        .filter(|(flag, _)| ours.iter().all(|(tuned, _)| tuned != flag))
        .map(|(flag, value)| (flag.as_str(), value.clone()))
        .collect();
    (ours, rest)
}
