use std::net::IpAddr;

use super::PART;
use super::plan::KubeProxyPlan;
use crate::claims::{
    Bind, Carried, Package, Phase, Port, Protocol, Reach, RoomClaims, Script, Setting,
};
use crate::report::Path;
use crate::site::kube_proxy::KUBE_PROXY_CONFIGURATION as DOCUMENT;
use crate::site::{Cluster, Host, ProxyMode};

/// States the configuration, ports, image, modules and packages.
pub(super) fn state(plan: &KubeProxyPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let KubeProxyPlan { mode: _, scheduler, image } = plan;
    // Somebody serves services, whoever it is.
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let part = Script::part("kubeproxy", Phase::KUBERNETES.step, PART.id);
        claims.node(node.index).scripts.push(part);
    }
    let Some(value) = plan.configuration(cluster) else {
        // These pull it with the images of a control plane, whatever phase is left out
        // (`GetControlPlaneImages` in `cmd/kubeadm/app/images/images.go`, 1.30).
        if !cluster.release.kubeadm.addon_disabled_fields {
            for node in cluster.control_planes() {
                claims.node(node.index).images.insert(image.clone());
            }
        }
        return;
    };
    claims.carried.push(Carried { document: DOCUMENT, program: "kube-proxy", value });
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.ports.extend(ports(cluster));
        claims.images.insert(image.clone());
        if cluster.proxy_mode == ProxyMode::Ipvs {
            let modules = ipvs_modules(node, scheduler);
            claims.modules.extend(modules.into_iter().map(|module| (module, Setting::module())));
            claims.packages.extend(ipvs_packages(node));
        }
    }
}

/// What kube-proxy looks for before it uses ipvs; older releases fall back to iptables, in
/// silence, where one of the first four is missing
/// (<https://github.com/kubernetes/kubernetes/blob/v1.15.1/pkg/util/ipvs/ipvs.go>).
fn ipvs_modules(node: &Host, scheduler: &str) -> Vec<String> {
    ["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", node.os.conntrack_module()]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("ip_vs_{scheduler}")])
        .collect()
}

fn ipvs_packages(node: &Host) -> impl Iterator<Item = Package> {
    let names = node.os.family_facts().ipvs_packages.iter();
    names.map(|name| Package { serves: true, ..Package::of_distribution(name) })
}

/// kube-proxy's own defaults, or what a patch says:
/// <https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/>.
fn ports(cluster: &Cluster<'_>) -> [Port; 2] {
    let port = |field, bind, port, reach, what| {
        let patched = bound(cluster, field);
        let (bind, port, at) = patched.unwrap_or((bind, port, Path::of(&["kubeProxy"])));
        Port { protocol: Protocol::Tcp, bind, port, reach, what, at }
    };
    [
        port("metricsBindAddress", Bind::Loopback, 10249, Reach::Host, "kube-proxy's metrics"),
        port("healthzBindAddress", Bind::Any, 10256, Reach::Nodes, "kube-proxy's health"),
    ]
}

/// Where a patch lets it listen: `0.0.0.0:10249`.
fn bound(cluster: &Cluster<'_>, field: &str) -> Option<(Bind, u16, Path)> {
    cluster.site.patches.iter().rev().filter(|patch| patch.document == DOCUMENT).find_map(|patch| {
        let (host, port) = patch.patch.get(field)?.as_str()?.rsplit_once(':')?;
        let address: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
        let bind = match address {
            address if address.is_unspecified() => Bind::Any,
            address if address.is_loopback() => Bind::Loopback,
            address => Bind::Address(address),
        };
        let at = Path::of(&["patches"]).index(patch.index).key("patch").key(field);
        Some((bind, port.parse().ok()?, at))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::overlaid::claimed;
    use crate::site::kube_proxy::KUBE_PROXY_CONFIGURATION as DOCUMENT;

    fn mode(version: &str, mode: &str) -> Value {
        json!({"cluster": {"kubernetes": version}, "kubeProxy": {"mode": mode}})
    }

    #[test]
    fn where_a_patch_lets_it_listen_nobody_else_does() {
        let patched = |port: &str| {
            let patch = format!("{{metricsBindAddress: '0.0.0.0:{port}'}}");
            let overlay = format!(
                "patches: [{{document: kubeproxy/KubeProxyConfiguration, patch: {patch}}}]"
            );
            crate::rooms::overlaid::codes(&overlay)
        };
        assert!(patched("10249").is_empty());
        assert!(patched("6443").contains(&"audit/port-clash"));
    }

    #[test]
    fn ipvs_gets_the_modules_of_its_kernel() {
        let modules = |overlay: Value| {
            let (_, claims) = claimed(&overlay);
            let modules = claims.of(0).modules.iter();
            let ours = modules.filter(|(_, setting)| setting.room == "kubeproxy");
            ours.map(|(module, _)| module.clone()).collect::<Vec<_>>()
        };
        let centos = json!({
            "cluster": {"kubernetes": "1.15.1"},
            "kubeProxy": {"mode": "ipvs", "scheduler": "lc"},
            "os": {"distribution": "centos", "release": "7"},
        });
        let expected =
            ["ip_vs", "ip_vs_lc", "ip_vs_rr", "ip_vs_sh", "ip_vs_wrr", "nf_conntrack_ipv4"];
        assert_eq!(modules(centos), expected);
        assert!(modules(mode("1.30.4", "ipvs")).contains(&"nf_conntrack".to_owned()));
        assert!(modules(json!({})).is_empty());
    }

    #[test]
    fn without_it_nothing_of_it_is_claimed() {
        let without = |version: &str| {
            let mut overlay = mode(version, "none");
            overlay["cni"] = json!({"plugin": "none"});
            let (site, claims) = claimed(&overlay);
            let cluster = &site.cluster().unwrap();
            assert!(claims.carried.iter().all(|carried| carried.document != DOCUMENT));
            let mut pulls = Vec::new();
            for node in cluster.nodes {
                let claims = claims.of(node.index);
                assert!(claims.ports.iter().all(|port| port.room != "kubeproxy"));
                if claims.images.iter().any(|image| image.contains("/kube-proxy:")) {
                    pulls.push(node.name.clone());
                }
            }
            pulls
        };
        assert!(without("1.37.1").is_empty());
        // kubeadm itself still pulls it.
        assert_eq!(without("1.30.4"), ["cp1", "cp2", "cp3"]);
    }
}
