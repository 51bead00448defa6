use super::config::kubeconfig;
use super::plan::{DISCOVERY, KubeconfigPlan, OPERATOR, Server, admin};
use crate::claims::Phase;
use crate::document;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output, Place, Plan, Rendering};
use crate::site::{Cluster, Host, authorities};

/// The folder of every kubeconfig on a node (kubeadm's `KubernetesDir`).
const FOLDER: &str = "/etc/kubernetes";

impl Plan for KubeconfigPlan {
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
            let file = file.phase(Phase::KUBERNETES).reads([
                Path::of(&["cluster", "name"]),
                Path::of(&["endpoint"]),
                node.path(),
            ]);
            write(with, file, &server, &identity.user, &identity.id(node), out);
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.prose(Place::Use, super::TEMPLATES[0].id, &());
        let file = File::cluster("cluster/kubeconfigs/admin.conf")
            .secret()
            .reads([Path::of(&["cluster", "name"]), Path::of(&["endpoint"])]);
        let user = admin(&with.cluster).user;
        let server = from_outside(&with.cluster);
        write(with, file, &server, &user, OPERATOR, out);
    }
}

/// The server for somebody who is on none of the machines.
fn from_outside(cluster: &Cluster<'_>) -> String {
    let first = cluster.control_planes().next().filter(|_| cluster.endpoint.is_local());
    first.map_or_else(|| cluster.endpoint.url(), |first| cluster.api_url(first))
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
    use crate::rooms::overlaid::{files, text};

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
    fn every_kubeconfig_is_private() {
        let files = files(&Kubeconfig, &json!({}));
        assert!(files.iter().any(|(path, _)| path == "cluster/kubeconfigs/admin.conf"));
        for (path, artifact) in files {
            assert!(artifact.secret && artifact.mode == 0o600, "{path}");
        }
    }
}
