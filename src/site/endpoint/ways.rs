//! What an inventory still has to say for another way to the API: advice has to hold to the letter.

use crate::inventory::endpoint::{EndpointSection, HolderKind};
use crate::report::listed;
use crate::site::Host;

/// The inventory as it is, for the keys that are said already are not asked for again.
pub(in crate::site) struct Ways<'a> {
    pub(in crate::site) hosts: &'a [Host],
    /// The API servers' own.
    pub(in crate::site) api_port: u16,
    /// The endpoint's, where there is one.
    pub(in crate::site) port: Option<u16>,
    /// Whether there is one.
    pub(in crate::site) vip: bool,
}

/// A port for balancers beside API servers, which listen on this one.
pub(super) fn another_port(api_port: u16) -> u16 {
    if api_port == 8443 { 16443 } else { 8443 }
}

impl<'a> Ways<'a> {
    /// Beside what the section says.
    pub(in crate::site) fn beside(
        said: &EndpointSection,
        api_port: u16,
        hosts: &'a [Host],
    ) -> Self {
        let port = said.port.map(|port| port.get());
        Self { hosts, api_port, port, vip: said.vip.is_some() }
    }

    /// The keys that the holder of a VIP lacks.
    pub(super) fn vip(&self, kind: HolderKind) -> String {
        if kind == HolderKind::KubeVip { self.kube_vip() } else { self.keepalived() }
    }

    /// The keys that keepalived lacks, as `` `vip: …`, `port: 8443` and `interface: …` ``.
    pub(in crate::site) fn keepalived(&self) -> String {
        let apart = self.hosts.iter().any(Host::load_balancer);
        let holds = move |host: &&Host| match apart {
            true => host.load_balancer(),
            false => host.control_plane(),
        };
        let holders = || self.hosts.iter().filter(holds);
        let port = self.port().filter(|_| holders().any(Host::control_plane));
        self.held(port, holders().any(|host| host.interface.is_empty()))
    }

    /// The keys that kube-vip lacks.
    fn kube_vip(&self) -> String {
        let mut holders = self.hosts.iter().filter(|host| host.control_plane());
        self.held(None, holders.any(|host| host.interface.is_empty()))
    }

    fn held(&self, port: Option<String>, interface: bool) -> String {
        let vip = (!self.vip).then(|| "`vip: …`".to_owned());
        let interface = interface.then(|| "`interface: …`".to_owned());
        listed(vip.into_iter().chain(port).chain(interface))
    }

    /// The keys of a balancer on each node.
    pub(in crate::site) fn node_local(&self) -> String {
        listed([Some("`holder: nodeLocal`".to_owned()), self.port()].into_iter().flatten())
    }

    /// One for balancers beside API servers, where there is none yet.
    fn port(&self) -> Option<String> {
        let taken = self.port.is_none_or(|port| port == self.api_port);
        taken.then(|| format!("`port: {}`", another_port(self.api_port)))
    }
}

/// How these lose a role: a node has one at least.
pub(crate) fn without_role<'a>(role: &str, hosts: impl IntoIterator<Item = &'a Host>) -> String {
    let (whole, part): (Vec<&Host>, Vec<&Host>) =
        hosts.into_iter().partition(|host| host.roles.len() == 1);
    let names = |hosts: &[&Host]| listed(hosts.iter().map(|host| &host.name));
    let part =
        (!part.is_empty()).then(|| format!("take the role `{role}` away from {}", names(&part)));
    let nodes = if whole.len() == 1 { "node" } else { "nodes" };
    let whole = (!whole.is_empty()).then(|| format!("remove the {nodes} {}", names(&whole)));
    listed(part.into_iter().chain(whole))
}
