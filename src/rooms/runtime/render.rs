use serde::Serialize;
use serde_json::{Map, Value, json};

use super::plan::{Kind, Mirror, RuntimePlan};
use super::{CONTAINERD_CONFIG, CRI_DOCKERD, DAEMON, HOSTS, images, section_of_mirrors};
use crate::catalog::Docker;
use crate::claims::Phase;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Place, Plan, Rendering};
use crate::site::{CgroupDriver, Cluster, Host, RuntimeKind};
use crate::tree::Apply;

/// Context of cri-dockerd's drop-in.
#[derive(Serialize)]
struct CriDockerdContext<'a> {
    /// The sandbox image.
    sandbox: &'a str,
}

impl Plan for RuntimePlan {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        if !node.kubelet() {
            return;
        }
        out.words(Phase::INSTALL.step, self.images.words(node, with));
        match &self.kind {
            Kind::Containerd(config, mirrors) => {
                let file = file(node, CONTAINERD_CONFIG)
                    .read_by("containerd.service", Apply::Restart)
                    .reads([Path::of(&["images", "registry"])]);
                out.alike(file, config);
                mirrors.iter().for_each(|mirror| render_mirror(mirror, node, out));
            }
            Kind::Docker(facts) => daemon(*facts, node, &with.cluster, out),
        }
        if with.cluster.runtime.cri_dockerd && with.cluster.runtime.kind == RuntimeKind::Docker {
            cri_dockerd(node, &with.cluster, out);
        }
        out.alike(file(node, "/etc/crictl.yaml"), &self.crictl);
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        if let Some(with) = &with.of_cluster() {
            images::list(with, out);
            images::prose(&self.images, with, out);
            out.phrase(Place::Ground, summary(&with.cluster));
        }
    }
}

fn summary(cluster: &Cluster<'_>) -> String {
    let program = match cluster.runtime.kind {
        RuntimeKind::Containerd => "containerd",
        RuntimeKind::Docker => "docker",
    };
    format!("{program} {}", cluster.runtime.version_text)
}

fn file(node: &Host, path: &str) -> File {
    File::on(node, path)
        .phase(Phase::INSTALL)
        .reads([Path::of(&["runtime"]), Path::of(&["cluster", "kubernetes"])])
}

/// <https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file>. No key here may
/// also be a flag of the packaged unit: dockerd refuses to start then.
fn daemon(facts: Docker, node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let driver = match cluster.runtime.cgroup_driver {
        CgroupDriver::Systemd => "systemd",
        CgroupDriver::Cgroupfs => "cgroupfs",
    };
    let mut document = Map::new();
    document.insert("exec-opts".into(), json!([format!("native.cgroupdriver={driver}")]));
    // Unbounded by default; the kubelet does not rotate docker's logs.
    document.insert("log-driver".into(), json!("json-file"));
    document.insert("log-opts".into(), json!({"max-size": "100m", "max-file": "3"}));
    // A restart of the daemon leaves containers running.
    document.insert("live-restore".into(), json!(true));
    if !facts.overlay2_default {
        document.insert("storage-driver".into(), json!("overlay2"));
    }
    let file = file(node, "/etc/docker/daemon.json").read_by("docker.service", Apply::Restart);
    out.json(file, DAEMON, Value::Object(document));
}

/// No unit reads the files before a pull.
fn render_mirror(mirror: &Mirror, node: &Host, out: &mut Output<'_>) {
    let file =
        |path: String| File::on(node, path).phase(Phase::INSTALL).reads([section_of_mirrors()]);
    out.template(file(format!("{}/hosts.toml", mirror.folder)), HOSTS.id, mirror);
    if let Some(ca) = &mirror.ca {
        out.bytes(file(mirror.authority()), ca.as_str());
    }
}

fn cri_dockerd(node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let file = file(node, "/etc/systemd/system/cri-docker.service.d/10-hagen.conf")
        .read_by("cri-docker.service", Apply::Restart);
    out.template(
        file,
        CRI_DOCKERD.id,
        &CriDockerdContext { sandbox: &cluster.runtime.pause_image },
    );
}
