use serde_json::json;

use super::Keepalived;
use crate::rooms::overlaid::{complaints, outcome};

/// What is said of these settings of the section, with the places below it.
fn said(settings: serde_json::Value) -> Vec<String> {
    let found = complaints(&Keepalived, &json!({"keepalived": settings}));
    let short = |one: String| one.replace("keepalived/", "").replace("keepalived.", "");
    found.into_iter().map(short).collect()
}

#[test]
fn what_a_version_of_vrrp_can_do_is_said_before_it_is_asked() {
    let advert =
        |version: u8, interval: &str| said(json!({"version": version, "advertInterval": interval}));
    for (version, interval) in [(2, "1s"), (2, "255s"), (3, "10ms"), (3, "40950ms")] {
        assert_eq!(advert(version, interval), [""; 0], "{version}: {interval}");
    }
    for (version, interval) in [(2, "500ms"), (2, "256s"), (3, "15ms"), (3, "40960ms")] {
        let found = advert(version, interval);
        assert_eq!(found, ["advert-interval at advertInterval"], "{version}: {interval}");
    }
    let checked = |interval: &str| said(json!({"checkInterval": interval}));
    assert_eq!(checked("1500ms"), ["whole-seconds at checkInterval"]);
    assert_eq!(checked("2s"), [""; 0]);
    let password = |version: u8, on: bool| said(json!({"version": version, "authentication": on}));
    assert_eq!(password(3, true), ["auth at authentication"]);
    assert_eq!(password(3, false), [""; 0]);
    assert_eq!(password(2, true), [""; 0]);
}

#[test]
fn a_keepalived_that_cannot_send_version_3_is_told() {
    let with = |vip: &str, keepalived: serde_json::Value| {
        complaints(&Keepalived, &json!({"endpoint": {"vip": vip}, "keepalived": keepalived}))
    };
    let (v4, v6) = ("192.168.1.33/24", "fd00::33/64");
    let told = ["keepalived/vrrp-version at keepalived.version"];
    let program = |version: &str| json!({"version": 3, "programVersion": version});
    assert_eq!(with(v4, program("1.3.6")), told);
    assert_eq!(with(v4, program("1.3.7")), [""; 0]);
    assert_eq!(with(v6, program("1.2.7")), told);
    assert_eq!(with(v6, program("1.2.8")), [""; 0]);
    assert_eq!(with(v6, json!({"version": 2})), told);
    // Left out, it is what the program can.
    assert_eq!(with(v4, json!({"programVersion": "1.3.6"})), [""; 0]);
}

#[test]
fn one_slow_check_is_no_reason_where_there_is_somebody_to_go_to() {
    assert_eq!(said(json!({"fall": 1})), ["slow-is-down at fall"]);
    assert_eq!(said(json!({"fall": 2})), [""; 0]);
    let alone = json!({
        "keepalived": {"fall": 1, "weight": -20},
        "nodes": [{"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]}],
    });
    assert_eq!(complaints(&Keepalived, &alone), [""; 0]);
    let master = |preempt: bool| said(json!({"state": "MASTER", "preempt": preempt}));
    assert_eq!(master(false), ["nopreempt-master at state"]);
    assert_eq!(master(true), [""; 0]);
}

#[test]
fn two_control_planes_have_somebody_to_go_to_as_well() {
    let node = |name: &str, address: &str| json!({"name": name, "address": address, "roles": ["control-plane"]});
    let found = complaints(
        &Keepalived,
        &json!({
            "keepalived": {"preempt": true, "weight": -10, "priorities": {"cp1": 150, "cp2": 100}},
            "nodes": [node("cp1", "192.168.1.11"), node("cp2", "192.168.1.12")],
        }),
    );
    assert_eq!(found, ["keepalived/no-failover at keepalived.weight"]);
}

#[test]
fn the_help_leads_out() {
    let first = |overlay: &str| {
        let outcome = outcome(overlay);
        let finding = outcome.report.findings()[0].clone();
        (finding.label.unwrap_or_default(), finding.help.unwrap_or_default())
    };
    let (_, free) = first("keepalived: {routerId: 2, reservedRouterIds: [1, 2, 4]}");
    assert_eq!(free, "choose a free one, such as `routerId: 3`");
    let (_, newer) = first("keepalived: {version: 3, programVersion: 1.3.6}");
    assert!(newer.contains("1.3.7 or newer"), "{newer}");
    let v6 = "endpoint: {vip: 'fd00::33/64'}, keepalived: {version: 3, programVersion: 1.2.7}";
    let outcome = outcome(&format!("{{{v6}}}"));
    let mut found = outcome.report.findings().iter();
    let finding = found.find(|finding| finding.code.id == "keepalived/vrrp-version").unwrap();
    assert_eq!(finding.help.as_deref(), Some("install keepalived 1.2.8 or newer"));
    let weight = |preempt: bool| {
        first(&format!(
            "keepalived: {{preempt: {preempt}, weight: -10, priorities: {{cp1: 150, cp2: 100, cp3: 90}}}}"
        ))
    };
    assert_eq!(weight(true).0, "too small to bring the node below the others");
    assert_eq!(weight(false).0, "lowers a priority that nobody acts on");
}
