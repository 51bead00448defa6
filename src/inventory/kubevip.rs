//! `kubeVip`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Duration, ImageReference};

/// Settings of kube-vip: of its image, and of the lease that decides who holds the VIP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeVipSection {
    /// The image, of kube-vip 1.2. Default: the pinned one of this release of hagen.
    pub image: Option<ImageReference>,
    /// How long a lease lives that nobody renews, in whole seconds: so long the VIP stays with a
    /// control plane that is gone. Default: `5s`.
    pub lease_duration: Option<Duration>,
    /// How long a holder tries to renew it before it gives the VIP up, in whole seconds. Default:
    /// `3s`.
    pub renew_deadline: Option<Duration>,
    /// Time between two tries, in whole seconds. Default: `1s`.
    pub retry_period: Option<Duration>,
}
