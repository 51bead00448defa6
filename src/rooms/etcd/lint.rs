use super::{codes, values};
use crate::catalog::{EtcdFlag, EtcdRelease, EtcdSetting, VersionPart, etcds};
use crate::inventory::Inventory;
use crate::inventory::etcd::{BackupSection, EtcdEndpoints, EtcdSection};
use crate::inventory::node::Role;
use crate::report::{Finding, Path, Report, closest};
use crate::site::{Cluster, EtcdMode};

/// etcd's own advice: beyond seven, each write waits for more disks and no practical fault is
/// survived that seven would not (<https://etcd.io/docs/latest/faq/#what-is-maximum-cluster-size>).
const MOST_MEMBERS: usize = 7;

pub(super) fn section() -> Path {
    Path::of(&["etcd"])
}

/// How many members, and where.
pub(super) fn members(cluster: &Cluster<'_>, report: &mut Report) {
    let count = cluster.etcd.members.len();
    let external = cluster.etcd.mode == EtcdMode::External;
    if let (true, &[only], Some(_)) =
        (external, &cluster.etcd.members[..], cluster.control_planes().nth(1))
    {
        report.push(
            Finding::new(
                &codes::SINGLE_MEMBER,
                Path::of(&["nodes"]).index(only).key("roles"),
                "the loss of this node takes the API away on every control plane",
            )
            .label("the only member of etcd")
            .help("give the role `etcd` to 3 or 5 nodes"),
        );
    }
    // An even number of stacked members is an even number of control planes, which is a finding
    // of its own.
    if external && count > 0 && count.is_multiple_of(2) {
        let fewer = count - 1;
        let lost = match fewer / 2 {
            0 => "none".to_owned(),
            lost => lost.to_string(),
        };
        report.push(
            Finding::new(
                &codes::EVEN_MEMBERS,
                section(),
                format!(
                    "{count} members need {} to agree and survive the loss of {lost}, as {fewer} would",
                    count / 2 + 1
                ),
            )
            .label(format!("{count} members"))
            .help("give the role `etcd` to an odd number of nodes: 3 or 5"),
        );
    }
    if let Some(&eighth) = cluster.etcd.members.get(MOST_MEMBERS) {
        let help = if external {
            "give the role `etcd` to 3 or 5 nodes"
        } else {
            "use 3 or 5 control planes, or `etcd.mode: external` with the role `etcd` on 3 or 5 nodes"
        };
        report.push(
            Finding::new(
                &codes::TOO_MANY_MEMBERS,
                Path::of(&["nodes"]).index(eighth),
                format!(
                    "{count} members of etcd; more than {MOST_MEMBERS} only slow each write down"
                ),
            )
            .label("one more member")
            .help(help),
        );
    }
}

/// The facts about the chosen release.
pub(super) fn release(cluster: &Cluster<'_>, report: &mut Report) -> Option<&'static EtcdRelease> {
    let version = cluster.etcd.version;
    let facts = version.release();
    if facts.is_none() {
        let minors: Vec<VersionPart> = etcds().map(|release| release.minor).collect();
        let known = match minors.as_slice() {
            [oldest, .., newest] => format!("3.{oldest} to 3.{newest}"),
            _ => "no release at all".to_owned(),
        };
        report.push(
            Finding::new(
                &codes::VERSION_UNKNOWN,
                section().key("version"),
                format!("etcd {version} is outside the catalog, which knows {known}"),
            )
            .label("not in the catalog")
            .help("choose a release that the catalog knows, or leave `version` out"),
        );
    }
    facts
}

/// Settings that this release does not have, or that hagen decides.
pub(super) fn settings(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    let version = cluster.etcd.version;
    for (flag, value) in &cluster.etcd.settings {
        let at = section().key("settings").key(flag);
        if let Some(owner) = owner(flag, cluster.etcd.mode) {
            report.push(
                Finding::new(
                    &codes::SETTING_OWNED,
                    at,
                    format!("`{flag}` is decided elsewhere in the inventory"),
                )
                .label("would be written twice")
                .because(owner.clone(), "decided here")
                .help(format!("remove it; change `{owner}` instead")),
            );
            continue;
        }
        let (label, help) = match facts.flag_status(flag, version.patch) {
            EtcdFlag::Known => {
                if let Some(finding) = values::misfit(flag, value, facts, &at) {
                    report.push(finding);
                }
                continue;
            }
            EtcdFlag::NotYet { since } => {
                (format!("came with etcd {since}"), "remove it, or choose a newer etcd".to_owned())
            }
            EtcdFlag::Removed { in_minor, instead } => {
                let help = instead.map_or_else(
                    || "remove it".to_owned(),
                    |successor| format!("write `{successor}` instead"),
                );
                (format!("gone since etcd 3.{in_minor}"), help)
            }
            EtcdFlag::Unknown => {
                let help = closest(flag, facts.flags()).map_or_else(
                    || "remove it".to_owned(),
                    |name| format!("did you mean `{name}`?"),
                );
                ("no release of etcd has it".to_owned(), help)
            }
        };
        let chosen = match cluster.etcd.mode {
            EtcdMode::External => section().key("version"),
            EtcdMode::Stacked => Path::of(&["cluster", "kubernetes"]),
        };
        report.push(
            Finding::new(
                &codes::FLAG_VERSION,
                at,
                format!("etcd {version} has no setting `{flag}`"),
            )
            .label(label)
            .because(chosen, format!("etcd {version} is chosen here"))
            .help(help),
        );
    }
}

/// The place in the inventory that decides this setting, where hagen writes it itself.
fn owner(flag: &str, mode: EtcdMode) -> Option<Path> {
    let external_key = match flag {
        "heartbeat-interval" => Some("heartbeatInterval"),
        "election-timeout" => Some("electionTimeout"),
        "quota-backend-bytes" => Some("quotaBytes"),
        _ => None,
    };
    if let Some(key) = external_key {
        // Stacked members have no keys of their own for these.
        return (mode == EtcdMode::External).then(|| section().key(key));
    }
    let path = match flag {
        "name"
        | "initial-cluster"
        | "initial-cluster-state"
        | "discovery"
        | "discovery-srv"
        | "discovery-token"
        | "discovery-endpoints"
        | "force-new-cluster"
        | "config-file" => Path::of(&["nodes"]),
        "initial-cluster-token" => Path::of(&["cluster", "name"]),
        "data-dir" => section().key("dataDir"),
        "listen-client-urls" | "advertise-client-urls" => section().key("clientPort"),
        "listen-peer-urls" | "initial-advertise-peer-urls" => section().key("peerPort"),
        "listen-metrics-urls" => section().key("metricsPort"),
        "cert-file"
        | "key-file"
        | "trusted-ca-file"
        | "client-cert-auth"
        | "auto-tls"
        | "peer-cert-file"
        | "peer-key-file"
        | "peer-trusted-ca-file"
        | "peer-client-cert-auth"
        | "peer-auto-tls" => Path::of(&["pki"]),
        _ => return None,
    };
    Some(path)
}

/// What is said about members that kubeadm runs, and would be ignored.
pub(super) fn stacked(said: &Inventory, report: &mut Report) {
    let EtcdSection {
        mode: _,
        version,
        endpoints,
        data_dir: _,
        client_port,
        peer_port,
        metrics_port: _,
        heartbeat_interval,
        election_timeout,
        quota_bytes,
        backup,
        settings: _,
    } = &said.etcd;
    let mut refuse = |at: Path, help: &str| {
        report.push(
            Finding::new(&codes::EXTERNAL_ONLY, at, "this has no effect on stacked members")
                .label("kubeadm decides this")
                .because(section().key("mode"), "not `external`")
                .help(help.to_owned()),
        );
    };
    let keys = [
        ("version", version.is_some(), None),
        ("endpoints", *endpoints != EtcdEndpoints::Auto, None),
        ("clientPort", client_port.is_some(), None),
        ("peerPort", peer_port.is_some(), None),
        ("heartbeatInterval", heartbeat_interval.is_some(), Some("heartbeat-interval")),
        ("electionTimeout", election_timeout.is_some(), Some("election-timeout")),
        ("quotaBytes", quota_bytes.is_some(), Some("quota-backend-bytes")),
        ("backup", *backup != BackupSection::default(), None),
    ];
    for (key, _, setting) in keys.into_iter().filter(|(_, is_said, _)| *is_said) {
        let help = match setting {
            Some(flag) => format!("use `etcd.settings: {{{flag}: …}}`, or `etcd.mode: external`"),
            None => "remove it, or use `etcd.mode: external`".to_owned(),
        };
        refuse(section().key(key), &help);
    }
    for (index, node) in said.nodes.iter().enumerate() {
        if node.roles.contains(&Role::Etcd) {
            refuse(
                Path::of(&["nodes"]).index(index).key("roles"),
                "remove the role `etcd`, or use `etcd.mode: external`",
            );
        }
    }
}

/// What can be wrong about members that systemd runs.
pub(super) fn external(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    age(cluster, facts, report);
    let on_control_planes: Vec<&str> = cluster
        .members()
        .filter(|member| member.control_plane())
        .map(|member| member.name.as_str())
        .collect();
    if !on_control_planes.is_empty() {
        report.push(
            Finding::new(
                &codes::ON_CONTROL_PLANES,
                section().key("mode"),
                format!("members of the external etcd share machines with control planes: {}", on_control_planes.join(", ")),
            )
            .label("external to kubeadm only")
            .help("fine where machines are few; for independent failures give the role `etcd` to other nodes"),
        );
    }
    if !cluster.etcd.local_endpoints && cluster.etcd.members.len() > 1 {
        report.push(
            Finding::new(
                &codes::ALL_ENDPOINTS,
                section().key("endpoints"),
                "when a machine with a member is lost, the API servers' requests to it stall for ten seconds",
            )
            .label("each API server talks to all members")
            .help("behind haproxy, members on the control planes are lost within four: leave the role `etcd` out"),
        );
    }
}

fn age(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    let version = cluster.etcd.version;
    let at = section().key("version");
    let kubernetes = cluster.version;
    if let Some(least) = cluster.release.external_etcd_instead_of(version, kubernetes.patch) {
        report.push(
            Finding::new(
                &codes::TOO_OLD,
                at.clone(),
                format!("kubeadm {kubernetes} refuses etcd {version}; it wants {least} or newer"),
            )
            .label(format!("older than {least}"))
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help(format!("write `version: \"{least}\"`, or a newer release")),
        );
    }
    if let Some(safe) = facts.safe_instead_of(version.patch) {
        report.push(
            Finding::new(&codes::DATA_LOSS, at, format!("etcd {version} is known to lose data"))
                .label(format!("mended in {safe}"))
                .help(format!("write `version: \"{safe}\"`, or a newer release")),
        );
    }
}

/// What is acknowledged is on disk.
pub(super) fn synced(cluster: &Cluster<'_>, report: &mut Report) {
    const UNSAFE: &str = "unsafe-no-fsync";
    if cluster.etcd.settings.get(UNSAFE).is_some_and(|value| value == "true") {
        let at = section().key("settings").key(UNSAFE);
        report.push(
            Finding::new(&codes::DATA_LOSS, at, "a power cut loses what etcd has acknowledged")
                .label("for tests of etcd itself")
                .help("remove it"),
        );
    }
}

/// Gates that this release does not have: etcd stops at an unknown one.
pub(super) fn gates(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    let Some(said) = cluster.etcd.settings.get("feature-gates") else { return };
    if facts.feature_gates.is_empty() {
        // The setting itself is unknown, and reported.
        return;
    }
    for gate in said.split(',').filter_map(|pair| pair.split('=').next()) {
        let gate = gate.trim();
        let ours = matches!(&facts.initial_corrupt_check, EtcdSetting::Gate(name) if name == gate);
        let general = ["AllAlpha", "AllBeta"].contains(&gate);
        if ours || general || facts.feature_gates.iter().any(|known| known == gate) {
            continue;
        }
        let version = cluster.etcd.version;
        report.push(
            Finding::new(
                &codes::FLAG_VERSION,
                section().key("settings").key("feature-gates"),
                format!("etcd {version} has no feature gate `{gate}`"),
            )
            .label("stops etcd")
            .because(section().key("version"), format!("etcd {version} is chosen here"))
            .help(format!("gates of this release: {}", facts.feature_gates.join(", "))),
        );
    }
}
