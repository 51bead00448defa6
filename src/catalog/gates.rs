//! Feature gates: a component that does not know one does not start.
//!
//! `gates.json` was read out of upstream's sources, one minor after another: `pkg/features` of
//! k8s.io/kubernetes, and the features of k8s.io/apiserver, apiextensions-apiserver,
//! component-base, client-go and controller-manager, which every component has but for what
//! `absent` says. A gate is a minor's where its first or its last patch release has it: security
//! fixes bring some late. What 1.15 and 1.16 have of the libraries is 1.17's. The lists of 1.20,
//! 1.30 and 1.37 agree with what `--help` says.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::VersionPart;
use super::flags::{Component, Status};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    /// The first minor with it; `None` for what 1.15 had.
    since: Option<u32>,
    /// The first minor without it.
    removed: Option<u32>,
    /// What it is unless it is set, from a minor on.
    default: Vec<(u32, bool)>,
    /// The first minor that refuses any other value.
    locked: Option<u32>,
    /// How ripe it is from a minor on; `None` once no other gate turns it.
    stage: Vec<(u32, Option<Stage>)>,
    /// The gates that have to be on where it is, from a minor on.
    needs: Vec<(u32, Vec<String>)>,
    /// The components that do not have it.
    #[serde(default)]
    absent: Vec<Component>,
}

/// How ripe a gate is that another one turns, unless it is set itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// `AllAlpha` turns it.
    Alpha,
    /// `AllBeta` turns it.
    Beta,
}

impl Stage {
    /// The gate that turns all of this stage.
    pub fn general(self) -> &'static str {
        match self {
            Stage::Alpha => "AllAlpha",
            Stage::Beta => "AllBeta",
        }
    }
}

static GATES: LazyLock<BTreeMap<String, Gate>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("gates.json")).expect("embedded, and read by every test run")
});

impl Gate {
    fn at(&self, component: Component, minor: VersionPart) -> Status {
        match self.absent.contains(&component) {
            true => Status::Unknown,
            false => Status::at(minor, self.since, self.removed, None),
        }
    }
}

/// The entry that counts at a minor.
fn entry<T>(entries: &[(u32, T)], minor: VersionPart) -> Option<&T> {
    entries.iter().rev().find(|(since, _)| *since <= minor.0).map(|(_, entry)| entry)
}

/// Whether a component of `1.<minor>` has this gate.
pub fn gate_status(component: Component, gate: &str, minor: VersionPart) -> Status {
    GATES.get(gate).map_or(Status::Unknown, |gate| gate.at(component, minor))
}

/// The gates that a component of `1.<minor>` has.
pub fn gates(component: Component, minor: VersionPart) -> impl Iterator<Item = &'static str> {
    let known = GATES.iter().filter(move |(_, gate)| gate.at(component, minor).is_known());
    known.map(|(name, _)| name.as_str())
}

/// What a gate of `1.<minor>` is unless it is set.
pub fn gate_default(gate: &str, minor: VersionPart) -> bool {
    GATES.get(gate).and_then(|gate| entry(&gate.default, minor)).copied().unwrap_or_default()
}

/// Whether `1.<minor>` refuses any other value of this gate than its default.
pub fn gate_locked(gate: &str, minor: VersionPart) -> bool {
    GATES.get(gate).and_then(|gate| gate.locked).is_some_and(|since| since <= minor.0)
}

/// How ripe a gate of `1.<minor>` is, where another one turns it.
pub fn gate_stage(gate: &str, minor: VersionPart) -> Option<Stage> {
    GATES.get(gate).and_then(|gate| entry(&gate.stage, minor)).copied().flatten()
}

/// The gates of `1.<minor>` that have to be on where this one is.
pub fn gate_needs(gate: &str, minor: VersionPart) -> &'static [String] {
    GATES.get(gate).and_then(|gate| entry(&gate.needs, minor)).map_or(&[], Vec::as_slice)
}

/// What a flag may have in front of a gate's name, from 1.31 on: each part of such a program has
/// gates of its own (`ComponentGlobalsRegistry` in the programs' `app/options/options.go`).
pub fn gate_prefix(component: Component, minor: VersionPart) -> Option<&'static str> {
    let has_parts = match component {
        Component::KubeApiserver | Component::KubeControllerManager | Component::KubeScheduler => {
            true
        }
        Component::Kubelet | Component::KubeProxy => false,
    };
    (has_parts && minor.0 >= 31).then_some("kube:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::releases;

    #[test]
    fn gates_come_and_go_and_are_locked() {
        let status = |gate, minor| gate_status(Component::Kubelet, gate, VersionPart(minor));
        let not_yet = Status::NotYet { since: VersionPart(16) };
        assert_eq!(status("EphemeralContainers", 15), not_yet);
        assert_eq!(status("EphemeralContainers", 26), Status::Known);
        let removed = Status::Removed { in_minor: VersionPart(27), instead: None };
        assert_eq!(status("EphemeralContainers", 27), removed);
        assert_eq!(status("EphemeralContainer", 20), Status::Unknown);
        let [alpha, beta] =
            [22, 24].map(|minor| gate_stage("EphemeralContainers", VersionPart(minor)));
        assert_eq!((alpha, beta), (Some(Stage::Alpha), Some(Stage::Beta)));
        assert_eq!(gate_stage("EphemeralContainers", VersionPart(25)), None);
        let is_on = |minor| gate_default("EphemeralContainers", VersionPart(minor));
        assert!(!is_on(22) && is_on(23));
        let is_locked = |minor| gate_locked("EphemeralContainers", VersionPart(minor));
        assert!(!is_locked(24) && is_locked(25));
        let needs = |minor| gate_needs("DRAAdminAccess", VersionPart(minor));
        assert!(needs(34).is_empty());
        assert_eq!(needs(35), ["DynamicResourceAllocation"]);
    }

    #[test]
    fn what_a_gate_needs_is_a_gate_of_that_minor() {
        for minor in releases().map(|release| release.minor) {
            let kubelet = Component::Kubelet;
            for need in gates(kubelet, minor).flat_map(|gate| gate_needs(gate, minor)) {
                assert_eq!(gate_status(kubelet, need, minor), Status::Known, "1.{minor}: {need}");
            }
        }
    }
}
