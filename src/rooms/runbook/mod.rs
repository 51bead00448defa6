//! Scripts and prose: what a person or a tool runs on the machines, in order. Written from the
//! [`Cluster`] and from every room's claims alone, so what no room claims does not happen.
//!
//! Per node: `10-prepare.sh` … `90-reset.sh`, only the phases that the node needs. Per cluster:
//! `README.md`, the image list and the topology.

mod firewall;
mod images;
mod packages;
mod plan;
mod prose;
mod repositories;
mod reset;
mod scripts;
#[cfg(test)]
mod tests;
mod units;

use crate::cluster::{Cluster, Node};
use crate::inventory::Inventory;
use crate::report::Report;
use crate::template;
use crate::template::Template;

use self::plan::Planned;
use super::{Claims, Output, Plan, Rendering, Room};

/// The room.
pub struct Runbook;

static TEMPLATES: &[Template] = &[
    template!("runbook/10-prepare.sh.j2"),
    template!("runbook/20-install.sh.j2"),
    template!("runbook/30-balancer.sh.j2"),
    template!("runbook/40-etcd.sh.j2"),
    template!("runbook/50-init.sh.j2"),
    template!("runbook/50-join.sh.j2"),
    template!("runbook/60-verify.sh.j2"),
    template!("runbook/90-reset.sh.j2"),
    template!("runbook/README.md.j2"),
    template!("runbook/answers.sh.j2"),
    template!("runbook/apt.sh.j2"),
    template!("runbook/archive.sh.j2"),
    template!("runbook/certificates.md.j2"),
    template!("runbook/changes.md.j2"),
    template!("runbook/firewall.sh.j2"),
    template!("runbook/guard.sh.j2"),
    template!("runbook/images.sh.j2"),
    template!("runbook/installed.sh.j2"),
    template!("runbook/losses.md.j2"),
    template!("runbook/prelude.sh.j2"),
    template!("runbook/rpm.sh.j2"),
    template!("runbook/snapshots.md.j2"),
    template!("runbook/units.sh.j2"),
    template!("runbook/wait.sh.j2"),
    template!("runbook/write.sh.j2"),
];

impl Room for Runbook {
    fn name(&self) -> &'static str {
        "runbook"
    }

    fn templates(&self) -> &'static [Template] {
        TEMPLATES
    }

    fn plan(
        &self,
        said: &Inventory,
        _: &Cluster,
        _: &mut Claims,
        _: &mut Report,
    ) -> Option<Box<dyn Plan>> {
        Some(Box::new(Planned::new(said)))
    }
}

impl Plan for Planned {
    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        scripts::prepare(self, node, with, out);
        scripts::install(self, node, with, out);
        if node.control_plane {
            scripts::balancer(node, with, out);
        }
        if scripts::runs_member(node, with) {
            scripts::etcd(node, with, out);
        }
        if node.kubelet() {
            scripts::kubernetes(node, with, out);
        }
        scripts::verify(node, with, out);
        reset::reset(self, node, with, out);
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        prose::render(self, with, out);
    }
}
