//! What each machine that may hold an address has to have.

use std::net::SocketAddr;

use crate::claims::{Bind, Package, Phase, Port, Protocol, Reach, RoomClaims, RouterId, Unit};
use crate::report::Path;
use crate::site::Site;

use super::config;
use super::plan::KeepalivedPlan;
use super::{CONFIGURATION, UNIT};

/// Whoever may hold the VIP has something to answer.
const VIP: Phase = Phase::BALANCER.behind();

pub(super) fn state(plan: &KeepalivedPlan, site: &Site, claims: &mut RoomClaims) {
    for address in &plan.addresses {
        if let Ok(id) = u8::try_from(address.router_id) {
            claims.router_ids.push(RouterId {
                id,
                segment: address.subnet,
                from: address.router_id_follows.then_some(address.vip),
                at: Path::of(&["keepalived", "routerId"]),
            });
        }
    }
    for host in &plan.instances {
        let node = claims.node(host.program.host);
        node.ports.push(Port {
            protocol: Protocol::Vrrp,
            bind: Bind::Address(host.address),
            port: 0,
            reach: Reach::Holders,
            what: "keepalived's adverts",
            at: Path::of(&["keepalived"]),
        });
        node.packages.push(Package::of(&host.program));
        if plan.instances.len() > 1 {
            // What the check asks the API server with.
            node.packages.push(Package {
                program: Some("curl".into()),
                serves: true,
                ..Package::of_distribution("curl")
            });
        }
        let check = ["keepalived", "--config-test", "--use-file", CONFIGURATION];
        let check = check.into_iter().filter(|_| host.program.can.config_test);
        let answers = config::checked(host, site)
            .filter_map(|(_, endpoint)| Some(SocketAddr::new(endpoint.address()?, endpoint.port)));
        node.units.push(Unit { answers: answers.collect(), ..Unit::started(UNIT, VIP, check) });
    }
}
