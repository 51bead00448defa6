//! What each machine that balances has to have.

use crate::claims::{
    Bind, Package, Phase, Port, Protocol, Reach, Repository, RoomClaims, Unit, WrittenFor,
};
use crate::site::Site;

use super::plan::{NginxPlan, on};
use super::{CONFIGURATION, UNIT};

pub(super) fn state(plan: &NginxPlan, site: &Site, claims: &mut RoomClaims) {
    for host in &plan.instances {
        let node = claims.node(host.index);
        node.ports.extend(on(&site.hosts[host.index], site).map(|endpoint| Port {
            protocol: Protocol::Tcp,
            bind: Bind::Any,
            port: endpoint.port,
            reach: Reach::Clients,
            what: "the balancer",
            at: endpoint.at.key("port"),
        }));
        let programs =
            [("nginx", Some("nginx")), (host.family.nginx_stream_package.as_str(), None)];
        node.packages.extend(programs.map(|(name, program)| Package {
            name: name.into(),
            version: host.wanted.clone(),
            written_for: Some(WrittenFor {
                release: host.version.series(),
                key: &["loadBalancer", "nginx", "version"],
                at: host.version_at.clone(),
            }),
            repository: Repository::Distribution,
            hold: false,
            program: program.map(String::from),
            serves: true,
        }));
        node.units.push(Unit {
            name: UNIT.into(),
            phase: Phase::BALANCER,
            check: ["nginx", "-t", "-c", CONFIGURATION].map(String::from).to_vec(),
            wait: true,
            start: true,
        });
    }
}
