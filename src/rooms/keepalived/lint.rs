//! What a valid inventory may still get wrong about keepalived.

use std::collections::BTreeMap;

use crate::catalog::Keepalived;
use crate::claims::RouterId;
use crate::inventory::keepalived::State;
use crate::inventory::values::Duration;
use crate::report::{Finding, Path, Report};
use crate::site::{Host, Site};

use super::election::{self, Loss, Rules};
use super::plan::{Instance, KeepalivedPlan, Virtual};
use super::{
    ADVERT_INTERVAL, AUTH, NO_FAILOVER, NOPREEMPT_MASTER, NOT_EVERY_CONTROL_PLANE, PRIORITY_RANGE,
    ROUTER_ID_CLASH, ROUTER_ID_RANGE, SLOW_IS_DOWN, VRRP_VERSION, WHOLE_SECONDS,
};

/// The longest interval of version 3: twelve bits of hundredths of a second (RFC 5798, 5.2.7).
const LONGEST_ADVERT: Duration = Duration::from_millis(40_950);

pub(super) fn lint(plan: &KeepalivedPlan, site: &Site, report: &mut Report) {
    plan.addresses.iter().for_each(|address| router_id(plan, address, report));
    let electable = priorities(plan, site, report);
    versions(plan, report);
    intervals(plan, report);
    if plan.settings.state == State::Master && !plan.settings.preempt {
        report.push(
            Finding::new(
                &NOPREEMPT_MASTER,
                section("state"),
                "keepalived drops `nopreempt` on a node that starts as MASTER",
            )
            .label("no election without preemption starts here")
            .because(section("preempt"), "false, also where it is left out")
            .help("leave `state` out: the election makes one of them master"),
        );
    }
    if plan.settings.fall == 1 && plan.instances.len() > 1 {
        let message =
            "one slow check makes a node give the VIP up, and busy nodes are slow together";
        report.push(
            Finding::new(&SLOW_IS_DOWN, section("fall"), message)
                .label("the first failed check is the last")
                .because(
                    section("checkInterval"),
                    format!("{} for it", plan.settings.check_interval),
                )
                .help("leave `fall` out for 2"),
        );
    }
    if electable {
        plan.addresses.iter().for_each(|address| failover(plan, address, report));
    }
}

fn section(key: &str) -> Path {
    Path::of(&["keepalived"]).key(key)
}

fn router_id(plan: &KeepalivedPlan, address: &Virtual, report: &mut Report) {
    let at = section("routerId");
    let id = address.router_id;
    if !(1..=255).contains(&id) {
        report.push(
            Finding::new(&ROUTER_ID_RANGE, at.clone(), format!("{id} is no virtual router id"))
                .label("1 to 255")
                .help("leave `routerId` out for the last octet of the VIP"),
        );
    }
    if let Some(position) = plan.reserved_router_ids.iter().position(|reserved| *reserved == id) {
        let free = (1..=255).find(|id| !plan.reserved_router_ids.contains(id)).unwrap_or(id);
        report.push(
            Finding::new(
                &ROUTER_ID_CLASH,
                at,
                format!("virtual router id {id} is taken on this segment"),
            )
            .because(section("reservedRouterIds").index(position), "reserved here")
            .help(format!("choose a free one, such as `routerId: {free}`")),
        );
    }
}

/// Whether two clusters of one run would answer each other's adverts: the finding for the one
/// with the claim `mine`, given the claim of the cluster `other_cluster`.
pub(super) fn router_id_clash(
    mine: &RouterId,
    other: &RouterId,
    other_cluster: &str,
) -> Option<Finding> {
    let shared = mine.segment.contains(&other.segment) || other.segment.contains(&mine.segment);
    // Both have one VIP: `audit/vip-shared`.
    let follows = mine.from.is_some() && mine.from == other.from;
    (shared && mine.id == other.id && !follows).then(|| {
        Finding::new(
            &ROUTER_ID_CLASH,
            mine.at.clone(),
            format!(
                "virtual router id {} is also that of cluster {other_cluster}, whose VIP is on \
                 the same segment, {}",
                mine.id, other.segment
            ),
        )
        .help("give one of the two another `keepalived.routerId`")
    })
}

/// Whether the priorities are fit for an election.
fn priorities(plan: &KeepalivedPlan, site: &Site, report: &mut Report) -> bool {
    let before = report.findings().len();
    let apart = site.hosts.iter().any(Host::load_balancer);
    let (holders, holder) = match apart {
        true => ("load balancers", "load balancer"),
        false => ("control planes", "control plane"),
    };
    for (name, priority) in &plan.priorities {
        let at = section("priorities").key(name);
        if !(1..=254).contains(priority) {
            let finding = Finding::new(
                &PRIORITY_RANGE,
                at.clone(),
                format!("{priority} is no priority for node {name}"),
            );
            report.push(match priority {
                255 => finding.label("255 means the owner of the address, which never steps down"),
                _ => finding.label("1 to 254"),
            });
        }
        match site.hosts.iter().find(|node| node.name == *name) {
            Some(node) if plan.on(node).is_some() => {}
            node => {
                let finding = Finding::new(
                    &NOT_EVERY_CONTROL_PLANE,
                    at,
                    format!("{name} cannot hold the VIP, for it runs no balancer"),
                )
                .help(format!("give priorities to {holders} only"));
                report.push(match node {
                    Some(node) => finding.because(node.path().key("roles"), "runs no balancer"),
                    None => finding.label("no node has this name"),
                });
            }
        }
    }
    let mut by_priority = BTreeMap::new();
    for host in &plan.instances {
        let Some(first) = by_priority.insert(host.priority, &host.program.on) else { continue };
        let priorities = section("priorities");
        report.push(
            Finding::new(
                &PRIORITY_RANGE,
                priorities.key(&host.program.on),
                format!(
                    "{first} and {} have the same priority, {}",
                    host.program.on, host.priority
                ),
            )
            .because(priorities.key(first), "the other one")
            .help(format!("give each {holder} a priority of its own, or leave them all out")),
        );
        break;
    }
    report.findings().len() == before
}

fn versions(plan: &KeepalivedPlan, report: &mut Report) {
    let at = section("version");
    let ipv6 = plan.addresses.iter().any(|address| address.vip.is_ipv6());
    if plan.settings.vrrp_version == 2 && ipv6 {
        report.push(
            Finding::new(&VRRP_VERSION, at.clone(), "VRRP version 2 cannot hold an IPv6 address")
                .label("IPv4 only")
                .because(Path::of(&["endpoint", "vip"]), "IPv6")
                .help("leave `version` out, for version 3"),
        );
    }
    let v4 = plan.addresses.iter().any(|address| address.vip.is_ipv4());
    let able = |can: &Keepalived| if !v4 { can.vrrp_v3 } else { can.vrrp_v3_unicast };
    if plan.settings.vrrp_version == 3
        && let Some(Instance { program, .. }) =
            plan.instances.iter().find(|host| !able(&host.program.can))
    {
        let finding = Finding::new(
            &VRRP_VERSION,
            at.clone(),
            format!(
                "keepalived {} on node {} cannot send adverts of VRRP version 3 to several peers",
                program.version, program.on
            ),
        )
        .because(program.at.clone(), format!("decides on keepalived {}", program.version));
        report.push(if !v4 {
            finding.help("install keepalived 1.2.8 or newer")
        } else {
            finding.help("leave `version` out, for version 2, or install keepalived 1.3.7 or newer")
        });
    }
    if plan.settings.authentication && plan.settings.vrrp_version == 3 {
        report.push(
            Finding::new(&AUTH, section("authentication"), "VRRP version 3 has no authentication")
                .label("keepalived would ignore it")
                .because(at, "version 3, also where it is left out")
                .help("leave `authentication` out, or set `version: 2`"),
        );
    }
}

fn intervals(plan: &KeepalivedPlan, report: &mut Report) {
    let (advert, at) = (&plan.settings.advert_interval, section("advertInterval"));
    let because =
        |finding: Finding| finding.because(section("version"), "decides what is possible");
    if plan.settings.vrrp_version == 2 && !advert.millis().is_multiple_of(1000) {
        report.push(because(
            Finding::new(
                &ADVERT_INTERVAL,
                at,
                format!("VRRP version 2 counts whole seconds, not {advert}"),
            )
            .help("write `1s`, or use version 3"),
        ));
    } else if plan.settings.vrrp_version == 2 && advert.millis() > 255_000 {
        report.push(because(Finding::new(
            &ADVERT_INTERVAL,
            at,
            format!("{advert} is more than the 255 s of VRRP version 2"),
        )));
    } else if plan.settings.vrrp_version == 3
        && (!advert.millis().is_multiple_of(10) || *advert > LONGEST_ADVERT)
    {
        report.push(because(
            Finding::new(
                &ADVERT_INTERVAL,
                at,
                format!(
                    "VRRP version 3 cannot send {advert}, only 10 ms to 40950 ms in steps of 10"
                ),
            )
            .help("leave it out for 500ms"),
        ));
    }
    if !plan.settings.check_interval.millis().is_multiple_of(1000) {
        report.push(
            Finding::new(
                &WHOLE_SECONDS,
                section("checkInterval"),
                format!(
                    "keepalived runs checks at whole seconds, not every {}",
                    plan.settings.check_interval
                ),
            )
            .help("leave it out for 1s"),
        );
    }
}

/// The proof that the VIP survives each loss, or the first loss that it does not.
fn failover(plan: &KeepalivedPlan, address: &Virtual, report: &mut Report) {
    let rules = Rules { preempt: plan.settings.preempt, weight: plan.settings.weight };
    // With one node there is nobody to fail over to: `cluster/single-control-plane`.
    let voters = plan.voters(address);
    if voters.len() < 2 {
        return;
    }
    let Some(failure) = election::first_failure(&voters, rules) else { return };
    let names: Vec<&str> = plan.holders_of(address).map(|host| host.program.on.as_str()).collect();
    let name = |index: usize| names[index];
    let lost = match failure.loss {
        Loss::Node(index) => format!("node {}", name(index)),
        Loss::Balancer(index) => format!("the balancer of {}", name(index)),
    };
    let held = match failure.after {
        Some(index) => format!("the VIP stays on {}", name(index)),
        None => "nobody holds the VIP".to_owned(),
    };
    let finding =
        Finding::new(&NO_FAILOVER, section("weight"), format!("when {lost} is lost, {held}"))
            .help("leave `weight` out: a node whose balancer fails then gives the VIP up at once");
    report.push(if plan.settings.preempt {
        finding
            .label("too small to bring the node below the others")
            .because(section("priorities"), "the distance between the priorities")
    } else {
        finding
            .label("lowers a priority that nobody acts on")
            .because(section("preempt"), "false, also where it is left out")
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rooms::keepalived::Keepalived as Room;
    use crate::rooms::overlaid::complaints;

    /// What is said of these settings of the section, with the places below it.
    fn said(settings: serde_json::Value) -> Vec<String> {
        let found = complaints(&Room, &json!({"keepalived": settings}));
        let short = |one: String| one.replace("keepalived/", "").replace("keepalived.", "");
        found.into_iter().map(short).collect()
    }

    #[test]
    fn ids_and_priorities_have_their_ranges() {
        for (settings, found) in [
            (json!({"routerId": 0}), &["router-id-range at routerId"][..]),
            (json!({"routerId": 1}), &[]),
            (json!({"routerId": 255}), &[]),
            (json!({"routerId": 256}), &["router-id-range at routerId"]),
            (json!({"priorities": {"cp1": 0}}), &["priority-range at priorities.cp1"]),
            (json!({"priorities": {"cp1": 1}}), &[]),
            (json!({"priorities": {"cp1": 254}}), &[]),
            (json!({"priorities": {"cp1": 255}}), &["priority-range at priorities.cp1"]),
            (
                json!({"priorities": {"cp1": 100, "cp2": 100}}),
                &["priority-range at priorities.cp2"],
            ),
            (json!({"priorities": {"w1": 9}}), &["not-every-control-plane at priorities.w1"]),
            (json!({"priorities": {"cp9": 9}}), &["not-every-control-plane at priorities.cp9"]),
            (json!({"routerId": 7, "reservedRouterIds": [6, 7]}), &["router-id-clash at routerId"]),
            (json!({"routerId": 7, "reservedRouterIds": [6, 8]}), &[]),
        ] {
            assert_eq!(said(settings.clone()), found, "{settings}");
        }
    }

    #[test]
    fn priorities_are_of_those_that_hold_the_vip() {
        let help = |nodes: serde_json::Value| {
            let overlay = json!({"keepalived": {"priorities": {"cp1": 200}}, "nodes": nodes});
            let found = crate::rooms::overlaid::outcome(&overlay.to_string());
            let mut found = found.report.findings().to_vec().into_iter();
            found.find(|one| one.code == &NOT_EVERY_CONTROL_PLANE).and_then(|one| one.help)
        };
        let node = |name: &str, octet: u8, role: &str| json!({"name": name, "address": format!("192.168.1.{octet}"), "roles": [role]});
        let cp1 = node("cp1", 11, "control-plane");
        assert_eq!(help(json!([cp1])), None);
        let nodes =
            json!([cp1, node("lb1", 21, "load-balancer"), node("lb2", 22, "load-balancer")]);
        assert_eq!(help(nodes).as_deref(), Some("give priorities to load balancers only"));
    }

    #[test]
    fn a_weight_that_moves_nothing_is_refused() {
        let weights = |preempt: bool, weight: i32| {
            let priorities = json!({"cp1": 150, "cp2": 100, "cp3": 90});
            said(json!({"preempt": preempt, "weight": weight, "priorities": priorities}))
        };
        assert_eq!(weights(false, -20), ["no-failover at weight"]);
        assert_eq!(weights(true, -10), ["no-failover at weight"]);
        assert_eq!(weights(true, -61), [""; 0]);
        assert_eq!(weights(false, 0), [""; 0]);
    }

    fn claim(id: u8, segment: &str) -> RouterId {
        let from = Some([192, 168, 1, id].into());
        RouterId { id, segment: segment.parse().unwrap(), from, at: section("routerId") }
    }

    #[test]
    fn clusters_clash_only_on_a_shared_segment() {
        let mine = RouterId { from: None, ..claim(33, "192.168.1.0/24") };
        let clash = |other: &RouterId| router_id_clash(&mine, other, "other").is_some();
        assert!(clash(&claim(33, "192.168.1.0/24")));
        assert!(clash(&claim(33, "192.168.0.0/16")), "a wider view of the same segment");
        assert!(!clash(&claim(34, "192.168.1.0/24")));
        assert!(!clash(&claim(33, "192.168.2.0/24")));
        let mine = claim(33, "192.168.1.0/24");
        assert!(router_id_clash(&mine, &mine, "other").is_none(), "another VIP mends it");
    }
}
