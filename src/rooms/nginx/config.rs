//! What `nginx.conf` is filled with.

use std::net::IpAddr;

use serde::Serialize;

use crate::cluster::{Cluster, host_port};

use super::plan::{Host, NginxPlan};

/// How long a reload leaves old workers to the sessions they still have. Clients of the API
/// reconnect without loss; exec and port-forward get the minute.
const SHUTDOWN_TIMEOUT: &str = "1m";

/// Context of `nginx/etc/nginx/nginx.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    /// The pattern that loads the packaged modules.
    modules: &'static str,
    user: &'static str,
    /// Files that a worker may have open: twice its connections, so that they never run out first.
    open_files: u32,
    worker_connections: u32,
    /// nginx's own notation, as are all times here.
    shutdown_timeout: &'static str,
    servers: Vec<Server>,
    max_fails: u32,
    fail_timeout: String,
    /// The argument of `listen`: every address of the endpoint's family.
    listen: String,
    /// The same port on loopback; nginx opens one socket for both and tells them apart itself.
    loopback: String,
    connect_timeout: String,
    idle_timeout: String,
    /// Whether `proxy_socket_keepalive` exists.
    socket_keepalive: bool,
}

/// One API server.
#[derive(Debug, Serialize)]
struct Server {
    name: String,
    /// With its port.
    address: String,
}

impl Config {
    pub(super) fn new(plan: &NginxPlan, host: &Host, cluster: &Cluster) -> Self {
        let port = cluster.endpoint.port;
        // One family only: a host without IPv6 could not open the other's socket.
        let (any, loopback) = match cluster.endpoint.vip {
            IpAddr::V4(_) => ("0.0.0.0", "127.0.0.1"),
            IpAddr::V6(_) => ("[::]", "[::1]"),
        };
        Self {
            modules: &host.family.nginx_modules_include,
            user: &host.family.nginx_user,
            open_files: plan.worker_connections * 2,
            worker_connections: plan.worker_connections,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
            servers: cluster
                .control_planes()
                .map(|node| Server {
                    name: node.name.clone(),
                    address: host_port(node.address, cluster.api_port),
                })
                .collect(),
            max_fails: plan.max_fails,
            fail_timeout: plan.fail_timeout.to_string(),
            listen: format!("{any}:{port}"),
            loopback: format!("{loopback}:{port}"),
            connect_timeout: plan.connect_timeout.to_string(),
            idle_timeout: plan.idle_timeout.to_string(),
            socket_keepalive: host.can.proxy_socket_keepalive,
        }
    }
}
