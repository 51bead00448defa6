use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

use super::config::{Config, authorities, ca_file};
use super::plan::{HaproxyPlan, on};
use super::{CONFIGURATION, DROP_IN, TEMPLATES, UNIT};

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
            &Config::new(self, instance, on(node, with.site)),
        );
        for authority in authorities(on(node, with.site)) {
            let ca = with.issued.trust(authority).as_bytes();
            out.bytes(file(&ca_file(authority)).reads([Path::of(&["pki"])]), ca);
        }
    }
}
