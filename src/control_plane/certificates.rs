//! `/etc/kubernetes/pki` of a control plane.
//!
//! Whoever writes it makes every file a *seed*: placed only where absent. `kubeadm certs renew`
//! rewrites the leaves, and an authority that changed under leaves that did not is an outage, so
//! both are treated alike.

use std::collections::BTreeSet;

use super::{names, signing};
use crate::claims::Phase;
use crate::pki::{Authority, CertSpec, Issued, San, Usage};
use crate::report::Path;
use crate::site::{Cluster, EtcdMode, Host, authorities, layout};

/// One leaf: its file below [`layout::PKI`] without extension, and its identity.
struct Leaf {
    file: &'static str,
    issuer: Authority,
    common_name: String,
    organization: Option<String>,
    usage: Usage,
    sans: BTreeSet<San>,
}

impl Leaf {
    fn client(
        file: &'static str,
        issuer: Authority,
        common_name: &str,
        organization: Option<&String>,
    ) -> Self {
        let organization = organization.cloned();
        let common_name = common_name.to_owned();
        let usage = Usage::Client;
        Self { file, issuer, common_name, organization, usage, sans: BTreeSet::new() }
    }

    fn server(
        file: &'static str,
        issuer: Authority,
        common_name: &str,
        usage: Usage,
        sans: BTreeSet<San>,
    ) -> Self {
        let common_name = common_name.to_owned();
        Self { file, issuer, common_name, organization: None, usage, sans }
    }

    fn id(&self, node: &Host) -> String {
        format!("nodes/{}/{}", node.name, self.file)
    }
}

/// kubeadm's list (`cmd/kubeadm/app/phases/certs/certlist.go`) with the identities of the release.
/// Clients of etcd carry `clientAuth` alone; members both usages, as they dial themselves.
fn leaves(cluster: &Cluster<'_>, node: &Host) -> Vec<Leaf> {
    use authorities::{ETCD, FRONT_PROXY, KUBERNETES};
    let release = cluster.release;
    let api_sans: BTreeSet<San> = names::of_clients(cluster)
        .into_iter()
        .map(|(san, _)| san)
        .chain(names::of_services(cluster))
        .chain(names::loopback())
        .collect();
    let kubelet_client = release.apiserver_kubelet_client_organization.as_ref();
    let etcd_client = release.etcd_client_organization.as_ref();
    let mut leaves = vec![
        Leaf::server("apiserver", KUBERNETES, "kube-apiserver", Usage::Server, api_sans),
        Leaf::client(
            "apiserver-kubelet-client",
            KUBERNETES,
            "kube-apiserver-kubelet-client",
            kubelet_client,
        ),
        Leaf::client("front-proxy-client", FRONT_PROXY, "front-proxy-client", None),
        Leaf::client("apiserver-etcd-client", ETCD, "kube-apiserver-etcd-client", etcd_client),
    ];
    if cluster.etcd.mode == EtcdMode::Stacked {
        let member = names::of_member(node);
        leaves.extend([
            Leaf::server("etcd/server", ETCD, &node.name, Usage::Peer, member.clone()),
            Leaf::server("etcd/peer", ETCD, &node.name, Usage::Peer, member),
            Leaf::client(
                "etcd/healthcheck-client",
                ETCD,
                "kube-etcd-healthcheck-client",
                etcd_client,
            ),
        ]);
    }
    leaves
}

/// The certificates of one control plane.
pub fn specs(cluster: &Cluster<'_>, node: &Host) -> impl Iterator<Item = CertSpec> {
    leaves(cluster, node).into_iter().map(|leaf| {
        let id = leaf.id(node);
        let Leaf { file: _, issuer, common_name, organization, usage, sans } = leaf;
        CertSpec { id, issuer, common_name, organization, usage, sans }
    })
}

/// A file of the folder.
pub struct CertificateFile<'a> {
    /// Its place on the node.
    pub path: String,
    /// Certificates, or a key.
    pub pem: &'a str,
    /// Whether it is a key that nobody else may know.
    pub secret: bool,
    /// When it has to be there.
    pub phase: Phase,
    /// The keys of the inventory that decide it.
    pub reads: Vec<Path>,
}

/// The folder of one control plane.
pub fn files<'a>(
    cluster: &Cluster<'_>,
    node: &Host,
    issued: &'a Issued,
) -> Vec<CertificateFile<'a>> {
    let mut files = Vec::new();
    let mut public = |name: &str, reads: &[&'static str], pem: &'a str| {
        let path = format!("{}/{name}", layout::PKI);
        // The balancer checks API servers against ca.crt, and starts before them.
        let phase = if name == "ca.crt" { Phase::BALANCER } else { Phase::KUBERNETES };
        let reads = vec![Path::of(&["pki"]), Path::of(reads)];
        files.push(CertificateFile { path, pem, secret: false, phase, reads });
    };
    let stacked = cluster.etcd.mode == EtcdMode::Stacked;
    let authorities = [
        ("ca", authorities::KUBERNETES, true),
        ("front-proxy-ca", authorities::FRONT_PROXY, true),
        // An external store's authority signs nothing here.
        ("etcd/ca", authorities::ETCD, stacked),
    ];
    for (name, authority, _) in authorities {
        public(&format!("{name}.crt"), &["cluster", "name"], issued.trust(&authority));
    }
    if let Some(certificate) = signing::certificate(issued) {
        public(signing::FILE, &["cluster", "name"], certificate);
    }
    public("sa.pub", &["cluster", "name"], &issued.service_account().public_pem);
    let leaves = leaves(cluster, node);
    for leaf in &leaves {
        let certificate = &issued.leaf(&leaf.id(node)).certificate_pem;
        public(&format!("{}.crt", leaf.file), &["nodes"], certificate);
    }

    let mut private = |name: &str, pem: &'a str| {
        let path = format!("{}/{name}", layout::PKI);
        let (phase, reads) = (Phase::KUBERNETES, vec![Path::of(&["pki"])]);
        files.push(CertificateFile { path, pem, secret: true, phase, reads });
    };
    for (name, authority, _) in authorities.iter().filter(|(.., key)| *key) {
        private(&format!("{name}.key"), &issued.issuing(authority).key_pem);
    }
    private("sa.key", &issued.service_account().private_pem);
    for leaf in &leaves {
        private(&format!("{}.key", leaf.file), &issued.leaf(&leaf.id(node)).key_pem);
    }
    files
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::specs;
    use crate::pki::{CertSpec, San};
    use crate::rooms::overlaid::resolved;

    /// The leaf of a node's file, as it is asked for.
    fn spec(overlay: &Value, id: &str) -> Option<CertSpec> {
        let (_, site) = resolved(overlay);
        let cluster = &site.cluster().unwrap();
        let mut all = cluster.control_planes().flat_map(|node| specs(cluster, node));
        all.find(|spec| spec.id == id)
    }

    #[test]
    fn clients_belong_to_the_groups_of_their_release() {
        let group = |version: &str, file: &str| {
            spec(&json!({"cluster": {"kubernetes": version}}), &format!("nodes/cp1/{file}"))
                .unwrap()
                .organization
        };
        let masters = Some("system:masters".to_owned());
        let admins = Some("kubeadm:cluster-admins".to_owned());
        assert_eq!(group("1.28.15", "apiserver-kubelet-client"), masters);
        assert_eq!(group("1.29.0", "apiserver-kubelet-client"), admins);
        assert_eq!(group("1.36.0", "apiserver-kubelet-client"), admins);
        assert_eq!(group("1.37.1", "apiserver-kubelet-client"), None);
        for file in ["apiserver-etcd-client", "etcd/healthcheck-client"] {
            assert_eq!(group("1.28.15", file), masters, "{file}");
            assert_eq!(group("1.29.0", file), None, "{file}");
        }
    }

    #[test]
    fn an_api_server_answers_to_every_name_it_is_called_by() {
        let overlay = json!({
            "cluster": {"domain": "corp.example", "serviceSubnet": "10.10.0.0/16"},
            "endpoint": {"name": "api.corp.example"},
            "nodes": [
                {"name": "cp1", "address": "192.168.1.11", "roles": ["control-plane"]},
                {
                    "name": "cp2",
                    "address": "192.168.1.12",
                    "roles": ["control-plane"],
                    "extraSans": ["203.0.113.7", "cp2.example"],
                },
            ],
        });
        for node in ["cp1", "cp2"] {
            let sans = spec(&overlay, &format!("nodes/{node}/apiserver")).unwrap().sans;
            for name in [
                "192.168.1.33",
                "api.corp.example",
                "cp1",
                "192.168.1.11",
                "cp2",
                "192.168.1.12",
                "203.0.113.7",
                "cp2.example",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.corp.example",
                "10.10.0.1",
                "localhost",
                "127.0.0.1",
                "::1",
            ] {
                let san = name.parse().map_or_else(|_| San::Dns(name.to_owned()), San::Ip);
                assert!(sans.contains(&san), "{node}: {name}");
            }
        }
    }
}
