use super::TEMPLATES;
use super::manifest::METRICS_PORT;
use super::plan::KubeVipPlan;
use crate::claims::{Bind, Phase, Port, Protocol, Reach, RoomClaims, Script};
use crate::report::Path;

/// States the part of the steps, the port and the image. Clients come to the API server itself, which claims its own.
pub(super) fn state(plan: &KubeVipPlan, claims: &mut RoomClaims) {
    let [_, part] = &TEMPLATES;
    for holder in &plan.holders {
        let node = claims.node(*holder);
        node.scripts.push(Script::part("kubevip", Phase::KUBERNETES.step, part.id));
        node.images.insert(plan.settings.image.clone());
        node.ports.push(Port {
            protocol: Protocol::Tcp,
            bind: Bind::Loopback,
            port: METRICS_PORT,
            reach: Reach::Host,
            what: "kube-vip's metrics",
            at: Path::of(&["endpoint", "holder"]),
        });
    }
}
