use serde::Serialize;
use serde_json::{Map, Value, json};

use super::images::Images;
use super::mirrors::Mirror;
use super::{mirrors, packages};
use crate::catalog::{ContainerdSeries, Docker, containerd, docker};
use crate::claims::{OwnedPath, Phase, RoomClaims, Unit};
use crate::document;
use crate::inventory::images::{ImagesSection, PullPolicy};
use crate::inventory::runtime::RuntimeSection;
use crate::inventory::values::AbsolutePath;
use crate::report::Path;
use crate::rooms::output::{Alike, File};
use crate::rooms::{DocumentName, Output, Place, Plan, Rendering};
use crate::site::{CgroupDriver, Cluster, Host, Runtime, RuntimeKind};
use crate::template;
use crate::template::Template;
use crate::tree::Apply;

const CRI_DOCKERD: &str = "runtime/etc/systemd/system/cri-docker.service.d/10-hagen.conf.j2";

pub(super) static TEMPLATES: &[Template] = &[
    mirrors::TEMPLATE,
    super::images::COPY,
    template!("runtime/etc/systemd/system/cri-docker.service.d/10-hagen.conf.j2"),
];

pub(super) const CONFIG: &str = "runtime/ContainerdConfig";
const DAEMON: &str = "runtime/DockerDaemon";
const CRICTL: &str = "runtime/Crictl";

pub(super) static DOCUMENTS: &[DocumentName] = &[
    DocumentName {
        name: CONFIG,
        // In both forms: one CRI plugin, or one for containers and one for images.
        owned: &[
            "/version",
            "/plugins/io.containerd.grpc.v1.cri/containerd/runtimes/runc/runtime_type",
            "/plugins/io.containerd.grpc.v1.cri/containerd/runtimes/runc/options/SystemdCgroup",
            "/plugins/io.containerd.grpc.v1.cri/cni/bin_dir",
            "/plugins/io.containerd.grpc.v1.cri/cni/conf_dir",
            "/plugins/io.containerd.grpc.v1.cri/sandbox_image",
            "/plugins/io.containerd.grpc.v1.cri/registry/config_path",
            "/plugins/io.containerd.cri.v1.runtime/containerd/runtimes/runc/runtime_type",
            "/plugins/io.containerd.cri.v1.runtime/containerd/runtimes/runc/options/SystemdCgroup",
            "/plugins/io.containerd.cri.v1.runtime/cni/bin_dir",
            "/plugins/io.containerd.cri.v1.runtime/cni/bin_dirs",
            "/plugins/io.containerd.cri.v1.runtime/cni/conf_dir",
            "/plugins/io.containerd.cri.v1.images/pinned_images/sandbox",
            "/plugins/io.containerd.cri.v1.images/registry/config_path",
        ],
    },
    DocumentName { name: DAEMON, owned: &["/exec-opts"] },
    DocumentName { name: CRICTL, owned: &["/runtime-endpoint", "/image-endpoint"] },
];

const CONTAINERD_CONFIG: &str = "/etc/containerd/config.toml";
/// Where kubernetes-cni and flannel put plugins; distributions' containerd looks elsewhere.
const CNI_BIN: &str = "/opt/cni/bin";
/// Where flannel puts its configuration.
const CNI_CONF: &str = "/etc/cni/net.d";

/// What was decided about the runtime.
pub(super) struct RuntimePlan {
    kind: Kind,
    crictl: Alike,
    images: Images,
}

enum Kind {
    /// containerd with this configuration, and the mirrors that it asks.
    Containerd(Alike, Vec<Mirror>),
    /// Docker with these features.
    Docker(Docker),
}

impl RuntimePlan {
    /// `None` where the series of containerd is unknown, which is reported.
    pub(super) fn new(section: &ImagesSection, cluster: &Cluster<'_>) -> Option<Self> {
        let Runtime { kind, version, .. } = &cluster.runtime;
        let kind = match kind {
            RuntimeKind::Containerd => {
                let config = config(containerd(*version)?, cluster);
                Kind::Containerd(config, section.mirrors.iter().map(Mirror::new).collect())
            }
            RuntimeKind::Docker => Kind::Docker(docker(*version)),
        };
        Some(Self { kind, crictl: crictl(cluster), images: images(section) })
    }
}

fn images(section: &ImagesSection) -> Images {
    // Names of images are facts of the cluster.
    let ImagesSection { registry: _, pull_policy, archives, mirrors: _ } = section;
    Images {
        archives: archives.iter().map(ToString::to_string).collect(),
        needed: *pull_policy == Some(PullPolicy::Never),
    }
}

pub(super) fn claim(section: &RuntimeSection, cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    // The rest are facts of the cluster.
    let RuntimeSection { kind: _, version, cgroup_driver: _, cri_dockerd: _ } = section;
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let packages = packages::of(node, version.as_ref(), cluster);
        let claims = claims.node(node.index);
        claims.packages.extend(packages);
        claims.units.extend(units(cluster));
    }
}

/// Archives of images lie on the nodes before hagen comes, and stay when it goes.
pub(super) fn keep(archives: &[AbsolutePath], cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    let kept: Vec<OwnedPath> = archives
        .iter()
        .enumerate()
        .map(|(index, path)| OwnedPath {
            path: path.to_string(),
            remove_on_reset: false,
            mounts: false,
            at: Path::of(&["images", "archives"]).index(index),
        })
        .collect();
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        claims.node(node.index).paths.extend(kept.iter().cloned());
    }
}

fn units(cluster: &Cluster<'_>) -> Vec<Unit> {
    let unit = |name: &str, check: &[&str]| Unit {
        name: name.into(),
        phase: Phase::Install,
        check: check.iter().map(|word| (*word).to_owned()).collect(),
        wait: true,
        start: true,
    };
    match cluster.runtime.kind {
        RuntimeKind::Containerd => vec![unit(
            "containerd.service",
            &["containerd", "--config", CONTAINERD_CONFIG, "config", "dump"],
        )],
        RuntimeKind::Docker if cluster.runtime.cri_dockerd => vec![
            unit("docker.service", &[]),
            unit("cri-docker.socket", &[]),
            unit("cri-docker.service", &[]),
        ],
        RuntimeKind::Docker => vec![unit("docker.service", &[])],
    }
}

/// Context of cri-dockerd's drop-in.
#[derive(Serialize)]
struct CriDockerdContext<'a> {
    /// The sandbox image.
    sandbox: &'a str,
}

impl Plan for RuntimePlan {
    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(with) = &with.of_cluster() else { return };
        out.words(20, self.images.words(node, with));
        if !node.kubelet() {
            return;
        }
        match &self.kind {
            Kind::Containerd(config, mirrors) => {
                let file = file(node, CONTAINERD_CONFIG)
                    .read_by("containerd.service", Apply::Restart)
                    .reads([Path::of(&["images", "registry"])]);
                out.alike(file, config);
                mirrors.iter().for_each(|mirror| mirror.render(node, out));
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
            super::images::list(with, out);
            super::images::prose(&self.images, with, out);
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
        .phase(Phase::Install)
        .reads([Path::of(&["runtime"]), Path::of(&["cluster", "kubernetes"])])
}

/// The comment on top of containerd's configuration.
const REASONS: &str = "\
What is not here is containerd's own default; `containerd config dump` prints all of it.
runtime_type stands beside the options of runc: without it they are read for no runtime.
The sandbox image is kubeadm's, which never pulls another.
Mirrors and authorities of registries are a hosts.toml each, read at every pull.";

/// <https://github.com/containerd/containerd/blob/main/docs/cri/config.md>.
fn config(series: &ContainerdSeries, cluster: &Cluster<'_>) -> Alike {
    let form = series.config;
    let (runtime, images) = (form.runtime_plugin(), form.images_plugin());
    let systemd = cluster.runtime.cgroup_driver == CgroupDriver::Systemd;
    let sandbox = &cluster.runtime.pause_image;
    let bin = if series.cni_bin_dirs {
        json!({"bin_dirs": [CNI_BIN]})
    } else {
        json!({"bin_dir": CNI_BIN})
    };
    // One plugin or two: tables of the same name become one.
    let mut document = json!({"version": form.number()});
    let mut add = |plugin: &str, tables: Value| {
        document::merge(&mut document, &json!({"plugins": {plugin: tables}}));
    };
    add(
        runtime,
        json!({
            "containerd": {
                "default_runtime_name": "runc",
                "runtimes": {"runc": {
                    "runtime_type": "io.containerd.runc.v2",
                    "options": {"SystemdCgroup": systemd},
                }},
            },
            "cni": {"conf_dir": CNI_CONF},
        }),
    );
    add(runtime, json!({"cni": bin}));
    add(
        images,
        if form.pinned_sandbox() {
            json!({"pinned_images": {"sandbox": sandbox}})
        } else {
            json!({"sandbox_image": sandbox})
        },
    );
    if series.registry_config_path {
        add(images, json!({"registry": {"config_path": mirrors::FOLDER}}));
    }
    Alike::toml(CONFIG, REASONS, document)
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

fn cri_dockerd(node: &Host, cluster: &Cluster<'_>, out: &mut Output<'_>) {
    let file = file(node, "/etc/systemd/system/cri-docker.service.d/10-hagen.conf")
        .read_by("cri-docker.service", Apply::Restart);
    out.template(file, CRI_DOCKERD, &CriDockerdContext { sandbox: &cluster.runtime.pause_image });
}

/// <https://github.com/kubernetes-sigs/cri-tools/blob/master/docs/crictl.md>. Without the file
/// crictl tries one socket after another.
fn crictl(cluster: &Cluster<'_>) -> Alike {
    // kubeadm of old releases wants the socket as a path, crictl always as a URL.
    let socket = &cluster.runtime.cri_socket;
    let endpoint =
        if socket.starts_with('/') { format!("unix://{socket}") } else { socket.clone() };
    let document = json!({
        "runtime-endpoint": endpoint,
        "image-endpoint": endpoint,
        "timeout": 10,
        "debug": false,
    });
    Alike::yaml(CRICTL, document)
}
