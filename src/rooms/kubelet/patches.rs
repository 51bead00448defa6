//! Flags of the kubelet in patches of kubeadm's documents, which may differ from node to node.

use std::collections::BTreeMap;

use super::{fields, splits};
use crate::catalog::flags::Component;
use crate::report::Report;
use crate::site::extra::{SaidFlag, of_patch};
use crate::site::{Cluster, Host, Patch, extra};

/// The documents of kubeadm that have flags of the kubelet: for `init` and for `join`.
const DOCUMENTS: [&str; 2] = ["kubeadm/InitConfiguration", "kubeadm/JoinConfiguration"];

/// Flags of a kubelet: name without dashes to value.
pub(super) type Flags = BTreeMap<String, String>;

fn flags(patch: &Patch) -> Vec<SaidFlag<'_>> {
    of_patch(patch, &["nodeRegistration", "kubeletExtraArgs"])
}

/// The document that a node's kubelet has its flags from.
fn document(cluster: &Cluster<'_>, node: &Host) -> &'static str {
    DOCUMENTS[usize::from(!cluster.is_first_control_plane(node))]
}

/// The flags that patches say of a node, in their order.
pub(super) fn of<'a>(
    cluster: &'a Cluster<'a>,
    node: &'a Host,
) -> impl Iterator<Item = SaidFlag<'a>> {
    cluster.patches_of(document(cluster, node), Some(&node.name)).flat_map(flags)
}

/// Reports flags that the release lacks, that would become two, or that have another owner. `own`
/// are those of each node, by its index, before patches.
pub(super) fn lint(cluster: &Cluster<'_>, own: &BTreeMap<usize, Flags>, report: &mut Report) {
    for patch in &cluster.site.patches {
        let is_patched = |node: &&Host| {
            patch.document == document(cluster, node) && patch.applies_to(&node.name)
        };
        let nodes = || cluster.nodes.iter().filter(is_patched);
        for flag in flags(patch) {
            let repeats = |node: &Host| {
                let own = own.get(&node.index).and_then(|flags| flags.get(flag.name));
                own.is_some_and(|own| Some(own.as_str()) == flag.value)
            };
            if let Some(value) = flag.value {
                splits::report_split(flag.name, value, flag.at.clone(), report);
            }
            let repeats = nodes().all(repeats);
            match extra::owner(flag.name, fields::FOLLOWED, &flag.at).filter(|_| !repeats) {
                Some(finding) => report.push(finding),
                None => flag.lint(cluster, Component::Kubelet, fields::FLAGS, repeats, report),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::DOCUMENTS;
    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::trial::{claimed, complaints};

    fn overlay(release: &str, document: &str, flags: &Value) -> Value {
        let patch = json!({"nodeRegistration": {"kubeletExtraArgs": flags}});
        json!({
            "cluster": {"kubernetes": release},
            "patches": [{"document": document, "patch": patch, "nodes": {"names": ["cp1", "w1"]}}],
        })
    }

    #[test]
    fn they_are_judged_like_those_of_extra_args() {
        let at = "at patches[0].patch.nodeRegistration.kubeletExtraArgs";
        for document in DOCUMENTS {
            let list = |flags: Value| complaints(&Kubelet, &overlay("1.37.1", document, &flags));
            let map = |flags: Value| complaints(&Kubelet, &overlay("1.30.4", document, &flags));
            let two = json!([{"name": "v", "value": "2"}, {"name": "v", "value": "2 --x=y"}]);
            assert_eq!(list(two), [format!("kubelet/value-splits {at}[1].value")]);
            assert_eq!(map(json!({"v": "2\n--x"})), [format!("kubelet/value-splits {at}.v")]);
            assert!(
                map(json!({"v --x": "2"})).contains(&format!("kubelet/value-splits {at}.v --x"))
            );
            assert!(map(json!({"v": "2"})).is_empty());
            let unknown = format!("cluster/extra-arg-removed {at}.not-a-flag");
            assert_eq!(map(json!({"not-a-flag": "2"})), [unknown]);
            for value in [json!("10.0.0.9"), Value::Null] {
                let owned = format!("cluster/extra-arg-owned {at}.node-ip");
                assert_eq!(map(json!({"node-ip": value})), [owned]);
            }
        }
        let followed = json!({"read-only-port": "10255"});
        let owned = format!("cluster/extra-arg-owned {at}.read-only-port");
        assert_eq!(complaints(&Kubelet, &overlay("1.30.4", DOCUMENTS[1], &followed)), [owned]);
        let flags = json!([{"name": "node-ip", "value": "192.168.1.11"}]);
        assert!(complaints(&Kubelet, &overlay("1.37.1", DOCUMENTS[0], &flags)).is_empty());
    }

    #[test]
    fn a_node_is_asked_for_what_it_runs_with_in_the_end() {
        let flags = json!({"v": "4", "image-credential-provider-config": "/srv/providers.yaml"});
        let patched = overlay("1.30.4", "kubeadm/JoinConfiguration", &flags);
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
