//! `keepalived -t`: the configuration is valid on a machine that has the interface, and the check
//! scripts are safe to run as root. Any finding makes keepalived exit with 4, 5 or 6.

use crate::cluster::{
    Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, NGINX_1_30, compiled,
};
use crate::network::Network;
use crate::programs::installed;

const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";

fn accepts(case: &Case) {
    installed("keepalived", "keepalived");
    let cluster = compiled(case);
    for node in cluster.nodes_with(CONFIGURATION) {
        let network = Network::start();
        let machine = node.start(&network);
        machine.run("keepalived", &["-t", "-f", CONFIGURATION]).succeeded();
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

#[test]
fn accepts_nginx_keepalived() {
    accepts(&NGINX_1_30);
}
