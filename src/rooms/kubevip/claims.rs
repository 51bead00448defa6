use super::manifest::METRICS_PORT;
use super::plan::KubeVipPlan;
use crate::claims::{Bind, Port, Protocol, Reach, RoomClaims};
use crate::report::Path;

/// States the port and the image. Clients come to the API server itself, which claims its own.
pub(super) fn state(plan: &KubeVipPlan, claims: &mut RoomClaims) {
    for holder in &plan.holders {
        let node = claims.node(*holder);
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
