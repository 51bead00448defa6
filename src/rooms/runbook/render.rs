use crate::rooms::{Output, Plan, Prose, Rendering, Words};
use crate::site::Host;

use super::{leading, readme, steps};

/// Nothing is decided here: what rooms claim and say is put together.
pub(super) struct RunbookPlan;

impl Plan for RunbookPlan {
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        steps::render_shared(with, out);
        leading::render(with, out);
    }

    fn assemble_node(
        &self,
        node: &Host,
        words: &mut Vec<Words>,
        with: &Rendering<'_>,
        out: &mut Output<'_>,
    ) {
        steps::assemble_node(node, std::mem::take(words), with, out);
    }

    fn assemble_cluster(&self, prose: &mut Vec<Prose>, with: &Rendering<'_>, out: &mut Output<'_>) {
        readme::assemble(std::mem::take(prose), with, out);
    }
}
