//! `keepalived -t`: the configuration is valid on a machine that has the interface, and the check
//! scripts are safe to run as root. Any finding makes keepalived exit with 4, 5 or 6.

use crate::cluster::{
    Case, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, NGINX_1_30, compiled,
};
use crate::machine::Machine;
use crate::programs::installed;

pub(crate) const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";

/// On a machine that has its files and interfaces.
pub(crate) fn judge(machine: &Machine) {
    installed("keepalived", "keepalived");
    machine.run("keepalived", &["-t", "-f", CONFIGURATION]).succeeded();
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
fn accepts_nginx_keepalived() {
    accepts(&NGINX_1_30);
}
