//! What each machine that balances has to have.

use crate::claims::{Package, Phase, Port, RoomClaims, Unit};
use crate::site::Site;

use super::plan::NginxPlan;
use super::{CONFIGURATION, KIND, UNIT};

pub(super) fn state(plan: &NginxPlan, site: &Site, claims: &mut RoomClaims) {
    for program in &plan.instances {
        let host = &site.hosts[program.host];
        let node = claims.node(program.host);
        node.ports.extend(site.balanced_by(KIND, host).map(|(endpoint, _)| Port::of(endpoint)));
        let stream = host.os.family_facts().nginx_stream_package.clone();
        node.packages.push(Package::of(program));
        node.packages.push(Package { name: stream, program: None, ..Package::of(program) });
        let check = ["nginx", "-t", "-c", CONFIGURATION];
        node.units.push(Unit {
            answers: site.balanced_at(KIND, host).collect(),
            selinux_boolean: Some("httpd_can_network_connect"),
            ..Unit::started(UNIT, Phase::BALANCER, check)
        });
    }
}
