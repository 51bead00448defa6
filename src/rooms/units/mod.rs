//! Settings of the site's own for the systemd units that other rooms run: one drop-in per unit
//! and node, behind hagen's own.

mod proxy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::claims::{Claims, Phase, RoomClaims};
use crate::inventory::Inventory;
use crate::inventory::units::{Directive, DropIn, UnitSection};
use crate::inventory::values::DirectiveName;
use crate::report::{Code, Finding, Path, Report, closest};
use crate::rooms::output::File;
use crate::rooms::{Checking, Output, Plan, Planned, Rendering, Room};
use crate::site::{Host, Site, selected};
use crate::tree::Apply;

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

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut drop_ins = Vec::new();
        for (index, section) in said.units.iter().enumerate() {
            let UnitSection { unit, drop_in, nodes } = section;
            let at = Path::of(&["units"]).index(index);
            let unit = unit.as_str();
            let nodes = nodes.as_ref();
            let names = nodes.map(|selector| selected(selector, said, &at.key("nodes"), report));
            if names.as_ref().is_some_and(Vec::is_empty) {
                // Reported already.
                continue;
            }
            sections(unit, drop_in, &at, report);
            command(drop_in, &at, report);
            proxy::lint(unit, drop_in, &at, cluster, report);
            drop_ins.push(Placed { at, unit: unit.to_owned(), text: text(drop_in), nodes: names });
        }
        Some(Planned::new(UnitsPlan { drop_ins }, RoomClaims::default()))
    }
}

/// The phase in which the node starts this unit; `None` where it does not run it.
fn phase(claims: &Claims, node: &Host, unit: &str) -> Option<Phase> {
    let mut units = claims.of(node.index).units.iter();
    units.find(|other| other.name == unit).map(|other| other.phase)
}

fn unknown(unit: &str, at: &Path, site: &Site, claims: &Claims) -> Finding {
    let nodes = || site.hosts.iter();
    let runs: Vec<&str> = nodes()
        .filter(|node| phase(claims, node, unit).is_some())
        .map(|node| node.name.as_str())
        .collect();
    if !runs.is_empty() {
        return Finding::new(
            &UNKNOWN_UNIT,
            at.key("nodes"),
            format!("none of these nodes runs {unit}"),
        )
        .label("selects none")
        .help(format!("it runs on {}; without `nodes`, all of them are meant", runs.join(", ")));
    }
    let mut names: Vec<&str> = nodes()
        .flat_map(|node| &claims.of(node.index).units)
        .map(|unit| unit.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let finding = Finding::new(
        &UNKNOWN_UNIT,
        at.key("unit"),
        format!("hagen runs no unit `{unit}` in this cluster"),
    );
    // `haproxy` is what systemctl would take, too.
    let spelt = |name: &str| closest(name, names.iter().copied());
    match spelt(unit).or_else(|| spelt(&format!("{unit}.service"))) {
        Some(name) => finding.help(format!("did you mean `{name}`?")),
        None => finding.help(format!(
            "it runs {}; settings of other units are entries of `files`",
            names.join(", ")
        )),
    }
}

fn said_twice(unit: &str, node: &Host, first: &Path, at: &Path) -> Finding {
    let message = format!("{unit} on node {} has an entry already", node.name);
    Finding::new(&SAID_TWICE, at.key("unit"), message)
        .because(first.key("unit"), "the first")
        .help("write one entry with the settings of both, or select other nodes")
}

/// systemd warns of a section that is not the unit's, and ignores it.
fn sections(unit: &str, drop_in: &DropIn, at: &Path, report: &mut Report) {
    let DropIn { unit: _, service, timer } = drop_in;
    for (section, suffix, settings) in
        [("Service", ".service", service), ("Timer", ".timer", timer)]
    {
        if !settings.is_empty() && !unit.ends_with(suffix) {
            report.push(
                Finding::new(
                    &WRONG_SECTION,
                    at.key("dropIn").key(section),
                    format!("{unit} has no section `{section}`"),
                )
                .label("systemd would ignore it")
                .help(format!("only units whose names end in `{suffix}` have one")),
            );
        }
    }
}

/// A second `ExecStart=` makes systemd refuse the whole unit (systemd.service(5)), so one is
/// replaced or left alone.
fn command(drop_in: &DropIn, at: &Path, report: &mut Report) {
    let said = drop_in.service.iter().find(|(name, _)| name.as_str() == "ExecStart");
    let Some((name, directive)) = said else { return };
    let [first, .., command] = directive.values() else {
        return report.push(added(at, name, directive));
    };
    if !first.as_str().is_empty() || command.as_str().is_empty() {
        report.push(added(at, name, directive));
    }
}

fn added(at: &Path, name: &DirectiveName, directive: &Directive) -> Finding {
    let command = directive.values().last().map_or("", |value| value.as_str());
    Finding::new(
        &COMMAND_ADDED,
        at.key("dropIn").key("Service").key(name.as_str()),
        "a unit has one command, and this is not a new one for the old".to_owned(),
    )
    .label("systemd would refuse the unit")
    .help(format!("replace the unit's own: `ExecStart: [\"\", \"{command}\"]`"))
}

/// The file's content.
fn text(drop_in: &DropIn) -> String {
    let DropIn { unit, service, timer } = drop_in;
    let mut text = "# Generated by hagen from `units`; edit the inventory instead.\n".to_owned();
    for (section, settings) in [("Unit", unit), ("Service", service), ("Timer", timer)] {
        if settings.is_empty() {
            continue;
        }
        text.push_str(&format!("\n[{section}]\n"));
        for (name, directive) in settings {
            for value in directive.values() {
                text.push_str(&format!("{name}={value}\n"));
            }
        }
    }
    text
}

/// What was decided about the site's drop-ins.
struct UnitsPlan {
    drop_ins: Vec<Placed>,
}

/// One drop-in.
struct Placed {
    /// `units[index]`.
    at: Path,
    unit: String,
    text: String,
    /// Names of the nodes that are meant; `None` is all.
    nodes: Option<Vec<String>>,
}

impl Placed {
    /// The phase in which the node starts the unit, where it gets the drop-in.
    fn phase_on(&self, node: &Host, claims: &Claims) -> Option<Phase> {
        let meant = self.nodes.as_ref().is_none_or(|names| names.contains(&node.name));
        meant.then(|| phase(claims, node, &self.unit)).flatten()
    }
}

impl Plan for UnitsPlan {
    /// Each is of a unit that its nodes run, and the only one of it there.
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        let Checking { site, claims, secrets: _ } = *with;
        let mut placed: BTreeMap<(usize, &str), &Path> = BTreeMap::new();
        for drop_in in &self.drop_ins {
            let Placed { at, unit, .. } = drop_in;
            let nodes = site.hosts.iter();
            let running: Vec<&Host> =
                nodes.filter(|node| drop_in.phase_on(node, claims).is_some()).collect();
            if running.is_empty() {
                report.push(unknown(unit, at, site, claims));
                continue;
            }
            let first = running
                .iter()
                .find_map(|node| Some((*node, *placed.get(&(node.index, unit.as_str()))?)));
            if let Some((node, first)) = first {
                report.push(said_twice(unit, node, first, at));
            }
            placed.extend(running.iter().map(|node| ((node.index, unit.as_str()), at)));
        }
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
