//! What a Kubernetes minor version means.

use std::sync::LazyLock;

use serde::Deserialize;
use time::Date;

use super::by_patch::ByPatch;
use super::date::optional_date;
use super::{
    EtcdVersion, KubeProxyFacts, KubeadmApi, KubeadmFacts, KubeletFacts, KubernetesVersion,
    PackageLayout, RuntimeRange, StaticPodFacts, VersionPart,
};

/// The oldest minor in the catalog: the first with kubeadm's `v1beta2`.
pub const OLDEST_MINOR: u32 = 15;
/// The newest minor in the catalog.
pub const NEWEST_MINOR: u32 = 37;

/// The data files, embedded.
macro_rules! data {
    ($($minor:literal)+) => {
        [$(include_str!(concat!("kubernetes/1.", $minor, ".json"))),+]
    };
}

/// One text per minor, [`OLDEST_MINOR`] first.
const DATA: [&str; (NEWEST_MINOR - OLDEST_MINOR + 1) as usize] =
    data!(15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37);

static RELEASES: LazyLock<Vec<Release>> = LazyLock::new(|| {
    DATA.iter()
        .map(|text| serde_json::from_str(text).expect("embedded, and read by every test run"))
        .collect()
});

/// The facts about `1.<minor>`, or `None` where the catalog has none.
pub(super) fn release(minor: u32) -> Option<&'static Release> {
    let index = minor.checked_sub(OLDEST_MINOR)?;
    RELEASES.get(usize::try_from(index).ok()?)
}

/// Every minor, oldest first.
#[cfg(test)]
pub(super) fn releases() -> impl Iterator<Item = &'static Release> {
    RELEASES.iter()
}

impl KubernetesVersion {
    /// The facts about this version's minor.
    pub fn release(self) -> Option<&'static Release> {
        release(self.minor.0)
    }
}

/// The container runtimes that the kubelet can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeKind {
    /// containerd, through its built-in CRI plugin.
    Containerd,
    /// Docker: the kubelet's own dockershim up to 1.23, cri-dockerd from 1.24.
    Docker,
}

/// Which server a control plane's own kubeconfig (controller manager, scheduler) names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KubeconfigEndpoint {
    /// `controlPlaneEndpoint`: the balancer.
    ControlPlane,
    /// This node's own API server.
    Local,
}

/// How far a feature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It does not exist.
    Absent,
    /// It needs its feature gate.
    Alpha,
    /// It works without a gate and may still change.
    Beta,
    /// It is there to stay.
    Stable,
}

/// What the kubelet and kubeadm do when they find swap in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Refuse.
    Error,
    /// Complain and go on.
    Warning,
}

/// The path of the runtime's socket for each runtime, in the form that this minor's kubeadm
/// wants: a bare path up to 1.23, a URL with scheme `unix` from 1.24.
/// <https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-1.24.md>
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CriSockets {
    containerd: String,
    docker: String,
}

/// What a Kubernetes minor version means: upstream's decisions, one field each.
///
/// Sources are named at the fields; "CHANGELOG-1.NN" is
/// <https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-1.NN.md> and
/// "kubeadm source" is `cmd/kubeadm/app` of that release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The `30` of 1.30.
    pub minor: VersionPart,
    /// The day upstream stopped patching it; `None` while it is supported.
    /// <https://kubernetes.io/releases/patch-releases/>
    #[serde(deserialize_with = "optional_date")]
    pub end_of_life: Option<Date>,

    /// The kubeadm configuration API to write: the one this minor's kubeadm prefers.
    pub kubeadm_api: KubeadmApi,
    image_repository: ByPatch<String>,
    /// The tag of the sandbox image, kubeadm's `PauseVersion`.
    pub pause: String,
    coredns: ByPatch<String>,
    etcd: ByPatch<String>,
    min_external_etcd: ByPatch<String>,
    coredns_path: ByPatch<CorednsPath>,

    /// The organization in `admin.conf`: `system:masters`, or `kubeadm:cluster-admins`, which
    /// kubeadm binds to cluster-admin at init (1.29, kubernetes/kubernetes#121305).
    pub admin_organization: String,
    /// Whether `super-admin.conf` (organization `system:masters`) exists on the first control
    /// plane (1.29, kubernetes/kubernetes#121305).
    pub super_admin: bool,
    /// The organization of `apiserver-kubelet-client`, none where it is bound by user name.
    pub apiserver_kubelet_client_organization: Option<String>,
    /// The organization of `apiserver-etcd-client` and `etcd/healthcheck-client`; etcd never
    /// read it, and 1.29 dropped it.
    pub etcd_client_organization: Option<String>,

    /// Labels (with an empty value) that kubeadm puts on a control plane.
    pub control_plane_labels: Vec<String>,
    /// Keys of the taints (effect `NoSchedule`, no value) that kubeadm puts on a control plane.
    pub control_plane_taints: Vec<String>,

    cri_sockets: CriSockets,
    /// Whether the kubelet drives Docker by itself. Removed in 1.24.
    pub dockershim: bool,
    /// Which runtimes serve it.
    pub runtimes: RuntimeRange,

    /// Whether two address families work without a feature gate: `IPv6DualStack` is on by default
    /// from 1.21 (CHANGELOG-1.21); 1.16 to 1.20 need it in kubeadm and every component.
    pub dual_stack: bool,

    /// The path that tells whether an API server may get traffic: `/readyz`, before 1.16
    /// `/healthz`.
    pub health_path: String,
    /// Whether pods outside `kube-system` may have the class `system-node-critical`; before
    /// 1.17 the API server refuses them (kubernetes/kubernetes#76310).
    pub critical_pods_anywhere: bool,
    kubeconfigs_local: ByPatch<bool>,
    etcd_disk_request: ByPatch<bool>,
    service_account_ecdsa: ByPatch<bool>,
    /// Whether `kubelet.conf` of a control plane names its own API server (kubeadm's
    /// ControlPlaneKubeletLocalMode, on since 1.33) and not the balancer.
    pub kubelet_local_endpoint: bool,

    /// The kubelet's flags and fields.
    pub kubelet: KubeletFacts,
    /// kubeadm's configuration and behaviour.
    pub kubeadm: KubeadmFacts,
    /// kube-proxy's modes.
    pub kube_proxy: KubeProxyFacts,
    /// The manifests of the control plane's static pods.
    pub static_pods: StaticPodFacts,
    /// Where its packages are.
    pub package_layout: PackageLayout,
}

impl Release {
    /// kubeadm's default `imageRepository`: `k8s.gcr.io` (frozen in April 2023), and
    /// `registry.k8s.io` from 1.25, 1.24.9, 1.23.15 and 1.22.17 on.
    /// <https://kubernetes.io/blog/2022/11/28/registry-k8s-io-faster-cheaper-ga/>
    pub fn image_repository(&self, patch: VersionPart) -> &str {
        self.image_repository.at(patch)
    }

    /// The tag of the CoreDNS image, `v1.11.3` (`1.6.7`, without the `v`, before 1.21).
    pub fn coredns(&self, patch: VersionPart) -> &str {
        self.coredns.at(patch)
    }

    /// The tag of the etcd image of a stacked cluster, `3.5.15-0`.
    pub fn etcd_image(&self, patch: VersionPart) -> &str {
        self.etcd.at(patch)
    }

    /// The version of etcd in [`Release::etcd_image`].
    pub fn etcd_version(&self, patch: VersionPart) -> EtcdVersion {
        image_version(self.etcd_image(patch))
    }

    /// The oldest external etcd that kubeadm's preflight accepts (`MinExternalEtcdVersion`), where
    /// `said` is older.
    pub fn external_etcd_instead_of(
        &self,
        said: EtcdVersion,
        patch: VersionPart,
    ) -> Option<EtcdVersion> {
        let least = self.min_external_etcd(patch);
        (said.numbers() < least.numbers()).then_some(least)
    }

    fn min_external_etcd(&self, patch: VersionPart) -> EtcdVersion {
        image_version(self.min_external_etcd.at(patch))
    }

    /// The socket that kubeadm's `criSocket` and the kubelet name.
    pub fn cri_socket(&self, runtime: RuntimeKind) -> String {
        let CriSockets { containerd, docker } = &self.cri_sockets;
        match runtime {
            RuntimeKind::Containerd => containerd,
            RuntimeKind::Docker => docker,
        }
        .clone()
    }

    /// Which server `controller-manager.conf` and `scheduler.conf` name: the node's own API
    /// server since 1.19.1 (kubernetes/kubernetes#94398).
    pub fn local_kubeconfig_endpoint(&self, patch: VersionPart) -> KubeconfigEndpoint {
        if *self.kubeconfigs_local.at(patch) {
            KubeconfigEndpoint::Local
        } else {
            KubeconfigEndpoint::ControlPlane
        }
    }

    /// Whether kubeadm lets its etcd pod ask for space on disk: a kubelet that has just started does
    /// not know its disk yet, refuses the pod, and does not ask itself again
    /// (<https://github.com/kubernetes/kubernetes/issues/99305>). 1.20 and 1.21 did at first.
    pub fn etcd_disk_request(&self, patch: VersionPart) -> bool {
        *self.etcd_disk_request.at(patch)
    }

    /// The first release of which [`Release::etcd_disk_request`] is no longer true.
    pub fn etcd_disk_request_until(&self) -> Option<KubernetesVersion> {
        let patch = self.etcd_disk_request.since(&false)?;
        Some(KubernetesVersion { minor: self.minor, patch })
    }

    /// Whether `kubeadm join --control-plane` takes an ECDSA key for service accounts. Its
    /// preflight read `sa.key` and `sa.pub` as RSA alone (`TryLoadPrivatePublicKeyFromDisk` in
    /// `cmd/kubeadm/app/util/pkiutil/pki_helpers.go`); `kubeadm init` takes either. Mended by
    /// kubernetes/kubernetes#112508: in 1.26.0, and in 1.25.2, 1.24.6, 1.23.12 and 1.22.15.
    pub fn service_account_ecdsa(&self, patch: VersionPart) -> bool {
        *self.service_account_ecdsa.at(patch)
    }

    /// The first release of which [`Release::service_account_ecdsa`] is true, where the minor has
    /// one.
    pub fn service_account_ecdsa_since(&self) -> Option<KubernetesVersion> {
        let patch = self.service_account_ecdsa.since(&true)?;
        Some(KubernetesVersion { minor: self.minor, patch })
    }

    /// The CoreDNS image that kubeadm names, given `imageRepository` and, if set,
    /// `dns.imageRepository`. From 1.21 the upstream registry keeps it one folder deeper; a
    /// repository of one's own has the sub-folder in 1.21.0 and 1.21.1 only, unless it is part
    /// of `dns.imageRepository` (kubernetes/kubernetes#102502).
    pub fn coredns_image(
        &self,
        patch: VersionPart,
        images: &str,
        dns_images: Option<&str>,
    ) -> String {
        let repository = dns_images.unwrap_or(images);
        let nested = match self.coredns_path.at(patch) {
            CorednsPath::Flat => false,
            CorednsPath::Nested => true,
            CorednsPath::NestedUpstream => repository == self.image_repository(patch),
        };
        let folder = if nested { "/coredns" } else { "" };
        format!("{repository}{folder}/coredns:{}", self.coredns(patch))
    }
}

/// Where below a repository kubeadm looks for the CoreDNS image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorednsPath {
    /// `<repository>/coredns`.
    Flat,
    /// `<repository>/coredns/coredns`.
    Nested,
    /// Nested in the default repository, flat in any other.
    NestedUpstream,
}

/// The version in an image tag such as `3.5.15-0`: what follows the dash is the image's build.
fn image_version(tag: &str) -> EtcdVersion {
    let version = tag.split_once('-').map_or(tag, |(version, _)| version);
    version.parse().expect("every etcd tag of the data files begins with a version")
}

#[cfg(test)]
mod tests;
