use super::{FILES, FLAG_VERSION};
use crate::rooms::overlaid::{self, file, outcome};

fn settings_of(node: &str, overlay: &str) -> Vec<(String, String)> {
    let text = file(&outcome(overlay), &format!("nodes/{node}/rootfs/etc/etcd/etcd.conf"));
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn value<'a>(settings: &'a [(String, String)], key: &str) -> Option<&'a str> {
    settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

#[test]
fn members_differ_in_who_they_are_and_agree_on_the_cluster() {
    let of = |node| settings_of(node, "etcd: {mode: external}");
    let (one, two) = (of("cp1"), of("cp2"));
    assert_eq!(value(&one, "ETCD_NAME"), Some("cp1"));
    assert_eq!(value(&two, "ETCD_NAME"), Some("cp2"));
    let initial = value(&one, "ETCD_INITIAL_CLUSTER").unwrap();
    assert_eq!(value(&two, "ETCD_INITIAL_CLUSTER"), Some(initial));
    // etcd refuses to start where its own entry and its advertised URL differ.
    for (node, settings) in [("cp1", &one), ("cp2", &two)] {
        let own = value(settings, "ETCD_INITIAL_ADVERTISE_PEER_URLS").unwrap();
        assert!(initial.split(',').any(|entry| entry == format!("{node}={own}")));
    }
    assert_eq!(value(&one, "ETCD_CLIENT_CERT_AUTH"), Some("true"));
    assert_eq!(value(&one, "ETCD_PEER_CLIENT_CERT_AUTH"), Some("true"));
}

#[test]
fn no_setting_is_written_twice() {
    for overlay in [
        "etcd: {mode: external}",
        "etcd: {mode: external, settings: {snapshot-count: '5', max-wals: '7'}}",
    ] {
        let mut keys: Vec<String> =
            settings_of("cp1", overlay).into_iter().map(|(key, _)| key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all, "{overlay}");
    }
}

#[test]
fn each_release_is_asked_for_the_corruption_check_in_its_own_words() {
    let of = |kubernetes, etcd| {
        settings_of(
            "cp1",
            &format!(
                "{{cluster: {{kubernetes: {kubernetes}}}, etcd: {{mode: external, version: {etcd}}}}}"
            ),
        )
    };
    let flag = "ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK";
    let old = of("1.25.16", "3.5.33");
    assert_eq!(value(&old, flag), Some("true"));
    assert_eq!(value(&old, "ETCD_FEATURE_GATES"), None);
    let new = of("1.37.1", "3.6.14");
    assert_eq!(value(&new, flag), None);
    assert_eq!(value(&new, "ETCD_FEATURE_GATES"), Some("InitialCorruptCheck=true"));
}

#[test]
fn every_written_setting_is_one_that_the_release_has() {
    for (kubernetes, version) in [
        ("1.15.1", "3.3.10"),
        ("1.15.1", "3.4.7"),
        ("1.25.16", "3.5.6"),
        ("1.37.1", "3.6.14"),
        ("1.37.1", "3.7.1"),
    ] {
        let overlay = format!(
            "{{packages: {{source: preinstalled}}, cluster: {{kubernetes: {kubernetes}}}, etcd: {{mode: external, version: {version}}}}}"
        );
        let version: crate::catalog::EtcdVersion = version.parse().unwrap();
        let facts = version.release().unwrap();
        for (variable, _) in settings_of("cp1", &overlay) {
            let flag = variable.trim_start_matches("ETCD_").to_lowercase().replace('_', "-");
            let status = facts.flag_status(&flag, version.patch);
            assert_eq!(status, crate::catalog::EtcdFlag::Known, "{flag} in {version}");
        }
    }
}

#[test]
fn a_users_gate_joins_ours_and_another_value_takes_the_place_of_ours() {
    let settings = settings_of(
        "cp1",
        "etcd: {mode: external, version: 3.6.14, settings: {feature-gates: LeaseCheckpoint=true, snapshot-count: '50000'}}",
    );
    assert_eq!(
        value(&settings, "ETCD_FEATURE_GATES"),
        Some("InitialCorruptCheck=true,LeaseCheckpoint=true")
    );
    assert_eq!(value(&settings, "ETCD_SNAPSHOT_COUNT"), Some("50000"));
}

#[test]
fn keys_are_private_and_belong_to_the_account() {
    let outcome = outcome("etcd: {mode: external}");
    let tree = outcome.tree.unwrap();
    for purpose in ["server", "peer", "client"] {
        let path = format!("nodes/cp1/rootfs/etc/etcd/pki/{purpose}.key");
        let key = tree.get(&path).unwrap();
        assert!(key.secret);
        assert_eq!((key.mode, &*key.owner), (0o600, "etcd"));
    }
    assert!(tree.on("w1", "/etc/etcd/etcd.conf").is_none());
}

#[test]
fn stacked_members_get_no_files() {
    let tree = outcome("{}").tree.unwrap();
    let files = tree.iter().filter(|(_, artifact)| artifact.origin.room == "etcd");
    let paths: Vec<&str> = files.map(|(path, _)| path).collect();
    assert_eq!(paths, ["steps/etcd.sh"], "what looks at a member, whoever runs it");
}

#[test]
fn a_misspelt_setting_is_answered_with_the_right_one() {
    let outcome = outcome("etcd: {settings: {snapshot-counts: '5'}}");
    let finding =
        outcome.report.findings().iter().find(|finding| finding.code == &FLAG_VERSION).unwrap();
    assert_eq!(finding.help.as_deref(), Some("did you mean `snapshot-count`?"));
    assert_eq!(finding.at.to_string(), "etcd.settings.snapshot-counts");
}

#[test]
fn gates_are_checked_against_the_release() {
    let found = |gate: &str| {
        overlaid::codes(&format!(
            "etcd: {{mode: external, version: 3.6.14, settings: {{feature-gates: {gate}}}}}"
        ))
    };
    assert!(found("Nonsense=true").contains(&"etcd/flag-version"));
    assert!(!found("'AllAlpha=false,InitialCorruptCheck=false'").contains(&"etcd/flag-version"));
}

#[test]
fn a_setting_takes_what_etcd_takes() {
    let of = |mode: &str, settings: &str| {
        overlaid::codes(&format!("etcd: {{mode: {mode}, settings: {{{settings}}}}}"))
    };
    for mode in ["stacked", "external"] {
        let found = |settings: &str| {
            let mut found = of(mode, settings);
            found.retain(|code| *code != "etcd/on-control-planes");
            found
        };
        for wrong in [
            "max-request-bytes: 2Mi",
            "max-snapshots: '-1'",
            "strict-reconfig-check: 'yes'",
            "grpc-keepalive-timeout: '20'",
            "log-level: verbose",
            "cipher-suites: TLS_ECDHE_ECDSA_WITH_AES_128_GCM",
            "auto-compaction-mode: hourly",
            "auto-compaction-retention: day",
            "{tls-min-version: TLS1.3, tls-max-version: TLS1.2}",
            "{tls-min-version: TLS1.3, cipher-suites: TLS_AES_128_GCM_SHA256}",
            "{auto-compaction-mode: revision, auto-compaction-retention: 8h}",
            "auth-token: nonsense",
            "auth-token: 'simple,x'",
            "auth-token: jwt",
            "auth-token: 'jwt,sign-method=HS256,priv-key=/etc/kubernetes/pki/etcd/a,ttl=5'",
            "auth-token: 'jwt,sign-method=HS256,sign-method=HS512'",
            "auth-token: 'jwt,sign-method=RS256'",
            "auth-token: 'jwt,sign-method=XX256,priv-key=/etc/kubernetes/pki/etcd/a.key'",
            "distributed-tracing-sampling-rate: '2000000'",
        ] {
            let settings = wrong.trim_matches(['{', '}']);
            assert_eq!(found(settings), ["cluster/field-type"], "{mode}: {wrong}");
        }
        for right in [
            "max-request-bytes: '2097152'",
            "strict-reconfig-check: 'true'",
            "grpc-keepalive-timeout: 20s",
            "log-level: warn",
            "log-level: INFO",
            "tls-min-version: TLS1.3",
            "cipher-suites: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "auto-compaction-retention: '12'",
            "auto-compaction-mode: revision, auto-compaction-retention: '1000'",
            "auth-token: simple",
            "distributed-tracing-sampling-rate: '1000'",
        ] {
            assert_eq!(found(right), [""; 0], "{mode}: {right}");
        }
    }
    let revisions = "auto-compaction-mode: revision";
    assert!(of("external", revisions).contains(&"cluster/field-type"), "eight hours of revisions");
    assert_eq!(of("stacked", revisions), [""; 0]);
    assert_eq!(of("stacked", "heartbeat-interval: '0'"), ["etcd/election-timeout"]);
    let hasty = "heartbeat-interval: '500'";
    assert_eq!(of("stacked", hasty), ["etcd/election-timeout"]);
    assert_eq!(of("stacked", &format!("{hasty}, election-timeout: '5000'")), [""; 0]);
}

#[test]
fn one_member_is_not_enough_for_several_control_planes() {
    let nodes = |members: &str| {
        let planes = [11, 12, 13]
            .map(|n| format!("{{name: cp{n}, address: 192.168.1.{n}, roles: [control-plane]}}"));
        format!("{{etcd: {{mode: external}}, nodes: [{}, {members}]}}", planes.join(", "))
    };
    let member = |n: u8| format!("{{name: db{n}, address: 192.168.1.{n}, roles: [etcd]}}");
    assert!(overlaid::codes(&nodes(&member(21))).contains(&"etcd/single-member"));
    let three = [21, 22, 23].map(member).join(", ");
    assert!(!overlaid::codes(&nodes(&three)).contains(&"etcd/single-member"));
}

#[test]
fn a_quota_has_room_for_a_cluster() {
    let stacked = |quota: &str| {
        overlaid::codes(&format!("etcd: {{settings: {{quota-backend-bytes: '{quota}'}}}}"))
    };
    for small in ["8GiB", "10"] {
        assert_eq!(stacked(small), ["cluster/field-type"], "{small}");
    }
    for large in ["0", "8589934592"] {
        assert_eq!(stacked(large), [""; 0], "{large}");
    }
    let external = overlaid::codes("etcd: {mode: external, quotaBytes: 10}");
    assert!(external.contains(&"cluster/field-type"), "{external:?}");
}

#[test]
fn a_log_goes_where_etcd_can_write_it() {
    let of = |mode: &str, settings: &str| {
        let mut found =
            overlaid::codes(&format!("etcd: {{mode: {mode}, settings: {{{settings}}}}}"));
        found.retain(|code| *code != "etcd/on-control-planes");
        found
    };
    let (output, rotation) = (["etcd/log-output"], ["etcd/log-rotation"]);
    for mode in ["external", "stacked"] {
        assert_eq!(of(mode, "log-outputs: 'default,stderr'"), output, "{mode}");
        assert_eq!(of(mode, "log-outputs: stdrr"), output, "{mode}");
        assert_eq!(of(mode, "log-outputs: 'stderr,stdout'"), [""; 0], "{mode}");
        assert_eq!(of(mode, "enable-log-rotation: 'true'"), rotation, "{mode}");
        assert_eq!(of(mode, "log-rotation-config-json: '{}'"), rotation, "{mode}");
    }
    assert_eq!(of("stacked", "log-outputs: systemd/journal"), output);
    assert_eq!(of("external", "log-outputs: systemd/journal"), [""; 0]);
    for closed in ["/var/log/etcd.log", "/var/log/etcd", "/var/log/etcd/a/b", "/var/log/etcd/../a"]
    {
        assert_eq!(of("external", &format!("log-outputs: {closed}")), output, "{closed}");
    }
    for open in ["/var/lib/etcd/log", "/var/backups/etcd/log", "/dev/null"] {
        assert_eq!(of("external", &format!("log-outputs: {open}")), [""; 0], "{open}");
    }
    let log = "enable-log-rotation: 'true', log-outputs: 'stderr,/var/log/etcd/etcd.log'";
    assert_eq!(of("external", log), [""; 0]);
    // Kubernetes 1.18 has etcd 3.4, with a logger of before unless it is told.
    let old = |settings: &str| {
        overlaid::codes(&format!(
            "{{cluster: {{kubernetes: 1.18.20}}, runtime: {{kind: docker, version: '19.03'}},
              packages: {{source: preinstalled}}, etcd: {{settings: {{{settings}}}}}}}"
        ))
    };
    assert!(old("log-outputs: 'stderr,stdout'").contains(&"etcd/log-output"));
    assert!(!old("log-outputs: 'stderr,stdout', logger: zap").contains(&"etcd/log-output"));
}

#[test]
fn a_reset_leaves_every_file_of_the_member_where_it_leaves_the_member() {
    let outcome = outcome(
        "{etcd: {mode: external}, units: [{unit: etcd.service, dropIn: {Service: {Nice: '-5'}}}]}",
    );
    let tree = outcome.tree.as_ref().unwrap();
    let stays = |path: &str| {
        FILES.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == *pattern,
        })
    };
    for (_, artifact) in tree.iter() {
        let Some(to) = &artifact.destination else { continue };
        let reads = to.unit.as_ref().is_some_and(|(unit, _)| unit.starts_with("etcd"));
        let of_member = artifact.origin.room == "etcd" || reads;
        assert_eq!(stays(&to.path), of_member, "{}", to.path);
    }
}

#[test]
fn advice_about_slow_members_holds_to_the_letter() {
    let help = |overlay: serde_json::Value| {
        let found = outcome(&overlay.to_string());
        let mut found = found.report.findings().to_vec().into_iter();
        found.find(|found| found.code == &super::ALL_ENDPOINTS).map(|found| found.help)
    };
    let node = |name: &str, octet: u8, role: &str| {
        let roles: Vec<&str> = role.split(' ').collect();
        serde_json::json!({"name": name, "address": format!("192.168.1.{octet}"), "roles": roles})
    };
    let nodes = |first: &str, more: &[(&str, u8)]| {
        let planes = [node("cp1", 11, first), node("cp2", 12, "control-plane")];
        let members = more.iter().map(|(name, octet)| node(name, *octet, "etcd"));
        planes.into_iter().chain(members).collect::<serde_json::Value>()
    };
    let external = |nodes: &serde_json::Value, endpoints: &str, kind: &str| {
        serde_json::json!({
            "nodes": nodes,
            "etcd": {"mode": "external", "endpoints": endpoints},
            "loadBalancer": {"kind": kind},
        })
    };
    let apart = nodes("control-plane etcd", &[("e1", 41), ("e2", 42)]);
    let beside = nodes("control-plane", &[]);
    let says = |steps: &str| {
        let steps =
            format!("behind haproxy, members on the control planes are lost within four: {steps}");
        Some(Some(steps))
    };
    let away = "take the role `etcd` away from cp1 and remove the nodes e1 and e2";
    assert_eq!(help(external(&apart, "auto", "haproxy")), says(away));
    let both = format!("write `kind: haproxy` and {away}");
    assert_eq!(help(external(&apart, "auto", "nginx")), says(&both));
    assert_eq!(help(external(&beside, "auto", "nginx")), says("write `kind: haproxy`"));
    assert_eq!(help(external(&beside, "all", "haproxy")), says("remove `endpoints: all`"));
    assert_eq!(help(external(&beside, "auto", "haproxy")), None);
    // Nobody leaves an API server whose member is gone.
    let mut alone = external(&apart, "auto", "haproxy");
    alone["endpoint"] = serde_json::json!({"vip": null, "port": null, "address": "192.0.2.7"});
    alone["loadBalancer"] = serde_json::json!({});
    assert_eq!(help(alone), Some(None));
}
