//! What `nginx.conf` is filled with.

use serde::Serialize;

use crate::catalog;
use crate::site::{Endpoint, Host, Program};

use super::plan::{NginxPlan, Settings};

/// How long a reload leaves old workers to the sessions they still have. Clients of the API
/// reconnect without loss; exec and port-forward get the minute.
const SHUTDOWN_TIMEOUT: &str = "1m";

/// Context of `nginx/etc/nginx/nginx.conf.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config<'a> {
    /// What the section says, in nginx's own notation.
    settings: &'a Settings,
    /// The pattern that loads the packaged modules.
    modules: &'static str,
    user: &'static str,
    /// Files that a worker may have open: twice its connections, so that they never run out first.
    open_files: u32,
    shutdown_timeout: &'static str,
    endpoints: Vec<Service<'a>>,
    /// Whether `proxy_socket_keepalive` exists.
    socket_keepalive: bool,
}

/// One endpoint.
#[derive(Debug, Serialize)]
struct Service<'a> {
    name: &'a str,
    /// The argument of `listen`: every address of the servers' family, or loopback.
    listen: String,
    /// Where keepalived asks whether this process lives: the same port on loopback. nginx opens one
    /// socket for both and tells them apart itself.
    door: Option<String>,
    servers: Vec<Server<'a>>,
}

/// One server behind an endpoint.
#[derive(Debug, Serialize)]
struct Server<'a> {
    name: &'a str,
    /// With its port.
    address: String,
}

impl<'a> Config<'a> {
    pub(super) fn new(
        plan: &'a NginxPlan,
        host: &Host,
        program: &Program<catalog::Nginx>,
        endpoints: impl Iterator<Item = &'a Endpoint>,
    ) -> Self {
        let family = host.os.family_facts();
        Self {
            settings: &plan.settings,
            modules: &family.nginx_modules_include,
            user: &family.nginx_user,
            open_files: plan.settings.worker_connections * 2,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
            endpoints: endpoints.map(Service::new).collect(),
            socket_keepalive: program.can.proxy_socket_keepalive,
        }
    }
}

impl<'a> Service<'a> {
    fn new(endpoint: &'a Endpoint) -> Self {
        let Endpoint { name, port, backends, .. } = endpoint;
        // One family only: a host without IPv6 could not open the other's socket.
        let v6 = endpoint.is_ipv6();
        let (any, loopback) = if v6 { ("[::]", "[::1]") } else { ("0.0.0.0", "127.0.0.1") };
        let listen = if endpoint.is_local() { loopback } else { any };
        Self {
            name,
            listen: format!("{listen}:{port}"),
            door: endpoint.vrrp().map(|_| format!("{loopback}:{port}")),
            servers: backends
                .iter()
                .map(|server| Server { name: &server.name, address: server.host_port() })
                .collect(),
        }
    }
}
