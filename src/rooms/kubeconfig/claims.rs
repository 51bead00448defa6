use super::plan::{KubeconfigPlan, OPERATOR, Server, admin};
use crate::claims::{Name, RoomClaims};
use crate::pki::San;
use crate::site::{Cluster, Reached};

/// States certificates, and the addresses that these files send clients to.
pub(super) fn state(plan: &KubeconfigPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    claims.certificates.push(admin(cluster).spec(OPERATOR.into()));
    let endpoint = cluster.endpoint;
    let reached = match &endpoint.reached {
        Reached::Address(address) => San::Ip(*address),
        Reached::Name(name) => San::Dns(name.clone()),
    };
    let at = endpoint.said_at().unwrap_or_else(|| endpoint.at.clone());
    claims.names.push(Name { san: reached, at });
    for node in cluster.nodes {
        for identity in &plan.nodes[node.index] {
            claims.certificates.push(identity.spec(identity.id(node)));
            if identity.server == Server::Local {
                let at = node.path().key("address");
                claims.names.push(Name { san: San::Ip(node.address), at });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubeconfig::plan::OPERATOR;
    use crate::rooms::overlaid::claimed;

    #[test]
    fn administrators_belong_to_the_group_of_their_release() {
        let group = |version: &str| {
            let (_, claims) = claimed(&json!({"cluster": {"kubernetes": version}}));
            let admin = claims.certificates.iter().find(|spec| spec.id == OPERATOR).unwrap();
            admin.organization.clone()
        };
        assert_eq!(group("1.28.15"), Some("system:masters".to_owned()));
        assert_eq!(group("1.29.0"), Some("kubeadm:cluster-admins".to_owned()));
    }
}
