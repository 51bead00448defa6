//! What flags and fields of one component say, where others have to agree with it.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde_json::Value;

use super::Patch;
use crate::inventory::Inventory;
use crate::inventory::values::{FlagName, FlagValue};
use crate::report::Path;

/// The ports of services of type NodePort: kube-apiserver's --service-node-port-range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePorts {
    /// The first one.
    pub first: u16,
    /// The last one.
    pub last: u16,
    /// Whether the inventory says so; else the default holds.
    pub said: bool,
}

impl NodePorts {
    const FLAG: &str = "service-node-port-range";

    /// Of this inventory. A value that is no range is reported with all the other flags.
    pub(super) fn of(said: &Inventory) -> Self {
        let text = flag(&said.extra_args.api_server, Self::FLAG);
        let range = text.as_deref().and_then(range);
        let (first, last) = range.unwrap_or((30_000, 32_767));
        Self { first, last, said: range.is_some() }
    }

    /// Whether a Service may take this port.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// The place that decides it.
    pub fn path() -> Path {
        Path::of(&["extraArgs", "apiServer", Self::FLAG])
    }
}

impl std::fmt::Display for NodePorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// `30000-32767`, `30000+100` or one port (`ParsePortRange` in
/// `staging/src/k8s.io/apimachinery/pkg/util/net/port_range.go`).
fn range(text: &str) -> Option<(u16, u16)> {
    let port = |text: &str| text.trim().parse::<u16>().ok();
    let (first, last) = match (text.split_once('-'), text.split_once('+')) {
        (Some((first, last)), _) => (port(first)?, port(last)?),
        (None, Some((first, more))) => {
            let first = port(first)?;
            (first, first.saturating_add(port(more)?))
        }
        (None, None) => (port(text)?, port(text)?),
    };
    (first > 0 && first <= last).then_some((first, last))
}

/// The prefix lengths of one node's part of the pods' networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodMasks {
    v4: (u8, Option<&'static str>),
    v6: (u8, Option<&'static str>),
}

/// kube-controller-manager's flags: for a single network of either family, and for each family.
const MASK: &str = "node-cidr-mask-size";
const MASK_V4: &str = "node-cidr-mask-size-ipv4";
const MASK_V6: &str = "node-cidr-mask-size-ipv6";

impl PodMasks {
    /// Of this inventory; kube-controller-manager's defaults are 24 and 64.
    pub(super) fn of(said: &Inventory, networks: &[IpNet]) -> Self {
        let flags = &said.extra_args.controller_manager;
        let several = networks.len() > 1;
        let first = |names: [&'static str; 2], default: u8| {
            let mut names = names.into_iter().filter(|name| !(several && *name == MASK));
            let said = names.find_map(|name| {
                let mask = flag(flags, name)?.parse::<u8>().ok().filter(|mask| *mask > 0)?;
                Some((mask, Some(name)))
            });
            said.unwrap_or((default, None))
        };
        Self { v4: first([MASK, MASK_V4], 24), v6: first([MASK, MASK_V6], 64) }
    }

    fn entry(&self, network: &IpNet) -> (u8, Option<&'static str>) {
        match network {
            IpNet::V4(_) => self.v4,
            IpNet::V6(_) => self.v6,
        }
    }

    /// The prefix length of a node's part of this network.
    pub fn prefix_len(&self, network: &IpNet) -> u8 {
        self.entry(network).0
    }

    /// The place that decides it, where the inventory does.
    pub fn path(&self, network: &IpNet) -> Option<Path> {
        self.entry(network).1.map(mask_path)
    }
}

fn mask_path(flag: &str) -> Path {
    Path::of(&["extraArgs", "controllerManager"]).key(flag)
}

/// The flag for masks that these networks do not allow, with the reason and what to write
/// (`setNodeCIDRMaskSizes` in `cmd/kube-controller-manager/app/core.go`).
pub(super) fn wrong_mask(
    said: &Inventory,
    networks: &[IpNet],
) -> Option<(Path, &'static str, &'static str)> {
    let has =
        |flag: &str| said.extra_args.controller_manager.keys().any(|name| name.as_str() == flag);
    let v4 = networks.first().is_some_and(|network| network.addr().is_ipv4());
    let (flag, reason, help) = if networks.len() > 1 && has(MASK) {
        (
            MASK,
            "pods have two networks",
            "use `node-cidr-mask-size-ipv4` and `node-cidr-mask-size-ipv6`",
        )
    } else if networks.len() > 1 {
        return None;
    } else if has(MASK) && has(MASK_V4) {
        (MASK_V4, "`node-cidr-mask-size` says it already", "remove it")
    } else if has(MASK) && has(MASK_V6) {
        (MASK_V6, "`node-cidr-mask-size` says it already", "remove it")
    } else if has(MASK_V4) && !v4 {
        (MASK_V4, "pods have no IPv4 addresses", "remove it")
    } else if has(MASK_V6) && v4 {
        (MASK_V6, "pods have no IPv6 addresses", "remove it")
    } else {
        return None;
    };
    Some((mask_path(flag), reason, help))
}

/// Whether kubelets run beside swap: `failSwapOn: false`, as a flag, a patch or a field.
pub(super) fn keeps_swap(said: &Inventory, patches: &[Patch]) -> bool {
    let refused = match flag(&said.extra_args.kubelet, "fail-swap-on") {
        Some(text) => text.parse::<bool>().ok(),
        None => kubelet_field(said, patches, "failSwapOn").and_then(|(_, value)| value.as_bool()),
    };
    refused == Some(false)
}

/// What a field of every node's KubeletConfiguration is, where the inventory says it, and where:
/// a patch has the last word.
pub fn kubelet_field<'a>(
    said: &'a Inventory,
    patches: &'a [Patch],
    field: &str,
) -> Option<(Path, &'a Value)> {
    let patched = patches.iter().rev().find_map(|patch| {
        let of_kubelet = patch.document == super::KUBELET_CONFIGURATION;
        let value = patch.patch.get(field).filter(|_| of_kubelet)?;
        Some((Path::of(&["patches"]).index(patch.index).key("patch").key(field), value))
    });
    let config =
        || Some((Path::of(&["kubelet", "config"]).key(field), said.kubelet.config.get(field)?));
    patched.or_else(config)
}

fn flag(flags: &BTreeMap<FlagName, FlagValue>, name: &str) -> Option<String> {
    let (_, value) = flags.iter().find(|(flag, _)| flag.as_str() == name)?;
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_the_api_server_reads_it() {
        assert_eq!(range("30000-32767"), Some((30_000, 32_767)));
        assert_eq!(range("30000+99"), Some((30_000, 30_099)));
        assert_eq!(range("8443"), Some((8443, 8443)));
        for text in ["", "0-5", "9-8", "a-b", "1-70000"] {
            assert_eq!(range(text), None, "{text}");
        }
    }

    #[test]
    fn a_mask_is_of_the_family_that_pods_have() {
        use serde_json::json;
        let (v4, v6, both) =
            ("10.244.0.0/16", "fd00:10:244::/56", "10.244.0.0/16,fd00:10:244::/56");
        for (pods, flags, masks, wrong) in [
            (v4, &[][..], &[24][..], None),
            (v4, &[(MASK, "26")], &[26], None),
            (v4, &[(MASK, "0")], &[24], None),
            (v4, &[(MASK_V4, "26")], &[26], None),
            (v4, &[(MASK_V6, "72")], &[24], Some(MASK_V6)),
            (v4, &[(MASK, "26"), (MASK_V4, "26")], &[26], Some(MASK_V4)),
            (v4, &[(MASK, "26"), (MASK_V6, "72")], &[26], Some(MASK_V6)),
            (v6, &[(MASK, "72")], &[72], None),
            (v6, &[(MASK_V6, "72")], &[72], None),
            (v6, &[(MASK_V4, "26")], &[64], Some(MASK_V4)),
            (both, &[(MASK, "26")], &[24, 64], Some(MASK)),
            (both, &[(MASK_V4, "26"), (MASK_V6, "72")], &[26, 72], None),
        ] {
            let flags: serde_json::Map<String, Value> =
                flags.iter().map(|(flag, mask)| ((*flag).to_owned(), json!(mask))).collect();
            let (said, site) = crate::rooms::overlaid::resolved(&json!({
                "cluster": {"podSubnet": pods},
                "extraArgs": {"controllerManager": flags},
            }));
            let cluster = site.cluster().expect("a cluster");
            let networks = &cluster.pod_subnets;
            let found: Vec<u8> =
                networks.iter().map(|network| cluster.pod_masks.prefix_len(network)).collect();
            assert_eq!(found, masks, "{pods} {flags:?}");
            let found = wrong_mask(&said, networks).map(|(at, ..)| at);
            assert_eq!(found, wrong.map(mask_path), "{pods} {flags:?}");
        }
    }
}
