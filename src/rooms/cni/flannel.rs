//! flannel's own constants, of its release 0.28.9
//! (<https://github.com/flannel-io/flannel/blob/v0.28.9/Documentation/kube-flannel.yml>). Its
//! client speaks only core/v1 to the API server, so one release serves every Kubernetes of the
//! catalog.

/// flanneld.
pub(super) const IMAGE: &str = "ghcr.io/flannel-io/flannel:v0.28.9";
/// The CNI plugin that belongs to it.
pub(super) const PLUGIN_IMAGE: &str = "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3";

/// UDP, Linux' default of VXLAN before its registration (`Documentation/backends.md`).
pub(super) const VXLAN_PORT: u16 = 8472;
/// UDP, WireGuard's (`Documentation/backends.md`).
pub(super) const WIREGUARD_PORT: u16 = 51820;
/// UDP, of the second tunnel that carries IPv6 (`Documentation/backends.md`).
pub(super) const WIREGUARD_PORT_V6: u16 = 51821;
/// TCP on loopback. Upstream's manifest has 8081 on every address, where balancers and
/// administrators like to listen.
pub(super) const HEALTH_PORT: u16 = 10246;

/// The environment variable with the node's own address.
pub(super) const NODE_IP: &str = "NODE_IP";
