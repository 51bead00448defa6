//! Release archives: what tells the right one from another.

use std::collections::BTreeMap;

use crate::catalog::{ETCD_MACHINES, ETCD_RELEASES};
use crate::inventory::values::{ArchiveName, Sha256};
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::host::{ARCHIVE_UNPINNED, PACKAGES_UNUSED};
use crate::site::{Cluster, EtcdMode};

pub(super) fn lint(
    said: &BTreeMap<ArchiveName, Sha256>,
    cluster: &Cluster<'_>,
    report: &mut Report,
) {
    let external = cluster.etcd.mode == EtcdMode::External;
    let machines = ETCD_MACHINES.iter().filter(|_| external);
    let fetched: Vec<String> =
        machines.map(|(_, architecture)| cluster.etcd.version.archive_name(architecture)).collect();
    for name in said.keys().map(ArchiveName::as_str) {
        if !fetched.iter().any(|fetched| fetched == name) {
            report.push(unused(name, &fetched));
        }
    }
    if external && cluster.etcd.archives.is_empty() {
        report.push(unpinned(cluster));
    }
}

fn unused(name: &str, fetched: &[String]) -> Finding {
    let at = Path::of(&["packages", "digests"]).key(name);
    let finding = Finding::new(&PACKAGES_UNUSED, at, format!("the scripts fetch no {name}"))
        .label("without effect");
    match closest(name, fetched.iter().map(String::as_str)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("remove it"),
    }
}

/// Whoever serves the archive would serve its list of sums as well.
fn unpinned(cluster: &Cluster<'_>) -> Finding {
    let version = cluster.etcd.version;
    let message = format!("nothing tells the archive of etcd {version} from a forged one");
    let finding = Finding::new(&ARCHIVE_UNPINNED, Path::of(&["etcd", "version"]), message)
        .label("hagen does not know its digest");
    let name = version.archive_name("amd64");
    let say = format!(
        "say its SHA-256, which {ETCD_RELEASES}/v{version}/SHA256SUMS has, as `packages.digests: {{{name}: …}}`"
    );
    match version.verifiable_instead() {
        Some(known) => finding.help(format!("write `version: \"{known}\"`, or {say}")),
        None => finding.help(say),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::host::Host;
    use crate::rooms::overlaid::{claimed, complaints, resolved};

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn what_nobody_can_verify_is_asked_for() {
        let of = |more: serde_json::Value| {
            let mut overlay = json!({"etcd": {"mode": "external", "version": "3.5.2"}});
            more.as_object()
                .into_iter()
                .flatten()
                .for_each(|(key, value)| overlay[key] = value.clone());
            complaints(&Host, &overlay)
        };
        let unpinned = ["host/archive-unpinned at etcd.version"];
        assert_eq!(of(json!({})), unpinned);
        assert_eq!(
            of(json!({"packages": {"archives": "https://mirror.example.com/etcd"}})),
            unpinned
        );
        assert!(of(json!({"etcd": {"mode": "external", "version": "3.5.3"}})).is_empty());
        assert!(of(json!({"etcd": {"mode": "external"}})).is_empty());
        assert!(of(json!({"etcd": {}})).is_empty());
        assert!(of(json!({"packages": {"source": "preinstalled"}})).is_empty());
        let said = json!({"packages": {"digests": {"etcd-v3.5.2-linux-amd64.tar.gz": SUM}}});
        assert!(of(said).is_empty());
    }

    #[test]
    fn a_digest_is_used_or_named() {
        let of = |etcd: serde_json::Value, name: &str| {
            let overlay = json!({"etcd": etcd, "packages": {"digests": {name: SUM}}});
            complaints(&Host, &overlay)
        };
        let name = "etcd-v3.6.8-linux-amd64.tar.gz";
        let unused = [format!("host/packages-unused at packages.digests.{name}")];
        assert_eq!(of(json!({}), name), unused);
        assert_eq!(of(json!({"mode": "external", "version": "3.6.9"}), name), unused);
        assert!(of(json!({"mode": "external", "version": "3.6.8"}), name).is_empty());
    }

    #[test]
    fn what_the_inventory_says_comes_first() {
        let archives = |packages: serde_json::Value| {
            let etcd = json!({"mode": "external", "version": "3.6.8"});
            let (_, claims) = claimed(&json!({"etcd": etcd, "packages": packages}));
            let sources = claims.of(0).archives[0].sources.clone();
            sources.into_iter().map(|source| (source.path, source.sha256)).collect::<Vec<_>>()
        };
        let known = archives(json!({}));
        assert!(
            known[0].1.starts_with("cf9cfe91") && known[1].1.starts_with("438f56a7"),
            "{known:?}"
        );
        let own = archives(json!({"digests": {"etcd-v3.6.8-linux-amd64.tar.gz": SUM}}));
        assert_eq!((own[0].1.as_str(), &own[1]), (SUM, &known[1]));
    }

    /// An etcd that the release brings and nobody can verify is the next patch release.
    #[test]
    fn the_default_can_be_verified() {
        let version = |packages: serde_json::Value, mode: &str| {
            let overlay = json!({"etcd": {"mode": mode}, "packages": packages});
            resolved(&overlay).1.kubernetes.unwrap().etcd.version.to_string()
        };
        assert_eq!(version(json!({}), "external"), "3.7.1");
        assert_eq!(version(json!({}), "stacked"), "3.7.0");
        assert_eq!(version(json!({"source": "preinstalled"}), "external"), "3.7.0");
        let said = json!({"digests": {"etcd-v3.7.0-linux-arm64.tar.gz": SUM}});
        assert_eq!(version(said, "external"), "3.7.0");
    }
}
