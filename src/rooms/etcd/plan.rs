//! What the section says, with every default filled in.

use super::elections::{ELECTION_MS, HEARTBEAT_MS};
use super::{folders, logs};
use crate::catalog::EtcdRelease;
use crate::inventory::etcd::{BackupSection, EtcdSection};
use crate::site::{Cluster, EtcdMode};

/// 8 GiB, the largest that etcd suggests:
/// <https://etcd.io/docs/latest/dev-guide/limit/#storage-size-limit>.
const QUOTA_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Six hours: the work that is lost at most where every member is.
const BACKUP_INTERVAL: &str = "6h";
/// Five days of [`BACKUP_INTERVAL`].
const BACKUP_KEEP: u32 = 20;
/// Where snapshots are kept.
const BACKUP_DIRECTORY: &str = "/var/backups/etcd";

/// What was decided about members. What more than one room needs is in [`crate::site::Etcd`].
pub(super) struct EtcdPlan {
    /// What this release of etcd knows.
    pub(super) facts: &'static EtcdRelease,
    /// Members that systemd runs; `None` where kubeadm runs them, and decides.
    pub(super) external: Option<External>,
}

/// What was decided about members that systemd runs.
pub(super) struct External {
    /// Milliseconds between heartbeats.
    pub(super) heartbeat_ms: u64,
    /// Milliseconds without one until a new leader is elected.
    pub(super) election_ms: u64,
    /// The database's limit in bytes.
    pub(super) quota_bytes: u64,
    /// Snapshots on a timer.
    pub(super) backup: Option<Backup>,
    /// Folders that etcd writes to: its data, and its log where the user put it elsewhere.
    pub(super) data: Vec<String>,
    /// The folder of log files, where the user wants such.
    pub(super) logs: Option<&'static str>,
}

/// Snapshots on a timer.
pub(super) struct Backup {
    /// Between two snapshots, as systemd writes it.
    pub(super) interval: String,
    /// How many stay.
    pub(super) keep: u32,
    /// Where.
    pub(super) directory: String,
}

impl EtcdPlan {
    pub(super) fn new(
        section: &EtcdSection,
        cluster: &Cluster<'_>,
        facts: &'static EtcdRelease,
    ) -> Self {
        let external = cluster.etcd.mode == EtcdMode::External;
        Self { facts, external: external.then(|| External::new(section, cluster)) }
    }

    /// Every folder of the account of members that systemd runs.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.external.iter().flat_map(External::folders)
    }
}

impl External {
    fn new(section: &EtcdSection, cluster: &Cluster<'_>) -> Self {
        // Mode, release, ports, data folder and settings are facts of the cluster.
        let EtcdSection {
            mode: _,
            version: _,
            endpoints: _,
            data_dir: _,
            client_port: _,
            peer_port: _,
            metrics_port: _,
            heartbeat_interval,
            election_timeout,
            quota_bytes,
            backup: BackupSection { enabled, interval, keep, directory },
            settings: _,
        } = section;
        let backup = enabled.unwrap_or(true).then(|| Backup {
            interval: interval
                .as_ref()
                .map_or_else(|| BACKUP_INTERVAL.to_owned(), ToString::to_string),
            keep: keep.unwrap_or(BACKUP_KEEP),
            directory: directory
                .as_ref()
                .map_or_else(|| BACKUP_DIRECTORY.to_owned(), ToString::to_string),
        });
        let mut data = vec![cluster.etcd.data_dir.clone()];
        data.extend(folders::of_log(cluster).map(str::to_owned));
        let logs = logs::in_folder(cluster).then_some(logs::FOLDER);
        Self {
            heartbeat_ms: heartbeat_interval.as_ref().map_or(HEARTBEAT_MS, |time| time.millis()),
            election_ms: election_timeout.as_ref().map_or(ELECTION_MS, |time| time.millis()),
            quota_bytes: quota_bytes.unwrap_or(QUOTA_BYTES),
            backup,
            data,
            logs,
        }
    }

    /// Every folder of etcd's account, one that holds another first.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        let kept = self.backup.iter().map(|backup| backup.directory.as_str());
        self.data.iter().map(String::as_str).chain(self.logs).chain(kept)
    }
}
