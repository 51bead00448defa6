//! Flags whose value is a path of the host. A static pod sees of its host what is mounted into it
//! and nothing else, and a kubelet does not make the files that it is told to read.
//!
//! Read out of upstream's sources as [`super::flags`] was; a flag's name means the same thing in
//! every component and release.

/// What a component does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathUse {
    /// It reads a file.
    File,
    /// It reads a folder.
    Folder,
    /// It makes the file, and needs the folder.
    Made,
    /// It makes the folder, and files in it.
    MadeFolder,
}

/// By name, in alphabetical order.
const PATHS: &[(&str, PathUse)] = {
    use PathUse::{File, Folder, Made, MadeFolder};
    &[
        ("admission-control-config-file", File),
        ("allow-metric-labels-manifest", File),
        ("audit-log-path", Made),
        ("audit-policy-file", File),
        ("audit-webhook-config-file", File),
        ("authentication-config", File),
        ("authentication-kubeconfig", File),
        ("authentication-token-webhook-config-file", File),
        ("authorization-config", File),
        ("authorization-kubeconfig", File),
        ("authorization-policy-file", File),
        ("authorization-webhook-config-file", File),
        ("azure-container-registry-config", File),
        ("basic-auth-file", File),
        ("bootstrap-checkpoint-path", MadeFolder),
        ("bootstrap-kubeconfig", File),
        ("cert-dir", MadeFolder),
        ("client-ca-file", File),
        ("cloud-config", File),
        ("cluster-signing-cert-file", File),
        ("cluster-signing-key-file", File),
        ("cluster-signing-kube-apiserver-client-cert-file", File),
        ("cluster-signing-kube-apiserver-client-key-file", File),
        ("cluster-signing-kubelet-client-cert-file", File),
        ("cluster-signing-kubelet-client-key-file", File),
        ("cluster-signing-kubelet-serving-cert-file", File),
        ("cluster-signing-kubelet-serving-key-file", File),
        ("cluster-signing-legacy-unknown-cert-file", File),
        ("cluster-signing-legacy-unknown-key-file", File),
        ("config", File),
        ("config-dir", Folder),
        ("debug-socket-path", Made),
        ("docker-tls-ca", File),
        ("docker-tls-cert", File),
        ("docker-tls-key", File),
        ("dynamic-config-dir", MadeFolder),
        ("egress-selector-config-file", File),
        ("encryption-provider-config", File),
        ("etcd-cafile", File),
        ("etcd-certfile", File),
        ("etcd-keyfile", File),
        ("experimental-bootstrap-kubeconfig", File),
        ("experimental-encryption-provider-config", File),
        ("experimental-mounter-path", File),
        ("flex-volume-plugin-dir", MadeFolder),
        ("image-credential-provider-bin-dir", Folder),
        ("image-credential-provider-config", File),
        ("kubeconfig", File),
        ("kubelet-certificate-authority", File),
        ("kubelet-client-certificate", File),
        ("kubelet-client-key", File),
        ("leader-migration-config", File),
        ("lock-file", Made),
        ("log-dir", MadeFolder),
        ("log-file", Made),
        ("oidc-ca-file", File),
        ("peer-ca-file", File),
        ("policy-config-file", File),
        ("proxy-client-cert-file", File),
        ("proxy-client-key-file", File),
        ("pv-recycler-pod-template-filepath-hostpath", File),
        ("pv-recycler-pod-template-filepath-nfs", File),
        ("requestheader-client-ca-file", File),
        ("root-ca-file", File),
        ("service-account-key-file", File),
        ("service-account-private-key-file", File),
        // A socket, made anew by whoever signs.
        ("service-account-signing-endpoint", File),
        ("service-account-signing-key-file", File),
        ("ssh-keyfile", File),
        ("tls-cert-file", File),
        ("tls-private-key-file", File),
        ("tls-sni-cert-key", File),
        ("token-auth-file", File),
        ("tracing-config-file", File),
        ("volume-plugin-dir", MadeFolder),
        ("write-config-to", Made),
    ]
};

/// The paths in the value of a flag, each with what it is for; none where the flag takes something
/// else, or the value means no file: empty, `-` (standard output) or an abstract socket.
pub fn flag_paths<'a>(flag: &str, value: &'a str) -> Vec<(PathUse, &'a str)> {
    let Ok(place) = PATHS.binary_search_by_key(&flag, |(name, _)| name) else { return Vec::new() };
    let (_, used) = PATHS[place];
    let texts: Vec<&str> = match flag {
        // `example.crt,example.key:*.example.com,example.com`
        "tls-sni-cert-key" => value.split(':').next().unwrap_or_default().split(',').collect(),
        _ => vec![value],
    };
    let named = |text: &&str| !text.is_empty() && *text != "-" && !text.starts_with('@');
    texts.into_iter().filter(named).map(|text| (used, text)).collect()
}

/// The same of etcd's settings that the inventory may say.
pub fn etcd_paths<'a>(setting: &str, value: &'a str) -> Vec<(PathUse, &'a str)> {
    let (used, texts): (PathUse, Vec<&str>) = match setting {
        "client-cert-file"
        | "client-crl-file"
        | "client-key-file"
        | "peer-client-cert-file"
        | "peer-client-key-file"
        | "peer-crl-file" => (PathUse::File, vec![value]),
        "wal-dir" => (PathUse::MadeFolder, vec![value]),
        // `jwt,pub-key=/a.pub,priv-key=/a.key,sign-method=RS512`
        "auth-token" => (PathUse::File, value.split(',').filter_map(key).collect()),
        // `default`, `stderr`, `stdout` and the journal are no files.
        "log-output" | "log-outputs" => {
            (PathUse::Made, value.split(',').filter(|to| to.contains('/')).collect())
        }
        _ => return Vec::new(),
    };
    let named = |text: &&str| !text.is_empty() && !text.starts_with("systemd/");
    texts.into_iter().filter(named).map(|text| (used, text)).collect()
}

/// The path in one part of `auth-token`.
fn key(part: &str) -> Option<&str> {
    part.strip_prefix("pub-key=").or_else(|| part.strip_prefix("priv-key="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::flags::{Component, flags};
    use crate::catalog::{NEWEST_MINOR, OLDEST_MINOR, VersionPart};

    /// Flags that sound like paths and are something else, or lead to what the component does
    /// without.
    const NO_PATHS: [&str; 16] = [
        "add-dir-header",
        "boot-id-file",
        "cni-bin-dir",
        "cni-cache-dir",
        "cni-conf-dir",
        "container-hints",
        "experimental-dockershim-root-directory",
        "log-file-max-size",
        "machine-id-file",
        "pod-manifest-path",
        "policy-configmap",
        "policy-configmap-namespace",
        "resolv-conf",
        "root-dir",
        "runtime-config",
        "use-legacy-policy-config",
    ];

    #[test]
    fn every_flag_that_sounds_like_a_path_is_decided() {
        use Component::{KubeApiserver, KubeControllerManager, KubeScheduler, Kubelet};
        const SOUNDS: [&str; 9] =
            ["-file", "-dir", "-path", "config", "cert", "-key", "-ca", "-conf", "cafile"];
        for component in [KubeApiserver, KubeControllerManager, KubeScheduler, Kubelet] {
            for minor in (OLDEST_MINOR..=NEWEST_MINOR).map(VersionPart) {
                for flag in flags(component, minor).filter(|flag| {
                    SOUNDS.iter().any(|sound| flag.ends_with(sound) || flag.contains("filepath"))
                }) {
                    let known = !flag_paths(flag, "/x").is_empty() || NO_PATHS.contains(&flag);
                    assert!(known, "{}: {flag}", component.as_str());
                }
            }
        }
        assert!(PATHS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn values_that_name_no_file_have_no_path() {
        assert_eq!(flag_paths("audit-log-path", "-"), []);
        assert_eq!(flag_paths("service-account-signing-endpoint", "@signer"), []);
        assert_eq!(flag_paths("v", "/etc"), []);
        let pair = flag_paths("tls-sni-cert-key", "/a/tls.crt,/a/tls.key:*.example.com");
        assert_eq!(pair, [(PathUse::File, "/a/tls.crt"), (PathUse::File, "/a/tls.key")]);
    }
}
