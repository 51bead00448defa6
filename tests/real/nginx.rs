//! `nginx -t`: the configuration is valid, and warns of nothing.

use crate::cluster::{NGINX_1_30, compiled};
use crate::network::Network;
use crate::programs::installed;

const CONFIGURATION: &str = "/etc/nginx/nginx.conf";

#[test]
fn accepts_nginx_keepalived() {
    installed("nginx", "nginx libnginx-mod-stream");
    let cluster = compiled(&NGINX_1_30);
    for node in cluster.nodes_with(CONFIGURATION) {
        let network = Network::start();
        let machine = node.start(&network);
        let ran = machine.run("nginx", &["-t", "-c", CONFIGURATION]).succeeded();
        assert!(!ran.text().contains("[warn]"), "{ran}");
    }
}
