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
pub mod codes;
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

use std::sync::LazyLock;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::rooms::{Planned, Room};
use crate::site::EtcdMode;
use crate::site::Site;
use crate::template::Template;

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let of_steps = steps::TEMPLATES.iter().chain(&runbook::TEMPLATES);
    render::TEMPLATES.iter().chain(of_steps).copied().collect()
});

/// The room.
pub struct Etcd;

impl Room for Etcd {
    fn name(&self) -> &'static str {
        "etcd"
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut claims = RoomClaims::default();
        lint::members(cluster, report);
        folders::lint(&said.etcd, cluster, report);
        let facts = lint::release(cluster, report)?;
        lint::settings(cluster, facts, report);
        paths::claim(cluster, &mut claims, report);
        lint::gates(cluster, facts, report);
        lint::synced(cluster, report);
        let agreed = [values::compaction(cluster), values::tls(cluster), logs::rotation(cluster)];
        if cluster.etcd.mode == EtcdMode::Stacked {
            lint::stacked(said, report);
            let output = logs::output(cluster, facts, &[]);
            let found = agreed.into_iter().chain([values::elections_of_stacked(cluster), output]);
            found.flatten().for_each(|finding| report.push(finding));
            return Some(Planned::new(steps::Stacked, claims));
        }
        let plan = plan::EtcdPlan::new(&said.etcd, cluster, facts);
        let quota_at = Path::of(&["etcd", "quotaBytes"]);
        let output = logs::output(cluster, facts, &plan.folders().collect::<Vec<_>>());
        let found = agreed.into_iter().chain([
            values::elections_of_external(&plan),
            values::quota(plan.quota_bytes.try_into().unwrap_or(i64::MAX), quota_at),
            output,
        ]);
        found.flatten().for_each(|finding| report.push(finding));
        lint::external(cluster, facts, report);
        claims::state(&plan, cluster, &mut claims);
        certificates::ask(cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
