use ipnet::IpNet;

use crate::catalog::{self, KubernetesVersion, Release, Version};
use crate::inventory::etcd::{EtcdEndpoints, EtcdMode, EtcdSection};
use crate::inventory::node::Role;
use crate::inventory::runtime::{RuntimeKind, RuntimeSection};
use crate::inventory::{ClusterSection, Inventory, LoadBalancerKind};
use crate::report::{Finding, Path, Report};
use crate::site::component::{NodePorts, PodMasks, keeps_swap};
use crate::site::kubernetes::MEMBER;
use crate::site::{Etcd, Host, Kubernetes, Patch, Runtime, archives, balancer, codes, pod_range};

/// The place of the API's endpoint among all.
const API: usize = 0;

/// All of it, and which hosts are members of etcd.
pub(super) fn resolve(
    said: &Inventory,
    hosts: &mut [Host],
    patches: &[Patch],
    report: &mut Report,
) -> Option<Kubernetes> {
    let ClusterSection { name: _, kubernetes, domain, pod_subnet, service_subnet, api_port } =
        &said.cluster;
    let (version, release) = release(kubernetes.as_str(), report)?;
    let pod_subnets = pod_subnet
        .as_ref()
        .map_or_else(|| vec![v4_network(10, 244, 16)], |networks| networks.get().clone());
    let pod_masks = PodMasks::of(said, &pod_subnets);
    pod_range::assign(hosts, said, &pod_subnets, &pod_masks, report);
    let image_repository = said
        .images
        .registry
        .as_ref()
        .map_or_else(|| release.image_repository(version.patch).to_owned(), ToString::to_string);
    balancer::lint(&said.load_balancer, report);
    let runtime = runtime(&said.runtime, release, &image_repository, report)?;
    let etcd = etcd(said, hosts, version, release)?;
    // The role that was said counts with an external store only; the members are marked by it.
    for host in hosts.iter_mut() {
        host.roles.remove(&MEMBER);
        if etcd.members.contains(&host.index) {
            host.roles.insert(MEMBER);
        }
    }
    Some(Kubernetes {
        version,
        release,
        domain: domain.as_ref().map_or_else(|| "cluster.local".into(), ToString::to_string),
        pod_subnets,
        service_subnets: service_subnet
            .as_ref()
            .map_or_else(|| vec![v4_network(10, 96, 12)], |networks| networks.get().clone()),
        pod_network: said.cni.plugin,
        pod_masks,
        node_ports: NodePorts::of(said),
        swap: keeps_swap(said, patches),
        api_port: api_port.map_or(6443, |port| port.get()),
        image_repository,
        endpoint: API,
        etcd,
        runtime,
        proxy_mode: said.kube_proxy.mode,
    })
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
            let newest = match kind {
                RuntimeKind::Containerd => release.newest_containerd(),
                RuntimeKind::Docker => release.newest_docker(),
            };
            (newest, newest.series())
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
    nodes: &[Host],
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
        nodes.iter().filter(|node| node.control_plane()).map(|node| node.index).collect();
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
