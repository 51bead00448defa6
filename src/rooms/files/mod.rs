//! Files of the user's own, placed as they are.

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

crate::codes! { "files":
    SYSTEM_PATH = Error "system-path",
}

/// The room.
pub struct Files;

impl Room for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn plan(&self, said: &Inventory, _: &Site, report: &mut Report) -> Option<Planned> {
        let plan = plan::FilesPlan::new(said, report);
        lint::lint(&plan, report);
        Some(Planned::new(plan, RoomClaims::default()))
    }
}
