//! What several sections depend on: the release, the operating system, the networks, and which
//! machines there are.

use hagen::catalog::{KubernetesVersion, NEWEST_MINOR, OLDEST_MINOR, Release, oses};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::sections::map;

/// Decided before anything else is.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) release: KubernetesVersion,
    /// `<distribution>-<release>`.
    pub(super) system: String,
    pub(super) networks: Networks,
    pub(super) external_etcd: bool,
    /// How machines are called; a number follows.
    naming: &'static str,
    /// Whether each node names its interface, and the endpoint none.
    own_interfaces: bool,
}

/// The address families of nodes, then pods and services.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Networks {
    V4,
    V6,
    /// Pods and services have both; nodes have IPv4.
    DualV4,
    /// Nodes have IPv6.
    DualV6,
}

impl Networks {
    /// Of nodes and the VIP.
    pub(super) fn v4(self) -> bool {
        matches!(self, Self::V4 | Self::DualV4)
    }

    /// Of every second node, where pods have both families.
    fn second_address(self, host: usize) -> Option<String> {
        match self {
            Self::DualV4 if host % 2 == 1 => Some(format!("fd00:20::{host:x}")),
            Self::DualV6 if host % 2 == 1 => Some(format!("10.20.0.{host}")),
            _ => None,
        }
    }

    fn address(self, host: usize) -> String {
        if self.v4() { format!("10.20.0.{host}") } else { format!("fd00:20::{host:x}") }
    }
}

impl Frame {
    /// The catalog's facts about the release.
    pub(super) fn facts(&self) -> &'static Release {
        self.release.release().expect("the frame's releases are in the catalog")
    }

    /// The name of the first control plane.
    pub(super) fn first(&self) -> String {
        self.name(0)
    }

    fn name(&self, index: usize) -> String {
        format!("{}{index:02}", self.naming)
    }
}

/// Operating systems on which this release's kubelet starts; the default is half of them.
fn systems(release: &'static Release) -> impl Strategy<Value = String> + use<> {
    let able = |cgroup_v2: bool| cgroup_v2 || !release.kubelet.cgroup_v2_required;
    let systems: Vec<_> = oses().filter(|os| able(os.cgroup_v2)).map(|os| os.id.clone()).collect();
    prop_oneof![Just("debian-12".to_owned()), select(systems)]
}

/// An `os` section.
pub(super) fn os(system: &str) -> Value {
    let (distribution, release) = system.split_once('-').unwrap();
    json!({"distribution": distribution, "release": release})
}

pub(super) fn frames(release: Option<&'static str>) -> impl Strategy<Value = Frame> {
    let releases = match release {
        Some(release) => vec![release.to_owned()],
        None => (OLDEST_MINOR..=NEWEST_MINOR).rev().map(|minor| format!("1.{minor}.1")).collect(),
    };
    let releases = select(releases).prop_map(|text| text.parse::<KubernetesVersion>().unwrap());
    let namings =
        ["n", "node-", "rack1.example.com-", "as-long-as-the-name-of-a-certificate-lets-it-be-00"];
    releases.prop_flat_map(move |release| {
        let facts = release.release().unwrap();
        let dual = if facts.dual_stack { vec![Networks::DualV4, Networks::DualV6] } else { vec![] };
        let networks = [vec![Networks::V4, Networks::V6], dual].concat();
        let networks = prop_oneof![Just(Networks::V4), select(networks)];
        let naming = select(namings.to_vec());
        let often = proptest::bool::weighted(0.2);
        (systems(facts), networks, any::<bool>(), naming, often).prop_map(
            move |(system, networks, external_etcd, naming, own_interfaces)| Frame {
                release,
                system,
                networks,
                external_etcd,
                naming,
                own_interfaces,
            },
        )
    })
}

/// The machines, without names and addresses: control planes, workers, members of an etcd of
/// their own.
pub(super) fn machines(frame: &Frame) -> impl Strategy<Value = Vec<Value>> + use<> {
    let plane: &[Value] = &[json!(["control-plane"]), json!(["control-plane", "worker"])];
    let member: &[Value] = &[json!(["etcd"]), json!(["etcd", "worker"])];
    // A member of an external etcd may be a control plane.
    let both = [json!(["control-plane", "etcd"])];
    let planes = if frame.external_etcd { [plane, &both].concat() } else { plane.to_vec() };
    let members = if frame.external_etcd { vec![0, 3, 1, 5] } else { vec![0] };
    let facts = frame.facts();
    let of = move |roles: &[Value], count: Vec<usize>| {
        let machine = (select(roles.to_vec()), extras(), systems(facts), 0..8)
            .prop_map(|(roles, mut machine, system, other)| {
                machine["roles"] = roles;
                if other == 7 {
                    machine["os"] = os(&system);
                }
                machine
            })
            .boxed();
        select(count).prop_flat_map(move |count| vec(machine.clone(), count))
    };
    (
        of(&planes, vec![3, 3, 1, 2, 5, 7]),
        of(&[json!(["worker"])], vec![0, 1, 2, 4]),
        of(member, members),
    )
        .prop_map(|(planes, workers, members)| [planes, workers, members].concat())
}

/// What may be said of one node.
fn extras() -> impl Strategy<Value = Value> {
    map(json!({
        "labels": [{"example.com/rack": "r1", "tier": ""}, {"topology.kubernetes.io/zone": "a"}],
        "taints": [[], ["example.com/own=storage:NoSchedule", "drained:NoExecute"]],
        "extraSans": [["203.0.113.7", "node.example.com"], ["2001:db8::7"]],
        "ssh": ["203.0.113.7", "host.example.com"],
        "interface": ["bond0.100", "enp5s0f0"],
    }))
}

impl Frame {
    /// The least that can be said of it.
    pub(super) fn inventory(&self, machines: Vec<Value>) -> Value {
        let Self { release, system, networks, own_interfaces, naming: _, external_etcd: _ } = self;
        let address = |host| networks.address(host);
        let prefix = if networks.v4() { 24 } else { 64 };
        let nodes: Vec<_> = machines
            .into_iter()
            .enumerate()
            .map(|(index, mut node)| {
                node["name"] = self.name(index).into();
                node["address"] = address(index + 11).into();
                // A machine that is a member alone runs no kubelet.
                let second = networks.second_address(index + 11);
                if let Some(second) = second.filter(|_| node["roles"] != json!(["etcd"])) {
                    node["secondAddress"] = second.into();
                }
                if *own_interfaces && node.get("interface").is_none() {
                    node["interface"] = "eth1".into();
                }
                node
            })
            .collect();
        let mut endpoint = json!({"vip": format!("{}/{prefix}", address(10)), "port": 8443});
        if !own_interfaces {
            endpoint["interface"] = "eth0".into();
        }
        json!({
            "apiVersion": "hagen/v1",
            "cluster": {"name": "any", "kubernetes": release.to_string()},
            "endpoint": endpoint,
            "os": os(system),
            "nodes": nodes,
        })
    }
}
