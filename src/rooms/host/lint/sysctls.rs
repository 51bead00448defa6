use std::collections::BTreeMap;

use crate::inventory::values::{SysctlKey, SysctlValue};
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::host::sysctls::{needed, preferred, spelt};
use crate::rooms::host::{SYSCTL_NEEDED, SYSCTL_NOT_SET, SYSCTL_OVERWRITTEN};
use crate::site::{Cluster, kube_proxy};

/// Settings of the site's own that contradict what Kubernetes needs, that kube-proxy overwrites, or
/// that leave out what is not there.
pub(super) fn lint(
    said: &BTreeMap<SysctlKey, Option<SysctlValue>>,
    cluster: &Cluster<'_>,
    report: &mut Report,
) {
    for (key, value) in said {
        let at = Path::of(&["host", "sysctls"]).key(key.as_str());
        let name = spelt(key.as_str());
        let need = needed(cluster).find(|(needed, _)| *needed == name);
        match (value, need) {
            (Some(value), Some((_, need))) if value.as_str() != need => {
                report.push(needs(key, value, need, at));
            }
            (Some(value), None) => {
                let value = value.as_str();
                kube_proxy::overwritten(cluster, &SYSCTL_OVERWRITTEN, &name, value, at)
                    .into_iter()
                    .for_each(|finding| report.push(finding));
            }
            (None, None) if !preferred(cluster).contains_key(&name) => {
                report.push(not_set(key, &name, cluster, at));
            }
            _ => {}
        }
    }
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

fn not_set(key: &SysctlKey, name: &str, cluster: &Cluster<'_>, at: Path) -> Finding {
    let finding = Finding::new(&SYSCTL_NOT_SET, at, format!("hagen does not set {key}"))
        .label("nothing to leave out");
    let preferred = preferred(cluster);
    let ours = needed(cluster).map(|(ours, _)| ours).chain(preferred.keys().map(String::as_str));
    match closest(name, ours) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("remove it"),
    }
}
