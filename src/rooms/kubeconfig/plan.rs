use std::collections::BTreeSet;

use crate::catalog::KubeconfigEndpoint;
use crate::pki::{CertSpec, Usage};
use crate::site::{Cluster, Host, authorities};

/// The group that nothing can be taken away from (`SystemPrivilegedGroup` of the API server).
const MASTERS: &str = "system:masters";
/// The group of kubelets (`NodesGroup` of the API server).
const NODES: &str = "system:nodes";

/// Which API server a kubeconfig names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// The VIP's.
    Endpoint,
    /// The node's own.
    Local,
}

/// One kubeconfig of one node: its file's name in `/etc/kubernetes` and its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) file: &'static str,
    pub(super) user: String,
    organization: Option<String>,
    pub(super) server: Server,
}

impl Identity {
    pub(super) fn id(&self, node: &Host) -> String {
        format!("nodes/{}/{}", node.name, self.file)
    }

    pub(super) fn spec(&self, id: String) -> CertSpec {
        CertSpec {
            id,
            issuer: authorities::KUBERNETES,
            common_name: self.user.clone(),
            organization: self.organization.clone(),
            usage: Usage::Client,
            sans: BTreeSet::new(),
        }
    }

    /// A node's own, which the Node authorizer recognises.
    fn node(file: &'static str, node: &Host, server: Server) -> Self {
        let user = format!("system:node:{}", node.name);
        Self { file, user, organization: Some(NODES.into()), server }
    }
}

/// `admin.conf`, of a node or of the operator.
pub(super) fn admin(cluster: &Cluster<'_>) -> Identity {
    Identity {
        file: "admin.conf",
        user: "kubernetes-admin".into(),
        organization: Some(cluster.release.admin_organization.clone()),
        server: Server::Endpoint,
    }
}

/// The kubeconfigs of one node, with the servers that the release's kubeadm would write.
fn identities(cluster: &Cluster<'_>, node: &Host) -> Vec<Identity> {
    let (release, patch) = (cluster.release, cluster.version.patch);
    let mut identities = Vec::new();
    if node.control_plane() {
        identities.push(admin(cluster));
        let server = match release.local_kubeconfig_endpoint(patch) {
            KubeconfigEndpoint::Local => Server::Local,
            KubeconfigEndpoint::ControlPlane => Server::Endpoint,
        };
        for (file, user) in [
            ("controller-manager.conf", "system:kube-controller-manager"),
            ("scheduler.conf", "system:kube-scheduler"),
        ] {
            identities.push(Identity { file, user: user.into(), organization: None, server });
        }
    }
    if cluster.is_first_control_plane(node) {
        if release.super_admin {
            identities.push(Identity {
                file: "super-admin.conf",
                user: "kubernetes-super-admin".into(),
                organization: Some(MASTERS.into()),
                server: Server::Endpoint,
            });
        }
        let local = release.kubelet_local_endpoint;
        let server = if local { Server::Local } else { Server::Endpoint };
        identities.push(Identity::node("kubelet.conf", node, server));
    }
    if cluster.joins(node) {
        identities.push(Identity::node(DISCOVERY, node, Server::Endpoint));
    }
    identities
}

/// The name of [`crate::site::layout::DISCOVERY`] in its folder.
pub(super) const DISCOVERY: &str = "discovery.conf";
/// The operator's certificate and file.
pub(super) const OPERATOR: &str = "cluster/admin.conf";

/// Which kubeconfigs each node gets, by its index.
pub(super) struct KubeconfigPlan {
    pub(super) nodes: Vec<Vec<Identity>>,
}

impl KubeconfigPlan {
    pub(super) fn new(cluster: &Cluster<'_>) -> Self {
        Self { nodes: cluster.nodes.iter().map(|node| identities(cluster, node)).collect() }
    }
}
