//! What every node has of steps.

use super::{INSTALL, LIBRARY, RESET, VERIFY};
use crate::claims::{RoomClaims, Script};
use crate::site::Site;

const SCRIPTS: [Script; 4] = [
    Script { name: "20-install", template: INSTALL.id },
    Script { name: "60-verify", template: VERIFY.id },
    Script { name: "90-reset", template: RESET.id },
    Script { name: "lib", template: LIBRARY.id },
];

pub(super) fn state(site: &Site, claims: &mut RoomClaims) {
    for host in &site.hosts {
        claims.node(host.index).scripts.extend(SCRIPTS);
    }
}
