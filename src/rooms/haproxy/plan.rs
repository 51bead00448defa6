//! What the section says, with every default filled in.

use serde::Serialize;

use crate::catalog;
use crate::inventory::haproxy::{Balance, HaproxySection};
use crate::inventory::values::Duration;
use crate::site::{Host, Program, Site, idle_timeout};

use super::KIND;

/// What decides the version, where it is said.
const VERSION: &[&str] = &["loadBalancer", "haproxy", "version"];

/// Every decision of the room.
#[derive(Debug)]
pub(super) struct HaproxyPlan {
    pub(super) settings: Settings,
    pub(super) instances: Vec<Program<catalog::Haproxy>>,
}

/// What is settled for every machine, under the section's own keys: `hagen show` writes it out, and
/// the template is filled with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) balance: Balance,
    pub(super) idle_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) check_interval: Duration,
    pub(super) check_timeout: Duration,
    pub(super) fall: u32,
    pub(super) rise: u32,
    pub(super) max_connections: u32,
    /// What was asked for; `None` is "where the version can", so that machines differ.
    #[serde(skip)]
    pub(super) metrics: Option<bool>,
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
        let said = (VERSION, version.as_ref());
        let instance =
            |host: &Host| Program::new(host, "haproxy", said, host.os.haproxy, catalog::haproxy);
        let settings = Settings {
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
        };
        Self { settings, instances: site.balancers(KIND).map(instance).collect() }
    }

    /// The haproxy of this machine, where it runs one.
    pub(super) fn on(&self, host: &Host) -> Option<&Program<catalog::Haproxy>> {
        self.instances.iter().find(|program| program.host == host.index)
    }

    /// Whether this machine serves metrics.
    pub(super) fn metrics_on(&self, program: &Program<catalog::Haproxy>) -> bool {
        self.settings.metrics.unwrap_or(program.can.prometheus_exporter)
    }
}
