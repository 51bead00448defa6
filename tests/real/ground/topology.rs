//! The clusters that are brought up: one inventory each, compiled as a user does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hagen::catalog::KubernetesVersion;
use serde::Deserialize;

use crate::programs::run;
use crate::sandbox;

/// The release that is meant where none is named.
pub(crate) const NEWEST: &str = "1.37";

/// What every topology says: offline, on this kind of host.
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

    /// The version of etcd that goes with it.
    pub(crate) fn etcd(&self) -> String {
        let version: KubernetesVersion = self.version().parse().unwrap();
        version.release().unwrap().etcd_version(version.patch).to_string()
    }

    /// The exact version, such as 1.37.1: the one whose programs are built.
    pub(crate) fn version(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/go").join(self.module);
        // Of a Go module, or of the script that builds Debian's source package.
        let said = [("go.mod", "k8s.io/kubernetes v"), ("build", "version=v")];
        let found = said.iter().find_map(|(file, before)| {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            let (_, rest) = text.split_once(before)?;
            rest.split_whitespace().next().map(str::to_owned)
        });
        found.unwrap_or_else(|| panic!("{} says no version of Kubernetes", folder.display()))
    }
}

/// A system that machines can have.
#[derive(Debug)]
pub(crate) struct System {
    /// Its name in the catalog, such as `rocky-9`.
    pub(crate) name: &'static str,
    /// The folder of the site's mirror that has its packages.
    repository: &'static str,
}

/// Every system, the default first.
const SYSTEMS: [System; 3] = [
    System { name: "debian-12", repository: "packages" },
    System { name: "rocky-9", repository: "packages" },
    System { name: "centos-7", repository: "centos-7" },
];

impl System {
    /// The system of a name.
    pub(crate) fn of(name: &str) -> &'static Self {
        let known = || SYSTEMS.map(|system| system.name).join(", ");
        SYSTEMS
            .iter()
            .find(|system| system.name == name)
            .unwrap_or_else(|| panic!("the system {name} is none of {}", known()))
    }

    /// Whether its packages are RPMs.
    pub(crate) fn has_rpms(&self) -> bool {
        self.name != SYSTEMS[0].name
    }

    /// The program that installs packages.
    pub(crate) fn manager(&self) -> &'static str {
        match self.name {
            "debian-12" => "apt-get",
            "centos-7" => "yum",
            _ => "dnf",
        }
    }

    /// Where a freshly installed one is.
    pub(crate) fn base(&self, supply: &Path) -> PathBuf {
        match self.has_rpms() {
            false => supply.join("base"),
            true => supply.join(format!("base-{}", self.name)),
        }
    }

    /// What inventories say for it.
    fn line(&self) -> String {
        let (distribution, release) = self.name.split_once('-').unwrap();
        format!("os: {{distribution: {distribution}, release: \"{release}\"}}\n")
    }
}

/// One cluster.
pub(crate) struct Topology {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whether it is brought up only when it is named.
    pub(crate) on_request: bool,
    /// The one minor of Kubernetes that its systems run, where that is not any.
    pub(crate) only: Option<&'static str>,
    /// The losses that it has to survive, by words that their names have; none are all of them. One
    /// topology shows them all, the others what differs: which store, which system and release, who
    /// notices a loss.
    pub(crate) scenarios: &'static [&'static str],
    nodes: &'static str,
    more: &'static str,
    balancer: &'static str,
}

/// What only the site of one ground knows.
pub(crate) struct Site<'a> {
    /// The armoured key of its repositories.
    pub(crate) key: &'a str,
    /// The digest of etcd's archive, which is built here, as a line of `packages.digests`.
    pub(crate) etcd: &'a str,
    /// The exact version of Kubernetes.
    pub(crate) version: &'a str,
}

const HAPROXY: &str = "haproxy.service";

/// Three control planes and two workers, not all with the endpoint's interface.
const NODES: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], interface: ens3}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker]}
";

/// The same with a control plane and a worker of the RPM family beside Debian's.
const MIXED: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], os: {distribution: rocky, release: \"9\"}}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker], os: {distribution: rocky, release: \"9\"}}
";

/// The same with CentOS 7.
const OLD: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane], os: {distribution: centos, release: \"7\"}}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker], interface: enp1s0}
  - {name: w2, address: 10.0.0.22, roles: [worker], os: {distribution: centos, release: \"7\"}}
";

/// Debian's only, with members of etcd on machines of their own.
const SEPARATE: &str = "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane]}
  - {name: cp2, address: 10.0.0.12, roles: [control-plane]}
  - {name: cp3, address: 10.0.0.13, roles: [control-plane]}
  - {name: w1, address: 10.0.0.21, roles: [worker]}
  - {name: w2, address: 10.0.0.22, roles: [worker]}
  - {name: etcd1, address: 10.0.0.31, roles: [etcd]}
  - {name: etcd2, address: 10.0.0.32, roles: [etcd]}
  - {name: etcd3, address: 10.0.0.33, roles: [etcd]}
";

/// One machine that is all there is.
pub(crate) const ALONE: Topology = Topology {
    name: "alone",
    what: "one control plane",
    on_request: true,
    only: None,
    scenarios: &[],
    nodes: "\
nodes:
  - {name: cp1, address: 10.0.0.11, roles: [control-plane, worker]}
",
    more: "",
    balancer: HAPROXY,
};

/// Every topology, in the order in which they run.
pub(crate) const TOPOLOGIES: [Topology; 4] = [
    Topology {
        name: "stacked-haproxy",
        what: "stacked etcd, haproxy",
        on_request: false,
        only: None,
        scenarios: &[],
        nodes: NODES,
        more: "",
        balancer: HAPROXY,
    },
    Topology {
        name: "external-haproxy",
        what: "external etcd on the control planes, haproxy, EL 9 beside Debian 12",
        on_request: false,
        only: None,
        scenarios: &["disk lost"],
        nodes: MIXED,
        more: "etcd: {mode: external}\n",
        balancer: HAPROXY,
    },
    Topology {
        name: "stacked-nginx",
        what: "stacked etcd, nginx, CentOS 7 beside Debian 12",
        on_request: false,
        only: Some("1.20"),
        scenarios: &["network unplugged", "hung"],
        nodes: OLD,
        more: "loadBalancer: {kind: nginx}\n\
               allow: [{code: nginx/passive-checks, reason: measured here}]\n",
        balancer: "nginx.service",
    },
    Topology {
        name: "separate-haproxy",
        what: "etcd on machines of its own, haproxy",
        on_request: true,
        only: None,
        scenarios: &[],
        nodes: SEPARATE,
        more: "etcd: {mode: external}\n",
        balancer: HAPROXY,
    },
];

/// A compiled topology.
pub(crate) struct Tree {
    /// The output folder.
    pub(crate) out: PathBuf,
    pub(crate) gateway: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) client: &'static str,
    pub(crate) vip: String,
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
    pub(crate) worker: bool,
    /// Whether it runs a member of etcd.
    pub(crate) member: bool,
    pub(crate) system: &'static System,
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
    vip: String,
    port: u16,
    interface: String,
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

impl Inventory {
    fn nodes(&self) -> Vec<Node> {
        let separate = self.nodes.iter().any(|node| node.has("etcd"));
        let node = |said: &Said| Node {
            name: said.name.clone(),
            address: said.address.clone(),
            interface: said.interface.as_ref().unwrap_or(&self.endpoint.interface).clone(),
            control_plane: said.has("control-plane"),
            worker: said.has("worker"),
            member: said.has(if separate { "etcd" } else { "control-plane" }),
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

impl Topology {
    /// How the report calls it.
    pub(crate) fn what(&self, release: &Release) -> String {
        match release.minor {
            NEWEST => self.what.to_owned(),
            minor => format!("{}, Kubernetes {minor}", self.what),
        }
    }

    fn external_etcd(&self) -> bool {
        self.more.contains("external")
    }

    /// The inventory.
    pub(crate) fn inventory(&self, release: &Release, system: &System, site: &Site<'_>) -> String {
        let Site { key, etcd, version } = site;
        let digests = match self.external_etcd() {
            true => format!("digests: {{{etcd}}}\n  "),
            false => String::new(),
        };
        format!("{COMMON}{}{}{}", system.line(), release.more, self.more)
            .replace("NODES\n", self.nodes)
            .replace("REPOSITORY", system.repository)
            .replace("KUBERNETES", version)
            .replace("KEY", &key.trim_end().replace('\n', "\n        "))
            .replace("archives: http", &format!("{digests}archives: http"))
            // Last: it has the key, too.
            .replace("SYSTEMS\n", &self.systems(system, key))
    }

    /// What nodes ask whose system is none that the site's repository serves.
    fn systems(&self, system: &System, key: &str) -> String {
        let others = SYSTEMS.iter().filter(|other| {
            let (distribution, release) = other.name.split_once('-').unwrap();
            let said = format!("os: {{distribution: {distribution}, release: \"{release}\"}}");
            other.repository != system.repository && self.nodes.contains(&said)
        });
        let mut systems = String::new();
        for other in others {
            let mirror = format!(
                "{{url: http://10.0.0.1/{}, key: {}}}",
                other.repository,
                serde_json::to_string(key).unwrap()
            );
            if systems.is_empty() {
                systems += "  systems:\n";
            }
            systems += &format!("    - {}      repositories:\n", other.line());
            for kind in ["distribution", "runtime", "kubernetes"] {
                systems += &format!("        {kind}: {mirror}\n");
            }
        }
        systems
    }

    /// `hagen secrets new` and `hagen build` into the ground's folder.
    pub(crate) fn compile(&self, supply: &Path, release: &Release, system: &System) -> Tree {
        let folder = sandbox::state().join("tree").join(self.name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let [inventory, secrets, out] =
            ["inventory.yaml", "secrets.yaml", "out"].map(|name| folder.join(name));
        let key = fs::read_to_string(supply.join("mirror/packages/key.asc")).unwrap();
        let etcd = match self.external_etcd() {
            true => {
                let sums = format!("mirror/etcd/v{}/SHA256SUMS", release.etcd());
                let sums = fs::read_to_string(supply.join(sums)).unwrap();
                let (sum, name) = sums.trim_end().split_once("  ").unwrap();
                format!("{name}: \"{sum}\"")
            }
            false => String::new(),
        };
        let site = Site { key: &key, etcd: &etcd, version: &release.version() };
        let text = self.inventory(release, system, &site);
        let said: Inventory = serde_yaml::from_str(&text).unwrap();
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
        Tree {
            out,
            gateway: "10.0.0.1",
            prefix: "24",
            client: "10.0.0.100",
            vip: said.endpoint.vip.split_once('/').unwrap().0.to_owned(),
            port: said.endpoint.port,
            balancer: self.balancer,
            balancer_checks: self.balancer == HAPROXY,
            external_etcd: self.external_etcd(),
            nodes: said.nodes(),
        }
    }
}
