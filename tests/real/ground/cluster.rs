//! A cluster of machines, brought up by its runbook.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::time::Instant;

use crate::machine::{self, Machine};
use crate::programs::Ran;
use crate::release::{Release, System};
use crate::runbook::{self, Step};
use crate::sandbox;
use crate::switch::Switch;
use crate::topology::Topology;
use crate::tree::{Node, Tree};

/// Where the runbook has a node's folder copied to.
pub(crate) const FOLDER: &str = "/root/hagen";
/// The namespace of clients outside of the cluster.
const CLIENT: &str = "client";
/// What serves the packages, archives and images of the site.
const MIRROR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/ground/mirror.py");

/// Machines, what they are to become, and the network between them.
pub(crate) struct Cluster {
    pub(crate) tree: Tree,
    pub(crate) switch: Switch,
    pub(crate) machines: BTreeMap<String, Machine>,
    /// The site's repository of packages, archive of releases and registry of images.
    mirror: Option<Child>,
}

/// What 10-prepare.sh asks for where SELinux enforces EL's policy.
const POLICY: &str = "! command -v setsebool >/dev/null ||
    { setsebool -P haproxy_connect_any 1 && setsebool -P httpd_can_network_connect 1; }";

impl Cluster {
    /// Fresh machines, turned on, with their folder of the tree and nothing else.
    pub(crate) fn new(
        topology: &Topology,
        supply: &Path,
        release: &Release,
        system: &'static System,
    ) -> Self {
        Self::of(Tree::compile(topology, supply, release, system), supply)
    }

    /// The same of one node only: the others are off, and nobody turns them on.
    pub(crate) fn lone(
        topology: &Topology,
        supply: &Path,
        release: &Release,
        system: &'static System,
        node: &str,
    ) -> Self {
        let mut tree = Tree::compile(topology, supply, release, system);
        tree.nodes.retain(|other| other.name == node);
        Self::of(tree, supply)
    }

    fn of(tree: Tree, supply: &Path) -> Self {
        let switch = Switch::start(tree.gateway, tree.prefix);
        switch.plug(CLIENT, "eth0", tree.client);
        let machine = |node: &Node| (node.name.clone(), Machine::new(node, supply));
        let machines = tree.nodes.iter().map(machine).collect();
        let mut cluster = Self { tree, switch, machines, mirror: None };
        cluster.start_mirror(supply);
        let names: Vec<String> = cluster.machines.keys().cloned().collect();
        for name in &names {
            cluster.deliver(name);
        }
        cluster.boot(&names);
        cluster
    }

    /// Starts the mirror.
    pub(crate) fn start_mirror(&mut self, supply: &Path) {
        let mirror = self
            .switch
            .command("python3")
            .arg(MIRROR)
            .arg(self.tree.gateway)
            .arg(supply.join("mirror"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.mirror = Some(mirror.unwrap());
    }

    /// Kills the mirror.
    pub(crate) fn stop_mirror(&mut self) {
        if let Some(mut mirror) = self.mirror.take() {
            mirror.kill().ok();
            mirror.wait().ok();
        }
    }

    /// Copies the steps and what they know of a node, as the runbook says.
    pub(crate) fn deliver(&self, node: &str) {
        let [steps, own] = ["steps", &format!("nodes/{node}")].map(|part| self.tree.part(part));
        self.machines[node].deliver([&steps, &own], FOLDER);
    }

    /// Turns machines on, all at once.
    pub(crate) fn boot(&mut self, names: &[String]) {
        let switch = &self.switch;
        std::thread::scope(|scope| {
            for machine in self.machines.values_mut().filter(|m| names.contains(&m.name)) {
                scope.spawn(|| {
                    machine.boot(switch);
                    machine.shell(POLICY).succeeded();
                });
            }
        });
        for machine in self.machines.values().filter(|machine| machine.is_on()) {
            fs::write(init(&machine.name), machine.init().to_string()).unwrap();
        }
    }

    /// Follows the runbook.
    pub(crate) fn bring_up(&self) {
        for step in runbook::bring_up(&self.tree.runbook(), &self.names()) {
            let since = Instant::now();
            self.follow(&step);
            let (nodes, script) = (step.nodes.join(" "), step.script.trim().replace('\n', "; "));
            eprintln!("{nodes}: {script} ({:.1} s)", since.elapsed().as_secs_f64());
        }
    }

    /// Those that become nodes of Kubernetes.
    pub(crate) fn kubelets(&self) -> Vec<String> {
        let nodes = self.tree.nodes.iter().filter(|node| node.control_plane || node.worker);
        nodes.map(|node| node.name.clone()).collect()
    }

    fn names(&self) -> Vec<String> {
        self.tree.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// Runs one step of the runbook.
    fn follow(&self, step: &Step) {
        let on = |node: &String| self.machines[node].shell(&step.script);
        let results: Vec<Ran> = if step.at_once {
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    step.nodes.iter().map(|node| scope.spawn(move || on(node))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            })
        } else {
            step.nodes.iter().map(on).collect()
        };
        for (node, ran) in step.nodes.iter().zip(results) {
            assert!(ran.ok(), "{node}: {ran}");
        }
    }

    /// The credential of the operator, as the tree has it.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.tree.part("cluster/kubeconfigs/admin.conf")
    }

    /// The network where clients are: their own, or that of a node where only nodes have a way to the
    /// API; nothing happens to it.
    pub(crate) fn clients(&self) -> String {
        if self.tree.node_local { self.observer() } else { CLIENT.to_owned() }
    }

    /// The control planes, in order.
    pub(crate) fn control_planes(&self) -> Vec<String> {
        let planes = self.tree.nodes.iter().filter(|node| node.control_plane);
        planes.map(|node| node.name.clone()).collect()
    }

    /// The control planes but this one.
    pub(crate) fn others(&self, node: &str) -> Vec<String> {
        self.control_planes().into_iter().filter(|name| name != node).collect()
    }

    /// The workers.
    pub(crate) fn workers(&self) -> Vec<String> {
        let workers = self.tree.nodes.iter().filter(|node| node.worker);
        workers.map(|node| node.name.clone()).collect()
    }

    /// The worker with the pod that asks: nothing happens to it.
    pub(crate) fn observer(&self) -> String {
        self.workers().swap_remove(0)
    }

    /// Machines that run a member of etcd and nothing else.
    pub(crate) fn separate_members(&self) -> Vec<String> {
        let members = self.tree.nodes.iter().filter(|node| node.member && !node.control_plane);
        members.map(|node| node.name.clone()).collect()
    }

    /// Those that are on and hold the VIP, where there is one.
    pub(crate) fn vip_holders(&self) -> Vec<String> {
        let Some(vip) = &self.tree.vip else { return vec![] };
        let wanted = format!(" {vip}/");
        let holds = |machine: &&Machine| {
            machine.is_on() && machine.run("ip", &["-o", "address"]).stdout.contains(&wanted)
        };
        self.machines.values().filter(holds).map(|machine| machine.name.clone()).collect()
    }

    /// How many of them there have to be.
    pub(crate) fn vips(&self) -> usize {
        usize::from(self.tree.vip.is_some())
    }

    /// The one that holds the VIP, where there is one.
    pub(crate) fn holder(&self) -> Option<String> {
        let mut holders = self.vip_holders();
        assert_eq!(holders.len(), self.vips(), "the VIP's holders: {holders:?}");
        holders.pop()
    }

    /// The control plane that holds the VIP; where none does, the first.
    pub(crate) fn plane(&self) -> String {
        self.plane_among(&self.vip_holders())
    }

    /// The same where the VIP's holders are known.
    pub(crate) fn plane_among(&self, holders: &[String]) -> String {
        let mut planes = self.control_planes();
        let holder = planes.iter().position(|plane| holders.contains(plane));
        planes.swap_remove(holder.unwrap_or_default())
    }

    /// Whose balancer the clients come through.
    pub(crate) fn door(&self) -> Option<String> {
        if self.tree.node_local { Some(self.observer()) } else { self.holder() }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop_mirror();
        for machine in self.machines.values_mut() {
            machine.power_off(&self.switch);
        }
    }
}

/// Holds the number of a running machine's first process.
fn init(node: &str) -> PathBuf {
    sandbox::state().join(node).join("init")
}

/// A shell in a running machine, from outside of the ground.
pub(crate) fn shell(node: &str) -> ExitCode {
    let (Ok(first), Some(mut command)) = (fs::read_to_string(init(node)), sandbox::visit()) else {
        eprintln!(
            "no machine {node} is on; in another terminal, `up --keep` leaves a cluster's on"
        );
        return ExitCode::FAILURE;
    };
    let status = machine::enter(&mut command, &first).args(["bash", "-l"]).status();
    if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
