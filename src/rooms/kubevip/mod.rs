//! kube-vip as a static pod on every control plane: one of them holds the VIP of an endpoint, as a lease
//! in the API says. Each asks the API server beside it, so one that cannot serve does not hold the VIP;
//! nobody holds it while etcd has no majority. It runs without its own balancer, which would be IPVS
//! rules beside kube-proxy's.
//!
//! Emits `/etc/kubernetes/manifests/kube-vip.yaml`. The kubelet starts it as soon as it runs itself,
//! before there is an API: kubeadm's init and joins reach the VIP once the first API server answers.

mod claims;
mod lint;
mod manifest;
mod plan;
mod render;

use self::plan::KubeVipPlan;
use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::Site;
use crate::template;
use crate::template::Template;

crate::codes! { "kubevip":
    LEASE_TIMES = Error "lease-times",
    WHOLE_SECONDS = Error "whole-seconds",
}

static TEMPLATES: [Template; 2] =
    [template!("kubevip/runbook/lost-vip.md.j2"), template!("kubevip/steps/kubevip.sh")];

/// The room.
pub struct KubeVip;

impl Room for KubeVip {
    fn name(&self) -> &'static str {
        "kubevip"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn documents(&self) -> &'static [DocumentName] {
        manifest::DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let plan = KubeVipPlan::new(&said.kube_vip, &site.cluster()?)?;
        lint::lint(&plan, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
