use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

use super::config::Config;
use super::plan::NginxPlan;
use super::{CONFIGURATION, DROP_IN, KIND, TEMPLATES, UNIT};

impl Plan for NginxPlan {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"loadBalancer": {"nginx": self.settings}})
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(program) = self.on(node) else { return };
        let [configuration, drop_in] = &TEMPLATES;
        let restarts = File::on(node, DROP_IN).phase(Phase::BALANCER);
        out.template(restarts.reads([Path::of(&["loadBalancer"])]), drop_in.id, &());
        let file = File::on(node, CONFIGURATION)
            .read_by(UNIT, Apply::Reload)
            .phase(Phase::BALANCER)
            .reads([
                Path::of(&["endpoint"]),
                Path::of(&["loadBalancer"]),
                Path::of(&["cluster", "apiPort"]),
                Path::of(&["nodes"]),
                Path::of(&["os"]),
            ]);
        let balanced = with.site.balanced_by(KIND, node);
        let endpoints = balanced.map(|(endpoint, _)| endpoint);
        out.template(file, configuration.id, &Config::new(self, node, program, endpoints));
    }
}
