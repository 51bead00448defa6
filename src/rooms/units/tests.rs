use serde_json::json;

use crate::rooms::overlaid::{codes, outcome};
use crate::tree::Apply;

/// Codes of an entry for haproxy with these settings in `[Service]`.
fn of_service(settings: &str) -> Vec<&'static str> {
    codes(&format!("units: [{{unit: haproxy.service, dropIn: {{Service: {settings}}}}}]"))
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
    let path = "/etc/systemd/system/haproxy.service.d/50-inventory.conf";
    let tree = outcome.tree.unwrap();
    let artifact = tree.on("cp1", path).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&artifact.bytes).split_once("\n\n").unwrap().1,
        "[Unit]\nWants=network-online.target\n\n\
         [Service]\nEnvironment=A=b\nEnvironment=C=d\nLimitNOFILE=\n"
    );
    let destination = artifact.destination.as_ref().unwrap();
    assert_eq!(destination.unit, Some(("haproxy.service".to_owned(), Apply::Restart)));
    assert_eq!(artifact.phase, Some(30));
    // Workers run no balancer.
    assert!(tree.on("w1", path).is_none());
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

#[test]
fn a_proxy_by_hand_leaves_the_cluster_alone() {
    let of = |unit: &str, settings: &str| {
        codes(&format!("units: [{{unit: {unit}, dropIn: {{Service: {settings}}}}}]"))
    };
    let hides = ["units/proxy-hides-cluster"];
    let containerd = |settings: &str| of("containerd.service", settings);
    assert_eq!(containerd("{Environment: [HTTPS_PROXY=http://10.0.0.1:3128]}"), hides);
    assert_eq!(containerd(r#"{Environment: '"A=b" "https_proxy=http://10.0.0.1:3128"'}"#), hides);
    let half = "{Environment: ['HTTP_PROXY=http://10.0.0.1:3128', 'NO_PROXY=192.168.1.0/24']}";
    assert_eq!(of("kubelet.service", half), hides);
    for right in [
        "{Environment: ['HTTP_PROXY=http://10.0.0.1:3128', 'NO_PROXY=192.168.1.0/24,10.96.0.0/12']}",
        "{Environment: [HTTPS_PROXY=http://10.0.0.1:3128], EnvironmentFile: /etc/proxy}",
        "{Environment: [HTTPS_PROXY=]}",
        "{Environment: [GOMAXPROCS=2]}",
    ] {
        assert!(containerd(right).is_empty(), "{right}");
    }
    // The help, to the letter.
    let direct = reached_directly();
    let settings =
        format!("{{Environment: ['HTTPS_PROXY=http://10.0.0.1:3128', 'NO_PROXY={direct}']}}");
    assert!(containerd(&settings).is_empty());
    // A balancer asks no proxy for anything.
    assert!(of("haproxy.service", "{Environment: [HTTPS_PROXY=http://10.0.0.1:3128]}").is_empty());
}

fn reached_directly() -> String {
    let (_, site) = crate::rooms::overlaid::resolved(&json!({}));
    site.cluster().unwrap().reached_directly().join(",")
}
