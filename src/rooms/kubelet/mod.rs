//! The kubelet: its KubeletConfiguration, which travels inside kubeadm's file and reaches every
//! node through the ConfigMap `kubelet-config`, its flags for each node, and Kubernetes' packages.
//!
//! The unit comes from the package and is only enabled here: kubeadm starts it. hagen writes no
//! drop-in, because every setting has a place in kubeadm's own files.
//!
//! Left to kubeadm, which sets them right by itself: clusterDNS (unless the inventory names a
//! cache on each node), clusterDomain, staticPodPath,
//! authentication, resolvConf (it asks whether systemd-resolved runs; before 1.31 for all nodes at
//! once, so that nodes of several systems are given a flag), the runtime's endpoint and
//! the sandbox image (both from nodeRegistration and imageRepository), `--hostname-override`
//! (where the host's name is not the node's)
//! (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/componentconfigs/kubelet.go>).

mod claims;
mod fields;
mod lint;
mod patches;
mod plan;

use self::plan::KubeletPlan;
use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::{KUBELET_CONFIGURATION, Site};
use crate::template;
use crate::template::Template;

crate::codes! { "kubelet":
    CGROUP_V1 = Error "cgroup-v1",
    CLUSTER_DNS = Error "cluster-dns",
    CONTRADICTION = Error "contradiction",
    LABEL_REFUSED = Error "label-refused",
    OPEN = Error "open",
    READ_ONLY_PORT = Warning "read-only-port",
    RESOLVER_ABSENT = Warning "resolver-absent",
    SERVING_UNAPPROVED = Warning "serving-unapproved",
    TOO_MANY_PODS = Error "too-many-pods",
    VALUE_SPLITS = Error "value-splits",
}

/// The API is v1beta1 in every release of the catalog.
static DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: KUBELET_CONFIGURATION,
    owned: &[
        "/apiVersion",
        "/kind",
        "/authentication/x509/clientCAFile",
        "/cgroupDriver",
        "/clusterDomain",
        "/containerRuntimeEndpoint",
        "/registerWithTaints",
        "/rotateCertificates",
        "/staticPodPath",
    ],
}];

const PART: Template = template!("kubelet/steps/kubelet.sh");

static TEMPLATES: [Template; 1] = [PART];

/// The room.
pub struct Kubelet;

impl Room for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
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
        let plan = KubeletPlan::new(said, cluster);
        lint::lint(said, &plan, cluster, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::claims(claims))
    }
}
