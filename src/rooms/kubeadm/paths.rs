//! Whether static pods see what their flags name, after patches; and what has to be on each
//! control plane for it.

use serde_json::Value;

use super::mounts::{Named, Part, mounted, named, outside, problem};
use super::plan::Kubeadm;
use super::{MOUNT_MISSING, PATH_UNMOUNTABLE, config};
use crate::catalog::PathUse;
use crate::claims::{NeededFile, RoomClaims};
use crate::document;
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, Patch};
use crate::tree::Apply;

/// States the files that every control plane needs, and reports paths that no pod would see.
pub(super) fn claim(
    plan: &Kubeadm,
    cluster: &Cluster<'_>,
    claims: &mut RoomClaims,
    report: &mut Report,
) {
    let patches = patches(cluster);
    let mut finished = config::cluster_configuration(plan, cluster);
    for patch in &patches {
        document::merge(&mut finished, &patch.patch);
    }
    for (part, flags) in plan.flags() {
        for named in mounted(part, flags, cluster.release) {
            let at = plan.at(part, named.flag);
            need(part, &named, named.path.to_owned(), at, cluster, claims);
        }
        let volumes = finished[part.key()]["extraVolumes"].as_array();
        let volumes = volumes.map_or(&[][..], Vec::as_slice);
        for named in named(part, flags, cluster.release) {
            let at = plan.at(part, named.flag);
            if let Some(problem) = problem(&named) {
                report.push(unmountable(part, &named, &problem, at));
            } else if let Some(path) = outside(named.path, volumes) {
                need(part, &named, path, at, cluster, claims);
            } else if let Some(place) = replaced(&patches, part) {
                report.push(missing(part, &named, at, &place));
            }
        }
    }
}

/// The patches of the document that all control planes share.
pub(super) fn patches<'a>(cluster: &Cluster<'a>) -> Vec<&'a Patch> {
    let first = cluster.control_planes().next().into_iter();
    first.flat_map(|node| cluster.patches_of(config::CLUSTER, Some(&node.name))).collect()
}

/// The place of the last patch that says something of a component's volumes.
fn replaced(patches: &[&Patch], part: Part) -> Option<Path> {
    const FIELD: &str = "extraVolumes";
    patches.iter().rev().find_map(|patch| {
        let at = Path::of(&["patches"]).index(patch.index).key("patch").key(part.key());
        match patch.patch.get(part.key())? {
            Value::Object(fields) => fields.contains_key(FIELD).then(|| at.key(FIELD)),
            _ => Some(at),
        }
    })
}

fn need(
    part: Part,
    named: &Named<'_>,
    path: String,
    at: Path,
    cluster: &Cluster<'_>,
    claims: &mut RoomClaims,
) {
    let folder = match named.used {
        PathUse::File => false,
        PathUse::Folder => true,
        // The mount makes the folder.
        PathUse::Made | PathUse::MadeFolder => return,
    };
    let reader = format!("--{} of {}", named.flag, part.program());
    let read_by = (part.program(), Apply::Pod);
    let needed = NeededFile { path, folder, reader, read_by, at };
    for node in cluster.control_planes() {
        claims.node(node.index).needed_files.push(needed.clone());
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
    use crate::rooms::trial::{codes, complaints, file, files, outcome, text};

    /// The volumes of a component in what `kubeadm init` reads.
    fn volumes(overlay: &Value, component: &str) -> Value {
        let files = files(&Kubeadm, overlay);
        let config = text(&files, "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        let documents = config.split("\n---\n");
        let cluster = documents.filter(|text| text.contains("kind: ClusterConfiguration"));
        let document: Value = serde_yaml::from_str(cluster.last().unwrap()).unwrap();
        document[component]["extraVolumes"].clone()
    }

    #[test]
    fn a_flag_that_names_a_file_gets_its_mount_in_every_release() {
        for version in ["1.15.1", "1.22.17", "1.30.4", "1.37.1"] {
            let overlay = json!({"cluster": {"kubernetes": version}, "extraArgs": {"apiServer": {
                "audit-policy-file": "/etc/kubernetes/audit/policy.yaml",
                "audit-log-path": "/var/log/kubernetes/audit.log",
                "encryption-provider-config": "/etc/kubernetes/encryption.yaml",
            }}});
            let folder = "/etc/kubernetes/audit";
            let file = "/etc/kubernetes/encryption.yaml";
            let logs = "/var/log/kubernetes";
            let expected = json!([
                {"name": "audit-log-path", "hostPath": logs, "mountPath": logs, "pathType": "DirectoryOrCreate"},
                {"name": "audit-policy-file", "hostPath": folder, "mountPath": folder, "readOnly": true, "pathType": "Directory"},
                {"name": "encryption-provider-config", "hostPath": file, "mountPath": file, "readOnly": true, "pathType": "File"},
            ]);
            assert_eq!(volumes(&overlay, "apiServer"), expected, "{version}");
        }
    }

    #[test]
    fn one_path_has_one_mount_and_what_is_written_wins() {
        let overlay = json!({"extraArgs": {"apiServer": {
            "audit-log-path": "/srv/audit/log",
            "audit-policy-file": "/srv/audit/policy.yaml",
            "tls-sni-cert-key": "/srv/a/tls.crt,/srv/b/tls.key",
        }}});
        let volumes = volumes(&overlay, "apiServer");
        let of = |key: &str| -> Vec<&str> {
            let volumes = volumes.as_array().unwrap().iter();
            volumes.map(|volume| volume[key].as_str().unwrap()).collect()
        };
        assert_eq!(of("mountPath"), ["/srv/audit", "/srv/a", "/srv/b"]);
        assert_eq!(of("name"), ["audit-log-path", "tls-sni-cert-key", "tls-sni-cert-key-2"]);
        assert_eq!(volumes[0].get("readOnly"), None);
    }

    #[test]
    fn each_component_has_the_mounts_that_kubeadm_does_not_make() {
        let scheduler = |flag: &str, path: &str| {
            volumes(&json!({"extraArgs": {"scheduler": {flag: path}}}), "scheduler")
        };
        assert_eq!(scheduler("config", "/etc/kubernetes/sched/config.yaml")[0]["name"], "config");
        // The controller manager and the API server have these anyhow.
        let pki = scheduler("tls-cert-file", "/etc/kubernetes/pki/scheduler.crt");
        assert_eq!(pki[0]["mountPath"], "/etc/kubernetes/pki/scheduler.crt");
        for (component, flag, path) in [
            ("apiServer", "oidc-ca-file", "/etc/ssl/certs/corp.pem"),
            ("apiServer", "oidc-ca-file", "/etc/kubernetes/pki/ca.crt"),
            (
                "controllerManager",
                "cluster-signing-legacy-unknown-cert-file",
                "/etc/kubernetes/pki/ca.crt",
            ),
            ("controllerManager", "flex-volume-plugin-dir", "/srv/flex"),
        ] {
            let overlay = json!({
                "cluster": {"kubernetes": "1.34.0"},
                "extraArgs": {component: {flag: path}},
            });
            assert_eq!(volumes(&overlay, component), Value::Null, "{flag}");
        }
        let newer =
            json!({"extraArgs": {"controllerManager": {"flex-volume-plugin-dir": "/srv/flex"}}});
        assert_eq!(volumes(&newer, "controllerManager")[0]["mountPath"], "/srv/flex");
    }

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

    #[test]
    fn a_file_that_is_read_is_somebodys() {
        let found = |more: &str| -> Vec<String> {
            let overlay = format!(
                "{{extraArgs: {{apiServer: {{audit-log-path: '-', audit-policy-file: /srv/audit/policy.yaml}}{more}}}"
            );
            let outcome = outcome(&overlay);
            let findings = outcome.report.findings().iter();
            findings.map(|finding| format!("{}: {}", finding.code.id, finding.message)).collect()
        };
        let missing = |nodes: &str| {
            format!(
                "audit/file-missing: --audit-policy-file of kube-apiserver reads /srv/audit/policy.yaml, and nothing brings it to {nodes}"
            )
        };
        let file = "path: /srv/audit/policy.yaml, content: x";
        assert_eq!(found("}"), [missing("cp1, cp2, cp3")]);
        let overlay = "extraArgs: {apiServer: {oidc-ca-file: /etc/kubernetes/pki/oidc.crt}}";
        assert!(codes(overlay).contains(&"audit/file-missing"), "the mount brings no file");
        let some = format!("}}, files: [{{{file}, nodes: {{names: [cp1, cp3, w1]}}}}]");
        assert_eq!(found(&some), [missing("cp2")]);
        assert!(found(&format!("}}, files: [{{{file}}}]")).is_empty());
        assert!(found(", hostFiles: [/srv/audit]}").is_empty());
    }

    #[test]
    fn files_of_hagen_s_own_and_of_the_distribution_are_there() {
        let overlay = "extraArgs: {apiServer: {\
            oidc-ca-file: /etc/ssl/certs/ca-certificates.crt, \
            peer-ca-file: /etc/kubernetes/pki/ca.crt}, \
            scheduler: {tls-cert-file: /etc/kubernetes/pki/apiserver.crt, \
            tls-private-key-file: /etc/kubernetes/pki/apiserver.key}}";
        let config = file(&outcome(overlay), "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        assert!(config.contains("name: tls-private-key-file"));
    }
}
