//! Scripts and prose: what a person or a tool runs on the machines, in order. This room knows no
//! other: it puts together what rooms claim and say, so what no room claims does not happen.
//!
//! Per cluster: `steps/`, scripts that are the same on every host, `README.md` and the list of
//! images. Per node: `node.sh`, what the steps know of it.

mod claims;
mod leading;
mod readme;
mod render;
mod reset;
mod steps;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::Report;
use crate::site::Site;
use crate::template;
use crate::template::Template;

use super::{Planned, Room};

/// The frame of what people read.
const README: Template = template!("runbook/README.md.j2");
const INSTALL: Template = template!("runbook/steps/20-install.sh");
const BALANCER: Template = template!("runbook/steps/30-balancer.sh");
const VERIFY: Template = template!("runbook/steps/60-verify.sh");
const RESET: Template = template!("runbook/steps/90-reset.sh");
const LIBRARY: Template = template!("runbook/steps/lib.sh");

const BRING_UP: Template = template!("runbook/bring-up.md.j2");
const LOST_LOAD_BALANCER: Template = template!("runbook/lost-load-balancer.md.j2");

static TEMPLATES: [Template; 8] =
    [README, BRING_UP, LOST_LOAD_BALANCER, INSTALL, BALANCER, VERIFY, RESET, LIBRARY];

/// The room.
pub struct Runbook;

impl Room for Runbook {
    fn name(&self) -> &'static str {
        "runbook"
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, _: &Inventory, site: &Site, _: &mut Report) -> Option<Planned> {
        let mut claims = RoomClaims::default();
        claims::state(site, &mut claims);
        Some(Planned::new(render::RunbookPlan, claims))
    }
}
