//! The step of an external member, and what the checks are told of a member of either kind.

use super::runbook;
use crate::claims::Script;
use crate::document::Assignments;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::{Cluster, EtcdMode, Host, host_port, loopback};
use crate::template;
use crate::template::Template;

pub(super) static TEMPLATES: &[Template] = &[template!("etcd/steps/40-etcd.sh")];

/// The number of the step that starts a member.
pub(super) const NUMBER: u8 = 40;

/// The step that starts a member.
pub(super) const START: Script = Script { name: "40-etcd", template: "etcd/steps/40-etcd.sh" };

/// kubeadm runs the members; there is nothing to render but what steps are told.
pub(super) struct Stacked;

impl Plan for Stacked {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        if let Some(cluster) = &with.site.cluster() {
            out.words(NUMBER, words(node, cluster));
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        if let Some(cluster) = &with.site.cluster() {
            runbook::render(None, cluster, out);
        }
    }
}

/// How the member on a node is reached there; empty without one.
pub(super) fn words(node: &Host, cluster: &Cluster<'_>) -> Assignments {
    let etcd = &cluster.etcd;
    let metrics = host_port(loopback(node.address), etcd.metrics_port);
    let member = if node.member() { format!("http://{metrics}") } else { String::new() };
    let mut words = Assignments::default();
    words.word("member", &member);
    if node.member() && etcd.mode == EtcdMode::External {
        words
            .word("etcd_version", &etcd.version.to_string())
            .word("etcd_endpoint", &cluster.etcd_client_url(node))
            .word("etcd_members", &etcd.members.len().to_string());
    }
    words
}
