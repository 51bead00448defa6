//! What a valid inventory may still get wrong about units.

mod proxy;

use std::collections::BTreeMap;

use super::plan::{Placed, UnitsPlan, phase};
use super::{COMMAND_ADDED, SAID_TWICE, UNKNOWN_UNIT, WRONG_SECTION};
use crate::claims::Claims;
use crate::inventory::units::{Directive, DropIn};
use crate::inventory::values::DirectiveName;
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::Checking;
use crate::site::{Host, Site};

/// Each is of a unit that its nodes run, and the only one of it there.
pub(super) fn check(plan: &UnitsPlan, with: &Checking<'_>, report: &mut Report) {
    let Checking { site, claims, secrets: _ } = *with;
    let mut placed: BTreeMap<(usize, &str), &Path> = BTreeMap::new();
    for drop_in in &plan.drop_ins {
        let Placed { at, unit, drop_in: said, nodes: _ } = drop_in;
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
        sections(unit, said, at, report);
        command(said, at, report);
        if let Some(cluster) = &site.cluster() {
            proxy::lint(unit, said, at, cluster, report);
        }
        placed.extend(running.iter().map(|node| ((node.index, unit.as_str()), at)));
    }
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
