//! The endpoint of a cluster's API, as the inventory says it.

use std::net::Ipv4Addr;

use super::ways::{Ways, another_port, without_role};
use super::{Alive, Backend, Balancer, Endpoint, Holder, Hollow, Reached, Virtual, codes};
use crate::inventory::Inventory;
use crate::inventory::endpoint::{EndpointSection, HolderKind};
use crate::inventory::values::Address;
use crate::report::{Finding, Path, Report};
use crate::site::{EtcdMode, Host, Kubernetes, authorities, host_port, layout, loopback};

/// A name in every API server's certificate, whichever way it was issued: kubeadm's list begins
/// with the node's name and this one
/// (<https://kubernetes.io/docs/setup/best-practices/certificates/>).
const API_SERVER_NAME: &str = "kubernetes";

/// The API's endpoint. Where the inventory does not say all of it, that is reported, and the first
/// host stands in.
pub(in crate::site) fn of_api(
    said: &Inventory,
    facts: &Kubernetes,
    hosts: &[Host],
    report: &mut Report,
) -> Endpoint {
    let api = Api { said: &said.endpoint, facts, hosts };
    let kind = api.kind();
    let balancers = api.balancers(kind);
    api.unused(kind, &balancers, report);
    let held = api.held(kind, &balancers, report);
    let port = api.port(kind, held.is_some(), &balancers, report);
    let (reached, holder) = held.unwrap_or_else(|| {
        let first = hosts.first().map_or(Ipv4Addr::LOCALHOST.into(), |host| host.address);
        (Reached::Address(first), Holder::Host)
    });
    // Where clients ask for the name, it is no second way to say the same.
    let dns_name = api.said.name.as_ref().map(ToString::to_string);
    let dns_name = dns_name.filter(|name| reached != Reached::Name(name.clone()));
    let members = facts.etcd.members.iter().map(|index| &hosts[*index]);
    Endpoint {
        name: "apiserver",
        at: Path::of(&["endpoint"]),
        reached,
        port,
        dns_name,
        holder,
        balancer: (!balancers.is_empty()).then(|| Balancer {
            kind: said.load_balancer.kind,
            hosts: balancers,
            // The port of haproxy's own examples for its exporter.
            status_port: said.load_balancer.haproxy.stats_port.map_or(8404, |port| port.get()),
        }),
        backends: api.control_planes().map(|host| backend(host, facts)).collect(),
        alive: Alive::Get {
            path: facts.release.health_path.clone(),
            server_name: API_SERVER_NAME,
            authority: authorities::KUBERNETES,
            ca: format!("{}/ca.crt", layout::PKI),
        },
        witnesses: members.map(|member| (member.address, facts.etcd.client_port)).collect(),
    }
}

fn backend(host: &Host, facts: &Kubernetes) -> Backend {
    let hollow = facts.etcd.local_endpoints.then_some(match facts.etcd.mode {
        EtcdMode::Stacked => Hollow::StackedMember,
        EtcdMode::External => Hollow::LocalMember,
    });
    Backend {
        host: host.index,
        name: host.name.clone(),
        address: host.address,
        port: facts.api_port,
        starts_with: layout::API_SERVER,
        quorum: host.member().then(|| {
            let metrics = host_port(loopback(host.address), facts.etcd.metrics_port);
            format!("http://{metrics}/health")
        }),
        hollow,
    }
}

struct Api<'a> {
    said: &'a EndpointSection,
    facts: &'a Kubernetes,
    hosts: &'a [Host],
}

impl<'a> Api<'a> {
    fn at(key: &'static str) -> Path {
        Path::of(&["endpoint", key])
    }

    fn kind(&self) -> HolderKind {
        let EndpointSection { holder, vip, address, .. } = self.said;
        match holder {
            Some(kind) => *kind,
            None if vip.is_some() => HolderKind::Keepalived,
            None if address.is_some() => HolderKind::External,
            None => HolderKind::Host,
        }
    }

    fn control_planes(&self) -> impl Iterator<Item = &'a Host> + use<'a> {
        self.hosts.iter().filter(|host| host.control_plane())
    }

    fn load_balancers(&self) -> impl Iterator<Item = &'a Host> + use<'a> {
        self.hosts.iter().filter(|host| host.load_balancer())
    }

    /// The machines that run a balancer: those with the role where there are some.
    fn balancers(&self, kind: HolderKind) -> Vec<usize> {
        let places =
            |hosts: &mut dyn Iterator<Item = &Host>| hosts.map(|host| host.index).collect();
        match kind {
            HolderKind::NodeLocal => places(&mut self.hosts.iter().filter(|host| host.kubelet())),
            HolderKind::Keepalived if self.load_balancers().next().is_none() => {
                places(&mut self.control_planes())
            }
            HolderKind::Keepalived | HolderKind::External | HolderKind::Host => {
                places(&mut self.load_balancers())
            }
            HolderKind::KubeVip => Vec::new(),
        }
    }

    /// What clients ask for, and who answers. Where the address is said for another holder, that
    /// is one mistake, of which [`Api::unused`] speaks.
    fn held(
        &self,
        kind: HolderKind,
        balancers: &[usize],
        report: &mut Report,
    ) -> Option<(Reached, Holder)> {
        let EndpointSection { vip, address, name, holder, .. } = self.said;
        let mut lacks = |key, message: String, help: String| {
            if vip.is_none() && address.is_none() {
                report.push(lacks(key, message).help(help));
            }
        };
        let ways = self.ways();
        match kind {
            HolderKind::Keepalived | HolderKind::KubeVip => {
                let vrrp = kind == HolderKind::Keepalived;
                let Some(vip) = vip else {
                    let program = if vrrp { "keepalived" } else { "kube-vip" };
                    let what = "the VIP is an address of the nodes' subnet that nobody has, with its prefix";
                    let help = format!("add {}; {what}", ways.vip(kind));
                    lacks("vip", format!("{program} has no address to hold"), help);
                    return None;
                };
                let address = vip.get().addr();
                let hosts = if vrrp {
                    balancers.to_vec()
                } else {
                    self.control_planes().map(|host| host.index).collect()
                };
                let held = Virtual { address, subnet: vip.get().trunc(), hosts };
                let holder = if vrrp { Holder::Vrrp(held) } else { Holder::KubeVip(held) };
                Some((Reached::Address(address), holder))
            }
            HolderKind::External => {
                let reached = match (address, name) {
                    (Some(address), _) => Reached::Address(*address.get()),
                    (None, Some(name)) => Reached::Name(name.to_string()),
                    (None, None) => {
                        let message = "nothing says where somebody else's balancer is found";
                        let help = "add its `address: …`, or its `name: …` where DNS knows it";
                        lacks("address", message.into(), help.into());
                        return None;
                    }
                };
                Some((reached, Holder::External))
            }
            HolderKind::NodeLocal => {
                let first = self.hosts.first()?;
                Some((Reached::Address(loopback(first.address)), Holder::Loopback))
            }
            HolderKind::Host => {
                let answering = self.answering(balancers);
                // Without any it is `cluster/no-control-plane`.
                let (only, more) = answering.split_first()?;
                if !more.is_empty() {
                    let what = if balancers.is_empty() { "control planes" } else { "balancers" };
                    let message = format!(
                        "{} {what}, and no address that clients find all of them under",
                        answering.len()
                    );
                    let add =
                        if holder.is_some() { "remove `holder: host` and add" } else { "add" };
                    let external = match name {
                        Some(_) => "`holder: external`",
                        None => "`holder: external` with its `address: …`",
                    };
                    // Nobody would ask balancers of the inventory's own.
                    let others = match balancers {
                        [] => format!("{}, or {external}", ways.node_local()),
                        _ => external.to_owned(),
                    };
                    let help = format!(
                        "{add} {}, or say who else leads there: {others}",
                        ways.keepalived()
                    );
                    lacks("vip", message, help);
                    return None;
                }
                Some((Reached::Address(only.address), Holder::Host))
            }
        }
    }

    /// The machines that clients would ask under their own addresses.
    fn answering(&self, balancers: &[usize]) -> Vec<&'a Host> {
        match balancers {
            [] => self.control_planes().collect(),
            _ => self.load_balancers().collect(),
        }
    }

    fn ways(&self) -> Ways<'a> {
        Ways::beside(self.said, self.facts.api_port, self.hosts)
    }

    /// The port that clients use: the API server's own unless a balancer is beside one. `held` says
    /// whether somebody answers: what is lacking for that includes the port.
    fn port(&self, kind: HolderKind, held: bool, balancers: &[usize], report: &mut Report) -> u16 {
        let own = self.facts.api_port;
        let known = held || kind == HolderKind::External;
        let beside = balancers.iter().any(|place| self.hosts[*place].control_plane());
        let Some(said) = self.said.port.map(|port| port.get()) else {
            if !beside {
                return own;
            }
            let another = another_port(own);
            if known {
                let message =
                    format!("balancers run beside API servers, which listen on {own} already");
                let help =
                    format!("add `port: {another}`, or another one that nothing on the nodes uses");
                report.push(lacks("port", message).help(help));
            }
            return another;
        };
        let direct = matches!(kind, HolderKind::Host | HolderKind::KubeVip);
        if direct && known && balancers.is_empty() && said != own {
            report.push(
                Finding::new(
                    &codes::WRONG_PORT,
                    Self::at("port"),
                    format!("nobody listens on {said}: clients reach the API server itself"),
                )
                .because(
                    Path::of(&["cluster", "apiPort"]),
                    format!("the API server listens on {own}"),
                )
                .help(format!("remove it, or write `apiPort: {said}` below `cluster`")),
            );
        }
        said
    }

    /// What is said and read by nobody.
    fn unused(&self, kind: HolderKind, balancers: &[usize], report: &mut Report) {
        let EndpointSection { holder: _, vip, address, port: _, interface: _, name: _ } = self.said;
        let said = [
            ("vip", vip.is_some(), matches!(kind, HolderKind::Keepalived | HolderKind::KubeVip)),
            ("address", address.is_some(), kind == HolderKind::External),
        ];
        for (key, said, read) in said {
            if said && !read {
                let message = format!("`holder: {}` reads no `{key}`", kind.as_str());
                report.push(
                    Finding::new(&codes::UNUSED_KEY, Self::at(key), message)
                        .label("without effect")
                        .because(Self::at("holder"), "decides who answers")
                        .help(self.instead(kind, key, balancers)),
                );
            }
        }
        let instead = match kind {
            HolderKind::NodeLocal => "each node asks its own balancer",
            HolderKind::KubeVip => "clients reach the API server of the one that holds the VIP",
            HolderKind::Keepalived | HolderKind::External | HolderKind::Host => return,
        };
        let mut without_clients = self.load_balancers();
        if let Some(host) = without_clients.next() {
            let others = match without_clients.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let message = format!("node {}{others} would balance for nobody", host.name);
            let away = without_role("load-balancer", self.load_balancers());
            let holder = format!("`holder: {}`", kind.as_str());
            let keepalived = match self.ways().keepalived().as_str() {
                "" => format!("remove {holder}"),
                keys => format!("write {keys} instead of {holder}"),
            };
            report.push(
                Finding::new(&codes::ROLE_UNUSED, host.path().key("roles"), message)
                    .label("load-balancer")
                    .because(Self::at("holder"), instead)
                    .help(format!("{away}, or {keepalived}")),
            );
        }
    }

    /// What to do about `key`, which this holder does not read.
    fn instead(&self, kind: HolderKind, key: &str, balancers: &[usize]) -> String {
        let EndpointSection { holder, vip, address, name, .. } = self.said;
        let both = vip.is_some() && address.is_some();
        let of_a_node = |address: &Address| {
            self.hosts.iter().flat_map(Host::addresses).any(|own| own == *address.get())
        };
        let is_node = key == "address" && address.as_ref().is_some_and(of_a_node);
        let lacking = match kind {
            HolderKind::Keepalived | HolderKind::KubeVip => vip.is_none(),
            HolderKind::External => address.is_none() && name.is_none(),
            HolderKind::NodeLocal => false,
            HolderKind::Host => self.answering(balancers).len() > 1,
        };
        match (kind, vip, address) {
            (HolderKind::Keepalived | HolderKind::KubeVip, None, Some(address)) => format!(
                "write {} instead, the VIP as `{address}/…` with the prefix of its subnet",
                self.ways().vip(kind)
            ),
            (HolderKind::External, Some(vip), None) if lacking => {
                format!("write `address: {}` instead", vip.get().addr())
            }
            _ if both || is_node || holder.is_none() => format!("remove `{key}`"),
            _ => {
                let missing = self.ways().keepalived();
                let missing = match missing.as_str() {
                    keys if key == "vip" && !keys.is_empty() => format!(" and add {keys}"),
                    _ => String::new(),
                };
                let away = format!("remove `holder: {}`{missing}", kind.as_str());
                if lacking { away } else { format!("remove `{key}`, or {away}") }
            }
        }
    }
}

/// What has to be said beside the rest.
fn lacks(key: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(&codes::LACKS_KEY, Api::at(key), message.into())
        .label(format!("`{key}` is missing here"))
}
