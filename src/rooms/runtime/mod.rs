//! The container runtime of every node with a kubelet: containerd, or docker behind the
//! kubelet's dockershim or behind cri-dockerd.
//!
//! * `/etc/containerd/config.toml`, in the form that the series reads;
//! * `/etc/docker/daemon.json`, and cri-dockerd's drop-in where it is used;
//! * `/etc/crictl.yaml`, so that `crictl` needs no flag.

mod lint;
mod packages;
mod plan;
#[cfg(test)]
mod tests;

use crate::cluster::Cluster;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::rooms::{Claims, DocumentName, Plan, Room};
use crate::template::Template;

crate::codes! { "runtime":
    DOCKER_UNVALIDATED = Warning "docker-unvalidated",
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

    fn plan(
        &self,
        said: &Inventory,
        cluster: &Cluster,
        claims: &mut Claims,
        report: &mut Report,
    ) -> Option<Box<dyn Plan>> {
        lint::release(cluster, report);
        lint::hosts(cluster, report);
        let plan = plan::RuntimePlan::new(cluster)?;
        plan::claim(&said.runtime, cluster, claims);
        Some(Box::new(plan))
    }
}
