use serde::Serialize;

use super::firewall;
use super::plan::Planned;
use super::scripts::{runs_member, script};
use crate::cluster::{Node, layout};
use crate::rooms::{Output, Rendering};

#[derive(Serialize)]
struct Reset<'a> {
    kubelet: bool,
    /// Where the kubelet mounts volumes.
    kubelet_folder: Option<&'a str>,
    /// What takes back what 20-install.sh told firewalld.
    firewall: Vec<Vec<String>>,
    cri_socket: &'a str,
    #[serde(flatten)]
    parts: Parts<'a>,
    /// Where systemd runs a member of etcd here: it stays unless told otherwise.
    member: Option<Member<'a>>,
}

/// What of a node goes at a reset.
#[derive(Serialize)]
struct Parts<'a> {
    /// In reverse order of their start.
    units: Vec<&'a str>,
    paths: Vec<&'a str>,
}

#[derive(Serialize)]
struct Member<'a> {
    #[serde(flatten)]
    parts: Parts<'a>,
    /// Patterns of its files.
    files: &'static [&'static str],
    /// Whether there are others.
    others: bool,
}

pub(super) fn reset(planned: &Planned, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
    let claims = with.claims.of(node.index);
    let member = runs_member(node, with);
    let parts = |of_member: bool| {
        let meant = |room| (member && room == "etcd") == of_member;
        Parts {
            units: claims
                .units
                .iter()
                .rev()
                .filter(|unit| meant(unit.room) && !unit.survives_reset())
                .map(|unit| unit.name.as_str())
                .collect(),
            paths: claims
                .paths
                .iter()
                .filter(|path| meant(path.room) && path.remove_on_reset)
                .map(|path| path.path.as_str())
                .collect(),
        }
    };
    let own = Reset {
        kubelet: node.kubelet(),
        kubelet_folder: claims
            .paths
            .iter()
            .find(|path| path.room == "kubelet")
            .map(|path| path.path.as_str()),
        firewall: firewall::closing(planned, node, with),
        cri_socket: &with.cluster.runtime.cri_socket,
        parts: parts(false),
        member: member.then(|| Member {
            parts: parts(true),
            files: layout::ETCD_FILES,
            others: with.cluster.etcd.members.len() > 1,
        }),
    };
    let does = "takes the node out of the cluster and deletes its data";
    script(node, "90-reset", "runbook/90-reset.sh.j2", does, own, out);
}
