//! One room per component. A room reads its own section of the inventory once, in
//! [`Room::plan`], makes its decisions, states what it occupies as [`Claims`], and later renders
//! its files. Rooms never import each other: they meet in [`Cluster`] and in claims.

pub mod claims;
pub mod cni;
pub mod etcd;
pub mod files;
pub mod haproxy;
pub mod host;
pub mod keepalived;
pub mod kubeadm;
pub mod kubeconfig;
pub mod kubelet;
pub mod kubeproxy;
pub mod nginx;
pub mod output;
pub mod runbook;
pub mod runtime;
#[cfg(test)]
pub(crate) mod trial;
pub mod units;

use crate::cluster::{Cluster, Node};
use crate::inventory::Inventory;
use crate::pki::Issued;
use crate::report::{Code, Report};
use crate::secrets::Secrets;
use crate::template::Template;

pub use self::claims::Claims;
pub use self::output::{Output, Rendered};

/// A YAML or JSON document that `patches` may name.
#[derive(Debug)]
pub struct DocumentName {
    /// `<room>/<kind>`, such as `kubeadm/ClusterConfiguration`.
    pub name: &'static str,
    /// JSON pointers to the fields that other files agree with; a patch may not touch them.
    pub owned: &'static [&'static str],
}

/// One component of the cluster.
pub trait Room: Sync {
    /// The name on all four doors: inventory section, room, templates, goldens.
    fn name(&self) -> &'static str;

    /// Every code that the room reports.
    fn codes(&self) -> &'static [&'static Code] {
        &[]
    }

    /// Every template that the room renders.
    fn templates(&self) -> &'static [Template] {
        &[]
    }

    /// Every document that patches may name.
    fn documents(&self) -> &'static [DocumentName] {
        &[]
    }

    /// Decides, checks and claims. `None` where the cluster has no such component, or where
    /// errors were reported that leave nothing to render.
    fn plan(
        &self,
        said: &Inventory,
        cluster: &Cluster,
        claims: &mut Claims,
        report: &mut Report,
    ) -> Option<Box<dyn Plan>>;
}

/// What a room decided. Rendering only writes it down.
pub trait Plan: Send + Sync {
    /// Files of one node; called for every node, on several threads.
    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        let _ = (node, with, out);
    }

    /// Files of the whole cluster.
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let _ = (with, out);
    }

    /// The room's settings with every default, as a merge patch on the inventory (`hagen show`).
    /// What differs from node to node stays out: the inventory says it once for all.
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({})
    }
}

/// Everything that rendering may look at.
pub struct Rendering<'a> {
    /// The facts.
    pub cluster: &'a Cluster,
    /// What every room occupies.
    pub claims: &'a Claims,
    /// Every certificate.
    pub issued: &'a Issued,
    /// Passwords and fingerprints.
    pub secrets: &'a Secrets,
}

/// The only list of rooms, in the order in which a machine meets them.
pub static ROOMS: &[&dyn Room] = &[
    &host::Host,
    &runtime::Runtime,
    &haproxy::Haproxy,
    &nginx::Nginx,
    &keepalived::Keepalived,
    &etcd::Etcd,
    &kubeadm::Kubeadm,
    &kubelet::Kubelet,
    &kubeproxy::KubeProxy,
    &cni::Cni,
    &kubeconfig::Kubeconfig,
    &files::Files,
    // After every room that runs a unit.
    &units::Units,
    &runbook::Runbook,
];

/// Every template of every room.
pub fn templates() -> impl Iterator<Item = &'static Template> {
    ROOMS.iter().flat_map(|room| room.templates())
}

/// Every document that patches may name.
pub fn documents() -> impl Iterator<Item = &'static DocumentName> + Clone {
    ROOMS.iter().flat_map(|room| room.documents())
}
