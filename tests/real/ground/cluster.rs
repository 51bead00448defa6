//! A cluster of machines, brought up by the runbook.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use crate::machine::{self, Machine};
use crate::programs::Ran;
use crate::runbook::{self, Step};
use crate::sandbox;
use crate::switch::{self, Switch};
use crate::topology::{Topology, Tree};

/// Where the runbook has a node's folder copied to.
const FOLDER: &str = "/root/hagen";
/// The namespace of the client.
const CLIENT: &str = "client";
/// The base system and everything that machines fetch.
const SUPPLY: &str = "supply";

/// Machines, what they are to become, and the network between them.
pub(crate) struct Cluster {
    pub(crate) tree: Tree,
    pub(crate) switch: Switch,
    pub(crate) machines: BTreeMap<String, Machine>,
    mirror: Child,
}

impl Cluster {
    /// Fresh machines, turned on, with their folder of the tree and nothing else.
    pub(crate) fn new(topology: &Topology) -> Self {
        let tree = topology.compile();
        let supply = sandbox::target().join(SUPPLY);
        let switch = Switch::start(tree.gateway, tree.prefix);
        switch.plug(CLIENT, "eth0", tree.client);
        let mirror = switch
            .command("python3")
            .args(["-m", "http.server", "80", "--bind", tree.gateway, "--directory"])
            .arg(supply.join("mirror"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let machines: BTreeMap<String, Machine> = tree
            .nodes
            .iter()
            .map(|node| {
                let base = supply.join("base");
                let machine = Machine::new(&node.name, &node.address, &node.interface, &base);
                machine.deliver(&tree.out.join("nodes").join(&node.name), FOLDER);
                (node.name.clone(), machine)
            })
            .collect();
        Self { tree, switch, machines, mirror }
    }

    /// Turns the machines on and follows the runbook.
    pub(crate) fn bring_up(&mut self) {
        let begun = Instant::now();
        let switch = &self.switch;
        std::thread::scope(|scope| {
            for machine in self.machines.values_mut() {
                scope.spawn(|| machine.boot(switch));
            }
        });
        self.note_processes();
        eprintln!("machines are up after {:.1} s", begun.elapsed().as_secs_f64());
        let names: Vec<String> = self.tree.nodes.iter().map(|node| node.name.clone()).collect();
        for step in runbook::bring_up(&self.tree.out, &names) {
            let since = Instant::now();
            self.follow(&step);
            eprintln!(
                "{}: {} ({:.1} s)",
                step.nodes.join(" "),
                step.commands.join("; "),
                since.elapsed().as_secs_f64()
            );
        }
        eprintln!("the cluster is up after {:.1} s", begun.elapsed().as_secs_f64());
    }

    /// Runs one step of the runbook.
    fn follow(&self, step: &Step) {
        for command in &step.commands {
            let on = |node: &String| self.machines[node].shell(command);
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
                assert!(ran.ok(), "{node}: {ran}\n{}", self.machines[node].console());
            }
        }
    }

    /// Runs a program outside of the cluster, as a client of the VIP.
    pub(crate) fn client(&self, program: &str) -> Command {
        switch::command(CLIENT, program)
    }

    /// Leaves the machines' process numbers for [`shell`].
    fn note_processes(&self) {
        for machine in self.machines.values() {
            let namespaced = machine.init();
            fs::write(sandbox::state().join(&machine.name).join("init"), namespaced.to_string())
                .unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.mirror.kill().ok();
        self.mirror.wait().ok();
        for machine in self.machines.values_mut() {
            machine.power_off(&self.switch);
        }
    }
}

/// A shell in a running machine, from outside of the ground.
pub(crate) fn shell(node: &str) -> ExitCode {
    let init = sandbox::state().join(node).join("init");
    let init = fs::read_to_string(init).expect("a machine of that name is on");
    let mut command = sandbox::visit();
    let status = machine::enter(&mut command, &init).args(["bash", "-l"]).status();
    if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
