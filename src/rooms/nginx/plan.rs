//! What the section says, with every default filled in.

use serde::Serialize;

use crate::catalog;
use crate::inventory::nginx::NginxSection;
use crate::inventory::values::Duration;
use crate::site::{Host, Program, Site, idle_timeout};

use super::KIND;

/// What decides the version, where it is said.
const VERSION: &[&str] = &["loadBalancer", "nginx", "version"];

/// Every decision of the room.
#[derive(Debug)]
pub(super) struct NginxPlan {
    pub(super) settings: Settings,
    pub(super) instances: Vec<Program<catalog::Nginx>>,
}

/// What is settled for every machine, under the section's own keys: `hagen show` writes it out, and
/// the template is filled with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) idle_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) max_fails: u32,
    pub(super) fail_timeout: Duration,
    pub(super) worker_connections: u32,
}

impl NginxPlan {
    pub(super) fn new(section: &NginxSection, site: &Site) -> Self {
        let NginxSection {
            version,
            idle_timeout,
            connect_timeout,
            max_fails,
            fail_timeout,
            worker_connections,
        } = section;
        let seconds = |seconds: u64| Duration::from_millis(seconds * 1000);
        let said = (VERSION, version.as_ref());
        let instance =
            |host: &Host| Program::new(host, "nginx", said, host.os.nginx, catalog::nginx);
        let settings = Settings {
            idle_timeout: idle_timeout.clone().unwrap_or(idle_timeout::DEFAULT),
            // nginx's own default of 60 s would hold each client of a dead host that long. Every
            // `fail_timeout` one client finds out that the host is still dead: with 1 s here such
            // clients gave up for as long as the host was off, 14 s after a power cut on the
            // proving ground.
            connect_timeout: connect_timeout.clone().unwrap_or(Duration::from_millis(300)),
            // nginx's own default; a session goes on to the next server by itself.
            max_fails: max_fails.unwrap_or(1),
            // Half of nginx's default: an API server that has just started is used sooner, and
            // one that is dead costs a client `connect_timeout` every five seconds.
            fail_timeout: fail_timeout.clone().unwrap_or_else(|| seconds(5)),
            // kubespray's, roles/kubernetes/node/templates/loadbalancer/nginx.conf.j2.
            worker_connections: worker_connections.unwrap_or(16_384),
        };
        Self { settings, instances: site.balancers(KIND).map(instance).collect() }
    }

    /// The nginx of this machine, where it runs one.
    pub(super) fn on(&self, host: &Host) -> Option<&Program<catalog::Nginx>> {
        self.instances.iter().find(|program| program.host == host.index)
    }
}
