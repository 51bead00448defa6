use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::patches;
use crate::inventory::Inventory;
use crate::inventory::images::PullPolicy;
use crate::inventory::kubelet::KubeletSection;
use crate::site::said_flags::SaidFlag;
use crate::site::{CgroupDriver, Cluster, DEFAULT_PODS, Host};

/// Flags of a kubelet: name without dashes to value.
pub(super) type Flags = BTreeMap<String, String>;

/// What is decided about kubelets.
pub(super) struct KubeletPlan<'a> {
    /// What is said of them.
    pub(super) fields: Fields<'a>,
    /// KubeletConfiguration of every node, before patches.
    pub(super) configuration: Value,
    /// The kubelet of each node that has one, by the node's index.
    pub(super) nodes: BTreeMap<usize, OnNode<'a>>,
}

/// One node's kubelet.
pub(super) struct OnNode<'a> {
    /// Its flags before patches.
    pub(super) own: Flags,
    /// What patches say of them, in their order.
    pub(super) patched: Vec<SaidFlag<'a>>,
}

impl<'a> KubeletPlan<'a> {
    pub(super) fn new(said: &'a Inventory, cluster: &'a Cluster<'a>) -> Self {
        let fields = Fields::new(said, cluster);
        let own_resolvers = resolvers_differ(&fields, cluster);
        let of = |node: &'a Host| {
            let mut own = flags(node);
            if let Some(pods) = fewer_pods(&fields, cluster, node) {
                own.insert("max-pods".into(), pods.to_string());
            }
            if own_resolvers {
                own.insert("resolv-conf".into(), node.os.resolver().to_owned());
            }
            own.extend(fields.flags().map(|(name, value, _)| (name.to_owned(), value.to_owned())));
            OnNode { own, patched: patches::of(cluster, node).collect() }
        };
        let nodes = cluster.nodes.iter().filter(|node| node.kubelet());
        let nodes = nodes.map(|node| (node.index, of(node))).collect();
        Self { configuration: configuration(said, cluster), nodes, fields }
    }
}

impl OnNode<'_> {
    /// Its flags as kubeadm's document is given them; a patch itself takes others out of it.
    pub(super) fn written(&self) -> Flags {
        let mut flags = self.own.clone();
        for SaidFlag { name, value, at: _ } in &self.patched {
            if let Some(value) = value {
                flags.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        flags
    }

    /// The flags that it runs with.
    pub(super) fn running(&self) -> Flags {
        let mut flags = self.written();
        for SaidFlag { name, .. } in self.patched.iter().filter(|flag| flag.value.is_none()) {
            flags.remove(*name);
        }
        flags
    }
}

/// Only what must not depend on the release's or kubeadm's default, and what the user said. The
/// driver is explicit: its default changed with 1.21, and the runtime's file names it as well.
fn configuration(said: &Inventory, cluster: &Cluster<'_>) -> Value {
    // `cgroup_driver` is only compared: runtime and kubelet share one.
    let KubeletSection { cgroup_driver: _, max_pods, config } = &said.kubelet;
    let mut document = Map::new();
    document.insert("apiVersion".into(), json!("kubelet.config.k8s.io/v1beta1"));
    document.insert("kind".into(), json!("KubeletConfiguration"));
    document.insert("cgroupDriver".into(), json!(word(cluster.runtime.cgroup_driver)));
    let fewer = cluster.pods_per_node().filter(|addresses| *addresses < DEFAULT_PODS);
    if let Some(pods) = max_pods.or(fewer) {
        document.insert("maxPods".into(), json!(pods));
    }
    if said.images.pull_policy == Some(PullPolicy::Never) {
        // Nobody could pull again what a kubelet deletes from a disk that fills up; 100 forbids it
        // (<https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>).
        document.insert("imageGCHighThresholdPercent".into(), json!(100));
    }
    // kubeadm forces it as well; said here because joins without a token rest on it.
    document.insert("rotateCertificates".into(), json!(true));
    document.extend(config.iter().map(|(field, value)| (field.clone(), value.clone())));
    Value::Object(document)
}

/// The driver as both configurations write it.
pub(super) fn word(driver: CgroupDriver) -> &'static str {
    match driver {
        CgroupDriver::Systemd => "systemd",
        CgroupDriver::Cgroupfs => "cgroupfs",
    }
}

/// How many pods a node may have whose own range has fewer addresses than all nodes may have pods:
/// one more would wait for an address for ever. The flag wins over the field that nodes share.
fn fewer_pods(fields: &Fields<'_>, cluster: &Cluster<'_>, node: &Host) -> Option<u32> {
    let shared = match fields.max_pods() {
        Some((_, pods)) => pods,
        None => cluster.pods_per_node().unwrap_or(DEFAULT_PODS).min(DEFAULT_PODS),
    };
    cluster.pod_addresses(node).filter(|addresses| node.pod_range.is_some() && *addresses < shared)
}

/// Whether one file with name servers for all nodes would not do: each is told its own.
fn resolvers_differ(fields: &Fields<'_>, cluster: &Cluster<'_>) -> bool {
    let mut files =
        cluster.nodes.iter().filter(|node| node.kubelet()).map(|node| node.os.resolver());
    let first = files.next();
    fields.resolver().is_none()
        && !cluster.release.kubelet.resolver_per_node
        && files.any(|file| Some(file) != first)
}

/// A node with several addresses would otherwise choose by itself, and the VIP is one of them.
fn flags(node: &Host) -> BTreeMap<String, String> {
    let addresses: Vec<String> = node.addresses().map(|address| address.to_string()).collect();
    let mut flags = BTreeMap::from([("node-ip".to_owned(), addresses.join(","))]);
    if !node.labels.is_empty() {
        let labels: Vec<String> =
            node.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        flags.insert("node-labels".into(), labels.join(","));
    }
    flags
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::{claimed, complaints};

    #[test]
    fn a_node_is_told_its_own_address_and_labels() {
        let overlay = json!({"nodes": [{
            "name": "cp1",
            "address": "192.168.1.11",
            "roles": ["control-plane"],
            "labels": {"example.com/rack": "r1", "disk": ""},
        }]});
        let (_, claims) = claimed(&overlay);
        let flags = &claims.of(0).command_lines["kubelet"];
        assert_eq!(flags["node-ip"], "192.168.1.11");
        assert_eq!(flags["node-labels"], "disk=,example.com/rack=r1");
    }

    #[test]
    fn a_node_of_two_families_registers_both_addresses() {
        let overlay = json!({
            "cluster": {
                "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
                "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
            },
            "nodes": [{
                "name": "cp1",
                "address": "192.168.1.11",
                "secondAddress": "fd00:20::11",
                "roles": ["control-plane"],
            }],
        });
        let (_, claims) = claimed(&overlay);
        assert_eq!(claims.of(0).command_lines["kubelet"]["node-ip"], "192.168.1.11,fd00:20::11");
        let outcome = crate::rooms::overlaid::outcome(&overlay.to_string());
        let file = |path| crate::rooms::overlaid::file(&outcome, path);
        let config = file("nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        assert!(config.contains("value: 192.168.1.11,fd00:20::11\n"), "{config}");
        // The certificate names what the configuration asks for.
        assert!(config.contains("- 'fd00:20::11'\n"), "{config}");
        assert!(file("nodes/cp1/node.sh").contains("\n  fd00:20::11 cp1\n"));
    }

    #[test]
    fn the_driver_is_always_written() {
        let overlay = json!({"runtime": {"cgroupDriver": "cgroupfs"}, "kubelet": {"maxPods": 50}});
        let (_, claims) = claimed(&overlay);
        let document = &claims.carried[0].value;
        assert_eq!(
            (&document["cgroupDriver"], &document["maxPods"]),
            (&json!("cgroupfs"), &json!(50))
        );
        let differs = json!({"kubelet": {"cgroupDriver": "cgroupfs"}});
        let expected = ["cluster/cgroup-driver at kubelet.cgroupDriver"];
        assert_eq!(complaints(&Kubelet, &differs), expected);
    }

    #[test]
    fn images_that_nobody_can_pull_again_are_not_deleted() {
        let threshold = |overlay: serde_json::Value| {
            let (_, claims) = claimed(&overlay);
            claims.carried[0].value["imageGCHighThresholdPercent"].clone()
        };
        let mut overlay = json!({"images": {"pullPolicy": "Never"}});
        assert_eq!(threshold(overlay.clone()), 100);
        overlay["kubelet"] = json!({"config": {"imageGCHighThresholdPercent": 90}});
        assert_eq!(threshold(overlay), 90);
        assert!(threshold(json!({})).is_null());
    }

    #[test]
    fn small_ranges_have_fewer_pods_without_a_word() {
        let small = json!({"extraArgs": {"controllerManager": {"node-cidr-mask-size": "26"}}});
        let (_, claims) = claimed(&small);
        assert_eq!(claims.carried[0].value["maxPods"], 61);
        let mut bridge = json!({"cni": {"plugin": "bridge"}, "nodes": [
            {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]},
            {"name": "w1", "address": "192.168.1.21", "roles": ["worker"], "podRange": "10.244.77.0/26"},
        ]});
        let (_, claims) = claimed(&bridge);
        assert_eq!(claims.of(1).command_lines["kubelet"]["max-pods"], "61");
        assert!(!claims.of(0).command_lines["kubelet"].contains_key("max-pods"));
        bridge["kubelet"] = json!({"maxPods": 50});
        assert!(!claimed(&bridge).1.of(1).command_lines["kubelet"].contains_key("max-pods"));
    }

    #[test]
    fn nodes_of_several_systems_find_their_own_name_servers() {
        let mixed = |version: &str| {
            json!({"cluster": {"kubernetes": version}, "nodes": [
                {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"],
                 "os": {"distribution": "ubuntu", "release": "24.04"}},
                {"name": "w1", "address": "192.168.1.21", "roles": ["worker"],
                 "os": {"distribution": "rocky", "release": "9"}},
            ]})
        };
        let files = |overlay: &serde_json::Value| {
            let (site, claims) = claimed(overlay);
            let cluster = &site.cluster().unwrap();
            let flags =
                cluster.nodes.iter().map(|node| &claims.of(node.index).command_lines["kubelet"]);
            flags.map(|flags| flags.get("resolv-conf").cloned()).collect::<Vec<_>>()
        };
        let (resolved, plain) = ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf");
        let each = [Some(resolved.to_owned()), Some(plain.to_owned())];
        assert_eq!(files(&mixed("1.30.4")), each);
        // kubeadm asks each node by itself.
        assert_eq!(files(&mixed("1.31.0")), [None, None]);
        let mut said = mixed("1.30.4");
        said["kubelet"] = json!({"config": {"resolvConf": plain}});
        assert_eq!(files(&said), [None, None]);
        said["kubelet"]["config"]["resolvConf"] = json!(resolved);
        assert_eq!(
            complaints(&Kubelet, &said),
            ["kubelet/resolver-absent at kubelet.config.resolvConf"]
        );
    }
}
