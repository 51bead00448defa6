//! The catalog's flags and feature gates are those of the programs: each is asked what it takes.

use std::collections::BTreeSet;
use std::process::Command;

use hagen::catalog::flags::{Component, flag_status, flags};
use hagen::catalog::gates::{Stage, gate_needs, gate_stage, gate_status, gates};
use hagen::catalog::{KubernetesVersion, VersionPart};
use hagen::compile::{Inputs, compile};
use hagen::report::Severity;
use serde_json::{Value, json};

use crate::programs::{Ran, built, run};

/// The minor whose programs are all built.
fn minor() -> VersionPart {
    "1.37.1".parse::<KubernetesVersion>().unwrap().minor
}

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
        let absent = |flag: &&&str| !flag_status(component, flag, minor()).is_known();
        let missing: Vec<_> = shown.iter().filter(absent).collect();
        assert!(missing.is_empty(), "{} has {missing:?}", component.as_str());
        // What is deprecated is not shown, but taken.
        for flag in flags(component, minor()).filter(|flag| !shown.contains(flag)) {
            let said = ask(component, &[&format!("--{flag}=1"), "--help"]).text();
            assert!(!said.contains("unknown flag"), "{} has no --{flag}", component.as_str());
        }
    }
}

const COMPONENTS: [Component; 5] = [
    Component::KubeApiserver,
    Component::KubeControllerManager,
    Component::KubeScheduler,
    Component::Kubelet,
    Component::KubeProxy,
];

/// The gates that a program's help shows, each with its stage: those that are not yet settled.
fn shown(component: Component) -> BTreeSet<(String, Stage)> {
    let help = ask(component, &["--help"]).stdout;
    let words: Vec<&str> = help.split_whitespace().collect();
    let pairs = words.windows(2).filter_map(|pair| {
        let name = pair[0].split_once("=true|false")?.0.trim_start_matches("kube:");
        let stage = match pair[1] {
            "(ALPHA" => Stage::Alpha,
            "(BETA" => Stage::Beta,
            _ => return None,
        };
        Some((name.to_owned(), stage))
    });
    let all: BTreeSet<_> = pairs.filter(|(name, stage)| name != stage.general()).collect();
    assert!(all.len() > 100, "{}: {all:?}", component.as_str());
    all
}

#[test]
fn the_catalog_has_the_gates_that_the_programs_have() {
    let by_component = COMPONENTS.map(|component| (component, shown(component)));
    let all: BTreeSet<_> = by_component.iter().flat_map(|(_, gates)| gates.clone()).collect();
    for (component, own) in by_component {
        for gate in &all {
            let (name, stage) = gate;
            let known = gate_status(component, name, minor()).is_known();
            assert_eq!(known, own.contains(gate), "{}: {name}", component.as_str());
            assert_eq!(gate_stage(name, minor()), Some(*stage), "{name}");
        }
        let unsettled =
            gates(component, minor()).filter(|gate| gate_stage(gate, minor()).is_some());
        for name in unsettled {
            assert!(own.iter().any(|(shown, _)| shown == name), "{}: {name}", component.as_str());
        }
    }
}

/// The errors of the minimal inventory with more in it.
fn errors(more: &str) -> Vec<&'static str> {
    let minimal = include_str!("../../golden/clusters/minimal/inventory.yaml");
    let inventory = format!("{minimal}{more}\n");
    let outcome = compile(&Inputs {
        name: "inventory.yaml",
        inventory: inventory.as_bytes(),
        bundle: None,
        templates: [].into(),
    });
    let errors = outcome.report.findings().iter();
    errors
        .filter(|finding| finding.code.severity == Severity::Error)
        .map(|finding| finding.code.id)
        .collect()
}

/// Whether an inventory that gives the scheduler these gates is told that one lacks another.
fn is_told_of_needs(gates: &str) -> bool {
    let errors = errors(&format!("extraArgs: {{scheduler: {{feature-gates: \"{gates}\"}}}}"));
    assert!(errors.iter().all(|code| *code == "cluster/gate-needs"), "{gates}: {errors:?}");
    !errors.is_empty()
}

#[test]
fn gates_need_what_the_programs_need() {
    let scheduler = Component::KubeScheduler;
    let known: Vec<&str> = gates(scheduler, minor()).collect();
    let needed: BTreeSet<&str> =
        known.iter().flat_map(|gate| gate_needs(gate, minor())).map(String::as_str).collect();
    let unsettled = |gate: &&str| gate_stage(gate, minor()).is_some();
    let on = known.iter().filter(|gate| unsettled(gate) && !gate_needs(gate, minor()).is_empty());
    let off = needed.iter().filter(|gate| unsettled(gate));
    let mut cases: Vec<String> = ["AllAlpha=true", "AllBeta=true", "AllBeta=false"]
        .iter()
        .map(|general| (*general).to_owned())
        .chain(["AllAlpha=true,AllBeta=true", "AllAlpha=true,AllBeta=false"].map(str::to_owned))
        .chain(on.clone().map(|gate| format!("{gate}=true")))
        .chain(off.map(|gate| format!("{gate}=false")))
        .collect();
    cases.extend(on.map(|gate| format!("AllAlpha=true,AllBeta=true,{gate}=false")));
    let mut refused = 0;
    for gates in cases {
        let flag = format!("--feature-gates={gates}");
        let said = ask(scheduler, &[&flag, "--kubeconfig=/nonexistent"]).text();
        let lacks = said.contains("depends on features that are disabled");
        assert!(lacks || said.contains("/nonexistent"), "{gates}: {said}");
        assert_eq!(is_told_of_needs(&gates), lacks, "{gates}: {said}");
        refused += usize::from(lacks);
    }
    assert!(refused > 10, "{refused} of them");
}

#[test]
fn fields_take_what_the_kubelet_takes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let mut refused = 0;
    for fields in [
        "",
        "oomScoreAdj: -2000",
        "oomScoreAdj: -999",
        "eventRecordQPS: -1",
        "eventRecordQPS: 0",
        "nodeLeaseDurationSeconds: 0",
        "maxParallelImagePulls: 0",
        "nodeStatusMaxImages: -2",
        "iptablesMasqueradeBit: 32",
        "containerLogMaxWorkers: -1",
        "containerLogMonitorInterval: 1s",
        "containerLogMonitorInterval: 3s",
        "cpuCFSQuotaPeriod: 10ms",
        "cpuCFSQuotaPeriod: 2s",
        "cpuCFSQuotaPeriod: 10ms, featureGates: {CustomCPUCFSQuotaPeriod: false}",
        "imageMaximumGCAge: 1m",
        "imageMaximumGCAge: 3m",
        "imageMaximumGCAge: 3m, imageMinimumGCAge: 4m",
        "crashLoopBackOff: {maxContainerRestartPeriod: 1h}",
        "crashLoopBackOff: {maxContainerRestartPeriod: 30s}",
        "crashLoopBackOff: {maxContainerRestartPeriod: 30s}, featureGates: {AllBeta: false}",
        "shutdownGracePeriod: 500ms",
        "shutdownGracePeriod: 30s",
        "shutdownGracePeriod: 30s, featureGates: {AllBeta: false}",
        "imagePullCredentialsVerificationPolicy: NeverVerify, featureGates: {AllBeta: false}",
        "imagePullCredentialsVerificationPolicy: NeverVerify",
        "serverTLSBootstrap: false, featureGates: {AllBeta: false}",
    ] {
        let mut document: Value = serde_yaml::from_str(&format!("{{{fields}}}")).unwrap();
        document["apiVersion"] = json!("kubelet.config.k8s.io/v1beta1");
        document["kind"] = json!("KubeletConfiguration");
        document["containerRuntimeEndpoint"] = json!("unix:///nonexistent");
        // Of this host, whose control groups may be of version 1.
        document["failCgroupV1"] = json!(false);
        std::fs::write(&file, document.to_string()).unwrap();
        let config = format!("--config={}", file.display());
        let said = ask(Component::Kubelet, &[&config, "--kubeconfig=/nonexistent"]).text();
        let stopped = said.contains("invalid configuration");
        assert!(stopped || said.contains("/nonexistent"), "{fields}: {said}");
        let errors = errors(&format!("kubelet: {{config: {{{fields}}}}}"));
        assert_eq!(!errors.is_empty(), stopped, "{fields}: {errors:?}: {said}");
        refused += usize::from(stopped);
    }
    assert!(refused > 10, "{refused} of them");
}
