//! Paths in flags that no pod would see.

use crate::catalog::PathUse;
use crate::control_plane::Part;
use crate::control_plane::mounts::Named;
use crate::report::{Finding, Path, Report};
use crate::rooms::kubeadm::paths::{OfFlag, Seen, of_flags};
use crate::rooms::kubeadm::plan::KubeadmPlan;
use crate::rooms::kubeadm::{MOUNT_MISSING, PATH_UNMOUNTABLE};
use crate::site::Cluster;

pub(super) fn lint(plan: &KubeadmPlan, cluster: &Cluster<'_>, report: &mut Report) {
    for OfFlag { part, named, at, seen } in of_flags(plan, cluster) {
        match seen {
            Seen::Outside(_) => {}
            Seen::Unmountable(problem) => report.push(unmountable(part, &named, &problem, at)),
            Seen::Unmounted(place) => report.push(missing(part, &named, at, &place)),
        }
    }
}

fn unmountable(part: Part, named: &Named<'_>, problem: &str, at: Path) -> Finding {
    let Named { flag, used, .. } = named;
    let help = match used {
        PathUse::File | PathUse::Folder => {
            format!("write the file's absolute path, such as /etc/kubernetes/{flag}/config.yaml")
        }
        PathUse::Made | PathUse::MadeFolder => {
            format!("choose a folder of its own, such as /var/log/kubernetes/{flag}.log")
        }
    };
    let program = part.program();
    Finding::new(&PATH_UNMOUNTABLE, at, format!("{program} cannot use this path: {problem}"))
        .label("not for a pod")
        .help(help)
}

fn missing(part: Part, named: &Named<'_>, at: Path, place: &Path) -> Finding {
    let Named { flag, path, .. } = named;
    let program = part.program();
    let message = format!("{program} would not see {path}, which its --{flag} names");
    Finding::new(&MOUNT_MISSING, at, message)
        .label("not mounted into its pod")
        .because(place.clone(), "a list in a patch takes the place of hagen's own mounts")
        .help(format!("add a volume with `mountPath: {path}` to `{place}`, or remove that list"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn a_path_that_no_pod_can_have_is_refused() {
        let said = |flag: &str, path: &str| {
            let mut flags = json!({"audit-log-path": "-", "audit-policy-file": "/srv/policy.yaml"});
            flags[flag] = path.into();
            complaints(&Kubeadm, &json!({"extraArgs": {"apiServer": flags}}))
        };
        let policy = ["kubeadm/path-unmountable at extraArgs.apiServer.audit-policy-file"];
        for path in ["policy.yaml", "/etc/../policy.yaml", "/etc/a:b"] {
            assert_eq!(said("audit-policy-file", path), policy, "{path}");
        }
        let log = ["kubeadm/path-unmountable at extraArgs.apiServer.audit-log-path"];
        for path in ["/audit.log", "/etc/kubernetes/audit.log", "/var/lib/kubelet/audit.log"] {
            assert_eq!(said("audit-log-path", path), log, "{path}");
        }
        for path in ["-", "/var/log/audit.log", "/data/audit.log"] {
            assert!(said("audit-log-path", path).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_patch_cannot_take_a_mount_away() {
        let patched = |patch: Value| {
            complaints(
                &Kubeadm,
                &json!({
                    "extraArgs": {"apiServer": {"encryption-provider-config": "/srv/enc/config"}},
                    "patches": [{"document": "kubeadm/ClusterConfiguration", "patch": patch}],
                }),
            )
        };
        let other = json!([{"name": "x", "hostPath": "/srv/x", "mountPath": "/srv/x"}]);
        let lost = ["kubeadm/mount-missing at extraArgs.apiServer.encryption-provider-config"];
        assert_eq!(patched(json!({"apiServer": {"extraVolumes": other}})), lost);
        assert_eq!(patched(json!({"apiServer": {"extraVolumes": null}})), lost);
        let flag = json!([{"name": "config", "value": "/srv/scheduler/config.yaml"}]);
        assert!(patched(json!({"scheduler": {"extraArgs": flag}})).is_empty(), "it has its mount");
        let above = json!([{"name": "x", "hostPath": "/data", "mountPath": "/srv"}]);
        assert!(patched(json!({"apiServer": {"extraVolumes": above}})).is_empty());
    }
}
