use std::collections::BTreeSet;

use super::config::kubeconfig;
use crate::catalog::KubeconfigEndpoint;
use crate::claims::{Name, Phase, RoomClaims};
use crate::document;
use crate::pki::{CertSpec, San, Usage};
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output, Place, Plan, Rendering};
use crate::site::{Cluster, Host, authorities};

/// The group that nothing can be taken away from (`SystemPrivilegedGroup` of the API server).
const MASTERS: &str = "system:masters";
/// The group of kubelets (`NodesGroup` of the API server).
const NODES: &str = "system:nodes";

/// Which API server a kubeconfig names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// The VIP's.
    Endpoint,
    /// The node's own.
    Local,
}

/// One kubeconfig of one node: its file's name in `/etc/kubernetes` and its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    file: &'static str,
    user: String,
    organization: Option<String>,
    server: Server,
}

impl Identity {
    fn id(&self, node: &Host) -> String {
        format!("nodes/{}/{}", node.name, self.file)
    }

    fn spec(&self, id: String) -> CertSpec {
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
fn admin(cluster: &Cluster<'_>) -> Identity {
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
const DISCOVERY: &str = "discovery.conf";
/// The folder of every kubeconfig on a node (kubeadm's `KubernetesDir`).
const FOLDER: &str = "/etc/kubernetes";
/// The operator's certificate and file.
const OPERATOR: &str = "cluster/admin.conf";

/// Which kubeconfigs each node gets, by its index.
pub(super) struct Kubeconfigs {
    nodes: Vec<Vec<Identity>>,
}

impl Kubeconfigs {
    pub(super) fn new(cluster: &Cluster<'_>) -> Self {
        Self { nodes: cluster.nodes.iter().map(|node| identities(cluster, node)).collect() }
    }

    /// States certificates, and the addresses that these files send clients to.
    pub(super) fn claim(&self, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
        claims.certificates.push(admin(cluster).spec(OPERATOR.into()));
        let vip = Path::of(&["endpoint", "vip"]);
        claims.names.push(Name { san: San::Ip(cluster.endpoint.vip), at: vip });
        for node in cluster.nodes {
            for identity in &self.nodes[node.index] {
                claims.certificates.push(identity.spec(identity.id(node)));
                if identity.server == Server::Local {
                    let at = node.path().key("address");
                    claims.names.push(Name { san: San::Ip(node.address), at });
                }
            }
        }
    }
}

impl Plan for Kubeconfigs {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        for identity in &self.nodes[node.index] {
            let server = match identity.server {
                Server::Endpoint => with.cluster.endpoint.url(),
                Server::Local => with.cluster.api_url(node),
            };
            // kubeadm renews them and the kubelet moves to a certificate of its own; the
            // discovery file serves a join, which may come late.
            let file = File::on(node, format!("{FOLDER}/{}", identity.file)).secret();
            let file = if identity.file == DISCOVERY { file } else { file.seed() };
            let file = file.phase(Phase::Kubernetes).reads([
                Path::of(&["cluster", "name"]),
                Path::of(&["endpoint"]),
                node.path(),
            ]);
            write(with, file, &server, &identity.user, &identity.id(node), out);
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.prose(Place::Afterwards, super::TEMPLATES[0].id, &());
        let file = File::cluster("cluster/kubeconfigs/admin.conf")
            .secret()
            .reads([Path::of(&["cluster", "name"]), Path::of(&["endpoint"])]);
        let user = admin(&with.cluster).user;
        write(with, file, &with.cluster.endpoint.url(), &user, OPERATOR, out);
    }
}

fn write(
    with: &OfCluster<'_>,
    file: File,
    server: &str,
    user: &str,
    id: &str,
    out: &mut Output<'_>,
) {
    let ca = with.issued.trust(&authorities::KUBERNETES);
    let config = kubeconfig(&with.cluster.site.name, server, user, ca, with.issued.leaf(id));
    out.bytes(file, document::yaml(&[config], true));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::kubeconfig::Kubeconfig;
    use crate::rooms::trial::{claimed, files, text};

    fn of_release(version: &str) -> Value {
        json!({"cluster": {"kubernetes": version}})
    }

    /// The server that a file of `/etc/kubernetes` names; `None` where there is no such file.
    fn server(version: &str, node: &str, file: &str) -> Option<String> {
        let files = files(&Kubeconfig, &of_release(version));
        let path = format!("nodes/{node}/rootfs/etc/kubernetes/{file}");
        files.iter().find(|(name, _)| *name == path)?;
        let line =
            text(&files, &path).lines().find_map(|line| line.trim().strip_prefix("server: "));
        line.map(str::to_owned)
    }

    #[test]
    fn servers_are_those_that_kubeadm_would_write() {
        let vip = Some("https://192.168.1.33:8443".to_owned());
        let own = Some("https://192.168.1.11:6443".to_owned());
        for file in ["controller-manager.conf", "scheduler.conf"] {
            assert_eq!(server("1.19.0", "cp1", file), vip, "{file}");
            assert_eq!(server("1.19.1", "cp1", file), own, "{file}");
            assert_eq!(server("1.37.1", "cp1", file), own, "{file}");
        }
        for version in ["1.15.1", "1.37.1"] {
            assert_eq!(server(version, "cp1", "admin.conf"), vip);
            assert_eq!(server(version, "cp2", "discovery.conf"), vip);
            assert_eq!(server(version, "w1", "discovery.conf"), vip);
        }
        assert_eq!(server("1.32.0", "cp1", "kubelet.conf"), vip);
        assert_eq!(server("1.33.0", "cp1", "kubelet.conf"), own);
    }

    #[test]
    fn only_the_first_control_plane_has_what_only_init_needs() {
        assert!(server("1.28.15", "cp1", "super-admin.conf").is_none());
        assert!(server("1.29.0", "cp1", "super-admin.conf").is_some());
        for file in ["super-admin.conf", "kubelet.conf"] {
            assert!(server("1.37.1", "cp2", file).is_none(), "{file}");
        }
        // It comes back by joining, with the others' credentials.
        assert!(server("1.37.1", "cp1", "discovery.conf").is_some());
        assert!(server("1.37.1", "w1", "kubelet.conf").is_none());
    }

    #[test]
    fn administrators_belong_to_the_group_of_their_release() {
        let group = |version: &str| {
            let (_, claims) = claimed(&of_release(version));
            let admin = claims.certificates.iter().find(|spec| spec.id == super::OPERATOR).unwrap();
            admin.organization.clone()
        };
        assert_eq!(group("1.28.15"), Some("system:masters".to_owned()));
        assert_eq!(group("1.29.0"), Some("kubeadm:cluster-admins".to_owned()));
    }

    #[test]
    fn every_kubeconfig_is_private() {
        let files = files(&Kubeconfig, &json!({}));
        assert!(files.iter().any(|(path, _)| path == "cluster/kubeconfigs/admin.conf"));
        for (path, artifact) in files {
            assert!(artifact.secret && artifact.mode == 0o600, "{path}");
        }
    }
}
