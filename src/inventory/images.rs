//! `images`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{AbsolutePath, Certificates, ImageRepository, RegistryHost, Url};

/// When kubeadm pulls what it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Images that the node lacks.
    IfNotPresent,
    /// Every image, at every init and join.
    Always,
    /// None. `20-install.sh` stops where an image is absent that the node needs, and kubelets
    /// delete none when the disk fills up.
    Never,
}

impl PullPolicy {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IfNotPresent => "IfNotPresent",
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

/// Where container images come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImagesSection {
    /// Where the images of Kubernetes are named: the control plane's, kube-proxy's, the sandbox.
    /// Default: the release's own, `registry.k8s.io`.
    pub registry: Option<ImageRepository>,
    /// When kubeadm pulls images at init and join. From Kubernetes 1.22 on; older ones always
    /// pull what is absent. Default: `IfNotPresent` (kubeadm's).
    pub pull_policy: Option<PullPolicy>,
    /// Archives of images on each node with a kubelet, as `docker save` or `ctr images export`
    /// writes them. `20-install.sh` imports them, again only where one has changed. Default: none.
    #[serde(default)]
    pub archives: Vec<AbsolutePath>,
    /// Where containerd asks for the images of a registry, under the names that they have there.
    /// Default: none.
    #[serde(default)]
    pub mirrors: Vec<MirrorSection>,
}

/// Mirrors of one registry: `hosts.toml` of containerd 1.5 and newer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MirrorSection {
    /// The registry that images name: `registry.k8s.io`, or `registry.example.com:5000`.
    pub registry: RegistryHost,
    /// Addresses of its mirrors, in the order in which they are tried; containerd adds `/v2`.
    /// Where none has the image, the registry itself is asked.
    #[schemars(length(min = 1))]
    pub endpoints: Vec<Url>,
    /// Whether the registry itself is never asked. Default: `false`.
    #[serde(default)]
    pub only: bool,
    /// Certificates of the authorities of the https mirrors, in PEM, beside those that the host
    /// trusts. Default: none.
    pub ca: Option<Certificates>,
}
