//! The walls between the scripts of `steps/`: which room says what, and that each function has one home.

use std::collections::{BTreeMap, BTreeSet};

use hagen::rooms::{ROOMS, templates};

/// Rooms whose names are ordinary words, which the steps of all rooms may say.
const ORDINARY: &[&str] = &["files", "host", "units", "runtime", "runbook"];

/// What belongs to one room or another besides its name: the beginnings of words.
const OF_A_ROOM: &[&str] = &[
    "chrony",
    "containerd",
    "crictl",
    "ctr",
    "docker",
    "etcd",
    "firewall",
    "flannel",
    "iptables",
    "ipvs",
    "kube",
    "member",
    "modprobe",
    "pod",
    "sysctl",
    "vip",
];

/// The scripts of `steps/`: name without its ending, text.
fn steps() -> impl Iterator<Item = (&'static str, &'static str)> {
    templates().filter_map(|template| {
        let (_, name) = template.id.split_once("/steps/")?;
        Some((name.strip_suffix(".sh")?, template.text))
    })
}

/// Words of a text that belong to one room.
fn of_a_room(text: &str) -> BTreeSet<&str> {
    let rooms = ROOMS.iter().map(|room| room.name()).filter(|name| !ORDINARY.contains(name));
    let theirs: Vec<&str> = rooms.chain(OF_A_ROOM.iter().copied()).collect();
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| theirs.iter().any(|own| word.to_lowercase().starts_with(own))).collect()
}

#[test]
fn the_steps_of_all_rooms_name_none_of_them() {
    for template in templates().filter(|template| template.id.starts_with("runbook/steps/")) {
        let found = of_a_room(template.text);
        assert!(found.is_empty(), "{}: {found:?} belong to a part: call a hook", template.id);
    }
    // This test can fail.
    for (part, text) in steps().filter(|(name, _)| ["etcd", "firewall", "kubeadm"].contains(name)) {
        assert!(of_a_room(text).len() > 2, "{part}");
    }
}

/// The functions of a script.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_once("() {")).map(|(name, _)| name)
}

/// One host reads the library, its parts and one step: the last to say a name would win.
#[test]
fn no_two_scripts_that_a_host_reads_define_the_same_function() {
    let is_step = |name: &str| name.starts_with(|letter: char| letter.is_ascii_digit());
    for other_family in ["apt", "rpm"] {
        for (step, own) in steps().filter(|(name, _)| is_step(name)) {
            let beside = steps().filter(|(name, _)| !is_step(name) && *name != other_family);
            let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
            for (home, text) in beside.chain([(step, own)]) {
                for name in functions(text) {
                    let first = homes.insert(name, home);
                    assert_eq!(first, None, "{home} defines {name} as well");
                }
            }
            assert!(homes.contains_key("main") && homes.contains_key("hook"), "{homes:?}");
        }
    }
}

/// A hook whose name is misspelt is called by nobody, and nobody misses it.
#[test]
fn every_function_of_the_steps_is_called_and_every_hook_is_somebodys() {
    let code: String = steps()
        .flat_map(|(_, text)| text.lines().filter(|line| !line.trim_start().starts_with('#')))
        .flat_map(|line| [line, "\n"])
        .collect();
    let words: Vec<&str> =
        code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let count = |name: &str| words.iter().filter(|word| **word == name).count();
    let mut unused: BTreeSet<&str> =
        words.windows(2).filter(|pair| pair[0] == "hook").map(|pair| pair[1]).collect();
    unused.remove("");
    let hooks = unused.clone();
    for (home, text) in steps() {
        for name in functions(text) {
            let hook = name.strip_prefix(home).and_then(|rest| rest.strip_prefix('_'));
            match hook.filter(|hook| hooks.contains(hook)) {
                Some(hook) => _ = unused.remove(hook),
                None => {
                    let homes =
                        steps().filter(|(_, text)| functions(text).any(|own| own == name)).count();
                    assert!(count(name) > homes, "{home}: nobody calls {name}");
                }
            }
        }
    }
    assert!(unused.is_empty(), "no part has a hook {unused:?}");
}
