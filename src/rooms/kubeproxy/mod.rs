//! kube-proxy: its KubeProxyConfiguration, which travels inside kubeadm's file, and the kernel
//! modules of its mode. The mode is always written: its default is going to change, and an unset
//! one is warned of from 1.37 on. In mode `none` kubeadm leaves its addon out.

mod lint;
mod plan;

use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::Site;

crate::codes! { "kubeproxy":
    IPVS_DEPRECATED = Warning "ipvs-deprecated",
    NFTABLES_TOO_EARLY = Error "nftables-too-early",
    NONE_TOO_EARLY = Error "none-too-early",
}

/// The room.
pub struct KubeProxy;

impl Room for KubeProxy {
    fn name(&self) -> &'static str {
        "kubeproxy"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn documents(&self) -> &'static [DocumentName] {
        plan::DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut claims = RoomClaims::default();
        lint::lint(cluster, report);
        plan::claim(&said.kube_proxy, cluster, &mut claims);
        Some(Planned::claims(claims))
    }
}
