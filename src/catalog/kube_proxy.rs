//! kube-proxy, by minor.

use serde::Deserialize;

use super::Stage;

/// kube-proxy's modes.
/// <https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes>
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeProxyFacts {
    /// Whether ipvs is deprecated (1.35): it still works, with a warning.
    pub ipvs_deprecated: bool,
    /// How far nftables mode is; while it is alpha it needs the gate `NFTablesProxyMode`.
    pub nftables: Stage,
    /// Whether ipvs mode leaves `net.ipv4.vs.conn_reuse_mode` alone on a kernel that is mended
    /// ([`conn_reuse_mended`](super::OsRelease::conn_reuse_mended)): from 1.22 on. The last
    /// patches of 1.20 and 1.21 do as well; their first ones do not.
    pub conn_reuse_left: bool,
    /// Whether ipvs mode sets `net.ipv4.conf.all.route_localnet` as iptables mode does (up to
    /// 1.20).
    pub route_localnet_ipvs: bool,
    /// Whether iptables mode leaves `route_localnet` alone where `nodePortAddresses` have no
    /// loopback address (from 1.24 on).
    pub route_localnet_filtered: bool,
}
