//! keepalived on every machine that may hold the address of an endpoint: exactly one of them does.
//! Emits `/etc/keepalived/keepalived.conf`, the check of the balancer, and with VRRP version 2 the
//! password in a private file of its own: it is included from within the instance, and the
//! configuration itself stays public.

mod claims;
mod config;
mod election;
mod lint;
mod plan;
mod render;
#[cfg(test)]
mod tests;

use crate::claims::{Claims, RoomClaims};
use crate::inventory::Inventory;
use crate::report::{Code, Finding, Report};
use crate::site::Site;
use crate::template;
use crate::template::Template;

use super::{Planned, Room};

use self::plan::KeepalivedPlan;

crate::codes! { "keepalived":
    ADVERT_INTERVAL = Error "advert-interval",
    AUTH = Error "auth",
    NO_FAILOVER = Error "no-failover",
    NOPREEMPT_MASTER = Error "nopreempt-master",
    NOT_EVERY_CONTROL_PLANE = Error "not-every-control-plane",
    PRIORITY_RANGE = Error "priority-range",
    ROUTER_ID_CLASH = Error "router-id-clash",
    ROUTER_ID_RANGE = Error "router-id-range",
    SLOW_IS_DOWN = Warning "slow-is-down",
    VRRP_VERSION = Error "vrrp-version",
    WHOLE_SECONDS = Error "whole-seconds",
}

static TEMPLATES: [Template; 4] = [
    template!("keepalived/etc/keepalived/keepalived.conf.j2"),
    template!("keepalived/etc/keepalived/check-balancer.sh"),
    template!("keepalived/etc/keepalived/auth.conf.j2"),
    template!("keepalived/etc/systemd/system/keepalived.service.d/10-hagen.conf.j2"),
];

const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";
const UNIT: &str = "keepalived.service";
/// Read at each reload of systemd, which `20-install.sh` does; the service is left alone.
const DROP_IN: &str = "/etc/systemd/system/keepalived.service.d/10-hagen.conf";

/// The room.
#[derive(Debug)]
pub struct Keepalived;

impl Room for Keepalived {
    fn name(&self) -> &'static str {
        "keepalived"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let plan = KeepalivedPlan::new(&said.keepalived, site);
        if plan.addresses.is_empty() {
            return None;
        }
        lint::lint(&plan, site, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, site, &mut claims);
        Some(Planned::new(plan, claims))
    }

    fn beside(&self, claims: &Claims, others: &Claims, other: &str) -> Vec<Finding> {
        let pairs = claims
            .router_ids
            .iter()
            .flat_map(|mine| others.router_ids.iter().map(move |theirs| (mine, theirs)));
        pairs.filter_map(|(mine, theirs)| lint::router_id_clash(mine, theirs, other)).collect()
    }
}
