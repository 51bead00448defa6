//! What no room can see alone: claims that collide or are unmet.

mod files;
mod names;
mod node_ports;
mod pins;
mod together;
use std::collections::{BTreeMap, BTreeSet};

use crate::claims::{AllOnNode, Bind, Claims, Of, OwnedPath, Port, Protocol};
use crate::report::{Finding, Path, Report, closest};
use crate::rooms::documents;
use crate::rooms::output::MadeDocument;
use crate::site::codes::PATCH_TARGET;
use crate::site::{Host, Site, endpoint, fields};

pub use files::files;
pub use together::together;

crate::codes! { "audit":
    ADDRESS_IN_RANGE = Error "address-in-range",
    ADDRESS_SHARED = Error "address-shared",
    FILE_MISSING = Error "file-missing",
    NAME_SHARED = Error "name-shared",
    NODE_PORT_TAKEN = Error "node-port-taken",
    PORT_CLASH = Error "port-clash",
    PATH_CLASH = Error "path-clash",
    PIN_DIFFERS = Error "pin-differs",
    PIN_FORM = Warning "pin-form",
    PIN_SHARED = Error "pin-shared",
    UNIT_CLASH = Error "unit-clash",
    UNKNOWN_PACKAGE = Error "unknown-package",
    VIP_SHARED = Error "vip-shared",
}

/// Compares the claims of every room, node by node.
pub fn claims(site: &Site, claims: &Claims, report: &mut Report) {
    for node in &site.hosts {
        let claimed = claims.of(node.index);
        ports(node, claimed, report);
        paths(node, claimed, report);
        units(node, claimed, report);
    }
    if let Some(cluster) = &site.cluster() {
        node_ports::lint(cluster, claims, report);
        names::lint(cluster, claims, report);
    }
    patches(site, report);
    shared_patches(site, claims, report);
    pins::lint(site, claims, report);
}

fn ports(node: &Host, claimed: &AllOnNode, report: &mut Report) {
    let mut by_number: BTreeMap<(Protocol, u16), Vec<&Port>> = BTreeMap::new();
    for port in claimed.ports.iter().filter(|port| port.protocol != Protocol::Vrrp) {
        let holders = by_number.entry((port.protocol, port.port)).or_default();
        if let Some(first) = holders.iter().find(|first| first.bind.overlaps(port.bind))
            && !known(first, port, report)
        {
            let finding = clash(node, first, port);
            if !report.has(&PORT_CLASH, &finding.at) {
                report.push(finding);
            }
        }
        holders.push(port);
    }
}

/// Whether the model has said so already, once for all control planes.
fn known(first: &Port, second: &Port, report: &Report) -> bool {
    let endpoint = Path::of(&["endpoint", "port"]);
    (first.at == endpoint || second.at == endpoint)
        && report.findings().iter().any(|finding| finding.code == &endpoint::codes::PORT_TAKEN)
}

fn clash(node: &Host, first: &Port, second: &Port) -> Finding {
    let on = |bind: Bind| match bind {
        Bind::Any => "every address".to_owned(),
        Bind::Loopback => "loopback".to_owned(),
        Bind::Address(address) => address.to_string(),
    };
    // The one whose number the inventory chooses is the one to change, then that of which it says more,
    // and then any, but always the same one.
    let said = |port: &Port| {
        let text = port.at.to_string();
        (text.to_lowercase().ends_with("port"), port.at.steps().len(), text)
    };
    let (first, second) = match said(first) > said(second) {
        true => (second, first),
        false => (first, second),
    };
    Finding::new(
        &PORT_CLASH,
        second.at.clone(),
        format!(
            "on node {}, {} and {} both listen on port {} ({} and {})",
            node.name,
            first.what,
            second.what,
            second.port,
            on(first.bind),
            on(second.bind),
        ),
    )
    .label(second.what)
    .because(first.at.clone(), first.what)
    .help("give one of the two another port")
}

fn paths(node: &Host, claimed: &AllOnNode, report: &mut Report) {
    for (index, second) in claimed.paths.iter().enumerate() {
        for first in &claimed.paths[..index] {
            let Some(message) = disagree(first, second).or_else(|| disagree(second, first)) else {
                continue;
            };
            // The one of which the inventory says more is the one to change.
            let (other, at) = match first.at.steps().len() > second.at.steps().len() {
                true => (second, &first.at),
                false => (first, &second.at),
            };
            if report.has(&PATH_CLASH, at) {
                continue;
            }
            report.push(
                Finding::new(&PATH_CLASH, at.clone(), format!("on node {}, {message}", node.name))
                    .because(other.at.clone(), format!("{} uses {}", other.room, other.path))
                    .help("give one of the two another path"),
            );
        }
    }
}

/// Why the one cannot be where the other is: another room's, or emptied with it at a reset.
fn disagree(inner: &Of<OwnedPath>, outer: &Of<OwnedPath>) -> Option<String> {
    let strangers = inner.room != outer.room;
    if inner.path == outer.path && strangers {
        return Some(format!("{} and {} both use {}", outer.room, inner.room, inner.path));
    }
    let lost = outer.remove_on_reset && (strangers || !inner.remove_on_reset);
    // Of every two folders of each node: the dear question last.
    (lost && std::path::Path::new(&inner.path).starts_with(&outer.path)).then(|| {
        format!("a reset empties {} and with it {} of {}", outer.path, inner.path, inner.room)
    })
}

fn units(node: &Host, claimed: &AllOnNode, report: &mut Report) {
    let mut seen = BTreeMap::new();
    for unit in &claimed.units {
        if let Some(first) = seen.insert(unit.name.as_str(), unit.room)
            && first != unit.room
        {
            report.push(
                Finding::new(
                    &UNIT_CLASH,
                    Path::root(),
                    format!(
                        "on node {}, {first} and {} both run {}",
                        node.name, unit.room, unit.name
                    ),
                )
                .help("this is a defect of hagen: please report it with the inventory"),
            );
        }
    }
}

/// Patches name documents that exist, leave alone what other files agree with, and say what the
/// release understands.
fn patches(site: &Site, report: &mut Report) {
    for patch in &site.patches {
        let at = Path::of(&["patches"]).index(patch.index);
        let Some(document) = documents().find(|document| document.name == patch.document) else {
            let names = documents().map(|document| document.name);
            let finding = Finding::new(
                &PATCH_TARGET,
                at.key("document"),
                format!("no document is called `{}`", patch.document),
            );
            report.push(match closest(&patch.document, names.clone()) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None => {
                    finding.help(format!("documents are: {}", names.collect::<Vec<_>>().join(", ")))
                }
            });
            continue;
        };
        let mut told = Vec::new();
        for pointer in document.owned {
            let Some(keys) = touched(&patch.patch, pointer) else { continue };
            if told.contains(&keys) {
                continue;
            }
            let field = keys.iter().fold(at.key("patch"), |at, key| at.key(*key));
            report.push(
                Finding::new(
                    &PATCH_TARGET,
                    field,
                    format!("other files agree with `{}` of {}", &pointer[1..], document.name),
                )
                .label("a patch here would contradict them")
                .help("change the inventory's own setting instead"),
            );
            told.push(keys);
        }
        if let Some(cluster) = site.cluster().filter(|_| told.is_empty()) {
            fields::lint(&cluster, document.name, &patch.patch, &at.key("patch"), report);
        }
    }
}

/// What travels in kubeadm's file is one for all nodes, and no patch of some is possible.
fn shared_patches(site: &Site, claims: &Claims, report: &mut Report) {
    for patch in &site.patches {
        let carried = claims.carried.iter().any(|one| one.document == patch.document);
        let mut left_out = site.hosts.iter();
        let left_out = left_out.find(|node| node.kubelet() && !patch.applies_to(&node.name));
        if let Some(node) = left_out.filter(|_| carried) {
            report.push(
                Finding::new(
                    &PATCH_TARGET,
                    Path::of(&["patches"]).index(patch.index).key("nodes"),
                    format!("all nodes have one {}, {} as well", patch.document, node.name),
                )
                .label("cannot be of some nodes")
                .help("remove it: the patch is then of all nodes"),
            );
        }
    }
}

/// Every patch was merged into some document, and each field that it removes was in one.
pub fn patched(site: &Site, documents: &[MadeDocument], report: &mut Report) {
    for patch in &site.patches {
        let at = Path::of(&["patches"]).index(patch.index);
        let name = &patch.document;
        let merged: Vec<_> =
            documents.iter().filter_map(|made| made.patched.get(&patch.index)).collect();
        let [first, others @ ..] = &merged[..] else {
            let made = documents.iter().filter(|made| made.document == name);
            let nodes: Vec<&str> = made.filter_map(|made| made.node.as_deref()).collect();
            report.push(match nodes.is_empty() {
                true => Finding::new(
                    &PATCH_TARGET,
                    at.key("document"),
                    format!("this cluster has no {name}"),
                )
                .label("changes nothing")
                .help("remove the patch"),
                false => Finding::new(
                    &PATCH_TARGET,
                    at.key("nodes"),
                    format!("none of these nodes has a {name}"),
                )
                .label("selects none")
                .help(format!(
                    "it is made on {}; without `nodes`, all are meant",
                    nodes.join(", ")
                )),
            });
            continue;
        };
        let mut lost: BTreeMap<&Vec<String>, BTreeSet<&str>> = BTreeMap::new();
        // Of other lists it is judged elsewhere what they need.
        let flags = |keys: &[String]| keys.last().is_some_and(|key| key.ends_with("xtraArgs"));
        let all = merged.iter().flat_map(|merged| &merged.lost);
        for (keys, gone) in all.filter(|(keys, _)| flags(keys)) {
            lost.entry(keys).or_default().extend(gone.iter().map(String::as_str));
        }
        for (keys, gone) in lost {
            let gone: Vec<&str> = gone.into_iter().collect();
            report.push(
                Finding::new(
                    &PATCH_TARGET,
                    keys.iter().fold(at.key("patch"), |at, key| at.key(key)),
                    format!("`{}` of {name} would lose {}", keys.join("."), gone.join(", ")),
                )
                .label("a list replaces all of the list")
                .help("say flags under `extraArgs`; here, repeat those that are there already"),
            );
        }
        let everywhere =
            |keys: &&Vec<String>| others.iter().all(|other| other.absent.contains(keys));
        for keys in first.absent.iter().filter(everywhere) {
            report.push(
                Finding::new(
                    &PATCH_TARGET,
                    keys.iter().fold(at.key("patch"), |at, key| at.key(key)),
                    format!("{name} has no `{}` to remove", keys.join(".")),
                )
                .label("removes nothing")
                .help("remove this line"),
            );
        }
    }
}

/// The keys to the place where a patch touches the field at this pointer: the field itself, or
/// whatever around it the patch removes or replaces as a whole.
fn touched<'a>(patch: &serde_json::Value, pointer: &'a str) -> Option<Vec<&'a str>> {
    let mut value = patch;
    let mut keys = Vec::new();
    for key in pointer.split('/').skip(1) {
        // Maps merge; anything else takes all of it away.
        let Some(fields) = value.as_object() else { break };
        value = fields.get(key)?;
        keys.push(key);
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{Phase, RoomClaims, Unit};
    use crate::rooms::overlaid;

    #[test]
    fn nothing_is_kept_where_a_reset_empties() {
        for (overlay, place) in [
            ("etcd: {mode: external, backup: {directory: /var/lib/etcd}}", "etcd.backup.directory"),
            (
                "etcd: {mode: external, backup: {directory: /var/lib/etcd/snapshots}}",
                "etcd.backup.directory",
            ),
            (
                "etcd: {mode: external, settings: {wal-dir: /srv/log/wal}, backup: {directory: /srv/log/kept}}",
                "etcd.backup.directory",
            ),
            ("etcd: {mode: external, dataDir: /var/lib/kubelet/etcd}", "etcd.dataDir"),
            (
                "{etcd: {dataDir: /srv/etcd}, images: {archives: [/srv/a.tar, /srv/etcd/b.tar]}}",
                "images.archives[1]",
            ),
            ("etcd: {dataDir: /var/lib/kubelet}", "etcd.dataDir"),
        ] {
            let outcome = overlaid::outcome(overlay);
            let found = outcome.report.findings().iter();
            let places: Vec<String> = found
                .filter(|finding| finding.code == &PATH_CLASH)
                .map(|finding| finding.at.to_string())
                .collect();
            assert_eq!(places, [place], "{overlay}");
        }
        for overlay in [
            "etcd: {mode: external, settings: {wal-dir: /var/lib/etcd/log}}",
            "etcd: {mode: external, dataDir: /srv/etcd/data, backup: {directory: /srv/etcd}}",
            "etcd: {mode: external, backup: {directory: /var/lib/etcd-snapshots}}",
        ] {
            assert!(overlaid::outcome(overlay).tree.is_some(), "{overlay}");
        }
    }

    #[test]
    fn a_unit_of_two_rooms_is_told_and_one_that_a_room_claims_twice_is_not() {
        let (site, _) = overlaid::claimed(&serde_json::json!({}));
        let found = |claims: &Claims| -> Vec<String> {
            let mut report = Report::new();
            units(&site.hosts[0], claims.of(0), &mut report);
            report.findings().iter().map(|finding| finding.message.clone()).collect()
        };
        let unit = || Unit::started("haproxy.service", Phase::BALANCER, []);
        let of = |units: usize| {
            let mut claims = RoomClaims::default();
            claims.node(0).units.extend((0..units).map(|_| unit()));
            claims
        };
        assert_eq!(found(&Claims::merge(1, vec![("haproxy", of(2))])), [""; 0]);
        let claims = Claims::merge(1, vec![("haproxy", of(1)), ("nginx", of(1))]);
        let both = "on node cp1, haproxy and nginx both run haproxy.service";
        assert_eq!(found(&claims), [both]);
    }

    /// What is said of patches, as `place: message`.
    fn of_patches(patches: &str) -> Vec<String> {
        let outcome = overlaid::outcome(&format!("patches: [{patches}]"));
        let found = outcome.report.findings().iter();
        found.map(|finding| format!("{}: {}", finding.at, finding.message)).collect()
    }

    #[test]
    fn a_list_in_a_patch_takes_no_flag_away() {
        let flags = |flags: &str| {
            of_patches(&format!(
                "{{document: kubeadm/JoinConfiguration, nodes: {{names: [w1]}}, patch: \
                 {{nodeRegistration: {{kubeletExtraArgs: [{flags}]}}}}}}"
            ))
        };
        let place = "patches[0].patch.nodeRegistration.kubeletExtraArgs";
        let message =
            "`nodeRegistration.kubeletExtraArgs` of kubeadm/JoinConfiguration would lose node-ip";
        assert_eq!(flags("{name: v, value: '2'}"), [format!("{place}: {message}")]);
        let whole = "{name: v, value: '2'}, {name: node-ip, value: 192.168.1.21}";
        assert_eq!(flags(whole), [""; 0]);
    }

    #[test]
    fn what_all_nodes_share_is_patched_for_all() {
        let said = of_patches(
            "{document: kubelet/KubeletConfiguration, nodes: {roles: [control-plane]}, patch: {podPidsLimit: 9}}",
        );
        assert_eq!(
            said,
            ["patches[0].nodes: all nodes have one kubelet/KubeletConfiguration, w1 as well"]
        );
    }

    #[test]
    fn flags_do_not_go_with_what_is_around_them() {
        let said = of_patches(
            "{document: kubeadm/JoinConfiguration, nodes: {names: [w1]}, patch: {nodeRegistration: {kubeletExtraArgs: null}}}",
        );
        let lost = "patches[0].patch.nodeRegistration.kubeletExtraArgs: `nodeRegistration.kubeletExtraArgs` of kubeadm/JoinConfiguration would lose node-ip";
        assert_eq!(said, [lost]);
    }

    #[test]
    fn one_port_twice_is_said_once_and_where_it_was_chosen() {
        let outcome = overlaid::outcome("endpoint: {port: 2379}");
        let found = outcome.report.findings().iter();
        let places: Vec<String> = found
            .filter(|finding| finding.code == &PORT_CLASH)
            .map(|finding| finding.at.to_string())
            .collect();
        assert_eq!(places, ["endpoint.port"]);
    }

    /// The ports that clash, each as the place that is to change and the other one.
    fn clashes(overlay: &str) -> Vec<String> {
        let outcome = overlaid::outcome(overlay);
        let found = outcome.report.findings().iter();
        let clashes = found.filter(|finding| finding.code == &PORT_CLASH);
        clashes.map(|finding| format!("{}, {}", finding.at, finding.related[0].0)).collect()
    }

    #[test]
    fn what_the_model_says_of_the_endpoint_is_not_said_again_and_all_else_is() {
        assert_eq!(overlaid::codes("endpoint: {port: 6443}"), ["endpoint/port-taken"]);
        // The endpoint's port, of which the model says nothing; and one beside what it says.
        let status = "loadBalancer: {haproxy: {statsPort: 8443}}";
        assert_eq!(clashes(status), ["loadBalancer.haproxy.statsPort, endpoint.port"]);
        let beside = "{endpoint: {port: 6443}, loadBalancer: {haproxy: {statsPort: 2381}}}";
        assert_eq!(clashes(beside), ["loadBalancer.haproxy.statsPort, etcd.metricsPort"]);
        assert!(overlaid::codes(beside).contains(&"endpoint/port-taken"));
    }

    #[test]
    fn a_patch_has_a_document_to_change() {
        let said = of_patches("{document: runtime/DockerDaemon, patch: {debug: true}}");
        assert_eq!(said, ["patches[0].document: this cluster has no runtime/DockerDaemon"]);
        let said = of_patches(
            "{document: kubeadm/ClusterConfiguration, nodes: {names: [w1]}, patch: {scheduler: {}}}",
        );
        assert_eq!(
            said,
            ["patches[0].nodes: none of these nodes has a kubeadm/ClusterConfiguration"]
        );
    }

    #[test]
    fn a_patch_removes_only_what_is_there() {
        let said =
            of_patches("{document: kubeadm/ClusterConfiguration, patch: {dns: {imageTag: null}}}");
        assert_eq!(
            said,
            [
                "patches[0].patch.dns.imageTag: kubeadm/ClusterConfiguration has no `dns.imageTag` to remove"
            ]
        );
        // On one node of several it is.
        let mixed = "
            nodes:
              - {name: cp1, address: 192.168.1.11, roles: [control-plane]}
              - {name: w1, address: 192.168.1.21, roles: [worker], taints: ['a=b:NoSchedule']}
              - {name: w2, address: 192.168.1.22, roles: [worker]}
            patches:
              - document: kubeadm/JoinConfiguration
                patch: {nodeRegistration: {taints: null}}
        ";
        assert!(!overlaid::codes(mixed).contains(&PATCH_TARGET.id));
    }

    #[test]
    fn a_patch_of_the_kubelet_names_fields_that_it_has() {
        let of = |field: &str| {
            of_patches(&format!("{{document: kubelet/KubeletConfiguration, patch: {{{field}}}}}"))
        };
        assert_eq!(
            of("evictionHards: {}"),
            [
                "patches[0].patch.evictionHards: KubeletConfiguration has no field evictionHards in Kubernetes 1.37"
            ]
        );
        assert!(of("evictionHard: {memory.available: 5%}").is_empty());
        assert!(of("maxPods: 200").is_empty());
    }
}
