use serde_json::json;

use crate::rooms::trial::{codes, outcome, pages};
use crate::tree::Apply;

/// Codes of an entry for haproxy with these settings in `[Service]`.
fn of_service(settings: &str) -> Vec<&'static str> {
    codes(&format!("units: [{{unit: haproxy.service, dropIn: {{Service: {settings}}}}}]"))
}

#[test]
fn pages_are_true() {
    pages(super::CODES);
}

#[test]
fn lists_repeat_the_setting_and_an_empty_text_resets_it() {
    let overlay = json!({"units": [{
        "unit": "haproxy.service",
        "dropIn": {
            "Service": {"Environment": ["A=b", "C=d"], "LimitNOFILE": ""},
            "Unit": {"Wants": "network-online.target"},
        },
    }]});
    let outcome = outcome(&overlay.to_string());
    let path = "nodes/cp1/rootfs/etc/systemd/system/haproxy.service.d/50-inventory.conf";
    let tree = outcome.tree.unwrap();
    let artifact = tree.get(path).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&artifact.bytes).split_once("\n\n").unwrap().1,
        "[Unit]\nWants=network-online.target\n\n\
         [Service]\nEnvironment=A=b\nEnvironment=C=d\nLimitNOFILE=\n"
    );
    let destination = artifact.destination.as_ref().unwrap();
    assert_eq!(destination.unit, Some(("haproxy.service".to_owned(), Apply::Restart)));
    assert_eq!(artifact.phase, Some(30));
    // Workers run no balancer.
    assert!(tree.get(&path.replace("cp1", "w1")).is_none());
}

#[test]
fn nothing_breaks_out_of_its_line() {
    for injected in
        [r#"{Nice: "1\n[Service]"}"#, r#"{Nice: "1\\"}"#, r#"{"Nice=1\nUser": x}"#, "{nice: x}"]
    {
        assert_eq!(of_service(injected), ["inventory/type"], "{injected}");
    }
    assert_eq!(of_service("{Environment: []}"), ["inventory/type"]);
    assert!(of_service(r#"{Environment: '"A=[x] # ; \\\\ y"'}"#).is_empty());
    assert_eq!(
        codes("units: [{unit: haproxy.service, dropIn: {Servce: {Nice: x}}}]"),
        ["inventory/unknown-key"]
    );
    assert_eq!(codes("units: [{unit: ../x, dropIn: {}}]"), ["inventory/type"]);
}

#[test]
fn a_unit_that_runs_elsewhere_is_told_from_one_that_is_misspelt() {
    let help = |overlay: &str| {
        let outcome = outcome(overlay);
        let [finding] = outcome.report.findings() else { panic!("{:#?}", outcome.report) };
        assert_eq!(finding.code, &super::UNKNOWN_UNIT);
        (finding.at.to_string(), finding.help.clone().unwrap())
    };
    let (at, text) = help("units: [{unit: kublet.service, dropIn: {}}]");
    assert_eq!((at.as_str(), text.as_str()), ("units[0].unit", "did you mean `kubelet.service`?"));
    let (_, text) = help("units: [{unit: keepalived, dropIn: {}}]");
    assert_eq!(text, "did you mean `keepalived.service`?");
    let (at, text) = help("units: [{unit: haproxy.service, dropIn: {}, nodes: {roles: [worker]}}]");
    assert_eq!(at, "units[0].nodes");
    assert!(text.starts_with("it runs on cp1, cp2, cp3;"), "{text}");
}

#[test]
fn every_unit_that_scripts_start_takes_settings() {
    for (overlay, units) in [
        (json!({}), &["containerd.service", "haproxy.service", "keepalived.service"][..]),
        (json!({"loadBalancer": {"kind": "nginx"}}), &["nginx.service", "kubelet.service"]),
        (json!({"etcd": {"mode": "external"}}), &["etcd.service", "etcd-backup.timer"]),
        (json!({"cni": {"plugin": "bridge"}}), &["hagen-pod-routes.service"]),
    ] {
        for unit in units {
            let mut overlay = overlay.clone();
            overlay["units"] = json!([{"unit": unit, "dropIn": {"Unit": {"Before": "a.target"}}}]);
            let found = codes(&overlay.to_string());
            assert!(!found.iter().any(|code| code.starts_with("units/")), "{unit}: {found:?}");
        }
    }
}
