use super::plan::{KubeconfigPlan, OPERATOR, Server, admin};
use crate::claims::{Name, RoomClaims};
use crate::pki::San;
use crate::report::Path;
use crate::site::Cluster;

/// States certificates, and the addresses that these files send clients to.
pub(super) fn state(plan: &KubeconfigPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    claims.certificates.push(admin(cluster).spec(OPERATOR.into()));
    let vip = Path::of(&["endpoint", "vip"]);
    claims.names.push(Name { san: San::Ip(cluster.endpoint.vip), at: vip });
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
