//! The way to registries through a proxy, and what must never take it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Cluster;
use crate::inventory::host::ProxySection;

/// A proxy, as programs read it from their environment.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// For http URLs.
    pub http: String,
    /// For https URLs.
    pub https: String,
    /// What is reached directly, in the form of `NO_PROXY`.
    pub direct: Vec<String>,
}

impl Proxy {
    pub(super) fn new(said: &ProxySection, cluster: &Cluster<'_>) -> Self {
        let ProxySection { https, http, no_proxy } = said;
        let more = no_proxy.iter().map(ToString::to_string);
        Self {
            http: http.as_ref().unwrap_or(https).to_string(),
            https: https.to_string(),
            direct: cluster.reached_directly().into_iter().chain(more).collect(),
        }
    }
}

impl Cluster<'_> {
    /// What no proxy can reach, or must not see: the machine itself, nodes and the endpoint, pods
    /// and services. The nodes' subnet stands for those that are in it, so that a node that is
    /// added changes no other one. Programs written in Go understand networks; curl does not.
    pub fn reached_directly(&self) -> Vec<String> {
        let mut direct: Vec<String> =
            ["localhost", "127.0.0.0/8"].map(str::to_owned).into_iter().collect();
        let elsewhere = self.nodes.iter().flat_map(super::Host::addresses);
        let elsewhere: Vec<IpAddr> =
            elsewhere.filter(|address| !self.site.is_in_networks(*address)).collect();
        if self.networks().any(|network| network.addr().is_ipv6())
            || elsewhere.iter().any(IpAddr::is_ipv6)
        {
            direct.push("::1".to_owned());
        }
        direct.extend(self.networks().map(ToString::to_string));
        direct.extend(elsewhere.iter().map(ToString::to_string));
        // A VIP is in the nodes' network; somebody else's balancer need not be.
        let endpoint = self.endpoint.address().filter(|address| {
            !address.is_loopback()
                && !elsewhere.contains(address)
                && !self.site.is_in_networks(*address)
        });
        direct.extend(endpoint.map(|address| address.to_string()));
        direct.extend(self.endpoint.name().map(str::to_owned));
        direct.extend([".svc".to_owned(), self.domain.clone()]);
        direct
    }

    /// Where clients ask for the API: of the endpoint or, without a known one, of an API server.
    pub fn own_address(&self) -> Option<IpAddr> {
        let endpoint = self.endpoint.address().filter(|address| !address.is_loopback());
        endpoint.or_else(|| self.control_planes().next().map(|first| first.address))
    }

    fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.site
            .networks
            .iter()
            .map(|network| &network.range)
            .chain(&self.pod_subnets)
            .chain(&self.service_subnets)
    }

    /// Which of the cluster's own addresses a `NO_PROXY` like this one sends through a proxy.
    pub fn hidden_by<'a>(&self, direct: impl IntoIterator<Item = &'a str>) -> Option<IpAddr> {
        let direct: Vec<&str> = direct.into_iter().map(str::trim).collect();
        let covered = |address: &IpAddr| {
            direct.iter().any(|entry| {
                *entry == "*"
                    || entry.parse() == Ok(*address)
                    || entry.parse::<IpNet>().is_ok_and(|network| network.contains(address))
            })
        };
        let services = self.api_service_addresses();
        self.own_address().into_iter().chain(services).find(|address| !covered(address))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::overlaid::resolved;

    #[test]
    fn loopback_of_ipv6_is_reached_directly_where_anything_has_ipv6() {
        let node = json!({"name": "a", "address": "192.168.1.11", "roles": ["control-plane"]});
        let mut second = node.clone();
        second["secondAddress"] = json!("fd00::11");
        let both = json!({"podSubnet": "10.244.0.0/16,fd00:10:244::/56"});
        for (overlay, has) in [
            (json!({"nodes": [node]}), false),
            (json!({"nodes": [second]}), true),
            (json!({"nodes": [node], "cluster": both}), true),
        ] {
            let (_, site) = resolved(&overlay);
            let direct = site.cluster().expect("a cluster").reached_directly();
            assert_eq!(direct.iter().any(|entry| entry == "::1"), has, "{overlay}");
        }
    }

    #[test]
    fn a_list_covers_addresses_by_all_its_forms() {
        let (_, site) = resolved(&json!({}));
        let cluster = site.cluster().expect("a cluster");
        let hidden =
            |direct: &str| cluster.hidden_by(direct.split(',')).map(|address| address.to_string());
        for all in ["*", "192.168.1.33, 10.96.0.1", "192.168.1.0/24,10.96.0.0/12"] {
            assert_eq!(hidden(all), None, "{all}");
        }
        assert_eq!(hidden("192.168.1.33").as_deref(), Some("10.96.0.1"));
        assert_eq!(hidden("10.96.0.0/12,192.168.1.34").as_deref(), Some("192.168.1.33"));
    }
}
