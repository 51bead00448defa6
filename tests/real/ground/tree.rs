//! A topology, compiled as a user does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::programs::run;
use crate::release::{Release, System};
use crate::sandbox;
use crate::topology::{HAPROXY, Site, Topology};

/// What the ground takes of a tree beside the runbook: all that a digest has of it.
pub(crate) const TAKEN: [&str; 3] = ["cluster/kubeconfigs", "nodes", "steps"];

/// A compiled topology.
pub(crate) struct Tree {
    /// The output folder.
    out: PathBuf,
    pub(crate) gateway: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) client: &'static str,
    /// The address that moves between machines, where the API has one.
    pub(crate) vip: Option<String>,
    /// Whether each node asks a balancer on its own loopback.
    pub(crate) node_local: bool,
    /// The URL of the API.
    pub(crate) server: String,
    /// The balancer's unit.
    pub(crate) balancer: &'static str,
    /// Whether it checks by itself.
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
    pub(crate) worker: bool,
    /// Whether it runs a member of etcd.
    pub(crate) member: bool,
    /// The units that lead clients to API servers.
    pub(crate) leading: Vec<&'static str>,
    pub(crate) system: &'static System,
}

impl Tree {
    /// `hagen secrets new` and `hagen build` into the ground's folder.
    pub(crate) fn compile(
        topology: &Topology,
        supply: &Path,
        release: &Release,
        system: &'static System,
    ) -> Self {
        let folder = sandbox::state().join("tree").join(topology.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let key = fs::read_to_string(supply.join("mirror/packages/key.asc")).unwrap();
        let etcd = match topology.external_etcd() {
            true => {
                let sums = format!("mirror/etcd/v{}/SHA256SUMS", release.etcd());
                let sums = fs::read_to_string(supply.join(sums)).unwrap();
                let (sum, name) = sums.trim_end().split_once("  ").unwrap();
                format!("{name}: \"{sum}\"")
            }
            false => String::new(),
        };
        let site = Site { key: &key, etcd: &etcd, version: &release.version() };
        let mut new = Command::new(env!("CARGO_BIN_EXE_hagen"));
        new.args(["secrets", "new", "--cluster", "ground"]).args(release.secrets);
        run(new.arg("-o").arg(bundle(&folder))).succeeded();
        Self::build(topology, &topology.inventory(release, system, &site), &folder)
    }

    /// `hagen build` in a folder that has the bundle already.
    pub(crate) fn build(topology: &Topology, text: &str, folder: &Path) -> Self {
        let [inventory, out] = ["inventory.yaml", "out"].map(|name| folder.join(name));
        fs::write(&inventory, text).unwrap();
        let mut build = Command::new(env!("CARGO_BIN_EXE_hagen"));
        build.arg("build").arg(&inventory).arg("--secrets").arg(bundle(folder));
        run(build.arg("-o").arg(&out)).succeeded();
        let said: Inventory = serde_yaml::from_str(text).unwrap();
        Self {
            out,
            gateway: "10.0.0.1",
            prefix: "24",
            client: "10.0.0.100",
            vip: said.endpoint.vip().map(str::to_owned),
            node_local: said.endpoint.node_local(),
            server: said.server(),
            balancer: topology.balancer,
            balancer_checks: topology.balancer == HAPROXY,
            external_etcd: topology.external_etcd(),
            nodes: said.nodes(topology.balancer),
        }
    }

    /// A folder or a file of what is taken.
    pub(crate) fn part(&self, path: &str) -> PathBuf {
        let taken = TAKEN.iter().any(|taken| Path::new(path).starts_with(taken));
        assert!(taken, "no digest has {path}: add it to TAKEN in tree.rs");
        self.out.join(path)
    }

    /// The runbook.
    pub(crate) fn runbook(&self) -> String {
        fs::read_to_string(self.out.join("README.md")).unwrap()
    }
}

/// The bundle of a folder where a tree is built.
pub(crate) fn bundle(folder: &Path) -> PathBuf {
    folder.join("secrets.yaml")
}

/// What the harness itself has to know of an inventory.
#[derive(Deserialize)]
struct Inventory {
    endpoint: Endpoint,
    os: Os,
    nodes: Vec<Said>,
}

#[derive(Deserialize)]
struct Endpoint {
    holder: Option<String>,
    vip: Option<String>,
    port: Option<u16>,
    interface: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    name: String,
    address: String,
    roles: Vec<String>,
    interface: Option<String>,
    os: Option<Os>,
}

#[derive(Deserialize)]
struct Os {
    distribution: String,
    release: String,
}

impl Os {
    fn system(&self) -> &'static System {
        System::of(&format!("{}-{}", self.distribution, self.release))
    }
}

impl Endpoint {
    /// The VIP without its prefix.
    fn vip(&self) -> Option<&str> {
        self.vip.as_ref().map(|vip| vip.split_once('/').unwrap().0)
    }

    fn node_local(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder == "nodeLocal")
    }
}

impl Inventory {
    /// What nodes ask: admin.conf names a control plane where they ask their own loopback.
    fn server(&self) -> String {
        let only = || &self.nodes.iter().find(|node| node.has("control-plane")).unwrap().address;
        let address = match self.endpoint.vip() {
            Some(vip) => vip,
            None if self.endpoint.node_local() => "127.0.0.1",
            None => only(),
        };
        format!("https://{address}:{}", self.endpoint.port.unwrap_or(6443))
    }

    fn nodes(&self, balancer: &'static str) -> Vec<Node> {
        let [separate, dedicated] =
            ["etcd", "load-balancer"].map(|role| self.nodes.iter().any(|node| node.has(role)));
        let leading = |said: &Said| match &self.endpoint {
            endpoint if endpoint.node_local() => vec![balancer],
            Endpoint { vip: Some(_), .. }
                if said.has(if dedicated { "load-balancer" } else { "control-plane" }) =>
            {
                vec![balancer, "keepalived.service"]
            }
            _ => vec![],
        };
        let interface = self.endpoint.interface.as_deref().unwrap_or("eth0");
        let node = |said: &Said| Node {
            name: said.name.clone(),
            address: said.address.clone(),
            interface: said.interface.as_deref().unwrap_or(interface).to_owned(),
            control_plane: said.has("control-plane"),
            worker: said.has("worker"),
            member: said.has(if separate { "etcd" } else { "control-plane" }),
            leading: leading(said),
            system: said.os.as_ref().unwrap_or(&self.os).system(),
        };
        self.nodes.iter().map(node).collect()
    }
}

impl Said {
    fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|other| other == role)
    }
}
