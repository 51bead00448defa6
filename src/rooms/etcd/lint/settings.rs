//! Settings that a release does not have, or that are not the user's.

use crate::catalog::{EtcdFlag, EtcdRelease, EtcdSetting};
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::etcd::{DATA_LOSS, FLAG_VERSION, SETTING_OWNED, section, values};
use crate::site::{Cluster, EtcdMode};

/// Settings that this release does not have, or that hagen decides.
pub(super) fn known(cluster: &Cluster<'_>, facts: &EtcdRelease, report: &mut Report) {
    let version = cluster.etcd.version;
    for (flag, value) in &cluster.etcd.settings {
        let at = section().key("settings").key(flag);
        if let Some(owner) = owner(flag, cluster.etcd.mode) {
            report.push(
                Finding::new(
                    &SETTING_OWNED,
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
            Finding::new(&FLAG_VERSION, at, format!("etcd {version} has no setting `{flag}`"))
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

/// What is acknowledged is on disk.
pub(super) fn synced(cluster: &Cluster<'_>, report: &mut Report) {
    const UNSAFE: &str = "unsafe-no-fsync";
    if cluster.etcd.settings.get(UNSAFE).is_some_and(|value| value == "true") {
        let at = section().key("settings").key(UNSAFE);
        report.push(
            Finding::new(&DATA_LOSS, at, "a power cut loses what etcd has acknowledged")
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
                &FLAG_VERSION,
                section().key("settings").key("feature-gates"),
                format!("etcd {version} has no feature gate `{gate}`"),
            )
            .label("stops etcd")
            .because(section().key("version"), format!("etcd {version} is chosen here"))
            .help(format!("gates of this release: {}", facts.feature_gates.join(", "))),
        );
    }
}
