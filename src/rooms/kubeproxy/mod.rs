//! kube-proxy: its KubeProxyConfiguration, which travels inside kubeadm's file, and the kernel
//! modules of its mode. The mode is always written: its default is going to change, and an unset
//! one is warned of from 1.37 on. In mode `none` kubeadm leaves its addon out.

mod claims;
mod lint;
mod plan;

use self::plan::KubeProxyPlan;
use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::Site;
use crate::site::kube_proxy::KUBE_PROXY_CONFIGURATION;
use crate::template;
use crate::template::Template;

crate::codes! { "kubeproxy":
    IPVS_DEPRECATED = Warning "ipvs-deprecated",
    NFTABLES_TOO_EARLY = Error "nftables-too-early",
    NONE_TOO_EARLY = Error "none-too-early",
}

static DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: KUBE_PROXY_CONFIGURATION,
    owned: &["/apiVersion", "/kind", "/mode", "/clusterCIDR", "/ipvs/scheduler", "/ipvs/strictARP"],
}];

const PART: Template = template!("kubeproxy/steps/kubeproxy.sh");

static TEMPLATES: [Template; 1] = [PART];

/// The room.
pub struct KubeProxy;

impl Room for KubeProxy {
    fn name(&self) -> &'static str {
        "kubeproxy"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn documents(&self) -> &'static [DocumentName] {
        DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        lint::lint(cluster, report);
        let plan = KubeProxyPlan::new(&said.kube_proxy, cluster);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::claims(claims))
    }
}
