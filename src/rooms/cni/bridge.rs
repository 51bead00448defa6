//! The reference plugins with fixed ranges: `bridge`, `host-local`, `portmap`
//! (<https://www.cni.dev/plugins/current/main/bridge/>). Pods of a node share the bridge `cni0`; a
//! unit keeps a route to every other node's range, and masquerades what leaves the pods' network.
//! The plugin's own `ipMasq` would masquerade towards the pods of other nodes as well: it knows
//! its own range only.

use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};

use crate::site::{Cluster, Host};
use crate::template;
use crate::template::Template;

pub(super) const UNIT: &str = "hagen-pod-routes.service";
pub(super) const UNIT_FILE: &str = "cni/etc/systemd/system/hagen-pod-routes.service.j2";
pub(super) const ROUTES: &str = "cni/etc/hagen/pod-routes.j2";

pub(super) static TEMPLATES: &[Template] = &[
    template!("cni/etc/systemd/system/hagen-pod-routes.service.j2"),
    template!("cni/etc/hagen/pod-routes.j2"),
    template!("cni/steps/cni.sh"),
];

/// The node's network, the one file that the runtime looks for.
pub(super) const CONFLIST: &str = "cni/Conflist";

/// Where the runtime finds it.
pub(super) const CONFLIST_PATH: &str = "/etc/cni/net.d/10-hagen.conflist";

/// A protocol number that nobody else uses marks the routes (`/etc/iproute2/rt_protos`), so that
/// they can be taken back whatever they were.
const PROTOCOL: u8 = 104;
/// `ip -batch`, one route per line.
pub(super) const ROUTES_PATH: &str = "/etc/hagen/pod-routes";

/// Context of the unit.
#[derive(Serialize)]
pub(super) struct UnitContext {
    /// `-4` or `-6`.
    family: &'static str,
    /// `iptables` or `ip6tables`.
    tables: &'static str,
    /// The mark of the routes.
    protocol: u8,
    /// The file with the routes.
    routes: &'static str,
    /// The addresses of this node's pods.
    range: String,
    /// The addresses of all pods.
    pods: String,
}

impl UnitContext {
    pub(super) fn new(range: IpNet, pods: &IpNet) -> Self {
        let v4 = range.addr().is_ipv4();
        Self {
            family: if v4 { "-4" } else { "-6" },
            tables: if v4 { "iptables" } else { "ip6tables" },
            protocol: PROTOCOL,
            routes: ROUTES_PATH,
            range: range.to_string(),
            pods: pods.to_string(),
        }
    }
}

/// Context of the routes.
#[derive(Serialize)]
pub(super) struct RoutesContext<'a> {
    /// The mark of the routes.
    protocol: u8,
    /// One per other node that runs pods.
    routes: Vec<Route<'a>>,
}

/// One route.
#[derive(Serialize)]
struct Route<'a> {
    /// The other node's name.
    node: &'a str,
    /// Its pods.
    range: String,
    /// Its address.
    via: String,
}

impl<'a> RoutesContext<'a> {
    pub(super) fn new(node: &Host, cluster: &Cluster<'a>) -> Self {
        let others = cluster.nodes.iter().filter(|other| other.index != node.index);
        let routes = others.filter_map(|other| {
            let Host { name, address, .. } = other;
            Some(Route {
                node: name,
                range: other.pod_range?.to_string(),
                via: address.to_string(),
            })
        });
        Self { protocol: PROTOCOL, routes: routes.collect() }
    }
}

/// Version 0.3.1 of the form is read by every plugin and runtime of the catalog.
pub(super) fn conflist(range: IpNet) -> Value {
    json!({
        "cniVersion": "0.3.1",
        "name": "hagen",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": true,
                // A pod reaches itself through its service.
                "hairpinMode": true,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": range.to_string()}]]},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

/// The range that a node's [`CONFLIST_PATH`] hands out.
pub(super) fn range(conflist: &[u8]) -> Option<IpNet> {
    let conflist: Value = serde_json::from_slice(conflist).ok()?;
    conflist.pointer("/plugins/0/ipam/ranges/0/0/subnet")?.as_str()?.parse().ok()
}
