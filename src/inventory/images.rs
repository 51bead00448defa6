//! `images`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{AbsolutePath, ImageRepository};

/// When kubeadm pulls what it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// Images that the node lacks.
    IfNotPresent,
    /// Every image, at every init and join.
    Always,
    /// None. `20-install.sh` stops where an image is absent that the node needs.
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
}
