//! What `haproxy.cfg` is filled with.

use std::net::IpAddr;

use serde::Serialize;

use crate::cluster::{Cluster, host_port};
use crate::inventory::haproxy::Balance;
use crate::inventory::values::Duration;

use super::CA;
use super::plan::{HaproxyPlan, Host};

/// A name in every API server's certificate, whichever way it was issued: kubeadm's list begins
/// with the node's name and this one
/// (<https://kubernetes.io/docs/setup/best-practices/certificates/>).
const SERVER_NAME: &str = "kubernetes";

/// How long a session lives that only one side has ended. A live peer ends its side at once.
const FIN_TIMEOUT: &str = "30s";

/// How long a reload leaves the old process to the sessions it still has. Clients of the API
/// reconnect without loss; exec and port-forward get the minute.
const HARD_STOP: &str = "1m";

/// Connections beyond the sessions: the status page stays reachable while all are in use.
const SPARE_CONNECTIONS: u32 = 100;

/// Context of `haproxy/etc/haproxy/haproxy.cfg.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    /// User and group.
    user: &'static str,
    /// Where the log can go to stdout; without it, the log needs a socket outside any chroot.
    chroot: Option<&'static str>,
    global_maxconn: u32,
    /// How long old processes live, where the version has the setting.
    hard_stop_after: Option<&'static str>,
    /// haproxy's own notation, as are all times here.
    idle_timeout: String,
    connect_timeout: String,
    fin_timeout: &'static str,
    /// Also the longest that the connection of a check may take.
    check_interval: String,
    /// The longest that the answer to a check may take after that.
    check_timeout: String,
    /// The argument of `bind`: every address of the endpoint's family.
    bind: String,
    maxconn: u32,
    /// Loopback of that family, as an ACL writes it.
    loopback: &'static str,
    balance: &'static str,
    /// Whether `http-check send` exists; else the request stands in `option httpchk`.
    check_request: bool,
    health_path: &'static str,
    server_name: &'static str,
    /// Whether `default-server` takes all of `server_options`; else each server repeats them.
    default_server: bool,
    server_options: String,
    servers: Vec<Server>,
    status_address: String,
    metrics: bool,
}

/// One API server.
#[derive(Debug, Serialize)]
struct Server {
    name: String,
    /// With its port.
    address: String,
}

impl Config {
    pub(super) fn new(plan: &HaproxyPlan, host: &Host, cluster: &Cluster) -> Self {
        let port = cluster.endpoint.port;
        // One family only: a host without IPv6 could not bind a socket that has both.
        let (bind, loopback) = match cluster.endpoint.vip {
            IpAddr::V4(_) => (format!("*:{port}"), "127.0.0.0/8"),
            IpAddr::V6(_) => (format!(":::{port} v6only"), "::1"),
        };
        Self {
            user: &host.family.haproxy_user,
            chroot: host.can.log_stdout.then_some(host.family.haproxy_chroot.as_str()),
            global_maxconn: plan.max_connections + SPARE_CONNECTIONS,
            hard_stop_after: host.can.hard_stop_after.then_some(HARD_STOP),
            idle_timeout: plan.idle_timeout.to_string(),
            connect_timeout: plan.connect_timeout.to_string(),
            fin_timeout: FIN_TIMEOUT,
            check_interval: plan.check_interval.to_string(),
            check_timeout: plan.check_timeout.to_string(),
            bind,
            maxconn: plan.max_connections,
            loopback,
            balance: match plan.balance {
                Balance::Leastconn => "leastconn",
                Balance::Roundrobin => "roundrobin",
            },
            check_request: host.can.http_check_send,
            health_path: &cluster.release.health_path,
            server_name: SERVER_NAME,
            default_server: host.can.default_server_checks,
            server_options: server_options(plan, host),
            servers: cluster
                .control_planes()
                .map(|node| Server {
                    name: node.name.clone(),
                    address: host_port(node.address, cluster.api_port),
                })
                .collect(),
            status_address: format!("127.0.0.1:{}", plan.stats_port),
            metrics: plan.metrics_on(host),
        }
    }
}

/// How every API server is checked, in the order of the manual's section 5.2. With `timeout check`
/// a check's connection, TLS handshake included, may take the lower of `inter` and `timeout
/// connect`; the backend of the checks has both alike. While an API server is on its way down or
/// up, checks follow one another twice as fast.
fn server_options(plan: &HaproxyPlan, host: &Host) -> String {
    let HaproxyPlan { check_interval, fall, rise, .. } = plan;
    let between = Duration::from_millis((check_interval.millis() / 2).max(1));
    let sni = if host.can.check_sni { format!(" check-sni {SERVER_NAME}") } else { String::new() };
    format!(
        "check inter {check_interval} fastinter {between} fall {fall} rise {rise} \
         check-ssl{sni} verify required verifyhost {SERVER_NAME} ca-file {CA}"
    )
}
