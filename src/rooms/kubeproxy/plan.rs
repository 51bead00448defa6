use serde_json::{Map, Value, json};

use crate::inventory::kubeproxy::{IpvsScheduler, KubeProxySection};
use crate::site::{Cluster, ProxyMode};

/// What is decided about kube-proxy.
pub(super) struct KubeProxyPlan {
    /// The mode as KubeProxyConfiguration writes it; `None` where there is no kube-proxy.
    pub(super) mode: Option<&'static str>,
    /// How ipvs chooses among a service's pods, as ipvs names it.
    pub(super) scheduler: &'static str,
    /// Its image.
    pub(super) image: String,
}

impl KubeProxyPlan {
    pub(super) fn new(section: &KubeProxySection, cluster: &Cluster<'_>) -> Self {
        // The mode is a fact of the cluster: it decides kernel modules.
        let KubeProxySection { mode: _, scheduler } = section;
        Self {
            mode: mode_word(cluster.proxy_mode),
            scheduler: scheduler_word(scheduler.unwrap_or(IpvsScheduler::Rr)),
            image: format!("{}/kube-proxy:v{}", cluster.image_repository, cluster.version),
        }
    }

    /// KubeProxyConfiguration. The API is v1alpha1 in every release of the catalog.
    pub(super) fn configuration(&self, cluster: &Cluster<'_>) -> Option<Value> {
        let mode = self.mode?;
        let pods: Vec<String> = cluster.pod_subnets.iter().map(ToString::to_string).collect();
        let mut document = Map::new();
        document.insert("apiVersion".into(), json!("kubeproxy.config.k8s.io/v1alpha1"));
        document.insert("kind".into(), json!("KubeProxyConfiguration"));
        document.insert("mode".into(), json!(mode));
        document.insert("clusterCIDR".into(), json!(pods.join(",")));
        if cluster.proxy_mode == ProxyMode::Ipvs {
            // ipvs puts every service address on an interface of the host. Strict ARP keeps the host
            // from answering for them on the wire, where VRRP announces the VIP.
            document.insert("ipvs".into(), json!({"scheduler": self.scheduler, "strictARP": true}));
        }
        Some(Value::Object(document))
    }
}

/// The mode as KubeProxyConfiguration writes it; `None` where there is no kube-proxy.
fn mode_word(mode: ProxyMode) -> Option<&'static str> {
    match mode {
        ProxyMode::Iptables => Some("iptables"),
        ProxyMode::Ipvs => Some("ipvs"),
        ProxyMode::Nftables => Some("nftables"),
        ProxyMode::None => None,
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::overlaid::claimed;
    use crate::site::kube_proxy::KUBE_PROXY_CONFIGURATION as DOCUMENT;

    fn document(overlay: &Value) -> Value {
        let (_, claims) = claimed(overlay);
        let documents = &claims.carried;
        documents.iter().find(|carried| carried.document == DOCUMENT).unwrap().value.clone()
    }

    #[test]
    fn the_mode_is_always_written() {
        let iptables = document(&json!({}));
        assert_eq!(iptables["mode"], "iptables");
        assert_eq!(iptables.get("ipvs"), None);
        let ipvs = document(&json!({"kubeProxy": {"mode": "ipvs"}}));
        assert_eq!(ipvs["ipvs"], json!({"scheduler": "rr", "strictARP": true}));
    }
}
