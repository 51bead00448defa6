//! A switch that machines are plugged into: a bridge in a network namespace of its own.

use std::process::{Child, Command, Stdio};

use crate::machine::Machine;
use crate::programs::{installed, run};

/// Gone, with all its links, when dropped.
pub(crate) struct Network {
    holder: Child,
}

impl Network {
    /// A switch with nothing plugged in.
    pub(crate) fn start() -> Self {
        let holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()
            .expect("util-linux has setpriv and unshare");
        let network = Self { holder };
        network.wait_for_namespace();
        network.ip("link add switch type bridge");
        network.ip("link set switch up");
        network
    }

    /// Gives a machine an interface with an address in CIDR notation.
    pub(crate) fn plug(&self, machine: &Machine, interface: &str, cidr: &str) {
        let port = port(machine);
        self.ip(&format!("link add {port} type veth peer name {interface} netns {}", machine.init));
        self.ip(&format!("link set {port} master switch up"));
        let address = ["address", "add", cidr, "dev", interface];
        // IPv6: no waiting for duplicate address detection.
        let nodad: &[&str] = if cidr.contains(':') { &["nodad"] } else { &[] };
        machine.run("ip", &[&address[..], nodad].concat()).succeeded();
        machine.run("ip", &["link", "set", interface, "up"]).succeeded();
    }

    /// Drops every frame between a machine and these others; whoever else is plugged in reaches
    /// all of them.
    pub(crate) fn cut_off(&self, machine: &Machine, others: &[&Machine]) {
        let own = format!("{{ {} }}", port(machine));
        let others: Vec<String> = others.iter().map(|other| port(other)).collect();
        let others = format!("{{ {} }}", others.join(", "));
        self.nft("add table bridge cut");
        self.nft("add chain bridge cut forward { type filter hook forward priority 0; }");
        for (from, to) in [(&own, &others), (&others, &own)] {
            self.nft(&format!("add rule bridge cut forward iifname {from} oifname {to} drop"));
        }
    }

    /// Lets everybody reach everybody again.
    pub(crate) fn mend(&self) {
        self.nft("delete table bridge cut");
    }

    fn nft(&self, command: &str) {
        installed("nft", "nftables");
        self.run("nft", &[command]);
    }

    fn ip(&self, arguments: &str) {
        self.run("ip", &arguments.split(' ').collect::<Vec<_>>());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let target = self.holder.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &target, "--net", program]).args(arguments);
        run(&mut command).succeeded();
    }

    /// The holder's namespace is the test's own until `unshare` has run.
    fn wait_for_namespace(&self) {
        let namespace =
            |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
        let holder = self.holder.id().to_string();
        while namespace(&holder) == namespace("self") {
            std::thread::yield_now();
        }
    }
}

/// The switch's end of a machine's cable.
fn port(machine: &Machine) -> String {
    format!("port{}", machine.init)
}

impl Drop for Network {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}
