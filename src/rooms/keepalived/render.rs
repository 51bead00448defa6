use std::collections::BTreeMap;

use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

use super::plan::KeepalivedPlan;
use super::{CONFIGURATION, DROP_IN, TEMPLATES, UNIT, config};

impl Plan for KeepalivedPlan {
    fn settled(&self) -> serde_json::Value {
        let priorities: BTreeMap<&str, u32> =
            self.instances.iter().map(|host| (host.program.on.as_str(), host.priority)).collect();
        let said = self.addresses.first();
        let mut settled = serde_json::json!({"keepalived": self.settings});
        settled["keepalived"]["routerId"] = said.map(|address| address.router_id).into();
        settled["keepalived"]["priorities"] = serde_json::json!(priorities);
        settled
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(instance) = self.on(node) else { return };
        let [configuration, check, auth, drop_in] = &TEMPLATES;
        let configured = |path: &str| {
            File::on(node, path).phase(Phase::BALANCER).reads([
                Path::of(&["endpoint"]),
                Path::of(&["keepalived"]),
                Path::of(&["nodes"]),
                Path::of(&["os"]),
            ])
        };
        let file = |path: &str| configured(path).read_by(UNIT, Apply::Reload);
        let config = config::Config::new(self, instance, with.site);
        out.template(file(CONFIGURATION), configuration.id, &config);
        out.template(configured(DROP_IN), drop_in.id, &config.drop_in());
        for (name, endpoint) in config::checked(instance, with.site) {
            // Read afresh at each check, so nothing has to be told of a change.
            let script = File::on(node, config::script(instance, &name))
                .mode(0o755)
                .phase(Phase::BALANCER)
                .reads([endpoint.at.clone(), Path::of(&["os"])]);
            out.script(script, config::check(node, endpoint), check.id);
        }
        for address in self.addresses.iter().filter(|_| self.settings.authentication) {
            let password = with.secrets.password(&format!("vrrp/{}", address.name), 8);
            let context = config::Auth { password: &password };
            out.template(file(&config::auth_file(self, address)).secret(), auth.id, &context);
        }
    }
}
