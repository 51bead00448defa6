//! haproxy on every control plane: layer 4, each API server checked over TLS against the
//! cluster's CA. Emits `/etc/haproxy/haproxy.cfg` and the CA beside it.
//!
//! The CA is a copy of its own and not kubeadm's file: SELinux lets haproxy read its own folder
//! only, `kubeadm reset` leaves it alone, and a new CA is a reason to reload haproxy.

mod config;
mod lint;
mod plan;

use crate::claims::{Phase, RoomClaims};
use crate::cluster::{Cluster, LoadBalancerKind, Node, authorities, layout};
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
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

/// The cluster's CA as haproxy reads it.
const CA: &str = "/etc/haproxy/kubernetes-ca.crt";
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

    fn plan(&self, said: &Inventory, cluster: &Cluster, report: &mut Report) -> Option<Planned> {
        let mut claims = RoomClaims::default();
        if cluster.balancer != LoadBalancerKind::Haproxy {
            return None;
        }
        let plan = HaproxyPlan::new(&said.load_balancer.haproxy, cluster);
        lint::lint(&plan, cluster, report);
        plan.claim(&mut claims);
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
            "statsPort": self.stats_port,
        }}})
    }

    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(host) = self.host(node) else { return };
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
            &config::Config::new(self, host, with.cluster),
        );
        let ca = with.issued.trust(&authorities::KUBERNETES).as_bytes();
        out.bytes(file(CA).reads([Path::of(&["pki"])]), ca);
    }
}
