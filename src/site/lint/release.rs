use time::OffsetDateTime;

use crate::pki::{self, Algorithm};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, codes};

pub(super) fn lint(cluster: &Cluster<'_>, issued_at: OffsetDateTime, report: &mut Report) {
    if let Some(end) = cluster.release.end_of_life
        && end <= issued_at.date()
    {
        report.push(
            Finding::new(
                &codes::END_OF_LIFE,
                Path::of(&["cluster", "kubernetes"]),
                format!("Kubernetes {} got its last upstream patch by {end}", cluster.version),
            )
            .label("out of support when the bundle was issued")
            .help("plan the upgrade; security fixes no longer reach this release"),
        );
    }
    let algorithms = &cluster.release.kubeadm.encryption_algorithms;
    if cluster.site.certificates.algorithm == Algorithm::EcdsaP384
        && !algorithms.iter().any(|name| name == "ECDSA-P384")
    {
        report.push(
            Finding::new(
                &pki::ALGORITHM,
                Path::of(&["pki", "algorithm"]),
                format!("kubeadm {} uses P-384 keys, but makes none itself", cluster.version),
            )
            .label("`kubeadm certs renew` would make keys of another algorithm")
            .because(Path::of(&["cluster", "kubernetes"]), "this release")
            .help("use `algorithm: ecdsa-p256`, or Kubernetes 1.34 or newer"),
        );
    }
}
