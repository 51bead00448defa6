//! What the runtime occupies and needs.

use super::plan::RuntimePlan;
use super::{CONTAINERD_CONFIG, PART, packages};
use crate::claims::{OwnedPath, Phase, RoomClaims, Script, Unit};
use crate::report::Path;
use crate::site::{Cluster, RuntimeKind};

pub(super) fn state(plan: &RuntimePlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let claims = claims.node(node.index);
        claims.scripts.push(Script::part("runtime", Phase::INSTALL.step, PART.id));
        claims.packages.extend(packages::of(node, plan.wanted.as_ref(), cluster));
        claims.units.extend(units(cluster));
        claims.paths.extend(archives(plan));
    }
}

/// Archives of images lie on the nodes before hagen comes, and stay when it goes.
fn archives(plan: &RuntimePlan) -> impl Iterator<Item = OwnedPath> {
    plan.images.archives.iter().enumerate().map(|(index, path)| OwnedPath {
        path: path.clone(),
        remove_on_reset: false,
        mounts: false,
        at: Path::of(&["images", "archives"]).index(index),
    })
}

fn units(cluster: &Cluster<'_>) -> Vec<Unit> {
    let unit = |name: &str| Unit::started(name, Phase::INSTALL, []);
    match cluster.runtime.kind {
        RuntimeKind::Containerd => {
            let check = ["containerd", "--config", CONTAINERD_CONFIG, "config", "dump"];
            vec![Unit::started("containerd.service", Phase::INSTALL, check)]
        }
        RuntimeKind::Docker if cluster.runtime.cri_dockerd => {
            vec![unit("docker.service"), unit("cri-docker.socket"), unit("cri-docker.service")]
        }
        RuntimeKind::Docker => vec![unit("docker.service")],
    }
}
