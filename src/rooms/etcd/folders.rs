//! Folders that are etcd's alone: they get its account and mode 0700, and a reset empties those of
//! the data.

use std::path::Path as FilePath;

use super::{SYSTEM_FOLDER, section};
use crate::inventory::etcd::EtcdSection;
use crate::inventory::values::AbsolutePath;
use crate::report::{Finding, Report};
use crate::site::{Cluster, EtcdMode};

/// Nothing below belongs to etcd. The distribution's, the kernel's, people's, and what the next
/// boot or a clean-up empties; `etcd.service` sees neither homes nor the host's `/tmp`, and may
/// not write to `/usr` and `/etc`. Every file that hagen installs lies in one of these.
const CLOSED: [&str; 33] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt/cni",
    "/opt/containerd",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/lib/apt",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/dnf",
    "/var/lib/docker",
    "/var/lib/dpkg",
    "/var/lib/hagen",
    "/var/lib/kubelet",
    "/var/lib/rpm",
    "/var/lib/selinux",
    "/var/lib/systemd",
    "/var/lib/yum",
    "/var/lock",
    "/var/run",
    "/var/tmp",
];

/// Others keep their folders here (Filesystem Hierarchy Standard 3.0): one below may be etcd's.
const SHARED: [&str; 12] = [
    "/media",
    "/mnt",
    "/opt",
    "/srv",
    "/var/backups",
    "/var/cache",
    "/var/lib",
    "/var/local",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/spool",
];

const LOG: &str = "wal-dir";

/// The folder that etcd needs for a write-ahead log apart from its data: it makes the log's own
/// folder beside the place, under another name, and renames it (`Create` in
/// `server/storage/wal/wal.go`).
pub(super) fn of_log<'a>(cluster: &'a Cluster<'_>) -> Option<&'a str> {
    let log = cluster.etcd.settings.get(LOG)?;
    log.parse::<AbsolutePath>().ok()?;
    let path = FilePath::new(log);
    let data = FilePath::new(&cluster.etcd.data_dir);
    match path != data && path.starts_with(data) {
        true => Some(log),
        false => path.parent()?.to_str(),
    }
}

/// What the inventory says about folders; they are real on every machine with a member.
pub(super) fn lint(said: &EtcdSection, cluster: &Cluster<'_>, report: &mut Report) {
    let log_at = section().key("settings").key(LOG);
    let mut folders = vec![(cluster.etcd.data_dir.as_str(), section().key("dataDir"))];
    if cluster.etcd.mode == EtcdMode::External {
        folders.extend(of_log(cluster).map(|path| (path, log_at.clone())));
        let kept = said.backup.directory.as_ref();
        folders.extend(kept.map(|path| (path.as_str(), section().key("backup").key("directory"))));
    }
    for (folder, at) in folders {
        if let Some(problem) = problem(folder) {
            let help = match cluster.etcd.settings.get(LOG) {
                Some(log) if at == log_at => format!(
                    "write `{log}/wal`: etcd makes that one itself, and needs the folder around it"
                ),
                _ => "choose a folder that nothing else uses, such as /var/lib/etcd or /srv/etcd"
                    .to_owned(),
            };
            report.push(
                Finding::new(
                    &SYSTEM_FOLDER,
                    at,
                    format!("`{folder}` would become etcd's alone, and {problem}"),
                )
                .label("not a folder of etcd's own")
                .help(help),
            );
        }
    }
}

/// Why a folder cannot be etcd's.
fn problem(folder: &str) -> Option<String> {
    let folder = FilePath::new(folder);
    if let Some(closed) = CLOSED.iter().find(|closed| folder.starts_with(closed)) {
        return Some(format!("`{closed}` is the system's or a user's"));
    }
    let above =
        CLOSED.iter().chain(&SHARED).find(|other| FilePath::new(other).starts_with(folder))?;
    Some(match FilePath::new(above) == folder {
        true => "others keep their folders in it".to_owned(),
        false => format!("`{above}` lies in it"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::overlaid;

    #[test]
    fn etcd_takes_no_folder_that_others_need() {
        for folder in [
            "/var",
            "/var/lib",
            "/usr",
            "/usr/local/etcd",
            "/etc/kubernetes",
            "/etc/etcd/pki",
            "/home/etcd",
            "/root/etcd",
            "/tmp/etcd",
            "/var/tmp/etcd",
            "/run/etcd",
            "/opt",
            "/opt/cni/bin",
            "/var/lib/dpkg/etcd",
            "/boot",
            "/proc/etcd",
            "/sys",
            "/dev/shm",
            "/srv",
        ] {
            assert!(problem(folder).is_some(), "{folder}");
        }
        for folder in [
            "/var/lib/etcd",
            "/data",
            "/srv/etcd",
            "/mnt/ssd",
            "/var/lib/etcd-2",
            "/etcd",
            "/users",
        ] {
            assert_eq!(problem(folder), None, "{folder}");
        }
    }

    #[test]
    fn data_log_and_snapshots_are_looked_at_wherever_they_are_kept() {
        for (overlay, place) in [
            ("etcd: {dataDir: /var/lib}", "etcd.dataDir"),
            ("etcd: {mode: external, dataDir: /var}", "etcd.dataDir"),
            ("etcd: {mode: external, settings: {wal-dir: /usr/log}}", "etcd.settings.wal-dir"),
            ("etcd: {mode: external, settings: {wal-dir: /srv/log}}", "etcd.settings.wal-dir"),
            ("etcd: {mode: external, settings: {wal-dir: /var/lib/etcd}}", "etcd.settings.wal-dir"),
            ("etcd: {mode: external, backup: {directory: /root/etcd}}", "etcd.backup.directory"),
        ] {
            let outcome = overlaid::outcome(overlay);
            let found = outcome.report.findings().iter();
            let places: Vec<String> = found
                .filter(|finding| finding.code == &SYSTEM_FOLDER)
                .map(|finding| finding.at.to_string())
                .collect();
            assert_eq!(places, [place], "{overlay}");
        }
    }

    #[test]
    fn no_file_of_hagen_s_can_lie_in_a_folder_of_etcd_s() {
        let tree = overlaid::outcome("etcd: {mode: external}").tree.unwrap();
        for (_, artifact) in tree.iter() {
            if let Some(destination) = &artifact.destination {
                assert!(problem(&destination.path).is_some(), "{}", destination.path);
            }
        }
    }
}
