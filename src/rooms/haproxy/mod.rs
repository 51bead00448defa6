//! haproxy wherever an endpoint has it: layer 4, each server checked as the endpoint says, an API
//! server over TLS against its CA. Emits `/etc/haproxy/haproxy.cfg` and the CA beside it.
//!
//! The CA is a copy of its own and not kubeadm's file: SELinux lets haproxy read its own folder
//! only, `kubeadm reset` leaves it alone, and a new CA is a reason to reload haproxy.

mod config;
mod lint;
mod plan;

use crate::claims::{Phase, RoomClaims};
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::site::{Host, Site, layout};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

use super::output::File;
use super::{Output, Plan, Planned, Rendering, Room};

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
        let mut claims = RoomClaims::default();
        let plan = HaproxyPlan::new(&said.load_balancer.haproxy, site);
        if plan.instances.is_empty() {
            return None;
        }
        lint::lint(&plan, report);
        plan.claim(site, &mut claims);
        Some(Planned::new(plan, claims))
    }
}

impl Plan for HaproxyPlan {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"loadBalancer": {"haproxy": {
            "balance": self.balance,
            "idleTimeout": self.idle_timeout,
            "connectTimeout": self.connect_timeout,
            "checkInterval": self.check_interval,
            "checkTimeout": self.check_timeout,
            "fall": self.fall,
            "rise": self.rise,
            "maxConnections": self.max_connections,
        }}})
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(instance) = self.on(node) else { return };
        let [configuration, drop_in] = &TEMPLATES;
        let restarts = File::on(node, DROP_IN).phase(Phase::Balancer);
        out.template(restarts.reads([Path::of(&["loadBalancer"])]), drop_in.id, &());
        let file =
            |path: &str| File::on(node, path).read_by(UNIT, Apply::Reload).phase(Phase::Balancer);
        let shaped_by = [
            Path::of(&["endpoint"]),
            Path::of(&["loadBalancer"]),
            Path::of(&["cluster", "apiPort"]),
            Path::of(&["cluster", "kubernetes"]),
            Path::of(&["nodes"]),
            Path::of(&["os"]),
        ];
        out.template(
            file(layout::HAPROXY_CFG).reads(shaped_by),
            configuration.id,
            &config::Config::new(self, instance, plan::on(node, with.site)),
        );
        for authority in config::authorities(plan::on(node, with.site)) {
            let ca = with.issued.trust(authority).as_bytes();
            out.bytes(file(&config::ca_file(authority)).reads([Path::of(&["pki"])]), ca);
        }
    }
}
