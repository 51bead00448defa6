use serde::Serialize;

use super::certificates::{PURPOSES, id};
use super::plan::{Backup, EtcdPlan, External};
use super::settings::{self, Group};
use super::{
    ACCOUNT, ACCOUNTS, BACKUP_SCRIPT, BACKUP_TIMER, BACKUP_UNIT, BIN, CLIENT, CONFIGURATION,
    ETCD_PKI, ETCDCTL_ENV, FOLDERS, OVERRIDE, SETTINGS, UNIT, runbook, steps,
};
use crate::catalog::EtcdRelease;
use crate::claims::Phase;
use crate::document::Assignments;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output, Plan, Rendering};
use crate::site::{Cluster, Host, authorities, host_port, loopback};
use crate::tree::Apply;

/// The script that takes a snapshot.
const BACKUP_PROGRAM: &str = "/usr/local/lib/hagen/etcd-backup";

/// Context of `etcd.conf`.
#[derive(Serialize)]
struct SettingsContext {
    /// Every setting of the member.
    groups: Vec<Group>,
}

/// Context of `etcdctl.env`.
#[derive(Serialize)]
struct ClientContext {
    /// The file's own path.
    path: &'static str,
    /// Client URLs of all members.
    endpoints: Vec<String>,
    /// The folder of the certificates.
    pki: &'static str,
    /// Whether `ETCDCTL_API=3` has to be said.
    api_variable: bool,
}

/// Context of `etcd.service`.
#[derive(Serialize)]
struct UnitContext<'a> {
    /// The environment file.
    settings: &'static str,
    /// The one that wins over it.
    r#override: &'static str,
    /// The folder of the programs.
    bin: &'static str,
    /// Folders that etcd writes to.
    data: &'a [String],
}

/// Context of `etcd-backup.service`.
#[derive(Serialize)]
struct BackupUnitContext<'a> {
    /// etcdctl's environment file.
    client: &'static str,
    /// The script.
    script: &'static str,
    /// Where snapshots are kept.
    directory: &'a str,
}

/// Context of `etcd-backup.timer`.
#[derive(Serialize)]
struct BackupTimerContext<'a> {
    /// Between two snapshots: `6h`.
    interval: &'a str,
}

/// Context of the sysusers.d file.
#[derive(Serialize)]
struct AccountsContext<'a> {
    /// The account's home.
    home: &'a str,
}

/// Context of the tmpfiles.d file.
#[derive(Serialize)]
struct FoldersContext<'a> {
    /// Folders of the account, for nobody else.
    folders: Vec<&'a str>,
}

impl Plan for EtcdPlan {
    fn settled(&self) -> serde_json::Value {
        self.external.as_ref().map_or_else(|| serde_json::json!({}), External::settled)
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.words(steps::PHASE.step, steps::words(node, &with.cluster));
        if let Some(external) = self.external.as_ref().filter(|_| node.member()) {
            external.settings(self.facts, node, &with.cluster, out);
            external.unit(node, out);
            external.host(node, &with.cluster, out);
            certificates(node, with, out);
            if let Some(backup) = &external.backup {
                render_backup(backup, self.facts, node, &with.cluster, out);
            }
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        if let Some(cluster) = &with.site.cluster() {
            runbook::render(self.external.as_ref(), cluster, out);
        }
    }
}

impl External {
    fn settled(&self) -> serde_json::Value {
        let milliseconds = |count: u64| format!("{count}ms");
        let backup = match &self.backup {
            Some(Backup { interval, keep, directory }) => serde_json::json!({
                "enabled": true, "interval": interval, "keep": keep, "directory": directory,
            }),
            None => serde_json::json!({"enabled": false}),
        };
        serde_json::json!({"etcd": {
            "heartbeatInterval": milliseconds(self.heartbeat_ms),
            "electionTimeout": milliseconds(self.election_ms),
            "quotaBytes": self.quota_bytes,
            "backup": backup,
        }})
    }

    fn settings(
        &self,
        facts: &EtcdRelease,
        node: &Host,
        cluster: &Cluster<'_>,
        out: &mut Output<'_>,
    ) {
        let file = File::on(node, CONFIGURATION)
            .read_by("etcd.service", Apply::Restart)
            .phase(steps::PHASE)
            .reads([Path::of(&["etcd"]), Path::of(&["nodes"]), Path::of(&["cluster", "name"])]);
        out.template(
            file,
            SETTINGS.id,
            &SettingsContext { groups: settings::of(node, self, facts, cluster) },
        );
        let file = File::on(node, ETCDCTL_ENV)
            .phase(steps::PHASE)
            .reads([Path::of(&["nodes"]), Path::of(&["etcd", "clientPort"])]);
        out.template(
            file,
            CLIENT.id,
            &ClientContext {
                path: ETCDCTL_ENV,
                endpoints: cluster
                    .members()
                    .map(|member| cluster.etcd_client_url(member))
                    .collect(),
                pki: ETCD_PKI,
                api_variable: facts.etcdctl_api_variable,
            },
        );
    }

    fn unit(&self, node: &Host, out: &mut Output<'_>) {
        let file = File::on(node, "/etc/systemd/system/etcd.service")
            .read_by("etcd.service", Apply::Restart)
            .phase(steps::PHASE)
            .reads([Path::of(&["etcd", "dataDir"])]);
        out.template(
            file,
            UNIT.id,
            &UnitContext {
                settings: CONFIGURATION,
                r#override: OVERRIDE,
                bin: BIN,
                data: &self.data,
            },
        );
    }

    /// The account and its folders.
    fn host(&self, node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
        let file = File::on(node, "/etc/sysusers.d/hagen-etcd.conf")
            .phase(Phase::INSTALL)
            .reads([Path::of(&["etcd", "dataDir"])]);
        out.template(file, ACCOUNTS.id, &AccountsContext { home: &cluster.etcd.data_dir });
        let file = File::on(node, "/etc/tmpfiles.d/hagen-etcd.conf").phase(Phase::INSTALL).reads([
            Path::of(&["etcd", "dataDir"]),
            Path::of(&["etcd", "settings"]),
            Path::of(&["etcd", "backup", "directory"]),
        ]);
        let folders = self.folders().collect();
        out.template(file, FOLDERS.id, &FoldersContext { folders });
    }
}

/// The authority, and a certificate and key for each purpose. etcd reads the latter again at
/// every handshake, so only another authority takes a restart
/// (<https://etcd.io/docs/latest/op-guide/security/#notes-for-tls-authentication>).
fn certificates(node: &Host, with: &OfCluster<'_>, out: &mut Output<'_>) {
    let file = |name: &str| {
        File::on(node, format!("{}/{name}", ETCD_PKI))
            .phase(steps::PHASE)
            .reads([node.path(), Path::of(&["pki"])])
    };
    let authority = file("ca.crt").read_by("etcd.service", Apply::Restart);
    out.bytes(authority, with.issued.trust(&authorities::ETCD).as_bytes());
    for (purpose, _) in PURPOSES {
        let leaf = with.issued.leaf(&id(node, purpose));
        out.bytes(file(&format!("{purpose}.crt")), leaf.certificate_pem.as_bytes());
        let key = file(&format!("{purpose}.key")).secret().owner(ACCOUNT, ACCOUNT);
        out.bytes(key, leaf.key_pem.as_bytes());
    }
}

fn render_backup(
    backup: &Backup,
    facts: &EtcdRelease,
    node: &Host,
    cluster: &Cluster<'_>,
    out: &mut Output<'_>,
) {
    let Backup { interval, keep, directory } = backup;
    let file = |path: &str| {
        File::on(node, path).phase(steps::PHASE).reads([Path::of(&["etcd", "backup"])])
    };
    let unit = file("/etc/systemd/system/etcd-backup.service");
    out.template(
        unit,
        BACKUP_UNIT.id,
        &BackupUnitContext { client: ETCDCTL_ENV, script: BACKUP_PROGRAM, directory },
    );
    let timer =
        file("/etc/systemd/system/etcd-backup.timer").read_by("etcd-backup.timer", Apply::Restart);
    out.template(timer, BACKUP_TIMER.id, &BackupTimerContext { interval });
    let endpoint = host_port(loopback(node.address), cluster.etcd.client_port);
    let mut words = Assignments::new("etcd-backup.service runs this.");
    words
        .word("bin", BIN)
        .word("directory", directory)
        .word("keep", &keep.to_string())
        .word("endpoint", &format!("https://{endpoint}"))
        .word("status_program", if facts.etcdutl { "etcdutl" } else { "etcdctl" });
    out.script(file(BACKUP_PROGRAM).mode(0o755), words, BACKUP_SCRIPT.id);
}
