//! The catalog's flags are those of the programs: each is asked what it takes.

use std::collections::BTreeSet;
use std::process::Command;

use hagen::catalog::flags::{Component, Status, flag_status, flags};

use crate::programs::{Ran, built, run};

/// The minor whose programs are all built.
const MINOR: u32 = 37;

/// Not of Linux, or of every program of Go's.
const LEFT_OUT: [&str; 3] = ["help", "version", "vmodule"];

fn ask(component: Component, words: &[&str]) -> Ran {
    let program = built("kubernetes-1.37", component.as_str());
    run(Command::new(program).args(words))
}

#[test]
fn the_catalog_has_the_flags_that_the_programs_have() {
    for component in [
        Component::KubeApiserver,
        Component::KubeControllerManager,
        Component::KubeScheduler,
        Component::Kubelet,
    ] {
        let help = ask(component, &["--help"]).stdout;
        let lines = help.lines().map(str::trim_start);
        let shown: BTreeSet<&str> = lines
            .filter_map(|line| line.split_once("--").filter(|(before, _)| before.len() < 5))
            .filter_map(|(_, flag)| flag.split([' ', '=']).next())
            .filter(|flag| !LEFT_OUT.contains(flag))
            .collect();
        assert!(shown.len() > 50, "{}: {shown:?}", component.as_str());
        let absent = |flag: &&&str| flag_status(component, flag, MINOR) != Status::Known;
        let missing: Vec<_> = shown.iter().filter(absent).collect();
        assert!(missing.is_empty(), "{} has {missing:?}", component.as_str());
        // What is deprecated is not shown, but taken.
        for flag in flags(component, MINOR).filter(|flag| !shown.contains(flag)) {
            let said = ask(component, &[&format!("--{flag}=1"), "--help"]).text();
            assert!(!said.contains("unknown flag"), "{} has no --{flag}", component.as_str());
        }
    }
}
