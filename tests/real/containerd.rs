//! containerd reads its configuration, and every setting survives: a key that a plugin does not
//! know vanishes from `containerd config dump` without a word.

use std::path::Path;

use crate::cluster::{Case, MINIMAL, NGINX_1_30, PATCHED, PATCHED_1_6, compiled};
use crate::machine::Machine;
use crate::programs::{built, installed};

const CONFIGURATION: &str = "/etc/containerd/config.toml";

fn keeps_every_setting(case: &Case, containerd: &Path) {
    let cluster = compiled(case);
    for node in cluster.nodes_with(CONFIGURATION) {
        let machine = Machine::start(&node.name);
        machine.install(node);
        machine.place(containerd, "/usr/bin/containerd");
        let dump =
            machine.run("containerd", &["--config", CONFIGURATION, "config", "dump"]).succeeded();
        let kept: Vec<_> = settings(&dump.stdout).collect();
        for setting in settings(&node.read(CONFIGURATION)) {
            // Newer releases migrate the whole file to their own version.
            let known = kept.contains(&setting) || setting.starts_with("version ");
            assert!(known, "{}: containerd ignores {setting}\n{dump}", case.name);
        }
    }
}

/// The `key = value` lines of a TOML file, strings quoted in one way.
fn settings(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .map(str::trim)
        .filter(|line| line.contains(" = ") && !line.starts_with('#'))
        .map(|line| line.replace('\'', "\""))
}

#[test]
fn keeps_every_setting_of_minimal() {
    keeps_every_setting(&MINIMAL, &built("containerd-2.4", "containerd"));
}

#[test]
fn keeps_every_setting_of_nginx_keepalived() {
    keeps_every_setting(&NGINX_1_30, &installed("containerd", "containerd"));
}

#[test]
fn keeps_every_setting_of_a_merged_table() {
    keeps_every_setting(&PATCHED, &built("containerd-2.4", "containerd"));
}

#[test]
fn keeps_every_setting_of_a_merged_table_in_1_6() {
    keeps_every_setting(&PATCHED_1_6, &installed("containerd", "containerd"));
}
