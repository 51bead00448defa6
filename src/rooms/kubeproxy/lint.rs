use super::{IPVS_DEPRECATED, NFTABLES_TOO_EARLY, NONE_TOO_EARLY};
use crate::catalog::Stage;
use crate::catalog::flags::Component;
use crate::report::{Finding, Path, Report};
use crate::site::gates::{self, SaidGates};
use crate::site::kube_proxy::KUBE_PROXY_CONFIGURATION as DOCUMENT;
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeproxy::KubeProxy;
    use crate::rooms::overlaid::complaints;

    fn mode(version: &str, mode: &str) -> Value {
        json!({"cluster": {"kubernetes": version}, "kubeProxy": {"mode": mode}})
    }

    #[test]
    fn gates_are_those_of_the_release() {
        let found = |gates: &str| {
            crate::rooms::overlaid::codes(&format!(
                "patches: [{{document: kubeproxy/KubeProxyConfiguration, patch: {{featureGates: {gates}}}}}]"
            ))
        };
        assert_eq!(found("{Nonsense: true}"), ["cluster/extra-arg-removed"]);
        assert_eq!(found("{ContextualLogging: true}"), [""; 0]);
    }

    #[test]
    fn modes_are_judged_by_release_and_kernel() {
        let complaints = |overlay: Value| complaints(&KubeProxy, &overlay);
        assert!(complaints(mode("1.34.0", "ipvs")).is_empty());
        let deprecated = ["kubeproxy/ipvs-deprecated at kubeProxy.mode"];
        assert_eq!(complaints(mode("1.35.0", "ipvs")), deprecated);
        let early = ["kubeproxy/nftables-too-early at kubeProxy.mode"];
        assert_eq!(complaints(mode("1.28.15", "nftables")), early);
        assert_eq!(complaints(mode("1.30.4", "nftables")), early);
        assert!(complaints(mode("1.31.0", "nftables")).is_empty());
        let mut old_kernel = mode("1.33.0", "nftables");
        old_kernel["os"] = json!({"distribution": "debian", "release": "11"});
        assert_eq!(complaints(old_kernel), early);
    }

    #[test]
    fn a_join_of_1_15_needs_it() {
        let complaints = |overlay: Value| complaints(&KubeProxy, &overlay);
        assert!(complaints(mode("1.16.15", "none")).is_empty());
        let early = ["kubeproxy/none-too-early at kubeProxy.mode"];
        assert_eq!(complaints(mode("1.15.12", "none")), early);
    }
}
