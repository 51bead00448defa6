//! Documents that are the same on every node.

use serde_json::{Value, json};

use super::{CONFIG, CRICTL, MIRRORS};
use crate::catalog::ContainerdSeries;
use crate::document;
use crate::rooms::output::Alike;
use crate::site::{CgroupDriver, Cluster};

/// Where kubernetes-cni and flannel put plugins; distributions' containerd looks elsewhere.
const CNI_BIN: &str = "/opt/cni/bin";
/// Where flannel puts its configuration.
const CNI_CONF: &str = "/etc/cni/net.d";

/// The comment on top of containerd's configuration.
const REASONS: &str = "\
What is not here is containerd's own default; `containerd config dump` prints all of it.
runtime_type stands beside the options of runc: without it they are read for no runtime.
The sandbox image is kubeadm's, which never pulls another.
Mirrors and authorities of registries are a hosts.toml each, read at every pull.";

/// <https://github.com/containerd/containerd/blob/main/docs/cri/config.md>.
pub(super) fn containerd(series: &ContainerdSeries, cluster: &Cluster<'_>) -> Alike {
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
        add(images, json!({"registry": {"config_path": MIRRORS}}));
    }
    Alike::toml(CONFIG, REASONS, document)
}

/// <https://github.com/kubernetes-sigs/cri-tools/blob/master/docs/crictl.md>. Without the file
/// crictl tries one socket after another.
pub(super) fn crictl(cluster: &Cluster<'_>) -> Alike {
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
