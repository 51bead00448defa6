use super::lint;
use super::plan::{Placed, UnitsPlan};
use crate::report::Report;
use crate::rooms::output::File;
use crate::rooms::{Checking, Output, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

impl Plan for UnitsPlan {
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        lint::check(self, with, report);
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        for drop_in in &self.drop_ins {
            let Placed { at, unit, text, nodes: _ } = drop_in;
            let Some(phase) = drop_in.phase_on(node, with.claims) else { continue };
            let place = File::on(node, format!("/etc/systemd/system/{unit}.d/50-inventory.conf"))
                .read_by(unit, Apply::Restart)
                .verbatim()
                .phase(phase)
                .reads([at.clone()]);
            out.bytes(place, text.as_bytes());
        }
    }
}
