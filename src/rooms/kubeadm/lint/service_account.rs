//! Whether the release's kubeadm takes the bundle's key for service accounts.

use crate::pki;
use crate::report::{Finding, Path, Report};
use crate::rooms::kubeadm::SERVICE_ACCOUNT_KEY;
use crate::secrets::{KeyKind, Secrets};
use crate::site::Cluster;

/// Reports `kubeadm/service-account-key`: a control plane is to join with an ECDSA key, and the
/// release's kubeadm joins with RSA alone. A single control plane only runs `kubeadm init`, which
/// takes either. Throw-away secrets say nothing about the bundle, so they are not judged.
pub(in crate::rooms::kubeadm) fn lint(
    cluster: &Cluster<'_>,
    secrets: &Secrets,
    report: &mut Report,
) {
    let (release, version) = (cluster.release, cluster.version);
    let Some(joining) = cluster.control_planes().nth(1) else { return };
    if release.service_account_ecdsa(version.patch)
        || secrets.is_placeholder()
        || pki::service_account_kind(&cluster.site.certificates, secrets) == KeyKind::Rsa
    {
        return;
    }
    let bundle = "make the bundle of a new cluster again: remove it, then `hagen secrets new INVENTORY --rsa 2048`";
    report.push(
        Finding::new(
            &SERVICE_ACCOUNT_KEY,
            Path::of(&["cluster", "kubernetes"]),
            format!(
                "kubeadm {version} joins control planes with an RSA `sa.key` only; that of secrets \
                 bundle {} is ECDSA",
                secrets.id()
            ),
        )
        .label("this release")
        .because(joining.path(), "could not join")
        .help(match release.service_account_ecdsa_since() {
            Some(mended) => format!("take Kubernetes {mended} or newer, or {bundle}"),
            None => bundle.to_owned(),
        }),
    );
}
