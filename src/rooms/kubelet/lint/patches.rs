//! Flags of the kubelet in patches, which are judged like those of `extraArgs`.

use super::{owned, splits};
use crate::catalog::flags::Component;
use crate::report::Report;
use crate::rooms::kubelet::patches::{document, flags};
use crate::rooms::kubelet::plan::KubeletPlan;
use crate::site::{Cluster, Host, said_flags};

/// Reports flags that the release lacks, that would become two, or that have another owner.
pub(super) fn lint(plan: &KubeletPlan<'_>, cluster: &Cluster<'_>, report: &mut Report) {
    for patch in &cluster.site.patches {
        let is_patched = |node: &&Host| {
            patch.document == document(cluster, node) && patch.applies_to(&node.name)
        };
        let nodes = || cluster.nodes.iter().filter(is_patched);
        for flag in flags(patch) {
            let repeats = |node: &Host| {
                let own = plan.nodes.get(&node.index).and_then(|node| node.own.get(flag.name));
                own.is_some_and(|own| Some(own.as_str()) == flag.value)
            };
            if let Some(value) = flag.value {
                splits::report_split(flag.name, value, flag.at.clone(), report);
            }
            let repeats = nodes().all(repeats);
            match said_flags::owner(flag.name, owned::FOLLOWED, &flag.at).filter(|_| !repeats) {
                Some(finding) => report.push(finding),
                None => flag.lint(cluster, Component::Kubelet, owned::FLAGS, repeats, report),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::kubelet::patches::DOCUMENTS;
    use crate::rooms::overlaid::complaints;

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
}
