//! How a cluster is mended: by nothing but its runbook.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::runbook;

/// A minute, in the words of the runbook: for how long a lost member of etcd is not forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

impl Cluster {
    /// Replaces a lost control plane by a new machine, as the runbook says.
    pub(crate) fn replace(&mut self, node: &str) {
        self.machines[node].await_off(FORGOTTEN_AFTER);
        self.forget(node);
        self.deliver(node);
        self.power_on(node);
        self.come_back(node);
        if self.tree.external_etcd {
            // "A new machine that is a member of etcd as well needs the next chapter …"
            self.replace_member(node);
        }
        self.join(node);
    }

    /// Starts a running control plane over, as the runbook says.
    pub(crate) fn start_over(&self, node: &str) {
        self.leave(node);
        self.come_back(node);
        self.join(node);
    }

    /// Takes a running control plane out of the cluster.
    pub(crate) fn leave(&self, node: &str) {
        let blocks = runbook::blocks(&self.tree.runbook(), "A lost control plane");
        self.machines[node].shell(&blocks[0].1).succeeded();
        self.forget(node);
    }

    /// The cluster forgets a lost control plane.
    fn forget(&self, node: &str) {
        let other = &self.others(node)[0];
        let blocks = runbook::blocks(&self.tree.runbook(), "A lost control plane");
        self.again(other, &with_lost(&blocks[1].1, node));
    }

    /// Prepares a new one to take its place.
    pub(crate) fn come_back(&self, node: &str) {
        let lines = self.rejoining();
        for line in &lines[..lines.len() - 1] {
            self.machines[node].shell(line).succeeded();
        }
    }

    /// It takes its place.
    fn join(&self, node: &str) {
        self.machines[node].shell(self.rejoining().last().unwrap()).succeeded();
    }

    /// The lines of the chapter's last block: a line that fails ends it, as it does for a reader.
    fn rejoining(&self) -> Vec<String> {
        let blocks = runbook::blocks(&self.tree.runbook(), "A lost control plane");
        let [_, _, (_, again)] = &blocks[..] else { panic!("{blocks:?}") };
        again.lines().map(str::to_owned).collect()
    }

    /// Runs what "may be run again" as an operator does: three times at most.
    fn again(&self, node: &str, script: &str) {
        let run = || self.machines[node].shell(&format!("set -e\n{script}"));
        let mut ran = run();
        for _ in 0..2 {
            if ran.ok() {
                break;
            }
            std::thread::sleep(Duration::from_secs(3));
            ran = run();
        }
        ran.succeeded();
    }

    /// Replaces a lost member of external etcd, as the runbook says.
    fn replace_member(&self, node: &str) {
        let other = &self.others(node)[0];
        let blocks = runbook::blocks(&self.tree.runbook(), "A lost member of etcd");
        let [(_, remove), (_, again)] = &blocks[..] else { panic!("{blocks:?}") };
        for (node, script) in [(other.as_str(), with_lost(remove, node)), (node, again.clone())] {
            self.machines[node].shell(&format!("set -e\n{script}")).succeeded();
        }
    }
}

/// The runbook's script with this name in its first line.
fn with_lost(script: &str, node: &str) -> String {
    let (first, rest) = script.split_once('\n').unwrap();
    assert!(first.starts_with("lost="), "{script}");
    format!("lost={node}\n{rest}")
}
