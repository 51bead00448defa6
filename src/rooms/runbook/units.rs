use serde::Serialize;

use crate::rooms::claims::{NodeClaims, Phase, Unit};

/// One unit as the scripts see it.
#[derive(Serialize)]
pub(super) struct UnitContext {
    /// `haproxy.service`.
    name: String,
    /// The shell function that holds its check.
    function: String,
    /// Words of the check; empty where there is none.
    check: Vec<String>,
    wait: bool,
    start: bool,
}

impl From<&Unit> for UnitContext {
    fn from(unit: &Unit) -> Self {
        let Unit { room: _, name, phase: _, check, wait, start } = unit;
        let function = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        Self {
            name: name.clone(),
            function: format!("check_{function}"),
            check: check.clone(),
            wait: *wait,
            start: *start,
        }
    }
}

/// The units of one phase, in the order in which the rooms claimed them.
pub(super) fn of_phase(claims: &NodeClaims, phase: Phase) -> Vec<UnitContext> {
    claims.units.iter().filter(|unit| unit.phase == phase).map(UnitContext::from).collect()
}
