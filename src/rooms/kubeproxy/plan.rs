use serde_json::{Map, Value, json};

use crate::cluster::{Cluster, Node, ProxyMode};
use crate::inventory::kubeproxy::{IpvsScheduler, KubeProxySection};
use crate::report::Path;
use crate::rooms::claims::{Bind, Package, Port, Protocol, Reach, Repository};
use crate::rooms::{Claims, DocumentName};

/// KubeProxyConfiguration; the API is v1alpha1 in every release of the catalog.
const DOCUMENT: &str = "kubeproxy/KubeProxyConfiguration";

pub(super) const DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: DOCUMENT,
    owned: &["/apiVersion", "/kind", "/mode", "/clusterCIDR", "/ipvs/scheduler", "/ipvs/strictARP"],
}];

/// States the configuration, ports, image, modules and packages.
pub(super) fn claim(section: &KubeProxySection, cluster: &Cluster, claims: &mut Claims) {
    // The mode is a fact of the cluster: it decides kernel modules.
    let KubeProxySection { mode: _, scheduler } = section;
    let scheduler = scheduler_word(scheduler.unwrap_or(IpvsScheduler::Rr));
    claims.kubeadm_documents.push((DOCUMENT, configuration(cluster, scheduler)));
    let image = format!("{}/kube-proxy:v{}", cluster.image_repository, cluster.kubernetes);
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.ports.extend(ports());
        claims.images.insert(image.clone(), "kubeproxy");
        if cluster.proxy_mode == ProxyMode::Ipvs {
            let modules = ipvs_modules(node, scheduler);
            claims.modules.extend(modules.into_iter().map(|module| (module, "kubeproxy")));
            claims.packages.extend(ipvs_packages(node));
        }
    }
}

fn configuration(cluster: &Cluster, scheduler: &str) -> Value {
    let pods: Vec<String> = cluster.pod_subnets.iter().map(ToString::to_string).collect();
    let mut document = Map::new();
    document.insert("apiVersion".into(), json!("kubeproxy.config.k8s.io/v1alpha1"));
    document.insert("kind".into(), json!("KubeProxyConfiguration"));
    document.insert("mode".into(), json!(mode_word(cluster.proxy_mode)));
    document.insert("clusterCIDR".into(), json!(pods.join(",")));
    if cluster.proxy_mode == ProxyMode::Ipvs {
        // ipvs puts every service address on an interface of the host. Strict ARP keeps the host
        // from answering for them on the wire, where VRRP announces the VIP.
        document.insert("ipvs".into(), json!({"scheduler": scheduler, "strictARP": true}));
    }
    Value::Object(document)
}

/// The mode as KubeProxyConfiguration writes it.
fn mode_word(mode: ProxyMode) -> &'static str {
    match mode {
        ProxyMode::Iptables => "iptables",
        ProxyMode::Ipvs => "ipvs",
        ProxyMode::Nftables => "nftables",
    }
}

/// The scheduler as ipvs names it; its module is `ip_vs_` and the name.
fn scheduler_word(scheduler: IpvsScheduler) -> &'static str {
    match scheduler {
        IpvsScheduler::Rr => "rr",
        IpvsScheduler::Wrr => "wrr",
        IpvsScheduler::Lc => "lc",
        IpvsScheduler::Sh => "sh",
    }
}

/// What kube-proxy looks for before it uses ipvs; older releases fall back to iptables, in
/// silence, where one of the first four is missing
/// (<https://github.com/kubernetes/kubernetes/blob/v1.15.1/pkg/util/ipvs/ipvs.go>).
fn ipvs_modules(node: &Node, scheduler: &str) -> Vec<String> {
    ["ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", node.os.conntrack_module()]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("ip_vs_{scheduler}")])
        .collect()
}

fn ipvs_packages(node: &Node) -> impl Iterator<Item = Package> {
    node.os.family_facts().ipvs_packages.iter().map(|name| Package {
        name: name.clone(),
        version: None,
        repository: Repository::Distribution,
        hold: false,
        program: None,
        room: "kubeproxy",
    })
}

/// kube-proxy's own defaults:
/// <https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/>.
fn ports() -> [Port; 2] {
    let port = |bind, port, reach, what| Port {
        room: "kubeproxy",
        protocol: Protocol::Tcp,
        bind,
        port,
        reach,
        what,
        at: Path::of(&["kubeProxy"]),
    };
    [
        port(Bind::Loopback, 10249, Reach::Host, "kube-proxy's metrics"),
        port(Bind::Any, 10256, Reach::Nodes, "kube-proxy's health"),
    ]
}
