//! `haproxy -c`: the configuration is valid, and warns of nothing (`-dW`).

use crate::cluster::{Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, compiled};
use crate::network::Network;
use crate::programs::installed;

const CONFIGURATION: &str = "/etc/haproxy/haproxy.cfg";

fn accepts(case: &Case) {
    installed("haproxy", "haproxy");
    let cluster = compiled(case);
    for node in cluster.nodes_with(CONFIGURATION) {
        let network = Network::start();
        let machine = node.start(&network);
        machine.run("haproxy", &["-c", "-dW", "-f", CONFIGURATION]).succeeded();
    }
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
