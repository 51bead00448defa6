//! etcd. External members are units of systemd and wholly this room's: settings, certificates,
//! unit, account, data folder, snapshots. Stacked members are kubeadm's; the room only checks
//! what the inventory says about them.
//!
//! On each external member:
//! * `/etc/etcd/etcd.conf`, the only place that settings come from;
//! * `/etc/etcd/pki/`, its certificates; every key belongs to the account `etcd`;
//! * `/etc/etcd/etcdctl.env`, what `etcdctl` needs to reach every member;
//! * `etcd.service`; `etcd-backup.service`, its timer and its script;
//! * the account and the folders, for systemd-sysusers and systemd-tmpfiles.

mod certificates;
mod claims;
mod elections;
mod folders;
mod lint;
mod logs;
mod paths;
mod plan;
mod render;
mod runbook;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod values;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::rooms::{Planned, Room};
use crate::site::Site;
use crate::site::layout::ETCD_PKI;
use crate::template;
use crate::template::Template;

crate::codes! { "etcd":
    VERSION_UNKNOWN = Error "version-unknown",
    TOO_OLD = Error "too-old",
    DATA_LOSS = Warning "data-loss",
    EVEN_MEMBERS = Warning "even-members",
    SINGLE_MEMBER = Warning "single-member",
    TOO_MANY_MEMBERS = Warning "too-many-members",
    ON_CONTROL_PLANES = Note "on-control-planes",
    ALL_ENDPOINTS = Note "all-endpoints",
    EXTERNAL_ONLY = Error "external-only",
    FLAG_VERSION = Error "flag-version",
    SETTING_OWNED = Error "setting-owned",
    ELECTION_TIMEOUT = Error "election-timeout",
    PATH_UNSEEN = Error "path-unseen",
    LOG_OUTPUT = Error "log-output",
    LOG_ROTATION = Error "log-rotation",
    SYSTEM_FOLDER = Error "system-folder",
}

const SETTINGS: Template = template!("etcd/etc/etcd/etcd.conf.j2");
const CLIENT: Template = template!("etcd/etc/etcd/etcdctl.env.j2");
const UNIT: Template = template!("etcd/etc/systemd/system/etcd.service.j2");
const BACKUP_UNIT: Template = template!("etcd/etc/systemd/system/etcd-backup.service.j2");
const BACKUP_TIMER: Template = template!("etcd/etc/systemd/system/etcd-backup.timer.j2");
const BACKUP_SCRIPT: Template = template!("etcd/usr/local/lib/hagen/etcd-backup.sh");
const ACCOUNTS: Template = template!("etcd/etc/sysusers.d/hagen-etcd.conf.j2");
const FOLDERS: Template = template!("etcd/etc/tmpfiles.d/hagen-etcd.conf.j2");
const STEP: Template = template!("etcd/steps/40-etcd.sh");
const PART: Template = template!("etcd/steps/etcd.sh");
const BRING_UP: Template = template!("etcd/runbook/bring-up.md.j2");
const AFTERWARDS: Template = template!("etcd/runbook/afterwards.md.j2");
const LOST_MEMBER: Template = template!("etcd/runbook/lost-member.md.j2");
const DATA: Template = template!("etcd/runbook/data.md.j2");

static TEMPLATES: [Template; 14] = [
    SETTINGS,
    CLIENT,
    UNIT,
    BACKUP_UNIT,
    BACKUP_TIMER,
    BACKUP_SCRIPT,
    ACCOUNTS,
    FOLDERS,
    STEP,
    PART,
    BRING_UP,
    AFTERWARDS,
    LOST_MEMBER,
    DATA,
];

/// The account that the members run as.
const ACCOUNT: &str = "etcd";
/// The external member's environment file.
const CONFIGURATION: &str = "/etc/etcd/etcd.conf";
/// Settings that win over [`CONFIGURATION`] until the next boot, where the file exists: a member that
/// takes the place of a lost one is started with `ETCD_INITIAL_CLUSTER_STATE=existing`, and the
/// last survivor of a lost quorum with `ETCD_FORCE_NEW_CLUSTER=true`.
const OVERRIDE: &str = "/run/hagen/etcd.env";
/// What `etcdctl` reads: `set -a; . /etc/etcd/etcdctl.env; set +a; etcdctl member list`.
const ETCDCTL_ENV: &str = "/etc/etcd/etcdctl.env";
/// Where an external member's programs are: etcd, etcdctl, etcdutl.
const BIN: &str = "/usr/local/bin";
/// All files of an external member, as patterns of a shell's `case`: they stay with the member where
/// a reset leaves it.
const FILES: &[&str] = &[
    "/etc/etcd/*",
    "/etc/systemd/system/etcd.service",
    "/etc/systemd/system/etcd.service.d/*",
    "/etc/systemd/system/etcd-backup.*",
    "/etc/sysusers.d/hagen-etcd.conf",
    "/etc/tmpfiles.d/hagen-etcd.conf",
    "/usr/local/lib/hagen/etcd-backup",
];

fn section() -> Path {
    Path::of(&["etcd"])
}

/// The room.
pub struct Etcd;

impl Room for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let facts = lint::release(said, cluster, report)?;
        let plan = plan::EtcdPlan::new(&said.etcd, cluster, facts);
        lint::lint(&plan, said, cluster, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
