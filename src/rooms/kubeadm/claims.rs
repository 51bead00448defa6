use super::paths::{OfFlag, Seen, of_flags};
use super::plan::KubeadmPlan;
use super::steps;
use crate::catalog::PathUse;
use crate::claims::{Name, NeededFile, OwnedPath, RoomClaims};
use crate::control_plane::{arguments, certificates, names, ports};
use crate::report::Path;
use crate::site::{Cluster, EtcdMode, Host};
use crate::tree::Apply;

/// States certificates, names, ports, folders, images, and files that have to be there.
pub(super) fn state(plan: &KubeadmPlan, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    for node in cluster.nodes {
        claims.node(node.index).scripts.extend(steps::scripts(node, cluster));
    }
    let names = names::of_clients(cluster).into_iter();
    claims.names.extend(names.map(|(san, at)| Name { san, at }));
    claims.host_files.clone_from(&plan.host_files);
    let needed: Vec<NeededFile> = of_flags(plan, cluster).into_iter().filter_map(needed).collect();
    for node in cluster.control_planes() {
        claims.certificates.extend(certificates::specs(cluster, node));
        let node_claims = claims.node(node.index);
        node_claims.ports.extend(ports::of(cluster, node));
        node_claims.arguments.extend(arguments(plan, cluster, node));
        node_claims.images.extend(control_plane_images(cluster));
        node_claims.needed_files.extend(needed.iter().cloned());
        if cluster.etcd.mode == EtcdMode::Stacked {
            node_claims.paths.push(OwnedPath {
                path: cluster.etcd.data_dir.clone(),
                remove_on_reset: true,
                mounts: false,
                at: Path::of(&["etcd", "dataDir"]),
            });
        }
    }
}

/// What the node's static pods run with: the flags that were said, and those that other files agree
/// with.
fn arguments(
    plan: &KubeadmPlan,
    cluster: &Cluster<'_>,
    node: &Host,
) -> Vec<(&'static str, String, String)> {
    let agreed = arguments::agreed(cluster, node).into_iter();
    let agreed = agreed.map(|(part, name, value)| (part.program(), name.to_owned(), value));
    let said = plan.flags().into_iter().flat_map(|(part, flags)| {
        let stay =
            flags.iter().filter(move |(name, _)| !plan.removed.contains(&(part, (*name).clone())));
        stay.map(move |(name, value)| (part.program(), name.clone(), value.clone()))
    });
    let of_etcd = plan.etcd.iter().map(|(name, value)| ("etcd", name.clone(), value.clone()));
    agreed.chain(said).chain(of_etcd).collect()
}

/// What a pod reads has to be on its host.
fn needed(of_flag: OfFlag<'_>) -> Option<NeededFile> {
    let OfFlag { part, named, at, seen } = of_flag;
    let Seen::Outside(path) = seen else { return None };
    let folder = match named.used {
        PathUse::File => false,
        PathUse::Folder => true,
        // The mount makes the folder.
        PathUse::Made | PathUse::MadeFolder => return None,
    };
    let reader = format!("--{} of {}", named.flag, part.program());
    Some(NeededFile { path, folder, reader, read_by: (part.program(), Apply::Pod), at })
}

/// What kubeadm pulls on a control plane, except for the sandbox and kube-proxy.
fn control_plane_images(cluster: &Cluster<'_>) -> Vec<String> {
    let (release, patch) = (cluster.release, cluster.version.patch);
    let repository = &cluster.image_repository;
    let mut images: Vec<String> = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .iter()
        .map(|program| format!("{repository}/{program}:v{}", cluster.version))
        .collect();
    images.push(release.coredns_image(patch, repository, None));
    if cluster.etcd.mode == EtcdMode::Stacked {
        images.push(format!("{repository}/etcd:{}", release.etcd_image(patch)));
    }
    images
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::{codes, file, outcome};

    #[test]
    fn a_file_that_is_read_is_somebodys() {
        let found = |more: &str| -> Vec<String> {
            let overlay = format!(
                "{{extraArgs: {{apiServer: {{audit-log-path: '-', audit-policy-file: /srv/audit/policy.yaml}}{more}}}"
            );
            let outcome = outcome(&overlay);
            let findings = outcome.report.findings().iter();
            findings.map(|finding| format!("{}: {}", finding.code.id, finding.message)).collect()
        };
        let missing = |nodes: &str| {
            format!(
                "audit/file-missing: --audit-policy-file of kube-apiserver reads /srv/audit/policy.yaml, and nothing brings it to {nodes}"
            )
        };
        let file = "path: /srv/audit/policy.yaml, content: x";
        assert_eq!(found("}"), [missing("cp1, cp2, cp3")]);
        let overlay = "extraArgs: {apiServer: {oidc-ca-file: /etc/kubernetes/pki/oidc.crt}}";
        assert!(codes(overlay).contains(&"audit/file-missing"), "the mount brings no file");
        let some = format!("}}, files: [{{{file}, nodes: {{names: [cp1, cp3, w1]}}}}]");
        assert_eq!(found(&some), [missing("cp2")]);
        assert!(found(&format!("}}, files: [{{{file}}}]")).is_empty());
        assert!(found(", hostFiles: [/srv/audit]}").is_empty());
    }

    #[test]
    fn files_of_hagen_s_own_and_of_the_distribution_are_there() {
        let overlay = "extraArgs: {apiServer: {\
            oidc-ca-file: /etc/ssl/certs/ca-certificates.crt, \
            peer-ca-file: /etc/kubernetes/pki/ca.crt}, \
            scheduler: {tls-cert-file: /etc/kubernetes/pki/apiserver.crt, \
            tls-private-key-file: /etc/kubernetes/pki/apiserver.key}}";
        let config = file(&outcome(overlay), "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        assert!(config.contains("name: tls-private-key-file"));
    }
}
