//! haproxy wherever an endpoint has it: layer 4, each server checked as the endpoint says, an API
//! server over TLS against its CA. Emits `/etc/haproxy/haproxy.cfg` and the CA beside it.
//!
//! The CA is a copy of its own and not kubeadm's file: SELinux lets haproxy read its own folder
//! only, `kubeadm reset` leaves it alone, and a new CA is a reason to reload haproxy.

mod claims;
mod config;
mod lint;
mod plan;
mod render;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::{LoadBalancerKind, Site};
use crate::template;
use crate::template::Template;

use super::{Planned, Room};

use self::plan::HaproxyPlan;

crate::codes! { "haproxy":
    DIRECTIVE_VERSION = Error "directive-version",
    TIMEOUT_RANGE = Error "timeout-range",
    SLOW_IS_DOWN = Warning "slow-is-down",
    TIMEOUTS_CUT_WATCHES = Warning "timeouts-cut-watches",
}

static TEMPLATES: [Template; 2] = [
    template!("haproxy/etc/haproxy/haproxy.cfg.j2"),
    template!("haproxy/etc/systemd/system/haproxy.service.d/10-hagen.conf.j2"),
];

/// What an endpoint says that has it.
const KIND: LoadBalancerKind = LoadBalancerKind::Haproxy;
const CONFIGURATION: &str = "/etc/haproxy/haproxy.cfg";
const UNIT: &str = "haproxy.service";
/// Read at each reload of systemd, which `20-install.sh` does; the service is left alone.
const DROP_IN: &str = "/etc/systemd/system/haproxy.service.d/10-hagen.conf";

/// The room.
#[derive(Debug)]
pub struct Haproxy;

impl Room for Haproxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let plan = HaproxyPlan::new(&said.load_balancer.haproxy, site);
        if plan.instances.is_empty() {
            return None;
        }
        lint::lint(&plan, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, site, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
