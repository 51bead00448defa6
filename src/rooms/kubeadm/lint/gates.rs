//! Feature gates of kubeadm itself, which patches of its configuration may say.

use serde_json::Value;

use crate::catalog::flag_words::{kubeadm_gate_status, kubeadm_gates};
use crate::report::{Path, Report, closest};
use crate::rooms::kubeadm::documents;
use crate::site::{Cluster, said_flags};

const FIELD: &str = "featureGates";

/// Reports gates that this kubeadm does not have.
pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    let minor = cluster.version.minor;
    for patch in cluster.patches_of(documents::CLUSTER, None) {
        let Some(Value::Object(gates)) = patch.patch.get(FIELD) else { continue };
        let at = Path::of(&["patches"]).index(patch.index).key("patch").key(FIELD);
        // `null` takes one away.
        for (name, _) in gates.iter().filter(|(_, on)| !on.is_null()) {
            let near = || closest(name, kubeadm_gates(minor)).map(|near| format!("`{near}`"));
            let what = format!("kubeadm has no feature gate {name} of its own");
            let status = kubeadm_gate_status(name, minor);
            said_flags::report_absent(cluster, &what, status, near, at.key(name), report);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn gates_are_those_of_kubeadm() {
        let found = |version: &str, gate: &str| {
            let patch = json!({"featureGates": {gate: true}});
            let patches = json!([{"document": "kubeadm/ClusterConfiguration", "patch": patch}]);
            complaints(&Kubeadm, &json!({"cluster": {"kubernetes": version}, "patches": patches}))
        };
        let at = |gate: &str| {
            let field = format!("patches[0].patch.featureGates.{gate}");
            [format!("cluster/extra-arg-removed at {field}")]
        };
        assert_eq!(found("1.37.1", "EtcdLearnerMode"), at("EtcdLearnerMode"));
        assert_eq!(found("1.37.1", "Nonsense"), at("Nonsense"));
        // Of the components, not of kubeadm.
        assert_eq!(found("1.37.1", "NodeSwap"), at("NodeSwap"));
        assert_eq!(found("1.30.4", "EtcdLearnerMode"), [""; 0]);
        assert_eq!(found("1.37.1", "RootlessControlPlane"), [""; 0]);
    }
}
