//! Phases that a patch makes `kubeadm init` leave out, against what the inventory says: everything
//! that asks whether a control plane is complete goes by [`Cluster::runs_kube_proxy`].

use serde_json::{Value, json};

use crate::report::{Finding, Path, Report};
use crate::rooms::kubeadm::{KUBE_PROXY_SKIPPED, documents};
use crate::site::{Cluster, Patch};

const PHASE: &str = "addon/kube-proxy";
/// With CoreDNS.
const BOTH: &str = "addon";

pub(super) fn lint(cluster: &Cluster<'_>, report: &mut Report) {
    for patch in &cluster.site.patches {
        match patch.document.as_str() {
            documents::INIT => skipped(patch, cluster, report),
            documents::CLUSTER => disabled(patch, cluster, report),
            _ => {}
        }
    }
}

/// A patch replaces the list as a whole.
fn skipped(patch: &Patch, cluster: &Cluster<'_>, report: &mut Report) {
    if !cluster.release.kubeadm.skip_phases_field {
        return;
    }
    let Some(said) = patch.patch.get("skipPhases") else { return };
    let none = Vec::new();
    let phases = said.as_array().unwrap_or(&none);
    let position = phases.iter().position(|phase| phase == PHASE || phase == BOTH);
    let at = patch_path(patch).key("skipPhases");
    match (cluster.runs_kube_proxy(), position) {
        (true, Some(position)) => {
            let both = phases[position] == BOTH;
            let rest = if both { "write `addon/coredns` instead" } else { "remove this line" };
            report.push(contradicts(at.index(position), cluster).help(format!(
                "write `kubeProxy: {{mode: none}}`, and {rest}: hagen skips the phase by itself"
            )));
        }
        (false, None) if said.is_null() => {
            report.push(contradicts(at, cluster).help("remove this line"));
        }
        (false, None) => {
            report.push(contradicts(at, cluster).help(format!("add `{PHASE}` to the list")));
        }
        (true, None) | (false, Some(_)) => {}
    }
}

fn disabled(patch: &Patch, cluster: &Cluster<'_>, report: &mut Report) {
    let Some(said) = patch.patch.get("proxy") else { return };
    let disabled = said.get("disabled").unwrap_or(&Value::Null);
    // A map without the field is merged, anything else takes hagen's own away.
    let silent = said.is_object() && said.get("disabled").is_none();
    if silent || *disabled == json!(!cluster.runs_kube_proxy()) {
        return;
    }
    let mut at = patch_path(patch).key("proxy");
    if said.get("disabled").is_some() {
        at = at.key("disabled");
    }
    let help = if cluster.runs_kube_proxy() {
        "write `kubeProxy: {mode: none}` instead of this patch"
    } else {
        "remove this line"
    };
    report.push(contradicts(at, cluster).help(help));
}

fn patch_path(patch: &Patch) -> Path {
    Path::of(&["patches"]).index(patch.index).key("patch")
}

fn contradicts(at: Path, cluster: &Cluster<'_>) -> Finding {
    let (message, why) = if cluster.runs_kube_proxy() {
        (
            "kube-proxy would be left out behind hagen's back",
            "a kube-proxy is expected on each node",
        )
    } else {
        ("kubeadm would install kube-proxy after all", "no kube-proxy is wanted")
    };
    Finding::new(&KUBE_PROXY_SKIPPED, at, message)
        .label("contradicts `kubeProxy.mode`")
        .because(Path::of(&["kubeProxy", "mode"]), why)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::{complaints, file, outcome};

    const NONE: &str = "{kubeProxy: {mode: none}, cni: {plugin: none}}";

    #[test]
    fn kubeadm_leaves_its_addon_out() {
        let config = "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml";
        let text = file(&outcome(NONE), config);
        assert!(text.contains("skipPhases:\n- addon/kube-proxy\n"), "{text}");
        assert!(text.contains("proxy:\n  disabled: true\n"), "{text}");
        assert!(!text.contains("KubeProxyConfiguration"), "{text}");
        let with = file(&outcome("{}"), config);
        assert!(!with.contains("skipPhases") && !with.contains("disabled: true"), "{with}");
    }

    #[test]
    fn older_releases_are_told_so_in_their_own_way() {
        let of = |version: &str| {
            let (_, site) = crate::rooms::overlaid::resolved(&json!({
                "cluster": {"kubernetes": version}, "kubeProxy": {"mode": "none"},
            }));
            let cluster = site.cluster().unwrap();
            let field = cluster.release.kubeadm.skip_phases_field;
            (field, cluster.skipped_init_phases())
        };
        assert_eq!(of("1.30.4"), (true, &["addon/kube-proxy"][..]));
        // On the command line.
        assert_eq!(of("1.21.14"), (false, &["addon/kube-proxy"][..]));
    }

    #[test]
    fn a_patch_agrees_with_the_mode() {
        let said = |mode: &str, document: &str, patch: Value| {
            complaints(
                &Kubeadm,
                &json!({
                    "kubeProxy": {"mode": mode},
                    "patches": [{"document": document, "patch": patch}],
                }),
            )
        };
        let (init, all) = ("kubeadm/InitConfiguration", "kubeadm/ClusterConfiguration");
        let at =
            |place: &str| vec![format!("kubeadm/kube-proxy-skipped at patches[0].patch.{place}")];
        let proxy = json!({"skipPhases": ["mark-control-plane", "addon/kube-proxy"]});
        let dns = json!({"skipPhases": ["addon/coredns"]});
        assert_eq!(said("iptables", init, proxy.clone()), at("skipPhases[1]"));
        assert_eq!(said("iptables", init, json!({"skipPhases": ["addon"]})), at("skipPhases[0]"));
        assert!(said("iptables", init, dns.clone()).is_empty());
        assert!(said("none", init, proxy).is_empty());
        assert_eq!(said("none", init, dns), at("skipPhases"));
        assert_eq!(said("none", init, json!({"skipPhases": null})), at("skipPhases"));
        let off = json!({"proxy": {"disabled": true}});
        assert_eq!(said("iptables", all, off.clone()), at("proxy.disabled"));
        assert!(said("none", all, off).is_empty());
        assert_eq!(said("none", all, json!({"proxy": null})), at("proxy"));
    }
}
