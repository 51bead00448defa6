//! What keepalived's files are filled with.

use std::net::IpAddr;

use serde::Serialize;

use crate::document::Assignments;
use crate::inventory::keepalived::State;
use crate::site::{Alive, Backend, Endpoint, Host, LoadBalancerKind, Site, host_port, loopback};

use super::plan::{Instance, KeepalivedPlan, Settings, Virtual};

/// Context of `keepalived/etc/keepalived/keepalived.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config<'a> {
    /// The node's name; only logs and SNMP show it.
    name: &'a str,
    /// What the section says; times that the file has are below, in seconds.
    settings: &'a Settings,
    /// Whether `enable_script_security` exists.
    script_security: bool,
    check_interval: u64,
    /// Whether a check counts as failed until it has passed once.
    init_fail: bool,
    state: &'static str,
    interface: &'a str,
    priority: u32,
    /// With up to three decimals.
    advert_interval: String,
    address: IpAddr,
    /// Whether adverts of others than the peers are refused.
    check_source: bool,
    checks: Vec<Check>,
    addresses: Vec<Held>,
}

/// One check of a balancer.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    script: String,
}

/// One virtual address of the machine's.
#[derive(Debug, Serialize)]
struct Held {
    name: &'static str,
    router_id: u32,
    /// The file with the password, where adverts carry one.
    auth_file: Option<String>,
    /// Everyone else. None at all leaves unicast out: an empty list is an error to some versions
    /// and multicast to others.
    peers: Vec<IpAddr>,
    /// Whether a peer's advert counts only with the TTL that no router leaves (RFC 5798, 5.1.1.3):
    /// its source address alone could come from anywhere. keepalived itself asks multicast only.
    /// Not over IPv6, where adverts leave with 64 unless `unicast_ttl` says otherwise: a node that
    /// is changed before the others would not hear them.
    on_link: bool,
    /// With its prefix.
    vip: String,
    checks: Vec<String>,
}

/// Context of `keepalived/etc/systemd/system/keepalived.service.d/10-hagen.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct DropIn<'a> {
    /// With their prefixes, as keepalived adds them.
    vips: Vec<&'a str>,
    interface: &'a str,
}

/// The name of an address' or of a check's files: that of the first is plain, and it is the only one
/// almost everywhere.
fn called(position: usize, first: &str, name: &str) -> String {
    if position == 0 { first.to_owned() } else { name.to_owned() }
}

/// The file with the password of an address.
pub(super) fn auth_file(plan: &KeepalivedPlan, address: &Virtual) -> String {
    let position = plan.addresses.iter().position(|other| other.vip == address.vip);
    format!(
        "/etc/keepalived/{}.conf",
        called(position.unwrap_or(0), "auth", &format!("auth-{}", address.name))
    )
}

/// The endpoints with an address that this machine may hold, each with the name of its check.
pub(super) fn checked<'a>(
    instance: &'a Instance,
    site: &'a Site,
) -> impl Iterator<Item = (String, &'a Endpoint)> {
    let held = site.endpoints.iter().enumerate();
    held.filter(|(_, endpoint)| {
        let held = endpoint.vrrp();
        held.is_some_and(|held| held.hosts.contains(&instance.program.host))
    })
    .map(|(position, endpoint)| (called(position, "balancer", endpoint.name), endpoint))
}

/// The script of a check.
pub(super) fn script(instance: &Instance, check: &str) -> String {
    format!("{}/check-{check}.sh", instance.scripts)
}

impl<'a> Config<'a> {
    /// What systemd has to know of this configuration.
    pub(super) fn drop_in(&self) -> DropIn<'_> {
        DropIn {
            vips: self.addresses.iter().map(|address| address.vip.as_str()).collect(),
            interface: self.interface,
        }
    }

    pub(super) fn new(plan: &'a KeepalivedPlan, instance: &'a Instance, site: &Site) -> Self {
        let addresses = plan.addresses.iter();
        let held = addresses.filter(|address| address.holders.contains(&instance.program.host));
        Self {
            name: &instance.program.on,
            settings: &plan.settings,
            script_security: instance.program.can.enable_script_security,
            check_interval: plan.settings.check_interval.millis() / 1000,
            init_fail: instance.program.can.init_fail,
            state: match instance.state {
                State::Backup => "BACKUP",
                State::Master => "MASTER",
            },
            interface: &instance.interface,
            priority: instance.priority,
            advert_interval: seconds(plan.settings.advert_interval.millis()),
            address: instance.address,
            check_source: instance.program.can.check_unicast_src && plan.instances.len() > 1,
            checks: checked(instance, site)
                .map(|(name, _)| Check { script: script(instance, &name), name })
                .collect(),
            addresses: held.map(|address| Held::new(plan, instance, address, site)).collect(),
        }
    }
}

impl Held {
    fn new(plan: &KeepalivedPlan, instance: &Instance, address: &Virtual, site: &Site) -> Self {
        let Virtual { name, vip, subnet, router_id, router_id_follows: _, holders: _ } = address;
        // A /128 makes keepalived mark the address as deprecated, so that the kernel never
        // chooses it as a source (keepalived/vrrp/vrrp_ipaddress.c); IPv4's is a secondary
        // address of its subnet and not chosen either.
        let prefix = if vip.is_ipv6() { 128 } else { subnet.prefix_len() };
        let others =
            plan.holders_of(address).filter(|peer| peer.program.host != instance.program.host);
        Self {
            name,
            router_id: *router_id,
            auth_file: plan.settings.authentication.then(|| auth_file(plan, address)),
            peers: others.map(|peer| peer.address).collect(),
            on_link: instance.program.can.unicast_ttl && vip.is_ipv4(),
            vip: format!("{vip}/{prefix}"),
            checks: checked(instance, site)
                .filter(|(_, endpoint)| endpoint.address() == Some(*vip))
                .map(|(name, _)| name)
                .collect(),
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

/// What the check of an endpoint knows on a machine.
pub(super) fn check(host: &Host, endpoint: &Endpoint) -> Assignments {
    let own = endpoint.backend_on(host);
    let (ca, url) = match (&endpoint.alive, own) {
        (Alive::Get { path, ca, .. }, Some(own)) => {
            (ca.clone(), format!("https://{}{path}", host_port(own.address, own.port)))
        }
        _ => (String::new(), String::new()),
    };
    let balancer = endpoint.balancer.as_ref();
    let says = balancer.filter(|balancer| balancer.kind == LoadBalancerKind::Haproxy);
    let status_port = says.map(|balancer| balancer.status_port.to_string());
    let mut words = Assignments::new("keepalived runs this.");
    words
        // Of the endpoint's family, bare: bash's `/dev/tcp` takes no brackets.
        .word("loopback", &loopback(endpoint.address().unwrap_or(host.address)).to_string())
        .word("port", &endpoint.port.to_string())
        .list("peers", peers(host, endpoint))
        // Exists from the moment on at which this node has an API server.
        .word("manifest", own.map_or("", |own| own.starts_with))
        .word("ca", &ca)
        // Where this node's API server says that it is ready, its member of etcd that it has a
        // quorum, and haproxy whether it finds an API server; nginx does not know.
        .word("api_server", &url)
        .word("member", own.and_then(|own| own.quorum.as_deref()).unwrap_or_default())
        .word("status_port", &status_port.unwrap_or_default());
    words
}

/// Who is reached by a machine that is not cut off, `address/port`: the other servers behind the
/// endpoint, the next one in the inventory first, so that not all ask the same one; then its
/// witnesses, where a server on this machine has no quorum to ask. None where no other machine could
/// take the VIP.
fn peers(host: &Host, endpoint: &Endpoint) -> Vec<String> {
    let at = |address: IpAddr, port: u16| format!("{address}/{port}");
    if endpoint.vip().is_none_or(|held| held.hosts.len() < 2) {
        return Vec::new();
    }
    let others = endpoint.backends.iter().filter(|other| other.host != host.index);
    let (earlier, later): (Vec<&Backend>, Vec<&Backend>) =
        others.partition(|other| other.host < host.index);
    let others = later.into_iter().chain(earlier);
    let mut peers: Vec<String> = others.map(|other| at(other.address, other.port)).collect();
    let wants = endpoint.backend_on(host).is_some_and(|own| own.quorum.is_none());
    if !peers.is_empty() && wants {
        peers.extend(endpoint.witnesses.iter().map(|(address, port)| at(*address, *port)));
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
