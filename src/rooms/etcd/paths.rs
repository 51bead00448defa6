//! Files and folders that `etcd.settings` name: whether a member sees them, and who brings them.

use std::path::Path as FilePath;

use super::codes::PATH_UNSEEN;
use crate::catalog::{PathUse, etcd_paths};
use crate::claims::{NeededFile, RoomClaims};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, EtcdMode, layout};
use crate::tree::Apply;

/// States the files that every member reads. kubeadm has no mounts of the user's for stacked
/// members: they see the data folder and their certificates (`getEtcdPodSpec` in
/// `cmd/kubeadm/app/phases/etcd/local.go`).
pub(super) fn claim(cluster: &Cluster<'_>, claims: &mut RoomClaims, report: &mut Report) {
    let stacked = cluster.etcd.mode == EtcdMode::Stacked;
    let certificates = format!("{}/etcd", layout::PKI);
    for (setting, value) in &cluster.etcd.settings {
        let at = Path::of(&["etcd", "settings"]).key(setting);
        for (used, path) in etcd_paths(setting, value) {
            let within = |folder: &str| FilePath::new(path).starts_with(folder);
            let seen = within(&cluster.etcd.data_dir) || within(&certificates);
            if stacked && !seen {
                report.push(unseen(setting, path, &certificates, at.clone(), cluster));
            } else if used == PathUse::File {
                let reader = format!("`{setting}` of etcd");
                let read_by = match stacked {
                    true => ("etcd", Apply::Pod),
                    false => ("etcd.service", Apply::Restart),
                };
                let path = path.to_owned();
                let needed = NeededFile { path, folder: false, reader, read_by, at: at.clone() };
                for member in cluster.members() {
                    claims.node(member.index).needed_files.push(needed.clone());
                }
            }
        }
    }
}

fn unseen(
    setting: &str,
    path: &str,
    certificates: &str,
    at: Path,
    cluster: &Cluster<'_>,
) -> Finding {
    let data = &cluster.etcd.data_dir;
    Finding::new(
        &PATH_UNSEEN,
        at,
        format!("a stacked member sees {data} and {certificates} of its host; {path} is elsewhere"),
    )
    .label(format!("`{setting}` would be lost with the container, or is not there"))
    .because(Path::of(&["etcd", "mode"]), "kubeadm makes no other mount for etcd")
    .help(format!("name a place in {data}, or remove it"))
}

#[cfg(test)]
mod tests {
    use crate::rooms::trial::codes;

    #[test]
    fn a_stacked_member_sees_two_folders_only() {
        for setting in [
            "wal-dir: /srv/wal",
            "log-outputs: 'stderr,/var/log/etcd.log'",
            "auth-token: 'jwt,sign-method=ES256,pub-key=/srv/a.pub,priv-key=/etc/kubernetes/pki/etcd/a'",
            "peer-crl-file: /etc/etcd/crl.pem",
        ] {
            let overlay = format!("etcd: {{settings: {{{setting}}}}}");
            assert_eq!(codes(&overlay), ["etcd/path-unseen"], "{setting}");
        }
        for setting in ["wal-dir: /var/lib/etcd/wal", "log-outputs: stderr", "auth-token: simple"] {
            assert!(codes(&format!("etcd: {{settings: {{{setting}}}}}")).is_empty(), "{setting}");
        }
    }

    #[test]
    fn what_a_member_reads_is_brought_to_it() {
        let of = |more: &str| {
            codes(&format!(
                "{{etcd: {{mode: external, settings: {{client-crl-file: /srv/crl.pem}}}}{more}}}"
            ))
        };
        assert!(of("").contains(&"audit/file-missing"));
        assert!(!of(", files: [{path: /srv/crl.pem, content: x}]").contains(&"audit/file-missing"));
        let said = of(", extraArgs: {hostFiles: [/srv/crl.pem]}");
        assert!(!said.contains(&"audit/file-missing"), "{said:?}");
    }
}
