use super::plan::Kubeadm;
use super::{config, pki, sans, steps};
use crate::claims::{Bind, Name, OwnedPath, Port, Protocol, Reach, RoomClaims};
use crate::report::Path;
use crate::site::{Cluster, EtcdMode, Host};

impl Kubeadm {
    /// States certificates, names, ports, folders and images.
    pub(super) fn claim(&self, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
        for node in cluster.nodes {
            claims.node(node.index).scripts.extend(steps::scripts(node, cluster));
        }
        let names = sans::of_clients(cluster).into_iter();
        claims.names.extend(names.map(|(san, at)| Name { san, at }));
        for node in cluster.control_planes() {
            claims.certificates.extend(pki::specs(cluster, node));
            let images = control_plane_images(cluster);
            let node_claims = claims.node(node.index);
            node_claims.ports.extend(ports(cluster, node));
            node_claims.arguments.extend(self.arguments(cluster, node));
            node_claims.images.extend(images);
            if cluster.etcd.mode == EtcdMode::Stacked {
                node_claims.paths.push(OwnedPath {
                    path: cluster.etcd.data_dir.clone(),
                    remove_on_reset: true,
                    mounts: false,
                    at: Path::of(&["etcd", "dataDir"]),
                });
            }
        }
    }

    /// What the node's static pods run with: the flags that were said, and those of kubeadm's that
    /// other files agree with.
    fn arguments(&self, cluster: &Cluster<'_>, node: &Host) -> Vec<(&'static str, String, String)> {
        let own = [
            ("kube-apiserver", "advertise-address", node.address.to_string()),
            ("kube-apiserver", "secure-port", cluster.api_port.to_string()),
            (
                "kube-apiserver",
                "service-cluster-ip-range",
                config::joined(&cluster.service_subnets),
            ),
            ("kube-controller-manager", "cluster-cidr", config::joined(&cluster.pod_subnets)),
        ];
        let said = self.flags().into_iter().flat_map(|(part, flags)| {
            let flags = flags.iter();
            let stay =
                flags.filter(move |(name, _)| !self.removed.contains(&(part, (*name).clone())));
            stay.map(move |(name, value)| (part.program(), name.as_str(), value.clone()))
        });
        let of_etcd = self.etcd.iter();
        let said = said.chain(of_etcd.map(|(name, value)| ("etcd", name.as_str(), value.clone())));
        own.into_iter()
            .filter(|(_, _, value)| !value.is_empty())
            .chain(said)
            .map(|(component, name, value)| (component, name.to_owned(), value))
            .collect()
    }
}

fn ports(cluster: &Cluster<'_>, node: &Host) -> Vec<Port> {
    let release = Path::of(&["cluster", "kubernetes"]);
    let tcp = |bind, port, reach, what, at: &Path| Port {
        protocol: Protocol::Tcp,
        bind,
        port,
        reach,
        what,
        at: at.clone(),
    };
    let api_port = Path::of(&["cluster", "apiPort"]);
    let mut ports = vec![
        // Pods reach it at its own port: the service `kubernetes` leads there from every node.
        tcp(Bind::Any, cluster.api_port, Reach::Nodes, "the API server", &api_port),
        tcp(Bind::Loopback, 10257, Reach::Host, "the controller manager", &release),
        tcp(Bind::Loopback, 10259, Reach::Host, "the scheduler", &release),
    ];
    if !cluster.release.static_pods.secure_probes {
        // Probed over HTTP, which these releases leave open on every address.
        ports.extend([
            tcp(Bind::Any, 10251, Reach::Host, "the scheduler over HTTP", &release),
            tcp(Bind::Any, 10252, Reach::Host, "the controller manager over HTTP", &release),
        ]);
    }
    if cluster.etcd.mode == EtcdMode::Stacked {
        let etcd = Path::of(&["etcd", "mode"]);
        let metrics = Path::of(&["etcd", "metricsPort"]);
        let own = Bind::Address(node.address);
        ports.extend([
            // kubeadm's fixed ports of a stacked member.
            tcp(own, 2379, Reach::ControlPlanes, "etcd for API servers", &etcd),
            tcp(Bind::Loopback, 2379, Reach::Host, "etcd for the node itself", &etcd),
            tcp(own, 2380, Reach::Members, "etcd among members", &etcd),
            tcp(Bind::Loopback, cluster.etcd.metrics_port, Reach::Host, "etcd's metrics", &metrics),
        ]);
    }
    ports
}

/// What kubeadm pulls on a control plane, except for the sandbox and kube-proxy.
fn control_plane_images(cluster: &Cluster<'_>) -> Vec<String> {
    let (release, patch) = (cluster.release, cluster.version.patch);
    let repository = &cluster.image_repository;
    let mut images: Vec<String> = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .iter()
        .map(|program| format!("{repository}/{program}:v{}", cluster.version))
        .collect();
    images.push(release.coredns_image(patch, repository, None));
    if cluster.etcd.mode == EtcdMode::Stacked {
        images.push(format!("{repository}/etcd:{}", release.etcd_image(patch)));
    }
    images
}
