//! Scripts and prose: what a person or a tool runs on the machines, in order. Written from the
//! [`Site`] and from every room's claims alone, so what no room claims does not happen.
//!
//! Per cluster: `steps/`, scripts that are the same on every host, `README.md` and the list of
//! images. Per node: `node.sh`, what the steps know of it.

mod prose;
mod reset;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::Report;
use crate::site::{Host, Site};
use crate::template;
use crate::template::Template;

use super::{Output, Plan, Planned, Rendering, Room, Words};

/// The room.
pub struct Runbook;

/// Prose.
static PROSE: [Template; 5] = [
    template!("runbook/README.md.j2"),
    template!("runbook/certificates.md.j2"),
    template!("runbook/changes.md.j2"),
    template!("runbook/losses.md.j2"),
    template!("runbook/snapshots.md.j2"),
];

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| PROSE.iter().chain(&steps::TEMPLATES).copied().collect());

impl Room for Runbook {
    fn name(&self) -> &'static str {
        "runbook"
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, _: &mut Report) -> Option<Planned> {
        let mut claims = RoomClaims::default();
        for host in &site.hosts {
            claims.node(host.index).scripts.extend(steps::SCRIPTS);
        }
        let image_archives = said.images.archives.iter().map(ToString::to_string).collect();
        Some(Planned::new(RunbookPlan { image_archives }, claims))
    }
}

struct RunbookPlan {
    image_archives: Vec<String>,
}

impl Plan for RunbookPlan {
    fn assemble_node(
        &self,
        node: &Host,
        words: &mut Vec<Words>,
        with: &Rendering<'_>,
        out: &mut Output<'_>,
    ) {
        steps::assemble_node(node, std::mem::take(words), with, out);
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        steps::render_shared(with, out);
        let Some(with) = &with.of_cluster() else { return };
        prose::render(self, with, out);
    }
}
