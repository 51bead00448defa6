//! What there is to choose from. No digest has this file: a run's digest has what it chose, so that
//! another entry makes no record due.

use crate::release::{Release, System};
use crate::scripts::StartOver;
use crate::topology::{HAPROXY, Topology};

/// Every release, the one of the tests first.
pub(crate) static RELEASES: &[Release] = &[
    Release {
        minor: "1.37",
        module: "kubernetes-1.37",
        more: include_str!("kubernetes-1.37.yaml"),
        secrets: &[],
    },
    Release {
        minor: "1.30",
        module: "kubernetes-1.30",
        more: include_str!("kubernetes-1.30.yaml"),
        secrets: &[],
    },
    Release {
        minor: "1.20",
        module: "debian-1.20",
        more: include_str!("kubernetes-1.20.yaml"),
        // Joining control planes refuse any other key of service accounts (kubernetes#112508).
        secrets: &["--rsa", "2048"],
    },
];

/// Every system, that of machines of which nothing else is said first.
pub(crate) static SYSTEMS: &[System] = &[
    System { name: "debian-12", repository: "packages", manager: "apt-get", only: None },
    System { name: "rocky-9", repository: "packages", manager: "dnf", only: None },
    // The newest of these releases that it runs.
    System { name: "centos-7", repository: "centos-7", manager: "yum", only: Some("1.20") },
];

/// A VIP beside the API servers, so on another port.
const VIP: &str = "endpoint: {vip: 10.0.0.10/24, port: 8443, interface: eth0}\n";

/// Three control planes and two workers, not all with the endpoint's interface.
const NODES: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], interface: ens3}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker]}
";

/// The same with a control plane and a worker of the RPM family beside Debian's.
const MIXED: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], os: {distribution: rocky, release: \"9\"}}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker], os: {distribution: rocky, release: \"9\"}}
";

/// The same with CentOS 7.
const OLD: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], os: {distribution: centos, release: \"7\"}}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker], os: {distribution: centos, release: \"7\"}}
";

/// Debian's only.
const PLAIN: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane]}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
  - {name: w2, address: 10.0.0.22, roles: [worker]}
";

/// Debian's only, with balancers on machines of their own.
const BALANCED: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane]}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
  - {name: lb1, address: 10.0.0.41, roles: [load-balancer]}
  - {name: lb2, address: 10.0.0.42, roles: [load-balancer]}
";

/// One control plane.
const SINGLE: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
";

/// Debian's only, with members of etcd on machines of their own.
const SEPARATE: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane]}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
  - {name: w2, address: 10.0.0.22, roles: [worker]}
  - {name: etcd1, address: 10.0.0.31, roles: [etcd]}
  - {name: etcd2, address: 10.0.0.32, roles: [etcd]}
  - {name: etcd3, address: 10.0.0.33, roles: [etcd]}
";

/// One machine that is all there is.
pub(crate) static ALONE: Topology = Topology {
    name: "alone",
    what: "one control plane",
    on_request: true,
    scenarios: &[],
    starts_over: StartOver::Nobody,
    endpoint: VIP,
    nodes: "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane, worker]}
",
    more: "",
    balancer: HAPROXY,
};

/// Every topology, in the order in which they run.
pub(crate) static TOPOLOGIES: &[Topology] = &[
    Topology {
        name: "stacked-haproxy",
        what: "stacked etcd, haproxy",
        on_request: false,
        scenarios: &[],
        starts_over: StartOver::ControlPlaneAndWorker,
        endpoint: VIP,
        nodes: NODES,
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "external-haproxy",
        what: "external etcd on the control planes, haproxy, EL 9 beside Debian 12",
        on_request: false,
        scenarios: &["disk lost"],
        starts_over: StartOver::ControlPlaneAndMember,
        endpoint: VIP,
        nodes: MIXED,
        more: "etcd: {mode: external}\n",
        balancer: HAPROXY,
    },
    Topology {
        name: "stacked-nginx",
        what: "stacked etcd, nginx, CentOS 7 beside Debian 12",
        on_request: false,
        scenarios: &["network unplugged", "hung"],
        starts_over: StartOver::Node("w2"),
        endpoint: VIP,
        nodes: OLD,
        more: "loadBalancer: {kind: nginx}\n\
               allow: [{code: nginx/passive-checks, reason: measured here}]\n",
        balancer: "nginx.service",
    },
    Topology {
        name: "load-balancers",
        what: "VIP and haproxy on machines of their own",
        on_request: false,
        scenarios: &["powered off", "balancer killed"],
        starts_over: StartOver::Node("lb2"),
        // Nothing beside them wants the API servers' own port.
        endpoint: "endpoint: {vip: 10.0.0.10/24, port: 6443, interface: eth0}\n",
        nodes: BALANCED,
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "node-local",
        what: "haproxy on each node's loopback",
        on_request: false,
        scenarios: &["powered off", "balancer killed"],
        starts_over: StartOver::Node("w2"),
        endpoint: "endpoint: {holder: nodeLocal, port: 7443}\n",
        nodes: PLAIN,
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "single",
        what: "one control plane, no balancer",
        on_request: false,
        scenarios: &["all control planes"],
        starts_over: StartOver::Nobody,
        endpoint: "endpoint: {holder: host}\n",
        nodes: SINGLE,
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "separate-haproxy",
        what: "etcd on machines of its own, haproxy",
        on_request: true,
        scenarios: &[],
        starts_over: StartOver::Nobody,
        endpoint: VIP,
        nodes: SEPARATE,
        more: "etcd: {mode: external}\n",
        balancer: HAPROXY,
    },
];
