use super::plan::Planned;
use crate::catalog::OsFamily;
use crate::cluster::Node;
use crate::document::Assignments;
use crate::rooms::Rendering;
use crate::rooms::claims::Protocol;

/// The zone that firewalld lets everything through in.
const TRUSTED: &str = "trusted";

/// What firewalld is told, as `ZONE WHAT`, `-` for the default zone; nothing where it is left alone.
pub(super) fn say(planned: &Planned, node: &Node, with: &Rendering<'_>, words: &mut Assignments) {
    let mut rules = Vec::new();
    if planned.open_firewall && node.os.family == OsFamily::Rhel {
        let claims = with.claims.of(node.index);
        rules.push(["-".to_owned(), "service=hagen-kubernetes".to_owned()]);
        if claims.ports.iter().any(|port| port.protocol == Protocol::Vrrp) {
            rules.push(["-".to_owned(), "protocol=vrrp".to_owned()]);
        }
        // A service knows ports only, and packets of pods come from and go to any.
        let networks = with.cluster.pod_subnets.iter().filter(|_| node.kubelet());
        rules.extend(networks.map(|net| [TRUSTED.to_owned(), format!("source={net}")]));
    }
    words.rows("firewall", rules);
}
