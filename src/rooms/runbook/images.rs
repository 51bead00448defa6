use std::collections::BTreeSet;

use super::plan::RunbookPlan;
use crate::document::Assignments;
use crate::rooms::OfCluster;
use crate::site::Host;

/// The images that 20-install.sh imports and looks for; none where the node runs no containers.
pub(super) struct Images<'a> {
    archives: &'a [String],
    /// What the node pulls in the end, or must have.
    images: BTreeSet<&'a str>,
    /// Whether it must have them before kubeadm starts.
    needed: bool,
}

impl<'a> Images<'a> {
    pub(super) fn new(planned: &'a RunbookPlan, node: &Host, with: &'a OfCluster<'_>) -> Self {
        let asked = !planned.image_archives.is_empty() || planned.images_needed;
        if !asked || !node.kubelet() {
            return Self { archives: &[], images: BTreeSet::new(), needed: false };
        }
        Self {
            archives: &planned.image_archives,
            images: with.claims.of(node.index).images.iter().map(String::as_str).collect(),
            needed: planned.images_needed,
        }
    }

    pub(super) fn say(&self, words: &mut Assignments) {
        words
            .list("image_archives", self.archives)
            .list("images", &self.images)
            .flag("images_needed", self.needed);
    }
}
