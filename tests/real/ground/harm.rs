//! What happens to a cluster, and what undoes it where nothing has to be repaired.

use crate::cluster::Cluster;
use crate::sandbox;

impl Cluster {
    /// Cuts a machine's power.
    pub(crate) fn power_off(&mut self, node: &str) {
        self.machines.get_mut(node).unwrap().power_off(&self.switch);
    }

    /// Turns a machine on again.
    pub(crate) fn power_on(&mut self, node: &str) {
        self.boot(&[node.to_owned()]);
        sandbox::scant(node, true);
    }

    /// All machines share the host's CPUs alike.
    pub(crate) fn share_alike(&self) {
        for node in self.machines.keys() {
            sandbox::scant(node, false);
        }
    }

    /// Cuts the power of all control planes at one moment.
    pub(crate) fn power_off_control_planes(&mut self) {
        let names = self.control_planes();
        let switch = &self.switch;
        std::thread::scope(|scope| {
            for machine in self.machines.values_mut().filter(|m| names.contains(&m.name)) {
                scope.spawn(|| machine.power_off(switch));
            }
        });
    }

    /// Turns them all on again.
    pub(crate) fn power_on_control_planes(&mut self) {
        let names = self.control_planes();
        self.boot(&names);
    }

    /// Kills every process of a unit.
    pub(crate) fn kill(&self, node: &str, unit: &str) {
        let machine = &self.machines[node];
        machine.run("systemctl", &["kill", "--signal=KILL", unit]).succeeded();
    }

    /// Sends the API server of a node a signal.
    pub(crate) fn signal_api_server(&self, node: &str, signal: &str) {
        let machine = &self.machines[node];
        machine.run("pkill", &[&format!("-{signal}"), "--exact", "kube-apiserver"]).succeeded();
    }

    /// Cuts a control plane off from the others; clients and workers reach all of them.
    pub(crate) fn part(&self, node: &str) {
        sandbox::scant(node, true);
        let others = self.others(node);
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        self.switch.part(node, &others);
    }

    /// Takes that back.
    pub(crate) fn reunite(&self, node: &str) {
        self.switch.whole();
        sandbox::scant(node, false);
    }

    /// Pulls a node's cable, or puts it back.
    pub(crate) fn cable(&self, node: &str, connected: bool) {
        sandbox::scant(node, !connected);
        self.switch.cable(node, connected);
    }

    /// A machine's disk is gone.
    pub(crate) fn lose_disk(&mut self, node: &str) {
        self.power_off(node);
        self.machines[node].new_disk();
    }
}
