use std::collections::BTreeMap;

use super::claims::{loses_routes, needed, preferred, spelt};
use super::{INTERFACE_UNNAMED, SYSCTL_NEEDED, SYSCTL_NOT_SET};
use crate::cluster::Cluster;
use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::report::{Finding, Path, Report, closest};

/// Settings of the site's own that contradict what Kubernetes needs, or that leave out what is
/// not there.
pub(super) fn sysctls(
    said: &BTreeMap<SysctlKey, Option<SysctlValue>>,
    cluster: &Cluster,
    report: &mut Report,
) {
    for (key, value) in said {
        let at = Path::of(&["host", "sysctls", key.as_str()]);
        let name = spelt(key.as_str());
        let need = needed(cluster).find(|(needed, _)| *needed == name);
        match (value, need) {
            (Some(value), Some((_, need))) if value.as_str() != need => {
                report.push(needs(key, value, need, at));
            }
            (None, None) if !preferred(cluster).contains_key(&name) => {
                report.push(not_set(key, &name, cluster, at));
            }
            _ => {}
        }
    }
}

/// Nodes whose default route may go once they forward IPv6.
pub(super) fn routes(cluster: &Cluster, report: &mut Report) {
    let nodes: Vec<_> = cluster.nodes.iter().filter(|node| loses_routes(node, cluster)).collect();
    let [first, rest @ ..] = &nodes[..] else { return };
    let others = match rest.len() {
        0 => String::new(),
        1 => " and of one more".to_owned(),
        more => format!(" and of {more} more"),
    };
    let message = format!(
        "the interface of {}{others} is not named, and a host that forwards IPv6 forgets the \
         routes that its kernel had from a router",
        first.name
    );
    report.push(
        Finding::new(&INTERFACE_UNNAMED, first.path(), message)
            .label("keeps them where `interface` says which one")
            .because(Path::of(&["cluster", "podSubnet"]), "pods have IPv6, so nodes forward it")
            .help("add `interface: …` to each of them, unless NetworkManager or systemd-networkd configures it, or its routes are written down"),
    );
}

fn needs(key: &SysctlKey, value: &SysctlValue, need: &str, at: Path) -> Finding {
    let (room, why) = match key.as_str() {
        key if key.starts_with("net") => ("cni", "carries the packets of pods"),
        _ => ("kubelet", "sets it to its own value at every start"),
    };
    let message = format!("{key} would be {value}, but a node of Kubernetes needs {need}");
    Finding::new(&SYSCTL_NEEDED, at, message)
        .label(format!("needs {need}"))
        .because(Path::of(&[room]), why)
        .help("remove it, or write `null` where this host sets it by other means")
}

fn not_set(key: &SysctlKey, name: &str, cluster: &Cluster, at: Path) -> Finding {
    let finding = Finding::new(&SYSCTL_NOT_SET, at, format!("hagen does not set {key}"))
        .label("nothing to leave out");
    let preferred = preferred(cluster);
    let ours = needed(cluster).map(|(ours, _)| ours).chain(preferred.keys().map(String::as_str));
    match closest(name, ours) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("remove it"),
    }
}
