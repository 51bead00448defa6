use super::plan::DOCUMENT;
use super::{IPVS_DEPRECATED, NFTABLES_TOO_EARLY, NONE_TOO_EARLY};
use crate::catalog::Stage;
use crate::catalog::flags::Component;
use crate::report::{Finding, Path, Report};
use crate::site::gates::{self, SaidGates};
use crate::site::{Cluster, ProxyMode};

pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    let at = Path::of(&["kubeProxy", "mode"]);
    let release = Path::of(&["cluster", "kubernetes"]);
    let facts = &cluster.release.kube_proxy;
    match cluster.proxy_mode {
        ProxyMode::Iptables => {}
        ProxyMode::Ipvs if facts.ipvs_deprecated => report.push(
            Finding::new(
                &IPVS_DEPRECATED,
                at,
                format!("ipvs is deprecated in Kubernetes {}", cluster.version),
            )
            .label("still works, with a warning")
            .because(release, "this release deprecates it")
            .help("use `mode: nftables`, or `mode: iptables`"),
        ),
        ProxyMode::Ipvs => {}
        ProxyMode::Nftables => nftables(cluster, &at, release, report),
        ProxyMode::None => none(cluster, at, release, report),
    }
    let mut given = SaidGates::default();
    given.patches(DOCUMENT, cluster);
    gates::lint(Component::KubeProxy, &given, cluster, report);
}

fn none(cluster: &Cluster<'_>, at: Path, release: Path, report: &mut Report) {
    // The release that does without the ConfigMap as little as without leave to read it.
    if cluster.release.kubeadm.node_role_binding_needed {
        report.push(
            Finding::new(
                &NONE_TOO_EARLY,
                at,
                format!("kubeadm {} joins no node without kube-proxy", cluster.version),
            )
            .label("every join reads its ConfigMap")
            .because(release, "the release")
            .help("use `mode: iptables`, or Kubernetes 1.16 or newer"),
        );
    }
}

fn nftables(cluster: &Cluster<'_>, at: &Path, release: Path, report: &mut Report) {
    let label = match cluster.release.kube_proxy.nftables {
        Stage::Absent => Some("unknown to this release"),
        Stage::Alpha => Some("behind a feature gate in this release"),
        Stage::Beta | Stage::Stable => None,
    };
    if let Some(label) = label {
        report.push(
            Finding::new(
                &NFTABLES_TOO_EARLY,
                at.clone(),
                format!("kube-proxy {} has no nftables mode yet", cluster.version),
            )
            .label(label)
            .because(release, "the release")
            .help("use `mode: iptables`"),
        );
        return;
    }
    let old = cluster.nodes.iter().find(|node| node.kubelet() && !node.os.nftables_mode());
    if let Some(node) = old {
        report.push(
            Finding::new(
                &NFTABLES_TOO_EARLY,
                at.clone(),
                format!("nftables mode needs a newer kernel than node {} has", node.name),
            )
            .label("needs Linux 5.13 or newer")
            .because(node.path(), format!("{} boots Linux {}", node.os.id, node.os.kernel))
            .help("use `mode: iptables`"),
        );
    }
}
