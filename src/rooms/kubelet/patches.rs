//! Flags of the kubelet in patches of kubeadm's documents, which may differ from node to node.

use crate::site::said_flags::{SaidFlag, of_patch};
use crate::site::{Cluster, Host, Patch};

/// The documents of kubeadm that have flags of the kubelet: for `init` and for `join`.
pub(super) const DOCUMENTS: [&str; 2] = ["kubeadm/InitConfiguration", "kubeadm/JoinConfiguration"];

/// The flags in one patch.
pub(super) fn flags(patch: &Patch) -> Vec<SaidFlag<'_>> {
    of_patch(patch, &["nodeRegistration", "kubeletExtraArgs"])
}

/// The document that a node's kubelet has its flags from.
pub(super) fn document(cluster: &Cluster<'_>, node: &Host) -> &'static str {
    DOCUMENTS[usize::from(!cluster.is_first_control_plane(node))]
}

/// The flags that patches say of a node, in their order.
pub(super) fn of<'a>(
    cluster: &'a Cluster<'a>,
    node: &'a Host,
) -> impl Iterator<Item = SaidFlag<'a>> {
    cluster.patches_of(document(cluster, node), Some(&node.name)).flat_map(flags)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::overlaid::claimed;

    #[test]
    fn a_node_is_asked_for_what_it_runs_with_in_the_end() {
        let flags = json!({"v": "4", "image-credential-provider-config": "/srv/providers.yaml"});
        let patched = json!({
            "cluster": {"kubernetes": "1.30.4"},
            "patches": [{
                "document": "kubeadm/JoinConfiguration",
                "patch": {"nodeRegistration": {"kubeletExtraArgs": flags}},
                "nodes": {"names": ["cp1", "w1"]},
            }],
        });
        let (site, claims) = claimed(&patched);
        let cluster = &site.cluster().unwrap();
        let of = |name: &str| {
            let node = cluster.nodes.iter().find(|node| node.name == name).unwrap();
            let claims = claims.of(node.index);
            let runs = claims.arguments.contains(&("kubelet", "v".to_owned(), "4".to_owned()));
            (runs, claims.needed_files.len())
        };
        assert_eq!(["w1", "cp1", "cp2"].map(of), [(true, 1), (false, 0), (false, 0)]);
    }
}
