//! `haproxy -c`: the configuration is valid, and warns of nothing (`-dW`).

use crate::cluster::{
    Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, NODE_LOCAL, compiled,
};
use crate::machine::Machine;
use crate::programs::installed;

pub(crate) const CONFIGURATION: &str = "/etc/haproxy/haproxy.cfg";

/// On a machine that has its files.
pub(crate) fn judge(machine: &Machine) {
    installed("haproxy", "haproxy");
    machine.run("haproxy", &["-c", "-dW", "-f", CONFIGURATION]).succeeded();
}

fn accepts(case: &Case) {
    compiled(case).judge(CONFIGURATION, judge);
}

#[test]
fn accepts_minimal() {
    accepts(&MINIMAL);
}

#[test]
fn accepts_minimal_ipv6() {
    accepts(&MINIMAL_IPV6);
}

#[test]
fn accepts_haproxy_keepalived() {
    accepts(&HAPROXY_1_15);
}

#[test]
fn accepts_haproxy_keepalived_1_21() {
    accepts(&HAPROXY_1_21);
}

#[test]
fn accepts_node_local() {
    accepts(&NODE_LOCAL);
}
