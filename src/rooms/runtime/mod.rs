//! The container runtime of every node with a kubelet: containerd, or docker behind the
//! kubelet's dockershim or behind cri-dockerd.
//!
//! * `/etc/containerd/config.toml`, in the form that the series reads;
//! * `/etc/containerd/certs.d`, where registries have mirrors;
//! * `/etc/docker/daemon.json`, and cri-dockerd's drop-in where it is used;
//! * `/etc/crictl.yaml`, so that `crictl` needs no flag.

mod claims;
mod config;
mod images;
mod lint;
mod packages;
mod plan;
mod render;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::rooms::{DocumentName, Planned, Room};
use crate::site::Site;
use crate::template;
use crate::template::Template;

crate::codes! { "runtime":
    DOCKER_UNVALIDATED = Warning "docker-unvalidated",
    MIRROR_OVER_HTTP = Warning "mirror-over-http",
    MIRROR_TWICE = Error "mirror-twice",
    MIRROR_UNSUPPORTED = Error "mirror-unsupported",
    PASSWORD_PUBLIC = Warning "password-public",
}

const HOSTS: Template = template!("runtime/etc/containerd/certs.d/hosts.toml.j2");
const COPY: Template = template!("runtime/runbook/copy.md.j2");
const CRI_DOCKERD: Template =
    template!("runtime/etc/systemd/system/cri-docker.service.d/10-hagen.conf.j2");

const PART: Template = template!("runtime/steps/runtime.sh");

static TEMPLATES: [Template; 4] = [HOSTS, COPY, CRI_DOCKERD, PART];

const CONFIG: &str = "runtime/ContainerdConfig";
const DAEMON: &str = "runtime/DockerDaemon";
const CRICTL: &str = "runtime/Crictl";

static DOCUMENTS: &[DocumentName] = &[
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
/// One folder per registry with mirrors.
const MIRRORS: &str = "/etc/containerd/certs.d";

fn section_of_mirrors() -> Path {
    Path::of(&["images", "mirrors"])
}

/// The room.
pub struct Runtime;

impl Room for Runtime {
    fn name(&self) -> &'static str {
        "runtime"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn documents(&self) -> &'static [DocumentName] {
        DOCUMENTS
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        lint::lint(said, cluster, report);
        let plan = plan::RuntimePlan::new(said, cluster)?;
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
