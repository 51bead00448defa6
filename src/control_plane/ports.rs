//! Where the programs of a control plane listen.

use crate::claims::{Bind, Port, Protocol, Reach};
use crate::report::Path;
use crate::site::{Cluster, EtcdMode, Host};

/// The ports of one control plane, with those of a member that is a static pod beside it.
pub fn of(cluster: &Cluster<'_>, node: &Host) -> Vec<Port> {
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
    let led = cluster.endpoint.balancer.is_some() && !cluster.endpoint.is_local();
    let mut ports = vec![
        // Pods reach it at its own port: the service `kubernetes` leads there from every node. Where
        // no machine of the site leads clients there, they come to it themselves.
        tcp(
            Bind::Any,
            cluster.api_port,
            if led { Reach::Nodes } else { Reach::Clients },
            "the API server",
            &api_port,
        ),
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
            // Those of kubeadm's manifest.
            tcp(own, 2379, Reach::ControlPlanes, "etcd for API servers", &etcd),
            tcp(Bind::Loopback, 2379, Reach::Host, "etcd for the node itself", &etcd),
            tcp(own, 2380, Reach::Members, "etcd among members", &etcd),
            tcp(Bind::Loopback, cluster.etcd.metrics_port, Reach::Host, "etcd's metrics", &metrics),
        ]);
    }
    ports
}
