//! One room per component. A room reads its own section of the inventory once, in
//! [`Room::plan`], makes its decisions, states what it occupies as [`Claims`], and later renders
//! its files. Rooms never import each other: they meet in [`Site`] and in claims.

pub mod cni;
#[cfg(test)]
mod endpoints;
pub mod etcd;
pub mod files;
pub mod haproxy;
pub mod host;
pub mod keepalived;
pub mod kubeadm;
pub mod kubeconfig;
pub mod kubelet;
pub mod kubeproxy;
pub mod kubevip;
pub mod nginx;
pub mod output;
#[cfg(test)]
pub(crate) mod overlaid;
pub mod runbook;
pub mod runtime;
pub mod units;

use std::collections::BTreeMap;

use crate::claims::{Claims, RoomClaims};
use crate::inventory::Inventory;
use crate::pki::Issued;
use crate::report::{Code, Finding, Report};
use crate::secrets::Secrets;
use crate::site::{Cluster, Host, Site};
use crate::template::Template;

pub use self::output::{Output, Place, Prose, Rendered, Words};

/// A YAML or JSON document that `patches` may name.
#[derive(Debug)]
pub struct DocumentName {
    /// `<room>/<kind>`, such as `kubeadm/ClusterConfiguration`.
    pub name: &'static str,
    /// JSON pointers to the fields that other files agree with; a patch may not touch them.
    pub owned: &'static [&'static str],
}

/// One component of the site.
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

    /// Decides, checks what is said and claims; other rooms' claims are not known yet. `None` where
    /// the site has no such component, or where errors were reported that leave nothing to render.
    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned>;

    /// A file of each node by which the room knows, in a tree that is to be replaced, what the
    /// machines run on.
    fn remembers(&self) -> Option<&'static str> {
        None
    }

    /// What machines that run on those files, by node, would not survive.
    fn replaces(&self, site: &Site, standing: &BTreeMap<String, Vec<u8>>) -> Option<Finding> {
        let _ = (site, standing);
        None
    }

    /// What the claims have against those of another site of this name, on the same segments.
    fn beside(&self, claims: &Claims, others: &Claims, other: &str) -> Vec<Finding> {
        let _ = (claims, others, other);
        Vec::new()
    }
}

/// What a room decided, and what it occupies and needs because of it.
pub struct Planned {
    /// The decisions.
    pub plan: Box<dyn Plan>,
    /// The claims, its own only.
    pub claims: RoomClaims,
}

impl Planned {
    /// Both together.
    pub fn new(plan: impl Plan + 'static, claims: RoomClaims) -> Self {
        Self { plan: Box::new(plan), claims }
    }

    /// Of a room that renders nothing: others write down what it claims.
    pub fn claims(claims: RoomClaims) -> Self {
        Self::new(Nothing, claims)
    }
}

struct Nothing;

impl Plan for Nothing {}

/// What a room decided. Rendering only writes it down.
pub trait Plan: Send + Sync {
    /// Judges the decisions beside what every room claims.
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        let _ = (with, report);
    }

    /// Files of one node; called for every node, on several threads.
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let _ = (node, with, out);
    }

    /// Files of the whole site.
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let _ = (with, out);
    }

    /// The file of a node that is put together from what every room has told its steps.
    fn assemble_node(
        &self,
        node: &Host,
        words: &mut Vec<Words>,
        with: &Rendering<'_>,
        out: &mut Output<'_>,
    ) {
        let _ = (node, words, with, out);
    }

    /// The file of the site that is put together from what every room says to people.
    fn assemble_cluster(&self, prose: &mut Vec<Prose>, with: &Rendering<'_>, out: &mut Output<'_>) {
        let _ = (prose, with, out);
    }

    /// The room's settings with every default, as a merge patch on the inventory (`hagen show`).
    /// What differs from node to node stays out: the inventory says it once for all.
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({})
    }
}

/// Everything that a decision is judged by.
pub struct Checking<'a> {
    /// The facts.
    pub site: &'a Site,
    /// What every room occupies.
    pub claims: &'a Claims,
    /// Stored keys and private files.
    pub secrets: &'a Secrets,
}

/// Everything that rendering may look at.
pub struct Rendering<'a> {
    /// The facts.
    pub site: &'a Site,
    /// What every room occupies.
    pub claims: &'a Claims,
    /// Every certificate.
    pub issued: &'a Issued,
    /// Passwords and fingerprints.
    pub secrets: &'a Secrets,
}

/// What a room of Kubernetes looks at.
pub struct OfCluster<'a> {
    /// The facts.
    pub cluster: Cluster<'a>,
    /// What every room occupies.
    pub claims: &'a Claims,
    /// Every certificate.
    pub issued: &'a Issued,
    /// Passwords and fingerprints.
    pub secrets: &'a Secrets,
}

impl<'a> Rendering<'a> {
    /// The same for a room of Kubernetes, which plans nothing where there is none.
    pub fn of_cluster(&self) -> Option<OfCluster<'a>> {
        let Self { site, claims, issued, secrets } = *self;
        Some(OfCluster { cluster: site.cluster()?, claims, issued, secrets })
    }
}

/// The only list of rooms. Their order means nothing.
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
    &kubevip::KubeVip,
    &cni::Cni,
    &kubeconfig::Kubeconfig,
    &files::Files,
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
