//! What the section says, as files.

use crate::claims::{Claims, Phase};
use crate::inventory::Inventory;
use crate::inventory::units::{DropIn, UnitSection};
use crate::report::{Path, Report};
use crate::site::{Host, selected};

/// What was decided about the site's drop-ins.
pub(super) struct UnitsPlan {
    pub(super) drop_ins: Vec<Placed>,
}

/// One drop-in.
pub(super) struct Placed {
    /// `units[index]`.
    pub(super) at: Path,
    pub(super) unit: String,
    pub(super) drop_in: DropIn,
    /// Names of the nodes that are meant; `None` is all.
    pub(super) nodes: Option<Vec<String>>,
}

impl Placed {
    /// `None` where the entry selects no node, which is reported.
    pub(super) fn new(
        index: usize,
        section: &UnitSection,
        said: &Inventory,
        report: &mut Report,
    ) -> Option<Self> {
        let UnitSection { unit, drop_in, nodes } = section;
        let at = Path::of(&["units"]).index(index);
        let nodes = nodes.as_ref();
        let nodes = nodes.map(|selector| selected(selector, said, &at.key("nodes"), report));
        let none = nodes.as_ref().is_some_and(Vec::is_empty);
        (!none).then(|| Self { at, unit: unit.to_string(), drop_in: drop_in.clone(), nodes })
    }

    /// The phase in which the node starts the unit, where it gets the drop-in.
    pub(super) fn phase_on(&self, node: &Host, claims: &Claims) -> Option<Phase> {
        let meant = self.nodes.as_ref().is_none_or(|names| names.contains(&node.name));
        meant.then(|| phase(claims, node, &self.unit)).flatten()
    }
}

/// The phase in which the node starts this unit; `None` where it does not run it.
pub(super) fn phase(claims: &Claims, node: &Host, unit: &str) -> Option<Phase> {
    let mut units = claims.of(node.index).units.iter();
    units.find(|other| other.name == unit).map(|other| other.phase)
}
