use std::collections::BTreeSet;

use serde::Serialize;

use super::plan::Planned;
use crate::cluster::{Node, RuntimeKind};
use crate::rooms::Rendering;

/// The images that `20-install.sh` imports and looks for.
#[derive(Serialize)]
pub(super) struct ImagesContext<'a> {
    /// Whether docker keeps the images, and not containerd's CRI plugin.
    docker: bool,
    /// Archives on the node; none where it runs no containers.
    archives: &'a [String],
    /// What the node pulls in the end, or must have.
    images: BTreeSet<&'a str>,
    /// Whether it must have them before kubeadm starts.
    needed: bool,
}

impl<'a> ImagesContext<'a> {
    /// `None` where the script has nothing to do.
    pub(super) fn new(planned: &'a Planned, node: &Node, with: &'a Rendering<'_>) -> Option<Self> {
        let idle = planned.image_archives.is_empty() && !planned.images_needed;
        if idle || !node.kubelet() {
            return None;
        }
        Some(Self {
            docker: with.cluster.runtime.kind == RuntimeKind::Docker,
            archives: &planned.image_archives,
            images: with.claims.of(node.index).images.keys().map(String::as_str).collect(),
            needed: planned.images_needed,
        })
    }
}
