//! keepalived on every machine that may hold the address of an endpoint: exactly one of them does.
//! Emits `/etc/keepalived/keepalived.conf`, the check of the balancer, and with VRRP version 2 the
//! password in a private file of its own: it is included from within the instance, and the
//! configuration itself stays public.

mod config;
mod election;
mod lint;
mod plan;

use crate::claims::{Claims, Phase, RoomClaims};
use crate::inventory::Inventory;
use crate::report::{Code, Finding, Path, Report};
use crate::site::{Host, Site, layout};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

use super::output::File;
use super::{Output, Place, Plan, Planned, Rendering, Room};

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

static TEMPLATES: [Template; 6] = [
    template!("keepalived/etc/keepalived/keepalived.conf.j2"),
    template!("keepalived/etc/keepalived/check-balancer.sh"),
    template!("keepalived/etc/keepalived/auth.conf.j2"),
    template!("keepalived/etc/systemd/system/keepalived.service.d/10-hagen.conf.j2"),
    template!("keepalived/steps/30-balancer.sh"),
    template!("keepalived/runbook/bring-up.md.j2"),
];

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
        let mut claims = RoomClaims::default();
        let plan = KeepalivedPlan::new(&said.keepalived, site);
        if plan.addresses.is_empty() {
            return None;
        }
        lint::lint(&plan, site, report);
        plan.claim(&mut claims);
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

impl Plan for KeepalivedPlan {
    fn settled(&self) -> serde_json::Value {
        let priorities: std::collections::BTreeMap<&str, u32> =
            self.instances.iter().map(|host| (host.name.as_str(), host.priority)).collect();
        let said = self.addresses.first();
        serde_json::json!({"keepalived": {
            "version": self.vrrp_version,
            "routerId": said.map(|address| address.router_id),
            "weight": self.weight,
            "priorities": priorities,
            "advertInterval": self.advert_interval,
            "checkInterval": self.check_interval,
            "fall": self.fall,
            "rise": self.rise,
            "authentication": self.authentication,
        }})
    }

    fn render_cluster(&self, _: &Rendering<'_>, out: &mut Output<'_>) {
        let [.., bring_up] = &TEMPLATES;
        for address in &self.addresses {
            let context = config::BringUp::new(self, address);
            out.prose(Place::BringUp(Phase::Vip.number()), bring_up.id, &context);
        }
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(instance) = self.on(node) else { return };
        let [configuration, check, auth, drop_in, _, _] = &TEMPLATES;
        let configured = |path: &str| {
            File::on(node, path).phase(Phase::Balancer).reads([
                Path::of(&["endpoint"]),
                Path::of(&["keepalived"]),
                Path::of(&["nodes"]),
                Path::of(&["os"]),
            ])
        };
        let file = |path: &str| configured(path).read_by(UNIT, Apply::Reload);
        let config = config::Config::new(self, instance, with.site);
        out.template(file(layout::KEEPALIVED_CONF), configuration.id, &config);
        out.template(configured(DROP_IN), drop_in.id, &config.drop_in());
        for (name, endpoint) in config::checked(instance, with.site) {
            // Read afresh at each check, so nothing has to be told of a change.
            let script = File::on(node, config::script(instance, &name))
                .mode(0o755)
                .phase(Phase::Balancer)
                .reads([endpoint.at.clone(), Path::of(&["os"])]);
            out.script(script, config::check(node, endpoint), check.id);
        }
        for address in self.addresses.iter().filter(|_| self.authentication) {
            let password = with.secrets.password(&format!("vrrp/{}", address.name), 8);
            let context = config::Auth { password: &password };
            out.template(file(&config::auth_file(self, address)).secret(), auth.id, &context);
        }
    }
}
