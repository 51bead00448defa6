//! What the section says, with every default filled in.

use crate::catalog::{self, FamilyFacts, builds_of};
use crate::inventory::haproxy::{Balance, HaproxySection};
use crate::inventory::values::{Duration, ProgramVersion};
use crate::report::Path;
use crate::site::{Balancer, Endpoint, Host, LoadBalancerKind, Site, idle_timeout};

/// Every decision of the room.
#[derive(Debug)]
pub(super) struct HaproxyPlan {
    pub(super) balance: Balance,
    pub(super) idle_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) check_interval: Duration,
    pub(super) check_timeout: Duration,
    pub(super) fall: u32,
    pub(super) rise: u32,
    pub(super) max_connections: u32,
    /// What was asked for; `None` is "where the version can".
    pub(super) metrics: Option<bool>,
    pub(super) instances: Vec<Instance>,
}

/// One machine's haproxy.
#[derive(Debug)]
pub(super) struct Instance {
    /// The machine's position in the inventory.
    pub(super) index: usize,
    pub(super) name: String,
    /// The version of its package, where one is asked for.
    pub(super) wanted: Option<String>,
    pub(super) version: catalog::Version,
    /// Where the version was decided.
    pub(super) version_at: Path,
    pub(super) can: catalog::Haproxy,
    pub(super) family: &'static FamilyFacts,
}

impl HaproxyPlan {
    pub(super) fn new(section: &HaproxySection, site: &Site) -> Self {
        let HaproxySection {
            version,
            balance,
            idle_timeout,
            connect_timeout,
            check_interval,
            check_timeout,
            fall,
            rise,
            max_connections,
            // A fact that keepalived's check needs too.
            stats_port: _,
            metrics,
        } = section;
        Self {
            balance: *balance,
            idle_timeout: idle_timeout.clone().unwrap_or(idle_timeout::DEFAULT),
            // A session that meets a dead host has another API server's answer before a client
            // that gives up after a second does; so has one whose first packet is lost, which TCP
            // sends again after a second only (RFC 6298).
            connect_timeout: connect_timeout.clone().unwrap_or(Duration::from_millis(300)),
            // A host that is off, or an API server that hangs, is left after 2.5 s at most: three
            // handshakes of half a second, with half of that between them. On the proving ground
            // that bounds the outage: sessions that are being opened to the host just then are cut.
            check_interval: check_interval.clone().unwrap_or(Duration::from_millis(500)),
            // A slow API server is no dead one. All of them are slow at once, for they share etcd,
            // and a balancer that leaves them all cuts every watch and adds to their load. Their own
            // wait for etcd is two seconds.
            check_timeout: check_timeout.clone().unwrap_or(Duration::from_millis(3000)),
            fall: fall.unwrap_or(3),
            rise: rise.unwrap_or(2),
            // Enough for a thousand kubelets with a handful of long connections each.
            max_connections: max_connections.unwrap_or(4000),
            metrics: *metrics,
            instances: site
                .hosts
                .iter()
                .filter(|host| on(host, site).next().is_some())
                .map(|host| Instance::new(host, version.as_ref()))
                .collect(),
        }
    }

    /// The haproxy of this machine, where it runs one.
    pub(super) fn on(&self, host: &Host) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.index == host.index)
    }

    /// Whether this machine serves metrics.
    pub(super) fn metrics_on(&self, instance: &Instance) -> bool {
        self.metrics.unwrap_or(instance.can.prometheus_exporter)
    }
}

/// The endpoints whose sessions haproxy of this machine passes on.
pub(super) fn on<'a>(
    host: &'a Host,
    site: &'a Site,
) -> impl Iterator<Item = (&'a Endpoint, &'a Balancer)> {
    let balanced = |endpoint: &'a Endpoint| {
        let balancer = endpoint.balancer_on(host)?;
        (balancer.kind == LoadBalancerKind::Haproxy).then_some((endpoint, balancer))
    };
    site.endpoints.iter().filter_map(balanced)
}

impl Instance {
    fn new(node: &Host, said: Option<&ProgramVersion>) -> Self {
        let parsed = said.and_then(|version| version.as_str().parse().ok());
        let version = parsed.unwrap_or(node.os.haproxy);
        let version_at = match said {
            Some(_) => Path::of(&["loadBalancer", "haproxy", "version"]),
            None => node.path().key("os"),
        };
        Self {
            index: node.index,
            name: node.name.clone(),
            wanted: said.map(|said| builds_of("haproxy", version, said.is_exact(), node.os.family)),
            version,
            version_at,
            can: catalog::haproxy(version),
            family: node.os.family_facts(),
        }
    }
}
