//! Files and folders that `etcd.settings` name: whether a member sees them, and who brings them.

use std::path::Path as FilePath;

use super::{PATH_UNSEEN, section};
use crate::catalog::{PathUse, etcd_paths};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, EtcdMode, layout};

/// A path that a setting names, and how its file is used.
pub(super) struct Named<'a> {
    pub(super) setting: &'a str,
    pub(super) path: &'a str,
    pub(super) used: PathUse,
    /// Whether members see it. kubeadm has no mounts of the user's for stacked members: they see
    /// the data folder and their certificates (`getEtcdPodSpec` in
    /// `cmd/kubeadm/app/phases/etcd/local.go`).
    pub(super) seen: bool,
}

impl Named<'_> {
    /// Where it is said.
    pub(super) fn at(&self) -> Path {
        section().key("settings").key(self.setting)
    }
}

/// Every path that settings name.
pub(super) fn named<'a>(cluster: &'a Cluster<'_>) -> impl Iterator<Item = Named<'a>> {
    let within = |path: &str, folder: &str| FilePath::new(path).starts_with(folder);
    cluster.etcd.settings.iter().flat_map(move |(setting, value)| {
        etcd_paths(setting, value).into_iter().map(move |(used, path)| {
            let seen = cluster.etcd.mode == EtcdMode::External
                || within(path, &cluster.etcd.data_dir)
                || within(path, &certificates());
            Named { setting, path, used, seen }
        })
    })
}

/// The folder of a stacked member's certificates.
fn certificates() -> String {
    format!("{}/etcd", layout::PKI)
}

/// Paths that stacked members do not see.
pub(super) fn unseen(cluster: &Cluster<'_>, report: &mut Report) {
    for named in named(cluster).filter(|named| !named.seen) {
        report.push(elsewhere(&named, cluster));
    }
}

fn elsewhere(named: &Named<'_>, cluster: &Cluster<'_>) -> Finding {
    let Named { setting, path, .. } = named;
    let (data, certificates) = (&cluster.etcd.data_dir, certificates());
    Finding::new(
        &PATH_UNSEEN,
        named.at(),
        format!("a stacked member sees {data} and {certificates} of its host; {path} is elsewhere"),
    )
    .label(format!("`{setting}` would be lost with the container, or is not there"))
    .because(section().key("mode"), "kubeadm makes no other mount for etcd")
    .help(format!("name a place in {data}, or remove it"))
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::codes;

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
