//! nginx wherever an endpoint has it: a layer 4 stream over the servers behind it. Emits the whole
//! `/etc/nginx/nginx.conf`, since `stream` has to stand at its top level.

mod claims;
mod config;
mod lint;
mod plan;
mod render;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Report};
use crate::site::{LoadBalancerKind, Site};
use crate::template;
use crate::template::Template;

use super::{Planned, Room};

use self::plan::NginxPlan;

crate::codes! { "nginx":
    DIRECTIVE_VERSION = Error "directive-version",
    WHOLE_SECONDS = Error "whole-seconds",
    TIMEOUTS_CUT_WATCHES = Warning "timeouts-cut-watches",
    ONE_NODE = Warning "one-node",
    PASSIVE_CHECKS = Warning "passive-checks",
}

static TEMPLATES: [Template; 2] = [
    template!("nginx/etc/nginx/nginx.conf.j2"),
    template!("nginx/etc/systemd/system/nginx.service.d/10-hagen.conf.j2"),
];

/// What an endpoint says that has it.
const KIND: LoadBalancerKind = LoadBalancerKind::Nginx;
const CONFIGURATION: &str = "/etc/nginx/nginx.conf";
const UNIT: &str = "nginx.service";
/// Read at each reload of systemd, which `20-install.sh` does; the service is left alone.
const DROP_IN: &str = "/etc/systemd/system/nginx.service.d/10-hagen.conf";

/// The room.
#[derive(Debug)]
pub struct Nginx;

impl Room for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let plan = NginxPlan::new(&said.load_balancer.nginx, site);
        if plan.instances.is_empty() {
            return None;
        }
        lint::lint(&plan, site, report);
        let mut claims = RoomClaims::default();
        claims::state(&plan, site, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
