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
    way: Way,
    /// Whether the nodes' networks are named.
    named_networks: bool,
}

/// How clients find the API.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Vip,
    KubeVip,
    LoadBalancers,
    NodeLocal,
    ExternalAddress,
    ExternalName,
    /// Under the address of the only control plane; with more of them, of a balancer.
    Host,
}

const WAYS: [Way; 7] = [
    Way::Vip,
    Way::KubeVip,
    Way::LoadBalancers,
    Way::NodeLocal,
    Way::ExternalAddress,
    Way::ExternalName,
    Way::Host,
];

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

    /// Whether keepalived holds the endpoint.
    pub(super) fn vip(&self) -> bool {
        matches!(self.way, Way::Vip | Way::LoadBalancers)
    }

    /// Whether it does so on control planes.
    pub(super) fn vip_on_control_planes(&self) -> bool {
        self.way == Way::Vip
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
        let often = || proptest::bool::weighted(0.2);
        let way = prop_oneof![Just(Way::Vip), select(WAYS.to_vec())];
        let ways = (way, often());
        (systems(facts), networks, any::<bool>(), naming, often(), ways).prop_map(
            move |(system, networks, external_etcd, naming, own_interfaces, ways)| Frame {
                release,
                system,
                networks,
                external_etcd,
                naming,
                own_interfaces,
                way: ways.0,
                named_networks: ways.1,
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
    /// What is said of the endpoint, and the machines that it takes besides.
    fn endpoint(&self, machines: &mut Vec<Value>) -> Value {
        let plane = |node: &Value| node["roles"][0] == "control-plane";
        let planes = machines.iter().filter(|node| plane(node)).count();
        let balancer = json!({"roles": ["load-balancer"]});
        match self.way {
            Way::Vip | Way::KubeVip => {}
            Way::LoadBalancers => machines.extend([balancer.clone(), balancer]),
            Way::NodeLocal => return json!({"holder": "nodeLocal", "port": 8443}),
            Way::ExternalAddress => return json!({"address": self.networks.address(9)}),
            Way::ExternalName => return json!({"holder": "external", "name": "api.example.com"}),
            Way::Host => {
                if planes > 1 {
                    machines.push(balancer);
                }
                return json!({"holder": "host"});
            }
        }
        let prefix = if self.networks.v4() { 24 } else { 64 };
        let mut said = json!({"vip": format!("{}/{prefix}", self.networks.address(10))});
        if self.way == Way::KubeVip {
            said["holder"] = "kubeVip".into();
        } else {
            said["port"] = 8443.into();
        }
        if !self.own_interfaces {
            said["interface"] = "eth0".into();
        }
        said
    }

    /// The least that can be said of it.
    pub(super) fn inventory(&self, mut machines: Vec<Value>) -> Value {
        let Self { release, system, networks, own_interfaces, named_networks, .. } = self;
        let endpoint = self.endpoint(&mut machines);
        let address = |host| networks.address(host);
        let nodes: Vec<_> = machines
            .into_iter()
            .enumerate()
            .map(|(index, mut node)| {
                node["name"] = self.name(index).into();
                node["address"] = address(index + 11).into();
                // A machine that is a member alone runs no kubelet.
                let second = networks.second_address(index + 11);
                if let Some(second) = second.filter(|_| {
                    node["roles"] != json!(["etcd"]) && node["roles"] != json!(["load-balancer"])
                }) {
                    node["secondAddress"] = second.into();
                }
                if *own_interfaces && node.get("interface").is_none() {
                    node["interface"] = "eth1".into();
                }
                node
            })
            .collect();
        let mut cluster = json!({"name": "any", "kubernetes": release.to_string()});
        if *named_networks {
            let network = if networks.v4() { "10.20.0.0/24" } else { "fd00:20::/64" };
            cluster["nodeSubnets"] = json!([network]);
        }
        json!({
            "apiVersion": "hagen/v1",
            "cluster": cluster,
            "endpoint": endpoint,
            "os": os(system),
            "nodes": nodes,
        })
    }
}
