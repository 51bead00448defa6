//! The network of the ground: a bridge in a namespace of its own, one namespace for each machine,
//! and one for the client outside of the cluster.

use std::process::Command;

use crate::programs::{Ran, run};

/// The namespace of the bridge.
const SWITCH: &str = "switch";

/// The bridge, with the gateway's address.
pub(crate) struct Switch {
    pub(crate) gateway: String,
    prefix: String,
}

impl Switch {
    /// `gateway` is in CIDR notation. Once per ground: namespaces have names here, which nobody
    /// outside sees.
    pub(crate) fn start(gateway: &str, prefix: &str) -> Self {
        // Of its own: systemd-nspawn leaves locks there as well.
        run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"])).succeeded();
        ip(&format!("netns add {SWITCH}"));
        let switch = Self { gateway: gateway.to_owned(), prefix: prefix.to_owned() };
        switch.ip("link set lo up");
        switch.ip("link add bridge type bridge forward_delay 0");
        switch.ip(&format!("address add {gateway}/{prefix} dev bridge"));
        switch.ip("link set bridge up");
        switch
    }

    /// A namespace with one interface on the bridge, an address and a default route.
    pub(crate) fn plug(&self, name: &str, interface: &str, address: &str) {
        self.unplug(name);
        ip(&format!("netns add {name}"));
        let port = port(name);
        ip(&format!("-n {SWITCH} link add {port} type veth peer name {interface} netns {name}"));
        self.ip(&format!("link set {port} master bridge up"));
        for command in [
            "link set lo up".to_owned(),
            format!("address add {address}/{} dev {interface}", self.prefix),
            format!("link set {interface} up"),
            format!("route add default via {}", self.gateway),
        ] {
            ip(&format!("-n {name} {command}"));
        }
    }

    /// Ends a namespace, with all that is configured in it.
    pub(crate) fn unplug(&self, name: &str) {
        let arguments = format!("-n {SWITCH} link delete {}", port(name));
        run(Command::new("ip").args(arguments.split(' ')));
        run(Command::new("ip").args(["netns", "delete", name]));
    }

    /// Pulls a machine's cable, or puts it back.
    pub(crate) fn cable(&self, name: &str, connected: bool) {
        let state = if connected { "up" } else { "down" };
        self.ip(&format!("link set {} {state}", port(name)));
    }

    /// Drops what one machine and some others send each other; both still reach everybody else.
    pub(crate) fn part(&self, one: &str, others: &[&str]) {
        let ports = |names: &[&str]| names.iter().map(|n| port(n)).collect::<Vec<_>>().join(", ");
        let (one, others) = (port(one), ports(others));
        let rules = format!(
            "table bridge part {{
                chain forward {{
                    type filter hook forward priority 0
                    iifname {one} oifname {{ {others} }} drop
                    iifname {{ {others} }} oifname {one} drop
                }}
            }}"
        );
        run(self.command("nft").arg(rules)).succeeded();
    }

    /// Undoes [`Self::part`].
    pub(crate) fn whole(&self) {
        run(self.command("nft").arg("delete table bridge part")).succeeded();
    }

    /// Runs a command that starts with a program's name beside the bridge.
    pub(crate) fn command(&self, program: &str) -> Command {
        command(SWITCH, program)
    }

    fn ip(&self, arguments: &str) {
        ip(&format!("-n {SWITCH} {arguments}"));
    }
}

/// A command in the network of a namespace, on the host's file system.
pub(crate) fn command(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

/// A command in the network of a namespace that has a file, on the host's file system.
pub(crate) fn enter(network: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.args([&format!("--net={network}"), program]);
    command
}

/// The bridge's end of a machine's cable; a name of at most 15 bytes.
fn port(name: &str) -> String {
    format!("to-{name}")
}

fn ip(arguments: &str) -> Ran {
    run(Command::new("ip").args(arguments.split(' '))).succeeded()
}
