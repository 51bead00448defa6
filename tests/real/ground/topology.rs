//! The clusters that are brought up: one inventory each, compiled as a user does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::programs::{built, run};
use crate::sandbox;

/// What every topology says: three control planes and a worker, offline, on this kind of host.
const COMMON: &str = include_str!("inventory.yaml");

/// A release of Kubernetes that clusters can have.
pub(crate) struct Release {
    /// Such as 1.37.
    pub(crate) minor: &'static str,
    /// What builds its programs; see `tests/real/go/build`.
    module: &'static str,
    /// What inventories say for it on this kind of host.
    more: &'static str,
    /// Further arguments of `hagen secrets new`.
    secrets: &'static [&'static str],
}

/// Every release, the one of the tests first.
pub(crate) const RELEASES: [Release; 3] = [
    Release {
        minor: "1.37",
        module: "kubernetes-1.37",
        more: include_str!("kubernetes-1.37.yaml"),
        secrets: &[],
    },
    Release {
        minor: "1.30",
        module: "kubernetes-1.30",
        more: include_str!("kubernetes-1.30.yaml"),
        secrets: &[],
    },
    Release {
        minor: "1.20",
        module: "debian-1.20",
        more: include_str!("kubernetes-1.20.yaml"),
        // Joining control planes refuse any other key of service accounts (kubernetes#112508).
        secrets: &["--rsa", "2048"],
    },
];

impl Release {
    /// The release of a minor.
    pub(crate) fn of(minor: &str) -> &'static Self {
        let known = || RELEASES.map(|release| release.minor).join(", ");
        RELEASES
            .iter()
            .find(|release| release.minor == minor)
            .unwrap_or_else(|| panic!("Kubernetes {minor} is none of {}", known()))
    }

    /// The exact version, such as 1.37.1: the one whose programs are built.
    pub(crate) fn version(&self) -> String {
        let programs = built(self.module, "").to_str().unwrap().to_owned();
        let (_, version) = programs.rsplit_once("-v").unwrap();
        version.trim_end_matches('/').to_owned()
    }
}

/// One cluster.
pub(crate) struct Topology {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    more: &'static str,
    balancer: &'static str,
}

const HAPROXY: &str = "haproxy.service";

/// Every topology, in the order in which they run.
pub(crate) const TOPOLOGIES: [Topology; 3] = [
    Topology {
        name: "stacked-haproxy",
        what: "stacked etcd, haproxy",
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "external-haproxy",
        what: "external etcd on the control planes, haproxy",
        more: "etcd: {mode: external}\n",
        balancer: HAPROXY,
    },
    Topology {
        name: "stacked-nginx",
        what: "stacked etcd, nginx",
        more: "loadBalancer: {kind: nginx}\n\
               allow: [{code: nginx/passive-checks, reason: measured here}]\n",
        balancer: "nginx.service",
    },
];

/// A compiled topology.
pub(crate) struct Tree {
    /// The output folder.
    pub(crate) out: PathBuf,
    pub(crate) gateway: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) client: &'static str,
    pub(crate) vip: &'static str,
    pub(crate) port: u16,
    /// The balancer's unit.
    pub(crate) balancer: &'static str,
    /// Whether the balancer checks by itself that an API server is ready.
    pub(crate) balancer_checks: bool,
    /// Whether systemd runs etcd, and not kubeadm.
    pub(crate) external_etcd: bool,
    pub(crate) nodes: Vec<Node>,
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) interface: String,
    pub(crate) control_plane: bool,
}

impl Topology {
    /// `hagen secrets new` and `hagen build` into the ground's folder.
    pub(crate) fn compile(&self, supply: &Path, release: &Release) -> Tree {
        let folder = sandbox::state().join("tree").join(self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let [inventory, secrets, out] =
            ["inventory.yaml", "secrets.yaml", "out"].map(|name| folder.join(name));
        let key = fs::read_to_string(supply.join("mirror/apt/key.asc")).unwrap();
        let text = format!("{COMMON}{}{}", release.more, self.more)
            .replace("KUBERNETES", &release.version())
            .replace("KEY", &key.trim_end().replace('\n', "\n        "));
        fs::write(&inventory, text).unwrap();
        let hagen = || Command::new(env!("CARGO_BIN_EXE_hagen"));
        let mut new = hagen();
        new.args(["secrets", "new", "--cluster", "ground"]).args(release.secrets);
        run(new.arg("-o").arg(&secrets)).succeeded();
        run(hagen()
            .arg("build")
            .arg(&inventory)
            .arg("--secrets")
            .arg(&secrets)
            .arg("-o")
            .arg(&out))
        .succeeded();
        let node = |name: &str, host: u8, control_plane| Node {
            name: name.to_owned(),
            address: format!("10.0.0.{host}"),
            interface: "eth0".to_owned(),
            control_plane,
        };
        Tree {
            out,
            gateway: "10.0.0.1",
            prefix: "24",
            client: "10.0.0.100",
            vip: "10.0.0.10",
            port: 8443,
            balancer: self.balancer,
            balancer_checks: self.balancer == HAPROXY,
            external_etcd: self.more.contains("external"),
            nodes: vec![
                node("cp1", 11, true),
                node("cp2", 12, true),
                node("cp3", 13, true),
                node("w1", 21, false),
            ],
        }
    }
}
