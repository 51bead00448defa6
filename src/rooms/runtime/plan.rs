//! What the sections say, with every default filled in.

mod mirrors;

use super::config;
use super::images::Images;
use crate::catalog::{Docker, containerd, docker};
use crate::inventory::Inventory;
use crate::inventory::images::{ImagesSection, PullPolicy};
use crate::inventory::runtime::RuntimeSection;
use crate::inventory::values::ProgramVersion;
use crate::rooms::output::Alike;
use crate::site::{Cluster, Runtime, RuntimeKind};

pub(super) use self::mirrors::{Mirror, names_api_root};

/// What was decided about the runtime.
pub(super) struct RuntimePlan {
    pub(super) kind: Kind,
    /// The version that the inventory asks for.
    pub(super) wanted: Option<ProgramVersion>,
    pub(super) crictl: Alike,
    pub(super) images: Images,
}

pub(super) enum Kind {
    /// containerd with this configuration, and the mirrors that it asks.
    Containerd(Alike, Vec<Mirror>),
    /// Docker with these features.
    Docker(Docker),
}

impl RuntimePlan {
    /// `None` where the series of containerd is unknown, which is reported.
    pub(super) fn new(said: &Inventory, cluster: &Cluster<'_>) -> Option<Self> {
        // The rest are facts of the cluster.
        let RuntimeSection { kind: _, version: wanted, cgroup_driver: _, cri_dockerd: _ } =
            &said.runtime;
        // Names of images are, too.
        let ImagesSection { registry: _, pull_policy, archives, mirrors } = &said.images;
        let Runtime { kind, version, .. } = &cluster.runtime;
        let kind = match kind {
            RuntimeKind::Containerd => {
                let config = config::containerd(containerd(*version)?, cluster);
                Kind::Containerd(config, mirrors.iter().map(Mirror::new).collect())
            }
            RuntimeKind::Docker => Kind::Docker(docker(*version)),
        };
        let images = Images {
            archives: archives.iter().map(ToString::to_string).collect(),
            needed: *pull_policy == Some(PullPolicy::Never),
        };
        Some(Self { kind, wanted: wanted.clone(), crictl: config::crictl(cluster), images })
    }
}
