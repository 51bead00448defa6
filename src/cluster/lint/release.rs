use time::OffsetDateTime;

use crate::cluster::{Cluster, codes};
use crate::report::{Finding, Path, Report};

pub(super) fn lint(cluster: &Cluster, issued_at: OffsetDateTime, report: &mut Report) {
    if let Some(end) = cluster.release.end_of_life
        && end <= issued_at.date()
    {
        report.push(
            Finding::new(
                &codes::END_OF_LIFE,
                Path::of(&["cluster", "kubernetes"]),
                format!("Kubernetes {} got its last upstream patch by {end}", cluster.kubernetes),
            )
            .label("out of support when the bundle was issued")
            .help("plan the upgrade; security fixes no longer reach this release"),
        );
    }
}
