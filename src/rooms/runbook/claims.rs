//! What every node has of steps.

use super::{INSTALL, LIBRARY, RESET, VERIFY};
use crate::claims::{Role, RoomClaims, Script};
use crate::site::Site;

const SCRIPTS: [Script; 4] = [
    Script::step("20-install", INSTALL.id),
    Script::step("60-verify", VERIFY.id),
    Script::step("90-reset", RESET.id),
    Script { name: "lib", role: Role::Library, template: LIBRARY.id },
];

pub(super) fn state(site: &Site, claims: &mut RoomClaims) {
    for host in &site.hosts {
        claims.node(host.index).scripts.extend(SCRIPTS);
    }
}
