//! kube-proxy, by minor.

use serde::Deserialize;

use super::Stage;

/// kube-proxy's modes.
/// <https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-modes>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KubeProxyFacts {
    /// The values of `mode` that work without a feature gate. `userspace` went in 1.26.
    pub modes: Vec<String>,
    /// Whether ipvs is deprecated (1.35): it still works, with a warning.
    pub ipvs_deprecated: bool,
    /// How far nftables mode is; while it is alpha it needs the gate `NFTablesProxyMode`.
    pub nftables: Stage,
    /// Whether an unset `mode` is warned of (1.37), as the default is going to change.
    pub unset_mode_warning: bool,
}
