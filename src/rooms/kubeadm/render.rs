use std::borrow::Cow;

use super::lint::service_account;
use super::plan::KubeadmPlan;
use super::{config, documents, rbac, runbook, steps};
use crate::claims::Phase;
use crate::control_plane::certificates::{self, CertificateFile};
use crate::control_plane::{Part, signing};
use crate::pki::Issued;
use crate::report::{Path, Report};
use crate::rooms::output::File;
use crate::rooms::{Checking, OfCluster, Output, Plan, Rendering};
use crate::site::{Cluster, Host, layout};

impl Plan for KubeadmPlan {
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        if let Some(cluster) = &with.site.cluster() {
            service_account::lint(cluster, with.secrets, report);
        }
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.words(30, steps::endpoint(with));
        out.words(steps::INIT, steps::kubernetes(node, with));
        let OfCluster { cluster, claims, issued, secrets: _ } = with;
        if node.control_plane() {
            folder(cluster, node, issued, out);
        }
        if !node.kubelet() {
            return;
        }
        let reads = [
            "cluster",
            "endpoint",
            "etcd",
            "extraArgs",
            "images",
            "kubeadm",
            "kubelet",
            "kubeProxy",
            "pki",
        ]
        .map(|key| Path::of(&[key]))
        .into_iter()
        .chain([node.path()]);
        if cluster.joins(node) {
            let file = File::on(node, super::JOIN_CONFIG).phase(Phase::KUBERNETES);
            out.yaml(
                file.reads([node.path(), Path::of(&["images"]), Path::of(&["kubeadm"])]),
                vec![(documents::JOIN, config::join(self, cluster, node, claims))],
            );
        }
        if !cluster.is_first_control_plane(node) {
            return;
        }
        let mut documents = vec![
            (documents::INIT, config::init(self, cluster, node, claims)),
            (documents::CLUSTER, config::cluster_configuration(&self.signing(issued), cluster)),
        ];
        let carried = claims.carried.iter();
        documents.extend(carried.map(|carried| (carried.document, carried.value.clone())));
        let file = File::on(node, super::INIT_CONFIG).phase(Phase::KUBERNETES);
        out.yaml(file.reads(reads), documents);
        if cluster.release.kubeadm.node_role_binding_needed {
            let path = format!("{}/{JOIN_RBAC}", layout::ADDONS);
            let file = File::on(node, path).phase(Phase::KUBERNETES);
            out.yaml(
                file.reads([kubernetes()]),
                vec![(documents::JOIN_RBAC, rbac::nodes_read_kube_proxy())],
            );
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        runbook::render(with, out);
        if with.cluster.release.kubeadm.node_role_binding_needed {
            let file = File::cluster(format!("cluster/manifests/{JOIN_RBAC}"));
            out.yaml(
                file.reads([kubernetes()]),
                vec![(documents::JOIN_RBAC, rbac::nodes_read_kube_proxy())],
            );
        }
    }
}

/// The manifest's file name; the number puts it before the pod network.
const JOIN_RBAC: &str = "00-join-rbac.yaml";

fn kubernetes() -> Path {
    Path::of(&["cluster", "kubernetes"])
}

impl KubeadmPlan {
    /// With the flag that names the certificate which signs, where that has a file of its own.
    fn signing(&self, issued: &Issued) -> Cow<'_, Self> {
        let Some((name, value)) = signing::argument(issued) else { return Cow::Borrowed(self) };
        let mut plan = self.clone();
        plan.flags[Part::ControllerManager as usize].insert(name.to_owned(), value);
        Cow::Owned(plan)
    }
}

/// `/etc/kubernetes/pki`.
fn folder(cluster: &Cluster<'_>, node: &Host, issued: &Issued, out: &mut Output<'_>) {
    for CertificateFile { path, pem, secret, phase, reads } in
        certificates::files(cluster, node, issued)
    {
        let file = File::on(node, path).seed().phase(phase);
        out.bytes(if secret { file.secret() } else { file }.reads(reads), pem);
    }
}
