//! Fields of KubeletConfiguration that other files have to agree with.

use serde_json::Value;

use super::rules::contradiction;
use crate::report::{Finding, Path, Report};
use crate::rooms::kubelet::fields::Fields;
use crate::rooms::kubelet::{RESOLVER_ABSENT, SERVING_UNAPPROVED, TOO_MANY_PODS};

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    let found = [pods(fields), serving(fields), resolver(fields), swap(fields)];
    found.into_iter().flatten().for_each(|finding| report.push(finding));
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
    use crate::rooms::overlaid::complaints;

    fn of(overlay: &Value) -> Vec<String> {
        complaints(&Kubelet, overlay)
    }

    fn config(config: Value) -> Vec<String> {
        of(&json!({"kubelet": {"config": config}}))
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
    fn serving_certificates_want_an_approver() {
        let field = ["kubelet/serving-unapproved at kubelet.config.serverTLSBootstrap"];
        assert_eq!(config(json!({"serverTLSBootstrap": true})), field);
        assert!(config(json!({"serverTLSBootstrap": false})).is_empty());
        let flag = json!({"extraArgs": {"kubelet": {"rotate-server-certificates": "true"}}});
        let at = ["kubelet/serving-unapproved at extraArgs.kubelet.rotate-server-certificates"];
        assert_eq!(of(&flag), at);
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
}
