//! `kubeProxy`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How services are forwarded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// Netfilter rules; works everywhere.
    #[default]
    Iptables,
    /// The kernel's balancer; deprecated from Kubernetes 1.35 on.
    Ipvs,
    /// nftables; general from Kubernetes 1.33 on, kernel 5.13 or newer.
    Nftables,
    /// No kube-proxy: what is applied as the pod network forwards services as well (Cilium,
    /// kube-router, Calico with eBPF). It reaches the API at the endpoint, not at the service
    /// address that it is itself to forward.
    None,
}

/// The service proxy.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeProxySection {
    /// How services are forwarded. Default: `iptables`; always written, never left to the release.
    #[serde(default)]
    pub mode: ProxyMode,
    /// The scheduler in `ipvs` mode. Default: `rr`.
    pub scheduler: Option<IpvsScheduler>,
}

/// Schedulers of ipvs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpvsScheduler {
    /// Round robin.
    Rr,
    /// Weighted round robin.
    Wrr,
    /// Least connections.
    Lc,
    /// Source hashing.
    Sh,
}
