//! `extraVolumes`: mounts as kubeadm's file has them, and read back from it.

use std::path::Path as FilePath;

use serde_json::{Value, json};

use crate::control_plane::mounts::Mount;

/// As `extraVolumes` has it.
pub(super) fn written(mount: &Mount) -> Value {
    let Mount { name, path, read_only, kind } = mount;
    let mut volume = json!({"name": name, "hostPath": path, "mountPath": path});
    if *read_only {
        volume["readOnly"] = json!(true);
    }
    volume["pathType"] = json!(kind);
    volume
}

/// Where a path inside leads to outside, by the volumes of a finished document.
pub(super) fn outside(path: &str, volumes: &[Value]) -> Option<String> {
    let text =
        |volume: &Value, key: &str| volume.get(key).and_then(Value::as_str).map(str::to_owned);
    let path = FilePath::new(path);
    // The nearest mount is the one that is seen.
    let mut found: Vec<(usize, String)> = volumes
        .iter()
        .filter_map(|volume| {
            let (inside, outside) = (text(volume, "mountPath")?, text(volume, "hostPath")?);
            let rest = path.strip_prefix(&inside).ok()?;
            let outside = match rest.as_os_str().is_empty() {
                true => outside,
                false => FilePath::new(&outside).join(rest).to_str()?.to_owned(),
            };
            Some((inside.len(), outside))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, outside)| outside)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::overlaid::{files, text};

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
}
