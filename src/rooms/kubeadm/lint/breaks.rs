//! Values of flags that a component takes and the rest of the cluster does not bear.

use crate::control_plane::Part;
use crate::control_plane::arguments::Flags;
use crate::report::{Finding, Report};
use crate::rooms::kubeadm::plan::KubeadmPlan;
use crate::rooms::kubeadm::{AUDIT_SILENT, FLAG_BREAKS};
use crate::site::{Cluster, Plugin};

/// What is wrong with a value, and the edit.
type Problem = (&'static str, &'static str);

/// Whose flag it is.
struct Of<'a> {
    part: Part,
    flags: &'a Flags,
    cluster: &'a Cluster<'a>,
}

/// A flag, the components that it is judged for, and the judgement.
type Rule = (&'static str, &'static [Part], fn(&str, &Of<'_>) -> Option<Problem>);

const ALL: &[Part] = &Part::ALL;
const API_SERVER: &[Part] = &[Part::ApiServer];
const CONTROLLERS: &[Part] = &[Part::ControllerManager];
const LEADERS: &[Part] = &[Part::ControllerManager, Part::Scheduler];

/// kubeadm names one authority for all requests, and the controller manager then refuses others
/// (`CSRSigningControllerOptions.Validate`).
const ONE_SIGNER: fn(&str, &Of<'_>) -> Option<Problem> = |_, _| {
    Some((
        "kubeadm names the cluster's authority for all requests, and the controller manager refuses a second one",
        "remove it",
    ))
};

/// In Go's HTTP/2 (`ConfigureServer` in `golang.org/x/net/http2/server.go`) one suite is a must;
/// of its two forms the one for keys like hagen's.
const HTTP2_SUITE: &str = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

const RULES: &[Rule] = &[
    ("allow-privileged", API_SERVER, |value, _| {
        (value == "false").then_some((
            "kube-proxy and the pod network are privileged pods, and would be refused",
            "remove it; refuse them to others with Pod Security admission",
        ))
    }),
    ("authentication-config", API_SERVER, |_, of| {
        of.flags.keys().any(|flag| flag.starts_with("oidc-")).then_some((
            "the API server refuses this file beside the flags that begin with `oidc-`",
            "remove the one or the others",
        ))
    }),
    ("authorization-config", API_SERVER, |_, of| {
        let other = |flag: &String| {
            flag == "authorization-mode" || flag.starts_with("authorization-webhook-")
        };
        of.flags.keys().any(other).then_some((
            "the API server refuses this file beside flags that say the same",
            "remove `authorization-mode` and the flags that begin with `authorization-webhook-`",
        ))
    }),
    ("authorization-mode", API_SERVER, |value, _| {
        let modes: Vec<&str> = value.split(',').collect();
        if modes.contains(&"AlwaysAllow") {
            return Some((
                "with AlwaysAllow every pod's own credentials may do everything",
                "remove AlwaysAllow",
            ));
        }
        (!["Node", "RBAC"].iter().all(|mode| modes.contains(mode))).then_some((
            "kubelets are let in by `Node`, and all else that kubeadm sets up by `RBAC`",
            "name both of them, such as `Node,RBAC`",
        ))
    }),
    ("bind-address", ALL, |value, of| {
        let any = ["0.0.0.0", "::"].contains(&value);
        let loopback = of.part != Part::ApiServer && ["127.0.0.1", "::1"].contains(&value);
        (!any && !loopback).then_some(match of.part {
            Part::ApiServer => (
                "balancers, nodes and the host itself reach it at different addresses",
                "remove it: it listens on all of them",
            ),
            _ => ("no other control plane has this address", "write 127.0.0.1, or 0.0.0.0"),
        })
    }),
    ("cidr-allocator-type", CONTROLLERS, |value, of| {
        (value != "RangeAllocator" && of.cluster.pod_network == Plugin::Flannel).then_some((
            "flannel waits for the range of each node, and no cloud gives it one",
            "remove it",
        ))
    }),
    ("cluster-signing-kube-apiserver-client-cert-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-kube-apiserver-client-key-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-kubelet-client-cert-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-kubelet-client-key-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-kubelet-serving-cert-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-kubelet-serving-key-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-legacy-unknown-cert-file", CONTROLLERS, ONE_SIGNER),
    ("cluster-signing-legacy-unknown-key-file", CONTROLLERS, ONE_SIGNER),
    ("controllers", CONTROLLERS, |value, _| {
        let all = value.split(',').any(|name| name.trim() == "*");
        (!all).then_some((
            "without `*` only the controllers that are named run",
            "begin it with `*`, such as `*,bootstrapsigner,tokencleaner`",
        ))
    }),
    ("audit-log-format", API_SERVER, |value, _| {
        (!["json", "legacy"].contains(&value)).then_some((
            "the API server knows two forms of its audit log and refuses all else",
            "write `json`",
        ))
    }),
    ("disable-admission-plugins", API_SERVER, |value, _| {
        let off = |plugin: &str| value.split(',').any(|name| name == plugin);
        if off("ServiceAccount") {
            Some((
                "without ServiceAccount pods have no credentials, the pod network's own among them",
                "leave ServiceAccount on",
            ))
        } else {
            off("NodeRestriction").then_some((
                "kubeadm turns NodeRestriction on, and the API server refuses a plugin that is both",
                "leave NodeRestriction on",
            ))
        }
    }),
    ("enable-admission-plugins", API_SERVER, |value, _| {
        (!value.split(',').any(|name| name == "NodeRestriction")).then_some((
            "this takes the place of kubeadm's own list, and without NodeRestriction a kubelet may change other nodes",
            "add NodeRestriction to it",
        ))
    }),
    ("endpoint-reconciler-type", API_SERVER, |value, _| {
        (value == "none").then_some((
            "the service `kubernetes` would have no endpoints, and no pod would reach the API",
            "remove it",
        ))
    }),
    ("leader-elect", LEADERS, |value, of| {
        (value == "false" && of.cluster.control_planes().nth(1).is_some()).then_some((
            "every control plane's would act at the same time, each against the others",
            "remove it: one of them leads",
        ))
    }),
    ("oidc-issuer-url", API_SERVER, |value, of| {
        if !value.starts_with("https://") {
            return Some((
                "the API server takes an issuer with https only",
                "begin it with `https://`",
            ));
        }
        (!of.flags.contains_key("oidc-client-id")).then_some((
            "the API server does not start without the client's id beside it",
            "add `oidc-client-id`",
        ))
    }),
    ("port", LEADERS, |value, of| {
        (value == "0" && !of.cluster.release.static_pods.secure_probes).then_some((
            "kubeadm of this release probes the component on this port, and the kubelet would kill it",
            "remove it",
        ))
    }),
    ("secure-port", LEADERS, |value, of| {
        let own = if of.part == Part::Scheduler { "10259" } else { "10257" };
        (value != own).then_some((
            "kubeadm's manifest probes the port that is the default, and the kubelet would kill it",
            "remove it",
        ))
    }),
    ("tls-cipher-suites", API_SERVER, |value, of| {
        let newest = of.flags.get("tls-min-version").is_some_and(|least| least == "VersionTLS13");
        (!newest && !value.split(',').any(|suite| suite.trim() == HTTP2_SUITE)).then_some((
            "its key is an elliptic curve's, and HTTP/2 and clients of TLS 1.2 need the suite for it",
            "add `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`",
        ))
    }),
    ("tls-min-version", ALL, |value, _| {
        let versions = ["VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13"];
        (!versions.contains(&value)).then_some((
            "the component knows no version of TLS by this name",
            "write `VersionTLS12` or `VersionTLS13`",
        ))
    }),
];

pub(super) fn lint(plan: &KubeadmPlan, cluster: &Cluster<'_>, report: &mut Report) {
    audit(plan, report);
    for (part, flags) in plan.flags() {
        let of = Of { part, flags, cluster };
        for (flag, _, judge) in RULES.iter().filter(|(_, parts, _)| parts.contains(&part)) {
            let Some((reason, help)) = flags.get(*flag).and_then(|value| judge(value, &of)) else {
                continue;
            };
            report.push(
                Finding::new(&FLAG_BREAKS, plan.at(part, flag), reason)
                    .label("breaks the cluster")
                    .help(help),
            );
        }
    }
}

/// A policy says what is recorded, and a backend where to
/// (`AuditOptions.ApplyTo` in apiserver's `pkg/server/options/audit.go`).
fn audit(plan: &KubeadmPlan, report: &mut Report) {
    const POLICY: &str = "audit-policy-file";
    const BACKENDS: [&str; 2] = ["audit-log-path", "audit-webhook-config-file"];
    for (part, flags) in plan.flags().into_iter().filter(|(part, _)| *part == Part::ApiServer) {
        let said = |flag: &str| flags.get(flag).is_some_and(|value| !value.is_empty());
        let backend = BACKENDS.iter().find(|flag| said(flag));
        let (flag, message, help) = match (backend, said(POLICY)) {
            (Some(backend), false) => (
                *backend,
                "without a policy the API server records no request here",
                "add `audit-policy-file`, and the policy to `files`",
            ),
            (None, true) => (
                POLICY,
                "the API server has nowhere to write what this policy records",
                "add `audit-log-path: /var/log/kubernetes/audit.log`, or `audit-webhook-config-file`",
            ),
            _ => continue,
        };
        let finding = Finding::new(&AUDIT_SILENT, plan.at(part, flag), message);
        report.push(finding.label("one half of it").help(help));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeadm::Kubeadm;
    use crate::rooms::kubeadm::tests::flagged;
    use crate::rooms::overlaid::complaints;

    #[test]
    fn values_that_the_cluster_does_not_bear_are_refused() {
        for (part, flag, wrong, right) in [
            ("apiServer", "allow-privileged", "false", "true"),
            ("apiServer", "authorization-mode", "RBAC", "Node,RBAC,Webhook"),
            ("apiServer", "authorization-mode", "Node,RBAC,AlwaysAllow", "Node,RBAC"),
            ("apiServer", "bind-address", "127.0.0.1", "0.0.0.0"),
            ("apiServer", "audit-log-format", "xml", "json"),
            ("apiServer", "disable-admission-plugins", "PodSecurity,ServiceAccount", "PodSecurity"),
            ("apiServer", "disable-admission-plugins", "NodeRestriction", "PodSecurity"),
            (
                "apiServer",
                "enable-admission-plugins",
                "AlwaysPullImages",
                "NodeRestriction,AlwaysPullImages",
            ),
            ("apiServer", "tls-min-version", "TLS1.2", "VersionTLS12"),
            ("apiServer", "endpoint-reconciler-type", "none", "lease"),
            ("controllerManager", "bind-address", "192.168.1.11", "0.0.0.0"),
            ("controllerManager", "cidr-allocator-type", "CloudAllocator", "RangeAllocator"),
            (
                "controllerManager",
                "cluster-signing-legacy-unknown-key-file",
                "/etc/kubernetes/pki/ca.key",
                "",
            ),
            ("controllerManager", "controllers", "tokencleaner", "*,tokencleaner"),
            ("controllerManager", "leader-elect", "false", "true"),
            ("scheduler", "leader-elect", "false", "true"),
            ("scheduler", "secure-port", "10359", "10259"),
        ] {
            let refused = [format!("kubeadm/flag-breaks at extraArgs.{part}.{flag}")];
            assert_eq!(flagged("1.30.4", part, flag, wrong), refused, "{flag}: {wrong}");
            let fine = right.is_empty() || flagged("1.30.4", part, flag, right).is_empty();
            assert!(fine, "{flag}: {right}");
        }
        let beside = |flags: serde_json::Value| {
            complaints(&Kubeadm, &json!({"extraArgs": {"apiServer": flags}}))
        };
        let at = |flag: &str| [format!("kubeadm/flag-breaks at extraArgs.apiServer.{flag}")];
        let issuer = json!({"oidc-issuer-url": "https://id.example.com"});
        assert_eq!(beside(issuer.clone()), at("oidc-issuer-url"));
        let mut whole = issuer;
        whole["oidc-client-id"] = json!("kubernetes");
        assert!(beside(whole.clone()).is_empty());
        whole["authentication-config"] = json!("/srv/auth/config.yaml");
        assert_eq!(beside(whole), at("authentication-config"));
        let both =
            json!({"authorization-config": "/srv/a/b.yaml", "authorization-mode": "Node,RBAC"});
        assert_eq!(beside(both), at("authorization-config"));
        let rsa = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
        assert_eq!(beside(json!({"tls-cipher-suites": rsa})), at("tls-cipher-suites"));
        let ecdsa = format!("{rsa},TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
        assert!(beside(json!({"tls-cipher-suites": ecdsa})).is_empty());
        let closed = ["kubeadm/flag-breaks at extraArgs.scheduler.port"];
        assert_eq!(flagged("1.15.12", "scheduler", "port", "0"), closed);
        assert!(flagged("1.20.15", "scheduler", "port", "0").is_empty());
    }

    #[test]
    fn a_flag_in_a_patch_is_judged_as_any_other() {
        let said = |part: &str, flag: &str, value: &str| {
            let flags = json!({part: {"extraArgs": [{"name": flag, "value": value}]}});
            let patch = json!({"document": "kubeadm/ClusterConfiguration", "patch": flags});
            complaints(&Kubeadm, &json!({"patches": [patch]}))
        };
        for (code, part, flag, value) in [
            ("kubeadm/flag-breaks", "scheduler", "leader-elect", "false"),
            ("kubeadm/path-unmountable", "apiServer", "encryption-provider-config", "config.yaml"),
            ("kubeadm/anonymous-auth", "apiServer", "anonymous-auth", "false"),
            ("cluster/extra-arg-removed", "apiServer", "insecure-port", "8080"),
            ("cluster/extra-arg-owned", "apiServer", "secure-port", "7443"),
            ("cluster/extra-arg-owned", "apiServer", "service-node-port-range", "1-32767"),
        ] {
            let found = said(part, flag, value);
            let at = format!("at patches[0].patch.{part}.extraArgs[0].value");
            assert_eq!(found, [format!("{code} {at}")], "{flag}");
        }
        assert!(said("apiServer", "v", "4").is_empty());
        let repeated = |range: &str| {
            let flags = json!([{"name": "service-node-port-range", "value": range}]);
            let patch = json!({"apiServer": {"extraArgs": flags}});
            complaints(
                &Kubeadm,
                &json!({
                    "extraArgs": {"apiServer": {"service-node-port-range": "30000-30999"}},
                    "patches": [{"document": "kubeadm/ClusterConfiguration", "patch": patch}],
                }),
            )
        };
        assert!(repeated("30000-30999").is_empty(), "a list repeats what is said");
        let at = "patches[0].patch.apiServer.extraArgs[0].value";
        assert_eq!(repeated("30000-31999"), [format!("cluster/extra-arg-owned at {at}")]);
    }

    #[test]
    fn an_audit_has_a_policy_and_a_place() {
        let said = |flags: serde_json::Value| {
            complaints(&Kubeadm, &json!({"extraArgs": {"apiServer": flags}}))
        };
        let (log, policy) = ("/var/log/audit/audit.log", "/srv/policy.yaml");
        let silent = |flag: &str| [format!("kubeadm/audit-silent at extraArgs.apiServer.{flag}")];
        assert_eq!(said(json!({"audit-log-path": log})), silent("audit-log-path"));
        assert_eq!(said(json!({"audit-policy-file": policy})), silent("audit-policy-file"));
        assert!(said(json!({"audit-log-path": log, "audit-policy-file": policy})).is_empty());
    }

    #[test]
    fn a_lone_control_plane_needs_no_leader() {
        let alone = json!({
            "extraArgs": {"scheduler": {"leader-elect": "false"}},
            "nodes": [{"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]}],
        });
        assert!(complaints(&Kubeadm, &alone).is_empty());
    }
}
