//! Settings of the site's own for the systemd units that other rooms run: one drop-in per unit
//! and node, behind hagen's own.

mod lint;
mod plan;
mod render;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::rooms::{Planned, Room};
use crate::site::Site;

crate::codes! { "units":
    COMMAND_ADDED = Error "command-added",
    PROXY_HIDES_CLUSTER = Error "proxy-hides-cluster",
    SAID_TWICE = Error "said-twice",
    UNKNOWN_UNIT = Error "unknown-unit",
    WRONG_SECTION = Error "wrong-section",
}

/// The room.
pub struct Units;

impl Room for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn plan(&self, said: &Inventory, _: &Site, report: &mut Report) -> Option<Planned> {
        let sections = said.units.iter().enumerate();
        let drop_ins = sections
            .filter_map(|(index, section)| plan::Placed::new(index, section, said, report))
            .collect();
        Some(Planned::new(plan::UnitsPlan { drop_ins }, RoomClaims::default()))
    }
}
