//! keepalived on every control plane: exactly one of them holds the VIP. Emits
//! `/etc/keepalived/keepalived.conf`, the check of the balancer, and with VRRP version 2 the
//! password in a private file of its own.

mod config;
mod election;
mod lint;
mod plan;

use crate::cluster::{Cluster, Node, layout};
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

use super::claims::Phase;
use super::output::File;
use super::{Claims, Output, Plan, Rendering, Room};

use self::plan::KeepalivedPlan;

pub use self::lint::router_id_clash;

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

const UNIT: &str = "keepalived.service";
/// The password of VRRP version 2, included from within the instance: the configuration itself
/// stays public.
const AUTH_CONF: &str = "/etc/keepalived/auth.conf";

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

    fn plan(
        &self,
        said: &Inventory,
        cluster: &Cluster,
        claims: &mut Claims,
        report: &mut Report,
    ) -> Option<Box<dyn Plan>> {
        let plan = KeepalivedPlan::new(&said.keepalived, cluster);
        lint::lint(&plan, cluster, report);
        plan.claim(cluster, claims);
        Some(Box::new(plan))
    }
}

impl Plan for KeepalivedPlan {
    fn settled(&self) -> serde_json::Value {
        let priorities: std::collections::BTreeMap<&str, u32> =
            self.hosts.iter().map(|host| (host.name.as_str(), host.priority)).collect();
        serde_json::json!({"keepalived": {
            "version": self.vrrp_version,
            "routerId": self.router_id,
            "weight": self.weight,
            "priorities": priorities,
            "advertInterval": self.advert_interval,
            "checkInterval": self.check_interval,
            "fall": self.fall,
            "rise": self.rise,
            "authentication": self.authentication,
        }})
    }

    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(host) = self.host(node) else { return };
        let [configuration, check, auth, drop_in] = &TEMPLATES;
        let configured = |path: &str| {
            File::on(node, path).phase(Phase::Balancer).reads([
                Path::of(&["endpoint"]),
                Path::of(&["keepalived"]),
                Path::of(&["nodes"]),
                Path::of(&["os"]),
            ])
        };
        let file = |path: &str| configured(path).read_by(UNIT, Apply::Reload);
        let config = config::Config::new(self, host, with.cluster);
        out.template(file(layout::KEEPALIVED_CONF), configuration.id, &config);
        out.template(configured(DROP_IN), drop_in.id, &config.drop_in());
        // Read afresh at each check, so nothing has to be told of a change.
        let script = File::on(node, host.check_script)
            .mode(0o755)
            .phase(Phase::Balancer)
            .reads([Path::of(&["endpoint"]), Path::of(&["os"])]);
        out.script(script, config::check(node, with.cluster), check.id);
        if self.authentication {
            let password = with.secrets.password("vrrp/apiserver", 8);
            let context = config::Auth { password: &password };
            out.template(file(AUTH_CONF).secret(), auth.id, &context);
        }
    }
}
