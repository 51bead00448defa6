//! The manifests that kubeadm writes for the control plane's static pods, by minor. Source of every field: the sources of each
//! minor, `cmd/kubeadm/app/phases/controlplane/{manifests,volumes}.go` and
//! `cmd/kubeadm/app/util/staticpod/utils.go`.

use serde::Deserialize;

/// What the manifests of the control plane's static pods look like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticPodFacts {
    /// Whether the controller manager and the scheduler are probed over HTTPS, on 10257 and
    /// 10259 (1.16); before, over HTTP on 10252 and 10251.
    pub secure_probes: bool,
    /// Whether the controller manager has the flexvolume folder (until 1.35).
    pub flexvolume_folder: bool,
    /// The folders of RHEL's CA bundle that are mounted where they exist: `/etc/pki`, from 1.31
    /// two folders below it.
    pub system_pki_folders: Vec<String>,
}
