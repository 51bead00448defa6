use ipnet::IpNet;

use super::component::{NodePorts, PodMasks, keeps_swap};
use super::{
    Cluster, Endpoint, Etcd, Node, Patch, Proxy, Runtime, archives, authorities, balancer, codes,
    os, pod_range,
};
use crate::catalog::{self, KubernetesVersion, Release, Version};
use crate::inventory::etcd::{EtcdEndpoints, EtcdMode, EtcdSection};
use crate::inventory::node::{NodeSection, Role};
use crate::inventory::pki::{KeyAlgorithm, PkiSection};
use crate::inventory::runtime::{RuntimeKind, RuntimeSection};
use crate::inventory::{
    ClusterSection, EndpointSection, Inventory, LoadBalancerKind, NodeSelector, PatchSection,
};
use crate::pki::{Algorithm, Policy};
use crate::report::{Finding, Path, Report, closest};

/// Fills in every default. `None` where a fact is missing that nothing can be decided without:
/// an unknown release, no node at all.
pub fn resolve(said: &Inventory, report: &mut Report) -> Option<Cluster> {
    let ClusterSection { name, kubernetes, domain, pod_subnet, service_subnet, api_port } =
        &said.cluster;
    let (kubernetes, release) = release(kubernetes.as_str(), report)?;
    let EndpointSection { vip, port, interface: _, name: endpoint_name } = &said.endpoint;
    let endpoint = Endpoint {
        vip: vip.get().addr(),
        subnet: vip.get().trunc(),
        port: port.get(),
        name: endpoint_name.as_ref().map(ToString::to_string),
    };
    let mut nodes: Vec<Node> = said
        .nodes
        .iter()
        .enumerate()
        .map(|(index, section)| node(index, section, said, report))
        .collect();
    let pod_subnets = pod_subnet
        .as_ref()
        .map_or_else(|| vec![v4_network(10, 244, 16)], |networks| networks.get().clone());
    let pod_masks = PodMasks::of(said, &pod_subnets);
    pod_range::assign(&mut nodes, said, &pod_subnets, &pod_masks, report);
    let image_repository = said
        .images
        .registry
        .as_ref()
        .map_or_else(|| release.image_repository(kubernetes.patch).to_owned(), ToString::to_string);
    balancer::lint(&said.load_balancer, report);
    let runtime = runtime(&said.runtime, release, &image_repository, report)?;
    let etcd = etcd(said, &nodes, kubernetes, release)?;
    let patches = patches(said, report);
    let mut cluster = Cluster {
        name: name.to_string(),
        kubernetes,
        release,
        domain: domain.as_ref().map_or_else(|| "cluster.local".into(), ToString::to_string),
        pod_subnets,
        service_subnets: service_subnet
            .as_ref()
            .map_or_else(|| vec![v4_network(10, 96, 12)], |networks| networks.get().clone()),
        pod_network: said.cni.plugin,
        pod_masks,
        node_ports: NodePorts::of(said),
        swap: keeps_swap(said, &patches),
        api_port: api_port.map_or(6443, |port| port.get()),
        image_repository,
        endpoint,
        balancer: said.load_balancer.kind,
        // The port of haproxy's own examples for its exporter.
        haproxy_status_port: said.load_balancer.haproxy.stats_port.map_or(8404, |port| port.get()),
        etcd,
        runtime,
        proxy_mode: said.kube_proxy.mode,
        nodes,
        proxy: None,
        authorities: vec![authorities::KUBERNETES, authorities::FRONT_PROXY, authorities::ETCD],
        certificates: policy(&said.pki),
        patches,
    };
    for index in cluster.etcd.members.clone() {
        cluster.nodes[index].member = true;
    }
    cluster.proxy = said.host.proxy.as_ref().map(|said| Proxy::new(said, &cluster));
    Some(cluster)
}

/// `a.b.0.0/prefix`, for defaults that are constants.
fn v4_network(a: u8, b: u8, prefix: u8) -> IpNet {
    let address = std::net::Ipv4Addr::new(a, b, 0, 0);
    IpNet::V4(ipnet::Ipv4Net::new_assert(address, prefix))
}

fn release(text: &str, report: &mut Report) -> Option<(KubernetesVersion, &'static Release)> {
    let at = Path::of(&["cluster", "kubernetes"]);
    let version: KubernetesVersion = text.parse().ok()?;
    if let Some(release) = version.release() {
        return Some((version, release));
    }
    report.push(
        Finding::new(
            &codes::VERSION_UNKNOWN,
            at,
            format!(
                "Kubernetes {text} is outside the catalog, which knows 1.{} to 1.{}",
                catalog::OLDEST_MINOR,
                catalog::NEWEST_MINOR
            ),
        )
        .label("not in the catalog")
        .help("choose a release that the catalog knows, or a newer hagen"),
    );
    None
}

fn node(index: usize, section: &NodeSection, said: &Inventory, report: &mut Report) -> Node {
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
    let control_plane = roles.contains(&Role::ControlPlane);
    let interface = interface.as_ref().or(said.endpoint.interface.as_ref());
    if control_plane && interface.is_none() {
        report.push(
            Finding::new(
                &crate::inventory::codes::MISSING_KEY,
                Path::of(&["endpoint", "interface"]),
                format!("node {name} carries the VIP, but no interface is named for it"),
            )
            .because(Path::of(&["nodes"]).index(index), "this node has no `interface` either")
            .help(
                "add `interface: eth0` (the interface's real name) to `endpoint`, or to the node",
            ),
        );
    }
    Node {
        index,
        name: name.to_string(),
        address: *address.get(),
        second_address: second_address.as_ref().map(|address| *address.get()),
        ssh: ssh.as_ref().map_or_else(|| address.to_string(), ToString::to_string),
        control_plane,
        worker: roles.contains(&Role::Worker),
        member: false,
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

fn runtime(
    section: &RuntimeSection,
    release: &'static Release,
    image_repository: &str,
    report: &mut Report,
) -> Option<Runtime> {
    let RuntimeSection { kind, version, cgroup_driver, cri_dockerd } = section;
    let catalogued = match kind {
        RuntimeKind::Containerd => catalog::RuntimeKind::Containerd,
        RuntimeKind::Docker => catalog::RuntimeKind::Docker,
    };
    let (version, version_text): (Version, String) = match version {
        Some(version) => (version.as_str().parse().ok()?, version.to_string()),
        None => {
            let newest = newest_runtime(release, catalogued)?;
            (newest, format!("{}.{}", newest.major, newest.minor))
        }
    };
    if *kind == RuntimeKind::Docker && !release.dockershim && !cri_dockerd {
        report.push(
            Finding::new(
                &codes::DOCKERSHIM,
                Path::of(&["runtime", "kind"]),
                "the kubelet of this release cannot speak to docker by itself",
            )
            .label("its dockershim is gone")
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help("use `kind: containerd`, or add `criDockerd: true` to `runtime`"),
        );
    }
    Some(Runtime {
        kind: *kind,
        version,
        version_text,
        cri_dockerd: *cri_dockerd,
        cri_socket: release.cri_socket(catalogued),
        cgroup_driver: *cgroup_driver,
        pause_image: format!("{image_repository}/pause:{}", release.pause),
    })
}

fn etcd(
    said: &Inventory,
    nodes: &[Node],
    kubernetes: KubernetesVersion,
    release: &'static Release,
) -> Option<Etcd> {
    let section: &EtcdSection = &said.etcd;
    let in_role: Vec<usize> = said
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.roles.contains(&Role::Etcd))
        .map(|(index, _)| index)
        .collect();
    let control_planes: Vec<usize> =
        nodes.iter().filter(|node| node.control_plane).map(|node| node.index).collect();
    let external = section.mode == EtcdMode::External;
    let members = if external && !in_role.is_empty() { in_role } else { control_planes.clone() };
    let everywhere = control_planes.iter().all(|index| members.contains(index));
    let checks_readiness = said.load_balancer.kind == LoadBalancerKind::Haproxy;
    let local_endpoints = match section.endpoints {
        // kubeadm gives each stacked API server its own member.
        _ if !external => true,
        // On the proving ground the loss of a control plane behind haproxy cost clients 10.5 s of
        // stalled requests with every member as endpoint, in three of three tries, and less than 4 s
        // with its own. A balancer that does not check would keep an API server without its member.
        EtcdEndpoints::Auto => everywhere && checks_readiness,
        EtcdEndpoints::Local => true,
        EtcdEndpoints::All => false,
    };
    let version = match &section.version {
        Some(version) => version.as_str().parse().ok()?,
        None => match release.etcd_version(kubernetes.patch) {
            own if external => archives::default_version(own, &said.packages),
            own => own,
        },
    };
    let port = |said: Option<crate::inventory::values::Port>, default| {
        said.map_or(default, |port| port.get())
    };
    Some(Etcd {
        mode: section.mode,
        version,
        members,
        local_endpoints,
        client_port: port(section.client_port, 2379),
        peer_port: port(section.peer_port, 2380),
        metrics_port: port(section.metrics_port, 2381),
        data_dir: section
            .data_dir
            .as_ref()
            .map_or_else(|| "/var/lib/etcd".into(), ToString::to_string),
        settings: section
            .settings
            .iter()
            .map(|(flag, value)| (flag.to_string(), value.to_string()))
            .collect(),
        archives: archives::digests(version, &said.packages),
    })
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

/// The newest series that serves the release; upstream's own table decides where it has a word.
fn newest_runtime(release: &Release, kind: catalog::RuntimeKind) -> Option<Version> {
    match kind {
        catalog::RuntimeKind::Containerd => catalog::containerd_series()
            .filter(|series| release.runtimes.serves_containerd(series.series))
            .filter(|series| {
                series.kubernetes_from.is_none_or(|from| from <= release.minor)
                    && series.kubernetes_to.is_none_or(|to| release.minor <= to)
            })
            .map(|series| series.series)
            .max(),
        _ => release.runtimes.docker_max.or(Some(catalog::NEWEST_DOCKER)),
    }
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
