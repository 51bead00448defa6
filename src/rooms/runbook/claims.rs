//! What every node has of steps.

use super::{BALANCER, INSTALL, LIBRARY, RESET, VERIFY};
use crate::claims::{Role, RoomClaims, Script};
use crate::site::Site;

const SCRIPTS: [Script; 4] = [
    Script::step("20-install", INSTALL.id),
    Script::step("60-verify", VERIFY.id),
    Script::step("90-reset", RESET.id),
    Script { name: "lib", role: Role::Library, template: LIBRARY.id },
];

const START: Script = Script::step("30-balancer", BALANCER.id);

pub(super) fn state(site: &Site, claims: &mut RoomClaims) {
    for host in &site.hosts {
        let scripts = &mut claims.node(host.index).scripts;
        scripts.extend(SCRIPTS);
        // Whatever leads there on this host: all of it starts in one step.
        scripts.extend(site.leads(host).then_some(START));
    }
}
