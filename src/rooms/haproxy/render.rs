use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

use super::config::{Config, authorities, ca_file};
use super::plan::HaproxyPlan;
use super::{CONFIGURATION, DROP_IN, KIND, TEMPLATES, UNIT};

impl Plan for HaproxyPlan {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"loadBalancer": {"haproxy": self.settings}})
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(program) = self.on(node) else { return };
        let endpoints = || with.site.balanced_by(KIND, node);
        let [configuration, drop_in] = &TEMPLATES;
        let restarts = File::on(node, DROP_IN).phase(Phase::BALANCER);
        out.template(restarts.reads([Path::of(&["loadBalancer"])]), drop_in.id, &());
        let file =
            |path: &str| File::on(node, path).read_by(UNIT, Apply::Reload).phase(Phase::BALANCER);
        let shaped_by = [
            Path::of(&["endpoint"]),
            Path::of(&["loadBalancer"]),
            Path::of(&["cluster", "apiPort"]),
            Path::of(&["cluster", "kubernetes"]),
            Path::of(&["nodes"]),
            Path::of(&["os"]),
        ];
        out.template(
            file(CONFIGURATION).reads(shaped_by),
            configuration.id,
            &Config::new(self, node, program, endpoints()),
        );
        for authority in authorities(endpoints()) {
            let ca = with.issued.trust(authority).as_bytes();
            out.bytes(file(&ca_file(authority)).reads([Path::of(&["pki"])]), ca);
        }
    }
}
