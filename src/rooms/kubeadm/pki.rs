//! `/etc/kubernetes/pki` of a control plane.
//!
//! Every file is a *seed*: placed only where absent. `kubeadm certs renew` rewrites the leaves,
//! and an authority that changed under leaves that did not is an outage, so both are treated
//! alike.

use std::collections::BTreeSet;

use super::{sans, signing};
use crate::claims::Phase;
use crate::pki::{Authority, CertSpec, Issued, San, Usage};
use crate::report::Path;
use crate::rooms::Output;
use crate::rooms::output::File;
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
    let api_sans: BTreeSet<San> = sans::of_clients(cluster)
        .into_iter()
        .map(|(san, _)| san)
        .chain(sans::of_services(cluster))
        .chain(sans::loopback())
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
        let member = sans::of_member(node);
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
pub(super) fn specs(cluster: &Cluster<'_>, node: &Host) -> impl Iterator<Item = CertSpec> {
    leaves(cluster, node).into_iter().map(|leaf| {
        let id = leaf.id(node);
        let Leaf { file: _, issuer, common_name, organization, usage, sans } = leaf;
        CertSpec { id, issuer, common_name, organization, usage, sans }
    })
}

/// Writes the folder of one control plane.
pub(super) fn render(cluster: &Cluster<'_>, node: &Host, issued: &Issued, out: &mut Output<'_>) {
    let mut public = |name: &str, reads: &[&'static str], pem: &str| {
        let file = File::on(node, format!("{}/{name}", layout::PKI)).seed();
        // The balancer checks API servers against ca.crt, and starts before them.
        let phase = if name == "ca.crt" { Phase::Balancer } else { Phase::Kubernetes };
        out.bytes(file.phase(phase).reads([Path::of(&["pki"]), Path::of(reads)]), pem);
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

    let mut private = |name: &str, pem: &str| {
        let file = File::on(node, format!("{}/{name}", layout::PKI)).secret().seed();
        out.bytes(file.phase(Phase::Kubernetes).reads([Path::of(&["pki"])]), pem);
    };
    for (name, authority, _) in authorities.iter().filter(|(.., key)| *key) {
        private(&format!("{name}.key"), &issued.issuing(authority).key_pem);
    }
    private("sa.key", &issued.service_account().private_pem);
    for leaf in &leaves {
        private(&format!("{}.key", leaf.file), &issued.leaf(&leaf.id(node)).key_pem);
    }
}
