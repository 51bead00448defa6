//! What a valid inventory may still get wrong about etcd.

mod members;
mod settings;

use crate::catalog::{EtcdRelease, VersionPart, etcds};
use crate::inventory::Inventory;
use crate::report::{Finding, Report};
use crate::site::Cluster;

use super::plan::EtcdPlan;
use super::{VERSION_UNKNOWN, elections, folders, logs, paths, section, values};

/// The facts about the chosen release. What no release takes is said even where it is unknown.
pub(super) fn release(
    said: &Inventory,
    cluster: &Cluster<'_>,
    report: &mut Report,
) -> Option<&'static EtcdRelease> {
    members::count(cluster, report);
    folders::lint(&said.etcd, cluster, report);
    let version = cluster.etcd.version;
    let facts = version.release();
    if facts.is_none() {
        let minors: Vec<VersionPart> = etcds().map(|release| release.minor).collect();
        let known = match minors.as_slice() {
            [oldest, .., newest] => format!("3.{oldest} to 3.{newest}"),
            _ => "no release at all".to_owned(),
        };
        report.push(
            Finding::new(
                &VERSION_UNKNOWN,
                section().key("version"),
                format!("etcd {version} is outside the catalog, which knows {known}"),
            )
            .label("not in the catalog")
            .help("choose a release that the catalog knows, or leave `version` out"),
        );
    }
    facts
}

/// All that depends on the release.
pub(super) fn lint(plan: &EtcdPlan, said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    let facts = plan.facts;
    settings::known(cluster, facts, report);
    paths::unseen(cluster, report);
    settings::gates(cluster, facts, report);
    settings::synced(cluster, report);
    let elections = match &plan.external {
        None => {
            members::stacked(said, report);
            elections::of_stacked(cluster)
        }
        Some(external) => elections::of_external(external.heartbeat_ms, external.election_ms),
    };
    let quota = plan.external.as_ref().and_then(|external| {
        let bytes = external.quota_bytes.try_into().unwrap_or(i64::MAX);
        values::quota(bytes, section().key("quotaBytes"))
    });
    let agreed = [values::compaction(cluster), values::tls(cluster), logs::rotation(cluster)];
    let output = logs::output(cluster, facts, &plan.folders().collect::<Vec<_>>());
    let found = agreed.into_iter().chain([elections, quota, output]);
    found.flatten().for_each(|finding| report.push(finding));
    if plan.external.is_some() {
        members::external(cluster, facts, report);
    }
}
