//! What each machine that balances has to have.

use crate::claims::{Bind, Package, Phase, Port, Protocol, Reach, RoomClaims, Unit};
use crate::report::Path;
use crate::site::Site;

use super::plan::HaproxyPlan;
use super::{CONFIGURATION, KIND, UNIT};

pub(super) fn state(plan: &HaproxyPlan, site: &Site, claims: &mut RoomClaims) {
    for program in &plan.instances {
        let host = &site.hosts[program.host];
        let node = claims.node(program.host);
        for (endpoint, balancer) in site.balanced_by(KIND, host) {
            node.ports.push(Port::of(endpoint));
            node.ports.push(Port {
                protocol: Protocol::Tcp,
                bind: Bind::Loopback,
                port: balancer.status_port,
                reach: Reach::Host,
                what: "haproxy's status page",
                at: Path::of(&["loadBalancer", "haproxy", "statsPort"]),
            });
        }
        node.packages.push(Package::of(program));
        let check = ["haproxy", "-c", "-f", CONFIGURATION];
        node.units.push(Unit {
            answers: site.balanced_at(KIND, host).collect(),
            selinux_boolean: Some("haproxy_connect_any"),
            ..Unit::started(UNIT, Phase::BALANCER, check)
        });
    }
}
