//! Which preflight checks there are. kubeadm ignores a name that it does not know without a word,
//! so a misspelt one ignores nothing.

use crate::inventory::kubeadm::KubeadmSection;
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::kubeadm::{PREFLIGHT_ALL, PREFLIGHT_ALL_AND_MORE, PREFLIGHT_UNKNOWN};

/// Checks of `init` and `join` in the releases of the catalog
/// (<https://github.com/kubernetes/kubernetes/blob/v1.37.1/cmd/kubeadm/app/preflight/checks.go>);
/// `RequiredIPVSKernelModulesAvailable` was one until 1.16.
const CHECKS: [&str; 18] = [
    "ContainerRuntimeVersion",
    "CRI",
    "ExternalEtcdClientCertificates",
    "ExternalEtcdVersion",
    "Firewalld",
    "Hostname",
    "HTTPProxy",
    "HTTPProxyCIDR",
    "ImagePull",
    "IsDockerSystemdCheck",
    "IsPrivilegedUser",
    "KubeletVersion",
    "KubernetesVersion",
    "Mem",
    "NumCPU",
    "RequiredIPVSKernelModulesAvailable",
    "Swap",
    "SystemVerification",
];

/// Checks that are named after what they look at: a path with `-` for `/`, a port, a unit.
const TEMPLATES: [&str; 6] =
    ["DirAvailable-", "FileAvailable-", "FileContent-", "FileExisting-", "Port-", "Service-"];

/// Every check at once.
const ALL: &str = "all";

pub(super) fn lint(section: &KubeadmSection, report: &mut Report) {
    let KubeadmSection { ignore_preflight_errors: ignored } = section;
    let place = Path::of(&["kubeadm", "ignorePreflightErrors"]);
    for (index, check) in ignored.iter().enumerate() {
        let at = place.index(index);
        if check.as_str().eq_ignore_ascii_case(ALL) {
            report.push(all(at, ignored.len() > 1));
        } else if !known(check.as_str()) {
            let finding =
                Finding::new(&PREFLIGHT_UNKNOWN, at, format!("kubeadm has no check `{check}`"))
                    .label("ignores nothing");
            report.push(match closest(check.as_str(), CHECKS.into_iter().chain(TEMPLATES)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help("write the name that kubeadm prints in `[ERROR NAME]: …`"),
            });
        }
    }
}

fn all(at: Path, and_more: bool) -> Finding {
    if and_more {
        let message = "kubeadm refuses `all` beside the names of single checks";
        return Finding::new(&PREFLIGHT_ALL_AND_MORE, at, message)
            .label("leaves nothing for the others")
            .help("name the checks that fail here, and remove `all`");
    }
    Finding::new(&PREFLIGHT_ALL, at, "every preflight check of every node is ignored")
        .label("also those that nobody has seen fail yet")
        .help("name the checks that fail here: kubeadm prints each as `[ERROR NAME]: …`")
}

fn known(name: &str) -> bool {
    let begins = |template: &&str| {
        name.get(..template.len()).is_some_and(|start| start.eq_ignore_ascii_case(template))
            && name.len() > template.len()
    };
    CHECKS.iter().any(|check| check.eq_ignore_ascii_case(name)) || TEMPLATES.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::{complaints, files, text};

    #[test]
    fn every_node_ignores_the_same_checks() {
        for (version, kubeadm) in
            [("1.15.1", "v1beta2"), ("1.30.4", "v1beta3"), ("1.37.1", "v1beta4")]
        {
            let overlay = json!({
                "cluster": {"kubernetes": version},
                "kubeadm": {"ignorePreflightErrors": ["SystemVerification", "Port-6443"]},
            });
            let files = files(&Kubeadm, &overlay);
            for (node, file) in [("cp1", "config"), ("cp2", "join"), ("w1", "join")] {
                let file = format!("nodes/{node}/rootfs/etc/kubernetes/kubeadm-{file}.yaml");
                let document = text(&files, &file);
                assert!(document.contains(kubeadm), "{document}");
                let ignored = "  ignorePreflightErrors:\n  - SystemVerification\n  - Port-6443\n";
                assert!(document.contains(ignored), "{document}");
            }
        }
    }

    #[test]
    fn names_are_looked_up_as_kubeadm_compares_them() {
        let of = |names: &[&str]| {
            complaints(&Kubeadm, &json!({"kubeadm": {"ignorePreflightErrors": names}}))
        };
        let known =
            ["systemverification", "Port-10250", "FileAvailable--etc-kubernetes-kubelet.conf"];
        assert!(of(&known).is_empty());
        let unknown = ["kubeadm/preflight-unknown at kubeadm.ignorePreflightErrors[0]"];
        assert_eq!(of(&["SystemVerificaton"]), unknown);
        assert_eq!(of(&["Port-"]), unknown);
        assert_eq!(of(&["ALL"]), ["kubeadm/preflight-all at kubeadm.ignorePreflightErrors[0]"]);
        let both = ["kubeadm/preflight-all-and-more at kubeadm.ignorePreflightErrors[1]"];
        assert_eq!(of(&["Mem", "all"]), both);
    }
}
