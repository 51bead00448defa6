//! Kubeconfigs: the credentials with which the parts of a control plane, a joining node and the
//! operator reach the API.
//!
//! * On each control plane `admin.conf`, `controller-manager.conf` and `scheduler.conf`; on the
//!   first one also `super-admin.conf` (where the release has it) and `kubelet.conf`. kubeadm
//!   keeps what it finds if CA and server are what it would have written
//!   (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go>);
//!   up to 1.19.2 another server is an error, later a warning.
//! * On every node that may join the discovery file: CA, endpoint and the node's own certificate.
//!   A join refuses to start where `kubelet.conf` exists already, so there is none; the first
//!   control plane's `50-join.sh` removes the one that was placed for an init.
//! * `cluster/kubeconfigs/admin.conf` for the operator's own machine.

mod claims;
mod config;
mod plan;
mod render;

use self::plan::KubeconfigPlan;
use super::{Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::Report;
use crate::site::Site;
use crate::template;
use crate::template::Template;

static TEMPLATES: [Template; 1] = [template!("kubeconfig/runbook/afterwards.md.j2")];

/// The room.
pub struct Kubeconfig;

impl Room for Kubeconfig {
    fn name(&self) -> &'static str {
        "kubeconfig"
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, _: &Inventory, site: &Site, _: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let plan = KubeconfigPlan::new(cluster);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
