//! `systemd-analyze verify`: every unit is understood to the last key. It exits with 0 and only
//! prints where it does not know a key, so silence is what counts.

use std::fs;

use crate::cluster::{Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL_IPV6, Node, SITE_UNITS, compiled};
use crate::machine::Machine;
use crate::programs::installed;

const UNITS: &str = "/etc/systemd/system/";

/// On a machine that has the node's files. Returns how many units it has read.
pub(crate) fn judge(node: &Node, machine: &Machine) -> usize {
    installed("systemd-analyze", "systemd");
    let units = units(node);
    if units.is_empty() {
        return 0;
    }
    for unit in &units {
        complete(machine, unit);
    }
    let paths: Vec<_> = units.iter().map(|unit| format!("{UNITS}{unit}")).collect();
    let arguments: Vec<_> =
        ["--man=no", "verify"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    machine.run("systemd-analyze", &arguments).silently();
    units.len()
}

fn understands(case: &Case) {
    let cluster = compiled(case);
    let with_units: Vec<_> = cluster.nodes.iter().filter(|node| !units(node).is_empty()).collect();
    assert!(!with_units.is_empty(), "{}: no unit", case.name);
    for node in with_units {
        let machine = Machine::start(&node.name);
        machine.install(node);
        judge(node, &machine);
    }
}

/// The names of the units that a node gets files for; a drop-in's unit among them.
fn units(node: &Node) -> Vec<String> {
    let mut units: Vec<_> = node
        .files()
        .iter()
        .filter_map(|file| file.path.strip_prefix(UNITS))
        .map(|file| file.split('/').next().unwrap().trim_end_matches(".d").to_owned())
        .collect();
    units.sort_unstable();
    units.dedup();
    units
}

/// Puts stand-ins where a node has what packages bring: a drop-in's unit, and the programs that
/// units start.
fn complete(machine: &Machine, unit: &str) {
    let known = [UNITS, "/usr/lib/systemd/system/", "/lib/systemd/system/"]
        .iter()
        .any(|folder| machine.path(&format!("{folder}{unit}")).exists());
    if !known {
        let stand_in = "[Service]\nExecStart=/bin/true\n";
        fs::write(machine.path(&format!("{UNITS}{unit}")), stand_in).unwrap();
    }
    let drop_ins = fs::read_dir(machine.path(&format!("{UNITS}{unit}.d")));
    let drop_ins = drop_ins.into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = drop_ins.chain([machine.path(&format!("{UNITS}{unit}"))]);
    let text: String = files.map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    for line in text.lines().filter(|line| line.starts_with("Exec")) {
        let command = line.split_once('=').unwrap().1.trim_start_matches(['-', '@', '+', '!', ':']);
        let program = command.split(' ').next().unwrap();
        if program.starts_with('/') && !machine.path(program).exists() {
            machine.place("/bin/true".as_ref(), program);
        }
    }
}

#[test]
fn understands_minimal_ipv6() {
    understands(&MINIMAL_IPV6);
}

#[test]
fn understands_haproxy_keepalived() {
    understands(&HAPROXY_1_15);
}

#[test]
fn understands_haproxy_keepalived_1_21() {
    understands(&HAPROXY_1_21);
}

#[test]
fn understands_units_of_the_site() {
    understands(&SITE_UNITS);
}
