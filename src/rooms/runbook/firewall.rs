use super::plan::Planned;
use crate::catalog::OsFamily;
use crate::cluster::Node;
use crate::rooms::Rendering;
use crate::rooms::claims::{NodeClaims, Protocol};

/// Whether 20-install.sh tells firewalld anything.
pub(super) fn firewalld(planned: &Planned, node: &Node) -> bool {
    planned.open_firewall && node.os.family == OsFamily::Rhel
}

/// Whether it lets VRRP through.
pub(super) fn vrrp(claims: &NodeClaims) -> bool {
    claims.ports.iter().any(|port| port.protocol == Protocol::Vrrp)
}

/// What takes back at a reset what 20-install.sh said; nothing where firewalld was left alone.
pub(super) fn closing(planned: &Planned, node: &Node, with: &Rendering<'_>) -> Vec<Vec<String>> {
    if !firewalld(planned, node) {
        return Vec::new();
    }
    let mut rules = vec![vec!["--remove-service=hagen-kubernetes".to_owned()]];
    if vrrp(with.claims.of(node.index)) {
        rules.push(vec!["--remove-protocol=vrrp".to_owned()]);
    }
    let networks = with.cluster.pod_subnets.iter();
    rules.extend(
        networks.map(|net| vec!["--zone=trusted".to_owned(), format!("--remove-source={net}")]),
    );
    rules
}
