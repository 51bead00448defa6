use serde::Serialize;

use super::certificates::{PURPOSES, id};
use super::claims::ACCOUNT;
use super::plan::{Backup, EtcdPlan};
use super::settings::{self, Group};
use crate::claims::Phase;
use crate::document::Assignments;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output, Plan, Rendering};
use crate::site::{Cluster, Host, authorities, host_port, layout, loopback};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

const SETTINGS: &str = "etcd/etc/etcd/etcd.conf.j2";
const CLIENT: &str = "etcd/etc/etcd/etcdctl.env.j2";
const UNIT: &str = "etcd/etc/systemd/system/etcd.service.j2";
const BACKUP_UNIT: &str = "etcd/etc/systemd/system/etcd-backup.service.j2";
const BACKUP_TIMER: &str = "etcd/etc/systemd/system/etcd-backup.timer.j2";
const BACKUP_SCRIPT: &str = "etcd/usr/local/lib/hagen/etcd-backup.sh";
const ACCOUNTS: &str = "etcd/etc/sysusers.d/hagen-etcd.conf.j2";
const FOLDERS: &str = "etcd/etc/tmpfiles.d/hagen-etcd.conf.j2";

pub(super) static TEMPLATES: &[Template] = &[
    template!("etcd/etc/etcd/etcd.conf.j2"),
    template!("etcd/etc/etcd/etcdctl.env.j2"),
    template!("etcd/etc/systemd/system/etcd.service.j2"),
    template!("etcd/etc/systemd/system/etcd-backup.service.j2"),
    template!("etcd/etc/systemd/system/etcd-backup.timer.j2"),
    template!("etcd/usr/local/lib/hagen/etcd-backup.sh"),
    template!("etcd/etc/sysusers.d/hagen-etcd.conf.j2"),
    template!("etcd/etc/tmpfiles.d/hagen-etcd.conf.j2"),
];

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

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.words(super::steps::NUMBER, super::steps::words(node, &with.cluster));
        if !node.member() {
            return;
        }
        self.settings(node, &with.cluster, out);
        self.unit(node, &with.cluster, out);
        self.host(node, &with.cluster, out);
        certificates(node, with, out);
        if let Some(backup) = &self.backup {
            render_backup(backup, self, node, &with.cluster, out);
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        if let Some(cluster) = &with.site.cluster() {
            super::runbook::render(Some(self), cluster, out);
        }
    }
}

impl EtcdPlan {
    fn settings(&self, node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
        let file = File::on(node, layout::ETCD_CONF)
            .read_by("etcd.service", Apply::Restart)
            .phase(Phase::Etcd)
            .reads([Path::of(&["etcd"]), Path::of(&["nodes"]), Path::of(&["cluster", "name"])]);
        out.template(
            file,
            SETTINGS,
            &SettingsContext { groups: settings::of(node, self, cluster) },
        );
        let file = File::on(node, layout::ETCDCTL_ENV)
            .phase(Phase::Etcd)
            .reads([Path::of(&["nodes"]), Path::of(&["etcd", "clientPort"])]);
        out.template(
            file,
            CLIENT,
            &ClientContext {
                path: layout::ETCDCTL_ENV,
                endpoints: cluster
                    .members()
                    .map(|member| cluster.etcd_client_url(member))
                    .collect(),
                pki: layout::ETCD_PKI,
                api_variable: self.facts.etcdctl_api_variable,
            },
        );
    }

    fn unit(&self, node: &Host, _: &Cluster<'_>, out: &mut Output<'_>) {
        let file = File::on(node, "/etc/systemd/system/etcd.service")
            .read_by("etcd.service", Apply::Restart)
            .phase(Phase::Etcd)
            .reads([Path::of(&["etcd", "dataDir"])]);
        out.template(
            file,
            UNIT,
            &UnitContext {
                settings: layout::ETCD_CONF,
                r#override: layout::ETCD_OVERRIDE,
                bin: layout::ETCD_BIN,
                data: &self.data,
            },
        );
    }

    /// The account and its folders.
    fn host(&self, node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
        let file = File::on(node, "/etc/sysusers.d/hagen-etcd.conf")
            .phase(Phase::Install)
            .reads([Path::of(&["etcd", "dataDir"])]);
        out.template(file, ACCOUNTS, &AccountsContext { home: &cluster.etcd.data_dir });
        let file = File::on(node, "/etc/tmpfiles.d/hagen-etcd.conf").phase(Phase::Install).reads([
            Path::of(&["etcd", "dataDir"]),
            Path::of(&["etcd", "settings"]),
            Path::of(&["etcd", "backup", "directory"]),
        ]);
        let folders = self.folders().collect();
        out.template(file, FOLDERS, &FoldersContext { folders });
    }
}

/// The authority, and a certificate and key for each purpose. etcd reads the latter again at
/// every handshake, so only another authority takes a restart
/// (<https://etcd.io/docs/latest/op-guide/security/#notes-for-tls-authentication>).
fn certificates(node: &Host, with: &OfCluster<'_>, out: &mut Output<'_>) {
    let file = |name: &str| {
        File::on(node, format!("{}/{name}", layout::ETCD_PKI))
            .phase(Phase::Etcd)
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
    plan: &EtcdPlan,
    node: &Host,
    cluster: &Cluster<'_>,
    out: &mut Output<'_>,
) {
    let Backup { interval, keep, directory } = backup;
    let file =
        |path: &str| File::on(node, path).phase(Phase::Etcd).reads([Path::of(&["etcd", "backup"])]);
    let unit = file("/etc/systemd/system/etcd-backup.service");
    out.template(
        unit,
        BACKUP_UNIT,
        &BackupUnitContext { client: layout::ETCDCTL_ENV, script: BACKUP_PROGRAM, directory },
    );
    let timer =
        file("/etc/systemd/system/etcd-backup.timer").read_by("etcd-backup.timer", Apply::Restart);
    out.template(timer, BACKUP_TIMER, &BackupTimerContext { interval });
    let endpoint = host_port(loopback(node.address), cluster.etcd.client_port);
    let mut words = Assignments::new("etcd-backup.service runs this.");
    words
        .word("bin", layout::ETCD_BIN)
        .word("directory", directory)
        .word("keep", &keep.to_string())
        .word("endpoint", &format!("https://{endpoint}"))
        .word("status_program", if plan.facts.etcdutl { "etcdutl" } else { "etcdctl" });
    out.script(file(BACKUP_PROGRAM).mode(0o755), words, BACKUP_SCRIPT);
}
