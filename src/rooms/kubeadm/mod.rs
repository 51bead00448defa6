//! kubeadm: the configuration of `kubeadm init` and `kubeadm join`, and everything that kubeadm
//! would otherwise make on the first control plane and carry to the others: the whole
//! `/etc/kubernetes/pki` of each control plane.
//!
//! No token and no certificate key exists. A node joins by *file discovery* with a certificate of
//! its own (`system:node:NAME`), so a control plane may join a year later; certificates are found
//! on disk and kept ("Using existing … certificate").
//!
//! What kubeadm does that shapes these files, read in its source:
//!
//! * A certificate on disk is kept if its chain leads to the authority on disk and, for servers,
//!   if it names every SAN that the configuration implies
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/phases/certs/certs.go>).
//!   `apiServer.certSANs` is one list for all control planes, hence each certificate names all of
//!   them.
//! * `etcd.external.endpoints` is one list as well: loopback serves all API servers where each
//!   control plane has a member.
//! * A worker's preflight refuses an existing `/etc/kubernetes/pki/ca.crt`; a control plane's does
//!   not (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/preflight/checks.go>).
//! * `taints: []` means none; an absent list means the release's own taint on a control plane
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/util/config/initconfiguration.go>).
//! * A join reads the ConfigMap `kube-proxy`, which only bootstrap tokens may read; 1.15 gives up
//!   where it is forbidden, so there a RoleBinding lets nodes read it too
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.15.1/cmd/kubeadm/app/util/config/cluster.go>).
//! * 1.15 forgets the discovery file's credentials where it may read `kube-public/cluster-info`.
//!   It may not: that is granted to the user `system:anonymous` alone, not to nodes
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.15.1/cmd/kubeadm/app/discovery/file/file.go>).
//! * `join --control-plane` read the service account key as RSA alone up to 1.25.1; `init` never
//!   did, so such a cluster stops at its second control plane
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.21.14/cmd/kubeadm/app/util/pkiutil/pki_helpers.go>).
//! * A static pod sees what kubeadm mounts into it; what more a flag names is mounted here
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/phases/controlplane/volumes.go>).
//! * The controller manager signs with a file that holds one certificate; see
//!   [`signing`](crate::control_plane::signing).
//! * kubeadm never rewrites an authority, but `kubeadm certs renew` rewrites the leaves.

mod claims;
mod config;
mod documents;
mod extra_args;
mod lint;
mod live;
mod paths;
mod plan;
mod rbac;
mod render;
mod runbook;
mod steps;
#[cfg(test)]
mod tests;
mod volumes;

use std::sync::LazyLock;

use self::plan::KubeadmPlan;
use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::Site;
use crate::template::Template;

crate::codes! { "kubeadm":
    ANONYMOUS_AUTH = Error "anonymous-auth",
    AUDIT_SILENT = Warning "audit-silent",
    DNS_NOWHERE = Warning "dns-nowhere",
    ETCD_REFUSED = Warning "etcd-refused",
    FLAG_BREAKS = Error "flag-breaks",
    KUBE_PROXY_SKIPPED = Error "kube-proxy-skipped",
    MOUNT_MISSING = Error "mount-missing",
    PATH_UNMOUNTABLE = Error "path-unmountable",
    PREFLIGHT_ALL = Warning "preflight-all",
    PREFLIGHT_ALL_AND_MORE = Error "preflight-all-and-more",
    PREFLIGHT_UNKNOWN = Warning "preflight-unknown",
    PULL_POLICY = Error "pull-policy",
    SERVICE_ACCOUNT_KEY = Error "service-account-key",
}

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| steps::TEMPLATES.iter().chain(&runbook::TEMPLATES).copied().collect());

/// The configuration of `kubeadm init`, on the first control plane.
const INIT_CONFIG: &str = "/etc/kubernetes/kubeadm-config.yaml";
/// The configuration of `kubeadm join`, on every node that may join.
const JOIN_CONFIG: &str = "/etc/kubernetes/kubeadm-join.yaml";

/// The room.
pub struct Kubeadm;

impl Room for Kubeadm {
    fn name(&self) -> &'static str {
        "kubeadm"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn documents(&self) -> &'static [DocumentName] {
        documents::DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let plan = KubeadmPlan::new(said, cluster);
        lint::lint(said, &plan, cluster, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
