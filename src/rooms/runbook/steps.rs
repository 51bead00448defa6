//! The steps of all rooms, and `node.sh`, which is put together from what all rooms say.

use crate::claims::{AllOnNode, Phase, Role, Unit};
use crate::document::Assignments;
use crate::rooms::output::File;
use crate::rooms::{Output, Rendering, Words};
use crate::site::Host;

use super::reset::Reset;

/// The step that takes both away.
const RESET: u8 = 90;

/// `steps/`: what some host runs.
pub(super) fn render_shared(with: &Rendering<'_>, out: &mut Output<'_>) {
    let hosts = with.site.hosts.iter();
    let mut scripts: Vec<_> = hosts.flat_map(|host| &with.claims.of(host.index).scripts).collect();
    scripts.sort_by_key(|script| script.name);
    scripts.dedup_by_key(|script| script.name);
    for script in scripts {
        let file = File::cluster(format!("steps/{}.sh", script.name)).of_room(script.room);
        let file = file.mode(if script.role == Role::Step { 0o755 } else { 0o644 });
        out.verbatim(file, script.template);
    }
}

/// `nodes/<node>/node.sh`: what the steps know of this host, in their order. What installs and resets
/// need comes before what rooms say to them.
pub(super) fn assemble_node(
    node: &Host,
    mut said: Vec<Words>,
    with: &Rendering<'_>,
    out: &mut Output<'_>,
) {
    let claims = with.claims.of(node.index);
    said.sort_by_key(|words| (words.step, words.room));
    let mut words = Assignments::new(&format!("What the steps know of {}: words only.", node.name));
    words.list("parts", claims.parts());
    let (mut units_said, mut reset_said) = (false, false);
    for Words { step, room: _, said } in said {
        if step >= Phase::INSTALL.step && !units_said {
            units(claims, &mut words);
            units_said = true;
        }
        if step >= RESET && !reset_said {
            Reset::new(claims).say(&mut words);
            reset_said = true;
        }
        words.append(said);
    }
    if !reset_said {
        Reset::new(claims).say(&mut words);
    }
    out.assignments(File::beside(node, "node.sh").reads([node.path()]), words);
}

/// Units that go when what runs them goes, in the order of their start.
fn stoppable(claims: &AllOnNode) -> impl Iterator<Item = &str> {
    claims.units.iter().filter(|unit| !unit.survives_reset()).map(|unit| unit.name.as_str())
}

fn listeners(unit: &Unit) -> impl Iterator<Item = [String; 3]> {
    let at = unit.answers.iter();
    at.map(|at| [unit.name.clone(), at.ip().to_string(), at.port().to_string()])
}

/// `PHASE NAME WAIT START CHECK`; the words of a check are a list of their own.
fn units(claims: &AllOnNode, words: &mut Assignments) {
    let yes = |it: bool| if it { "yes" } else { "no" }.to_owned();
    let array = |unit: &Unit| match unit.check.is_empty() {
        true => "-".to_owned(),
        false => format!(
            "check_{}",
            unit.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
        ),
    };
    words.rows(
        "units",
        claims.units.iter().map(|unit| {
            let phase = unit.phase.step.to_string();
            [phase, unit.name.clone(), yes(unit.wait), yes(unit.start), array(unit)]
        }),
    );
    for unit in claims.units.iter().filter(|unit| !unit.check.is_empty()) {
        words.list(&array(unit), &unit.check);
    }
    // `UNIT ADDRESS PORT`.
    words.rows("listeners", claims.units.iter().flat_map(|unit| listeners(unit)));
    words.list("stoppable", stoppable(claims));
}
