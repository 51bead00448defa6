//! Scripts and prose: what a person or a tool runs on the machines, in order. Written from the
//! [`Site`] and from every room's claims alone, so what no room claims does not happen.
//!
//! Per cluster: `steps/`, scripts that are the same on every host, `README.md` and the list of
//! images. Per node: `node.sh`, what the steps know of it.

mod firewall;
mod images;
mod live;
mod packages;
mod plan;
mod prose;
mod repositories;
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

use self::packages::Packages;
use self::plan::RunbookPlan;
use super::{Output, Plan, Planned, Rendering, Room};

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
        Some(Planned::new(RunbookPlan::new(said, &site.cluster()?), RoomClaims::default()))
    }
}

impl Plan for RunbookPlan {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        Packages::new(self, node, with).render_keys(out);
        steps::render_node(self, node, with, out);
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        steps::render_shared(with, out);
        prose::render(self, with, out);
    }
}
