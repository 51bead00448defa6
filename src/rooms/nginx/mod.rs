//! nginx wherever an endpoint has it: a layer 4 stream over the servers behind it. Emits the whole
//! `/etc/nginx/nginx.conf`, since `stream` has to stand at its top level.

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
        let mut claims = RoomClaims::default();
        let plan = NginxPlan::new(&said.load_balancer.nginx, site);
        if plan.instances.is_empty() {
            return None;
        }
        lint::lint(&plan, site, report);
        plan.claim(site, &mut claims);
        Some(Planned::new(plan, claims))
    }
}

impl Plan for NginxPlan {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"loadBalancer": {"nginx": {
            "idleTimeout": self.idle_timeout,
            "connectTimeout": self.connect_timeout,
            "maxFails": self.max_fails,
            "failTimeout": self.fail_timeout,
            "workerConnections": self.worker_connections,
        }}})
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(instance) = self.on(node) else { return };
        let [configuration, drop_in] = &TEMPLATES;
        let restarts = File::on(node, DROP_IN).phase(Phase::Balancer);
        out.template(restarts.reads([Path::of(&["loadBalancer"])]), drop_in.id, &());
        let file = File::on(node, layout::NGINX_CONF)
            .read_by(UNIT, Apply::Reload)
            .phase(Phase::Balancer)
            .reads([
                Path::of(&["endpoint"]),
                Path::of(&["loadBalancer"]),
                Path::of(&["cluster", "apiPort"]),
                Path::of(&["nodes"]),
                Path::of(&["os"]),
            ]);
        let endpoints = plan::on(node, with.site);
        out.template(file, configuration.id, &config::Config::new(self, instance, endpoints));
    }
}
