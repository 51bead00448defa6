mod kubernetes;

use super::kubernetes::{CONTROL_PLANE, LOAD_BALANCER, MEMBER, WORKER};
use super::{
    Endpoint, Host, NodeNetwork, Patch, Proxy, Site, Virtual, authorities, balancer, codes,
    endpoint, os,
};
use crate::inventory::node::{NodeSection, Role};
use crate::inventory::pki::{KeyAlgorithm, PkiSection};
use crate::inventory::{ClusterSection, Inventory, NodeSelector, PatchSection};
use crate::pki::{Algorithm, Policy};
use crate::report::{Finding, Path, Report, closest};

/// Fills in every default. `None` where a fact is missing that nothing can be decided without:
/// an unknown release, no node at all.
pub fn resolve(said: &Inventory, report: &mut Report) -> Option<Site> {
    // In full, so that a new section cannot be forgotten: what is not read here or below is one
    // room's own.
    let Inventory {
        api_version: _,
        cluster,
        endpoint: _,
        load_balancer: _,
        keepalived: _,
        kube_vip: _,
        etcd: _,
        runtime: _,
        kubeadm: _,
        kubelet: _,
        kube_proxy: _,
        cni: _,
        os: _,
        host,
        packages: _,
        images: _,
        pki,
        nodes,
        extra_args: _,
        patches: _,
        units: _,
        files: _,
        private_files: _,
        allow: _,
    } = said;
    let mut hosts: Vec<Host> = nodes
        .iter()
        .enumerate()
        .map(|(index, section)| machine(index, section, said, report))
        .collect();
    let patches = patches(said, report);
    let kubernetes = kubernetes::resolve(said, &mut hosts, &patches, report)?;
    let api = endpoint::of_api(said, &kubernetes, &hosts, report);
    balancer::lint(said, &api, &hosts, report);
    interfaces(&hosts, &api, report);
    let mut site = Site {
        name: cluster.name.to_string(),
        networks: networks(cluster, &api),
        endpoints: vec![api],
        hosts,
        kubernetes: Some(kubernetes),
        proxy: None,
        authorities: vec![authorities::KUBERNETES, authorities::FRONT_PROXY, authorities::ETCD],
        certificates: policy(pki),
        patches,
    };
    let proxy = host.proxy.as_ref().zip(site.cluster());
    site.proxy = proxy.map(|(said, cluster)| Proxy::new(said, &cluster));
    Some(site)
}

fn machine(index: usize, section: &NodeSection, said: &Inventory, report: &mut Report) -> Host {
    let NodeSection {
        name,
        address,
        second_address,
        roles,
        ssh,
        extra_sans,
        os: own_os,
        interface,
        labels,
        taints,
        pod_range: _,
    } = section;
    let interface = interface.as_ref().or(said.endpoint.interface.as_ref());
    Host {
        index,
        name: name.to_string(),
        address: *address.get(),
        second_address: second_address.as_ref().map(|address| *address.get()),
        ssh: ssh.as_ref().map_or_else(|| address.to_string(), ToString::to_string),
        roles: roles.iter().map(|role| role_of(*role)).collect(),
        os: os::of_node(index, own_os.as_ref(), said, report),
        own_interface: section.interface.is_some(),
        interface: interface.map(ToString::to_string).unwrap_or_default(),
        extra_sans: extra_sans.iter().map(ToString::to_string).collect(),
        labels: labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        taints: taints.as_ref().map(|taints| {
            taints
                .iter()
                .map(|taint| {
                    let (key, value, effect) = taint.parts();
                    (key.to_owned(), value.to_owned(), effect.to_owned())
                })
                .collect()
        }),
        // Decided by its place among the others.
        pod_range: None,
    }
}

/// Whoever may hold a VIP has to be told where.
fn interfaces(hosts: &[Host], api: &Endpoint, report: &mut Report) {
    let holders = api.vip().into_iter().flat_map(|held| &held.hosts).map(|place| &hosts[*place]);
    let without: Vec<&Host> = holders.filter(|host| host.interface.is_empty()).collect();
    let [first, more @ ..] = &without[..] else { return };
    let carry = match more {
        [] => format!("node {} carries", first.name),
        [other] => format!("nodes {} and {} carry", first.name, other.name),
        _ => format!("node {} and {} more carry", first.name, more.len()),
    };
    let finding = Finding::new(
        &crate::inventory::codes::MISSING_KEY,
        Path::of(&["endpoint", "interface"]),
        format!("{carry} the VIP, but no interface is named for it"),
    )
    .help(format!(
        "add `interface: eth0` (the interface's real name) to `endpoint`, or to {}",
        if more.is_empty() { "the node" } else { "each of them" }
    ));
    report.push(without.iter().fold(finding, |finding, host| {
        finding.because(host.path(), "this node has no `interface` either")
    }));
}

/// What is said, else where the VIP is.
fn networks(said: &ClusterSection, api: &Endpoint) -> Vec<NodeNetwork> {
    if said.node_subnets.is_empty() {
        let held = api.vip().into_iter();
        let network = |held: &Virtual| NodeNetwork { range: held.subnet, at: api.at.key("vip") };
        return held.map(network).collect();
    }
    let at = Path::of(&["cluster", "nodeSubnets"]);
    let said = said.node_subnets.iter().enumerate();
    said.map(|(index, network)| NodeNetwork { range: *network.get(), at: at.index(index) })
        .collect()
}

fn role_of(said: Role) -> super::Role {
    match said {
        Role::ControlPlane => CONTROL_PLANE,
        Role::Worker => WORKER,
        Role::Etcd => MEMBER,
        Role::LoadBalancer => LOAD_BALANCER,
    }
}

fn patches(said: &Inventory, report: &mut Report) -> Vec<Patch> {
    let sections = said.patches.iter().enumerate();
    sections
        .map(|(index, PatchSection { document, nodes, patch })| {
            let at = Path::of(&["patches"]).index(index).key("nodes");
            Patch {
                index,
                document: document.clone(),
                nodes: nodes.as_ref().map(|selector| selected(selector, said, &at, report)),
                patch: serde_json::Value::Object(
                    patch.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
                ),
            }
        })
        .collect()
}

/// Names of the nodes that the selector at `at` means: any of its names, or any of its roles.
/// Reports names of no node, and a selector that means none (`cluster/node-selection`).
pub(crate) fn selected(
    selector: &NodeSelector,
    said: &Inventory,
    at: &Path,
    report: &mut Report,
) -> Vec<String> {
    let NodeSelector { names, roles } = selector;
    let known = || said.nodes.iter().map(|node| node.name.as_str());
    for (index, name) in names.iter().enumerate() {
        if known().any(|known| known == name.as_str()) {
            continue;
        }
        let finding = Finding::new(
            &codes::NODE_SELECTION,
            at.key("names").index(index),
            format!("no node is called `{name}`"),
        )
        .label("selects none");
        report.push(match closest(name.as_str(), known()) {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None => finding.help("write the `name` of one of `nodes`"),
        });
    }
    let selected: Vec<String> = said
        .nodes
        .iter()
        .filter(|node| {
            names.contains(&node.name) || node.roles.iter().any(|role| roles.contains(role))
        })
        .map(|node| node.name.to_string())
        .collect();
    if selected.is_empty() && names.is_empty() {
        let message = match roles.is_empty() {
            true => "neither names nor roles: this means no node",
            false => "no node has one of these roles",
        };
        report.push(
            Finding::new(&codes::NODE_SELECTION, at.clone(), message)
                .label("selects none")
                .help("without `nodes`, all are meant"),
        );
    }
    selected
}

fn policy(section: &PkiSection) -> Policy {
    let PkiSection { algorithm, ca_lifetime_days, leaf_lifetime_days } = section;
    let default = Policy::default();
    Policy {
        algorithm: match algorithm {
            KeyAlgorithm::EcdsaP256 => Algorithm::EcdsaP256,
            KeyAlgorithm::EcdsaP384 => Algorithm::EcdsaP384,
        },
        ca_lifetime_days: ca_lifetime_days.unwrap_or(default.ca_lifetime_days),
        leaf_lifetime_days: leaf_lifetime_days.unwrap_or(default.leaf_lifetime_days),
    }
}
