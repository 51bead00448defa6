//! `nginx -t`: the configuration is valid, and warns of nothing.

use crate::cluster::{NGINX_1_30, NGINX_STREAM, compiled};
use crate::machine::Machine;
use crate::programs::installed;

pub(crate) const CONFIGURATION: &str = "/etc/nginx/nginx.conf";

/// On a machine that has its files.
pub(crate) fn judge(machine: &Machine) {
    installed("nginx", "nginx libnginx-mod-stream");
    let ran = machine.run("nginx", &["-t", "-c", CONFIGURATION]).succeeded();
    assert!(!ran.text().contains("[warn]"), "{ran}");
}

#[test]
fn accepts_nginx_keepalived() {
    compiled(&NGINX_1_30).judge(CONFIGURATION, judge);
}

#[test]
fn accepts_nginx_stream() {
    compiled(&NGINX_STREAM).judge(CONFIGURATION, judge);
}
