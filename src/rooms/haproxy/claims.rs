//! What each machine that balances has to have.

use crate::claims::{
    Bind, Package, Phase, Port, Protocol, Reach, Repository, RoomClaims, Unit, WrittenFor,
};
use crate::report::Path;
use crate::site::Site;

use super::plan::{HaproxyPlan, on};
use super::{CONFIGURATION, UNIT};

pub(super) fn state(plan: &HaproxyPlan, site: &Site, claims: &mut RoomClaims) {
    for host in &plan.instances {
        let node = claims.node(host.index);
        for endpoint in on(&site.hosts[host.index], site) {
            node.ports.push(Port {
                protocol: Protocol::Tcp,
                bind: Bind::Any,
                port: endpoint.port,
                reach: Reach::Clients,
                what: "the balancer",
                at: endpoint.at.key("port"),
            });
            node.ports.push(Port {
                protocol: Protocol::Tcp,
                bind: Bind::Loopback,
                port: endpoint.balancer.status_port,
                reach: Reach::Host,
                what: "haproxy's status page",
                at: Path::of(&["loadBalancer", "haproxy", "statsPort"]),
            });
        }
        node.packages.push(Package {
            name: "haproxy".into(),
            version: host.wanted.clone(),
            written_for: Some(WrittenFor {
                release: host.version.series(),
                key: &["loadBalancer", "haproxy", "version"],
                at: host.version_at.clone(),
            }),
            repository: Repository::Distribution,
            hold: false,
            program: Some("haproxy".into()),
            serves: true,
        });
        let check = ["haproxy", "-c", "-f", CONFIGURATION];
        node.units.push(Unit {
            name: UNIT.into(),
            phase: Phase::BALANCER,
            check: check.map(String::from).to_vec(),
            wait: true,
            start: true,
        });
    }
}
