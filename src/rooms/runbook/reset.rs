use super::firewall;
use super::plan::Planned;
use super::steps::runs_member;
use crate::cluster::{Node, layout};
use crate::document::Assignments;
use crate::rooms::Rendering;

/// What of a node goes at a reset.
pub(super) struct Reset<'a> {
    /// Where the kubelet mounts volumes; empty where there is none.
    kubelet_folder: &'a str,
    paths: Vec<&'a str>,
    /// Where systemd runs a member of etcd here: it stays unless told otherwise.
    member: Option<Member<'a>>,
}

struct Member<'a> {
    units: Vec<&'a str>,
    paths: Vec<&'a str>,
    /// What firewalld goes on letting in.
    firewall: Vec<String>,
}

impl<'a> Reset<'a> {
    pub(super) fn new(planned: &Planned, node: &Node, with: &'a Rendering<'_>) -> Self {
        let claims = with.claims.of(node.index);
        let member = runs_member(node, with);
        let paths = |of_member: bool| -> Vec<&str> {
            let meant = |room| (member && room == "etcd") == of_member;
            let paths = claims.paths.iter();
            paths
                .filter(|path| meant(path.room) && path.remove_on_reset)
                .map(|path| path.path.as_str())
                .collect()
        };
        let units = claims.units.iter().filter(|unit| unit.room == "etcd");
        let kubelet = claims.paths.iter().find(|path| path.room == "kubelet");
        Self {
            kubelet_folder: kubelet.map_or("", |path| &path.path),
            paths: paths(false),
            member: member.then(|| Member {
                units: units.map(|unit| unit.name.as_str()).collect(),
                paths: paths(true),
                firewall: firewall::of_member(planned, node, with).into_iter().collect(),
            }),
        }
    }

    pub(super) fn say(&self, words: &mut Assignments) {
        words.word("kubelet_folder", self.kubelet_folder).list("emptied", &self.paths);
        if let Some(member) = &self.member {
            words
                .list("member_units", &member.units)
                .list("member_files", layout::ETCD_FILES)
                .list("member_emptied", &member.paths)
                .list("member_firewall", &member.firewall);
        }
    }
}
