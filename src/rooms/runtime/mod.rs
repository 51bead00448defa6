//! The container runtime of every node with a kubelet: containerd, or docker behind the
//! kubelet's dockershim or behind cri-dockerd.
//!
//! * `/etc/containerd/config.toml`, in the form that the series reads;
//! * `/etc/containerd/certs.d`, where registries have mirrors;
//! * `/etc/docker/daemon.json`, and cri-dockerd's drop-in where it is used;
//! * `/etc/crictl.yaml`, so that `crictl` needs no flag.

mod images;
mod lint;
mod mirrors;
mod packages;
mod plan;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::rooms::{DocumentName, Planned, Room};
use crate::site::Site;
use crate::template::Template;

crate::codes! { "runtime":
    DOCKER_UNVALIDATED = Warning "docker-unvalidated",
    MIRROR_OVER_HTTP = Warning "mirror-over-http",
    MIRROR_TWICE = Error "mirror-twice",
    MIRROR_UNSUPPORTED = Error "mirror-unsupported",
    PASSWORD_PUBLIC = Warning "password-public",
}

/// The room.
pub struct Runtime;

impl Room for Runtime {
    fn name(&self) -> &'static str {
        "runtime"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        plan::TEMPLATES
    }

    fn documents(&self) -> &'static [DocumentName] {
        plan::DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut claims = RoomClaims::default();
        lint::release(cluster, report);
        lint::hosts(cluster, report);
        lint::passwords(cluster, report);
        mirrors::check(&said.images.mirrors, cluster, report);
        let plan = plan::RuntimePlan::new(&said.images, cluster)?;
        plan::claim(&said.runtime, cluster, &mut claims);
        plan::keep(&said.images.archives, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
