//! Scripts and prose: what a person or a tool runs on the machines, in order. This room knows no
//! other: it puts together what rooms claim and say, so what no room claims does not happen.
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

use super::{Output, Plan, Planned, Prose, Rendering, Room, Words};

/// The room.
pub struct Runbook;

/// The frame of what people read.
const README: Template = template!("runbook/README.md.j2");

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| [README].iter().chain(&steps::TEMPLATES).copied().collect());

impl Room for Runbook {
    fn name(&self) -> &'static str {
        "runbook"
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, _: &Inventory, site: &Site, _: &mut Report) -> Option<Planned> {
        let mut claims = RoomClaims::default();
        for host in &site.hosts {
            claims.node(host.index).scripts.extend(steps::SCRIPTS);
        }
        Some(Planned::new(Assembly, claims))
    }
}

struct Assembly;

impl Plan for Assembly {
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        steps::render_shared(with, out);
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
        prose::assemble(std::mem::take(prose), with, out);
    }
}
