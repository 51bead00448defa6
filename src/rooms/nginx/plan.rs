//! What the section says, with every default filled in.

use crate::catalog::{self, FamilyFacts, builds_of};
use crate::inventory::nginx::NginxSection;
use crate::inventory::values::{Duration, ProgramVersion};
use crate::report::Path;
use crate::site::{Endpoint, Host, LoadBalancerKind, Site, idle_timeout};

/// Every decision of the room.
#[derive(Debug)]
pub(super) struct NginxPlan {
    pub(super) idle_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) max_fails: u32,
    pub(super) fail_timeout: Duration,
    pub(super) worker_connections: u32,
    pub(super) instances: Vec<Instance>,
}

/// One machine's nginx.
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
    pub(super) can: catalog::Nginx,
    pub(super) family: &'static FamilyFacts,
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
        Self {
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
            instances: site
                .hosts
                .iter()
                .filter(|host| on(host, site).next().is_some())
                .map(|host| Instance::new(host, version.as_ref()))
                .collect(),
        }
    }

    /// The nginx of this machine, where it runs one.
    pub(super) fn on(&self, host: &Host) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.index == host.index)
    }
}

/// The endpoints whose sessions nginx of this machine passes on.
pub(super) fn on<'a>(host: &'a Host, site: &'a Site) -> impl Iterator<Item = &'a Endpoint> {
    site.endpoints.iter().filter(|endpoint| {
        let balancer = endpoint.balancer_on(host);
        balancer.is_some_and(|balancer| balancer.kind == LoadBalancerKind::Nginx)
    })
}

impl Instance {
    fn new(node: &Host, said: Option<&ProgramVersion>) -> Self {
        let parsed = said.and_then(|version| version.as_str().parse().ok());
        let version = parsed.unwrap_or(node.os.nginx);
        let version_at = match said {
            Some(_) => Path::of(&["loadBalancer", "nginx", "version"]),
            None => node.path().key("os"),
        };
        Self {
            index: node.index,
            name: node.name.clone(),
            wanted: said.map(|said| builds_of("nginx", version, said.is_exact(), node.os.family)),
            version,
            version_at,
            can: catalog::nginx(version),
            family: node.os.family_facts(),
        }
    }
}
