//! What keepalived's files are filled with.

use std::net::IpAddr;

use serde::Serialize;

use crate::cluster::{Cluster, LoadBalancerKind, Node, host_port, layout, loopback};
use crate::document::Assignments;
use crate::inventory::keepalived::State;

use super::AUTH_CONF;
use super::plan::{Host, KeepalivedPlan};

/// Context of `keepalived/etc/keepalived/keepalived.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config<'a> {
    /// The node's name; only logs and SNMP show it.
    name: &'a str,
    vrrp_version: u8,
    /// Whether `enable_script_security` exists.
    script_security: bool,
    check_script: &'static str,
    /// Seconds.
    check_interval: u64,
    fall: u32,
    rise: u32,
    weight: i32,
    /// Whether a check counts as failed until it has passed once.
    init_fail: bool,
    state: &'static str,
    nopreempt: bool,
    interface: &'a str,
    router_id: u32,
    priority: u32,
    /// Seconds with up to three decimals.
    advert_interval: String,
    /// The file with the password, where adverts carry one.
    auth_file: Option<&'static str>,
    address: IpAddr,
    /// Everyone else. None at all leaves unicast out: an empty list is an error to some versions
    /// and multicast to others.
    peers: Vec<IpAddr>,
    /// Whether adverts of others than the peers are refused.
    check_source: bool,
    /// Whether a peer's advert counts only with the TTL that no router leaves (RFC 5798, 5.1.1.3):
    /// its source address alone could come from anywhere. keepalived itself asks multicast only.
    /// Not over IPv6, where adverts leave with 64 unless `unicast_ttl` says otherwise: a node that
    /// is changed before the others would not hear them.
    on_link: bool,
    /// With its prefix.
    vip: String,
}

/// Context of `keepalived/etc/systemd/system/keepalived.service.d/10-hagen.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct DropIn<'a> {
    /// With its prefix, as keepalived adds it.
    vip: &'a str,
    interface: &'a str,
}

impl<'a> Config<'a> {
    /// What systemd has to know of this configuration.
    pub(super) fn drop_in(&self) -> DropIn<'_> {
        DropIn { vip: &self.vip, interface: self.interface }
    }

    pub(super) fn new(plan: &KeepalivedPlan, host: &'a Host, cluster: &Cluster) -> Self {
        let endpoint = &cluster.endpoint;
        // A /128 makes keepalived mark the address as deprecated, so that the kernel never
        // chooses it as a source (keepalived/vrrp/vrrp_ipaddress.c); IPv4's is a secondary
        // address of its subnet and not chosen either.
        let prefix = if endpoint.vip.is_ipv6() { 128 } else { endpoint.subnet.prefix_len() };
        Self {
            name: &host.name,
            vrrp_version: plan.vrrp_version,
            script_security: host.can.enable_script_security,
            check_script: host.check_script,
            check_interval: plan.check_interval.millis() / 1000,
            fall: plan.fall,
            rise: plan.rise,
            weight: plan.weight,
            init_fail: host.can.init_fail,
            state: match host.state {
                State::Backup => "BACKUP",
                State::Master => "MASTER",
            },
            nopreempt: !plan.preempt,
            interface: &host.interface,
            router_id: plan.router_id,
            priority: host.priority,
            advert_interval: seconds(plan.advert_interval.millis()),
            auth_file: plan.authentication.then_some(AUTH_CONF),
            address: host.address,
            peers: plan
                .hosts
                .iter()
                .filter(|peer| peer.index != host.index)
                .map(|peer| peer.address)
                .collect(),
            check_source: host.can.check_unicast_src && plan.hosts.len() > 1,
            on_link: host.can.unicast_ttl && endpoint.vip.is_ipv4(),
            vip: format!("{}/{prefix}", endpoint.vip),
        }
    }
}

/// `0.5` for 500 ms.
fn seconds(millis: u64) -> String {
    let (whole, rest) = (millis / 1000, millis % 1000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:03}").trim_end_matches('0').to_owned()
}

/// What the check of a node knows.
pub(super) fn check(node: &Node, cluster: &Cluster) -> Assignments {
    let health = host_port(loopback(node.address), cluster.etcd.metrics_port);
    let member = node.member.then(|| format!("http://{health}/health"));
    let says = cluster.balancer == LoadBalancerKind::Haproxy;
    let status_port = says.then(|| cluster.haproxy_status_port.to_string());
    let mut words = Assignments::new("keepalived runs this.");
    words
        // Of the endpoint's family, bare: bash's `/dev/tcp` takes no brackets.
        .word("loopback", &loopback(cluster.endpoint.vip).to_string())
        .word("port", &cluster.endpoint.port.to_string())
        .list("peers", peers(node, cluster))
        // Exists from the moment on at which this node has an API server.
        .word("manifest", layout::API_SERVER)
        .word("ca", &format!("{}/ca.crt", layout::PKI))
        // Where this node's API server says that it is ready, its member of etcd that it has a
        // quorum, and haproxy whether it finds an API server; nginx does not know.
        .word("api_server", &(cluster.api_url(node) + &cluster.release.health_path))
        .word("member", &member.unwrap_or_default())
        .word("status_port", &status_port.unwrap_or_default());
    words
}

/// Who is reached by a node that is not cut off, `address/port`: the other control planes' API
/// servers, the next one in the inventory first, so that not all ask the same one; then etcd, where
/// this node has no member of its own to ask. None where no other node could take the VIP.
fn peers(node: &Node, cluster: &Cluster) -> Vec<String> {
    let at = |other: &Node, port| format!("{}/{port}", other.address);
    let others = cluster.control_planes().filter(|other| other.index != node.index);
    let (earlier, later): (Vec<&Node>, Vec<&Node>) =
        others.partition(|other| other.index < node.index);
    let others = later.into_iter().chain(earlier);
    let mut peers: Vec<String> = others.map(|other| at(other, cluster.api_port)).collect();
    if !peers.is_empty() && !node.member {
        peers.extend(cluster.members().map(|member| at(member, cluster.etcd.client_port)));
    }
    peers
}

/// Context of `keepalived/etc/keepalived/auth.conf.j2`. A secret.
#[derive(Serialize)]
pub(super) struct Auth<'a> {
    /// Eight characters: what version 2's field holds, and keepalived cuts the rest
    /// (RFC 2338, 5.3.10).
    pub(super) password: &'a str,
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn intervals_are_written_in_seconds() {
        assert_eq!(seconds(500), "0.5");
        assert_eq!(seconds(1000), "1");
        assert_eq!(seconds(1050), "1.05");
        assert_eq!(seconds(40_950), "40.95");
    }
}
