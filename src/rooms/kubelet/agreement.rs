//! Fields of KubeletConfiguration that other files have to agree with.

use serde_json::Value;

use super::plan::DOCUMENT;
use super::rules::{self, contradiction};
use super::{RESOLVER_ABSENT, SERVING_UNAPPROVED, TOO_MANY_PODS};
use super::{limits, values};
use crate::catalog::VersionPart;
use crate::catalog::flags::Component;
use crate::inventory::Inventory;
use crate::inventory::images::PullPolicy;
use crate::report::{Finding, Path, Report};
use crate::site::gates::{self, SaidGates};
use crate::site::{Cluster, kubelet_field};

/// What the inventory says of the kubelet, patches included.
pub(super) struct Fields<'a> {
    said: &'a Inventory,
    cluster: &'a Cluster<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(said: &'a Inventory, cluster: &'a Cluster<'a>) -> Self {
        Self { said, cluster }
    }

    /// A field of the document, and where it is said.
    pub(super) fn get(&self, field: &str) -> Option<(Path, &'a Value)> {
        kubelet_field(self.said, &self.cluster.site.patches, field)
    }

    /// The minor of Kubernetes.
    pub(super) fn minor(&self) -> VersionPart {
        self.cluster.version.minor
    }

    /// Whether images stay on a full disk, since nobody could pull them again.
    pub(super) fn keeps_images(&self) -> bool {
        self.said.images.pull_policy == Some(PullPolicy::Never)
    }

    /// A flag wins over the field.
    pub(super) fn flag(&self, name: &str) -> Option<(Path, String)> {
        let mut flags = self.said.extra_args.kubelet.iter();
        let (_, value) = flags.find(|(flag, _)| flag.as_str() == name)?;
        Some((Path::of(&["extraArgs", "kubelet"]).key(name), value.to_string()))
    }

    /// Pods at most, where that is said.
    pub(super) fn max_pods(&self) -> Option<(Path, u32)> {
        let patched = self.get("maxPods");
        let patched =
            patched.and_then(|(at, value)| Some((at, u32::try_from(value.as_u64()?).ok()?)));
        let own = || Some((Path::of(&["kubelet", "maxPods"]), self.said.kubelet.max_pods?));
        patched.or_else(own)
    }

    /// A port, where it is said.
    pub(super) fn port(&self, field: &str, flag: &str) -> Option<(Path, u16)> {
        match self.flag(flag) {
            Some((at, text)) => Some((at, text.parse().ok()?)),
            None => {
                let (at, value) = self.get(field)?;
                Some((at, u16::try_from(value.as_u64()?).ok()?))
            }
        }
    }

    /// Whether the file with the host's name servers is said.
    pub(super) fn resolver(&self) -> Option<(Path, String)> {
        let field = || {
            let (at, value) = self.get("resolvConf")?;
            Some((at, value.as_str()?.to_owned()))
        };
        self.flag("resolv-conf").or_else(field)
    }
}

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    let found = [pods(fields), serving(fields), resolver(fields), swap(fields)];
    found.into_iter().flatten().for_each(|finding| report.push(finding));
    rules::lint(fields, report);
    values::lint(fields, report);
    let given = gates(fields);
    gates::lint(Component::Kubelet, &given, fields.cluster, report);
    limits::lint(fields, &given, report);
}

/// Feature gates; a flag wins over the field.
fn gates(fields: &Fields<'_>) -> SaidGates {
    let mut given = SaidGates::default();
    if let Some(value) = fields.said.kubelet.config.get("featureGates") {
        given.field(value, &Path::of(&["kubelet", "config", "featureGates"]));
    }
    given.patches(DOCUMENT, fields.cluster);
    if let Some((at, value)) = fields.flag("feature-gates") {
        given.flag(Component::Kubelet, &value, &at, fields.cluster);
    }
    given
}

/// More pods than addresses.
fn pods(fields: &Fields<'_>) -> Option<Finding> {
    let cluster = fields.cluster;
    let (at, pods) = fields.max_pods()?;
    let addresses = cluster.pods_per_node().filter(|addresses| pods > *addresses)?;
    let network = cluster.pod_subnets.iter().min_by_key(|network| {
        network.max_prefix_len()
            - cluster.pod_masks.prefix_len(network).min(network.max_prefix_len())
    })?;
    let mask = cluster.pod_masks.prefix_len(network);
    let decided = cluster.pod_masks.path(network);
    Some(
        Finding::new(
            &TOO_MANY_PODS,
            at,
            format!("a node may have {pods} pods, but its /{mask} has addresses for {addresses}"),
        )
        .label("the others would wait for an address")
        .because(
            decided.unwrap_or_else(|| Path::of(&["cluster", "podSubnet"])),
            "the pods' addresses",
        )
        .help(format!("write {addresses} or less")),
    )
}

/// A request for a serving certificate is approved by nobody in Kubernetes itself
/// (<https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/>).
fn serving(fields: &Fields<'_>) -> Option<Finding> {
    let flag = fields.flag("rotate-server-certificates").filter(|(_, text)| text == "true");
    let field =
        || fields.get("serverTLSBootstrap").filter(|(_, value)| **value == Value::Bool(true));
    let at = flag.map(|(at, _)| at).or_else(|| field().map(|(at, _)| at))?;
    Some(
        Finding::new(
            &SERVING_UNAPPROVED,
            at,
            "kubelets would ask for serving certificates, and nothing here approves them",
        )
        .label("no logs, no exec and no metrics until somebody does")
        .help("remove it: kubelets then sign their own; where the site has an approver, say so in `allow`"),
    )
}

/// A file that a node's operating system does not have by itself.
fn resolver(fields: &Fields<'_>) -> Option<Finding> {
    const RESOLVED: &str = "/run/systemd/resolve/";
    let (at, file) = fields.resolver().filter(|(_, file)| file.starts_with(RESOLVED))?;
    let mut nodes = fields.cluster.nodes.iter().filter(|node| node.kubelet());
    let node = nodes.find(|node| !node.os.resolver().starts_with(RESOLVED))?;
    Some(
        Finding::new(
            &RESOLVER_ABSENT,
            at,
            format!("node {} has no {file} unless systemd-resolved was added to it", node.name),
        )
        .label("no pod starts without it")
        .because(node.path(), format!("{} has no systemd-resolved by itself", node.os.id))
        .help("remove it: each node's own is found"),
    )
}

/// A use of swap that this release does not know, or of swap that is turned off.
fn swap(fields: &Fields<'_>) -> Option<Finding> {
    let (at, value) = fields.get("memorySwap")?;
    let behavior = value.get("swapBehavior")?.as_str()?;
    let at = at.key("swapBehavior");
    let known = &fields.cluster.release.kubelet.swap_behaviors;
    if !known.is_empty() && !behavior.is_empty() && known.iter().all(|name| name != behavior) {
        let message = format!("the kubelet of {} knows no {behavior}", fields.cluster.version);
        return Some(contradiction(at, message).help(format!("write one of {}", known.join(", "))));
    }
    let unused = !fields.cluster.swap && !["", "NoSwap"].contains(&behavior);
    unused.then(|| {
        contradiction(at, "pods would use swap, but hosts turn it off")
            .because(Path::of(&["kubelet", "config"]), "`failSwapOn` is not false")
            .help("add `failSwapOn: false` to `kubelet.config`, or remove it")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::trial::{claimed, complaints};

    fn of(overlay: &Value) -> Vec<String> {
        complaints(&Kubelet, overlay)
    }

    fn config(config: Value) -> Vec<String> {
        of(&json!({"kubelet": {"config": config}}))
    }

    #[test]
    fn gates_are_those_of_the_release() {
        let patch = |gates: Value, nodes: Value| {
            let mut patch = json!({"document": "kubelet/KubeletConfiguration", "patch": {"featureGates": gates}});
            if !nodes.is_null() {
                patch["nodes"] = nodes;
            }
            patch
        };
        let with = |own: Value, patches: Value| {
            of(&json!({
                "cluster": {"kubernetes": "1.37.1"},
                "kubelet": {"config": {"featureGates": own}},
                "patches": patches,
            }))
        };
        let none = || json!([]);
        let at = "at kubelet.config.featureGates";
        let unknown = [format!("cluster/extra-arg-removed {at}.Nonsense")];
        assert_eq!(with(json!({"Nonsense": true}), none()), unknown);
        let alone = json!({"CompositePodGroup": true});
        let needs = [format!("cluster/gate-needs {at}.CompositePodGroup")];
        assert_eq!(with(alone.clone(), none()), needs);
        let rest = json!({"GenericWorkload": true, "TopologyAwareWorkloadScheduling": true});
        // Patches merge, and one that takes a gate away leaves nothing to judge.
        assert_eq!(with(rest.clone(), json!([patch(alone.clone(), Value::Null)])), [""; 0]);
        let taken = json!([patch(json!({"CompositePodGroup": null}), Value::Null)]);
        assert_eq!(with(alone.clone(), taken), [""; 0]);
        // What the nodes with the patch have, the others may lack.
        let some = json!([patch(rest, json!({"names": ["cp1"]}))]);
        assert_eq!(with(alone, some), [""; 0]);
        let hidden = json!([patch(json!({"ContextualLogging": true}), json!({"names": ["cp1"]}))]);
        assert_eq!(with(json!({"Nonsense": true}), hidden), unknown);
        // A flag wins over the field.
        let flag = |value: &str| {
            of(&json!({
                "cluster": {"kubernetes": "1.26.15"},
                "kubelet": {"config": {"featureGates": {"EphemeralContainers": false}}},
                "extraArgs": {"kubelet": {"feature-gates": value}},
            }))
        };
        assert_eq!(flag("EphemeralContainers=true"), [""; 0]);
        let locked = [format!("cluster/gate-locked {at}.EphemeralContainers")];
        assert_eq!(flag("CPUManager=true"), locked);
    }

    #[test]
    fn flags_have_the_words_of_fields() {
        let with = |flag: &str, value: &str| of(&json!({"extraArgs": {"kubelet": {flag: value}}}));
        for (flag, wrong, right) in [
            ("tls-cipher-suites", "TLS_A", "TLS_AES_128_GCM_SHA256"),
            ("tls-min-version", "TLS1.2", "VersionTLS12"),
        ] {
            let refused = [format!("cluster/field-type at extraArgs.kubelet.{flag}")];
            assert_eq!(with(flag, wrong), refused);
            assert_eq!(with(flag, right), [""; 0]);
        }
    }

    #[test]
    fn a_node_has_an_address_for_each_of_its_pods() {
        let with = |pods: u32, mask: &str| {
            json!({
                "kubelet": {"maxPods": pods},
                "extraArgs": {"controllerManager": {"node-cidr-mask-size": mask}},
            })
        };
        let refused = ["kubelet/too-many-pods at kubelet.maxPods"];
        assert_eq!(of(&with(500, "24")), refused);
        assert_eq!(of(&with(254, "24")), refused);
        for (pods, mask) in [(253, "24"), (500, "23"), (61, "26")] {
            assert!(of(&with(pods, mask)).is_empty(), "{pods} in /{mask}");
        }
        let patch = json!({"patches": [
            {"document": "kubelet/KubeletConfiguration", "patch": {"maxPods": 300}},
        ]});
        assert_eq!(of(&patch), ["kubelet/too-many-pods at patches[0].patch.maxPods"]);
        let mut other = with(500, "24");
        other["cni"] = json!({"plugin": "none"});
        assert!(of(&other).is_empty());
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
    fn serving_certificates_want_an_approver() {
        let field = ["kubelet/serving-unapproved at kubelet.config.serverTLSBootstrap"];
        assert_eq!(config(json!({"serverTLSBootstrap": true})), field);
        assert!(config(json!({"serverTLSBootstrap": false})).is_empty());
        let flag = json!({"extraArgs": {"kubelet": {"rotate-server-certificates": "true"}}});
        let at = ["kubelet/serving-unapproved at extraArgs.kubelet.rotate-server-certificates"];
        assert_eq!(of(&flag), at);
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
        let files = |overlay: &Value| {
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
        assert_eq!(of(&said), ["kubelet/resolver-absent at kubelet.config.resolvConf"]);
    }

    #[test]
    fn swap_is_used_where_it_is_left() {
        let uses = |behavior: &str| json!({"memorySwap": {"swapBehavior": behavior}});
        let at = ["kubelet/contradiction at kubelet.config.memorySwap.swapBehavior"];
        assert_eq!(config(uses("LimitedSwap")), at);
        assert_eq!(config(uses("UnlimitedSwap")), at);
        let mut left = uses("LimitedSwap");
        left["failSwapOn"] = json!(false);
        assert!(config(left).is_empty());
        assert!(config(uses("NoSwap")).is_empty());
    }

    #[test]
    fn moved_ports_are_claimed() {
        let overlay = json!({
            "kubelet": {"config": {"port": 10350, "readOnlyPort": 10255}},
            "extraArgs": {"kubelet": {"healthz-port": "10348"}},
        });
        let (_, claims) = claimed(&overlay);
        let ports = claims.of(0).ports.iter().filter(|port| port.room == "kubelet");
        assert_eq!(ports.map(|port| port.port).collect::<Vec<_>>(), [10350, 10348, 10255]);
    }
}
