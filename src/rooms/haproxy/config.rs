//! What `haproxy.cfg` is filled with.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::catalog;
use crate::inventory::values::Duration;
use crate::pki::Authority;
use crate::site::{Alive, Balancer, Endpoint, Host, Program};

use super::plan::{HaproxyPlan, Settings};

/// How long a session lives that only one side has ended. A live peer ends its side at once.
const FIN_TIMEOUT: &str = "30s";

/// How long a reload leaves the old process to the sessions it still has. Clients of the API
/// reconnect without loss; exec and port-forward get the minute.
const HARD_STOP: &str = "1m";

/// Connections beyond the sessions: the status page stays reachable while all are in use.
const SPARE_CONNECTIONS: u32 = 100;

/// Context of `haproxy/etc/haproxy/haproxy.cfg.j2`.
#[derive(Debug, Serialize)]
pub(super) struct Config<'a> {
    /// What the section says, in haproxy's own notation: the longest that the connection of a check
    /// may take is `checkInterval`, and its answer `checkTimeout` after that.
    settings: &'a Settings,
    /// User and group.
    user: &'static str,
    /// Where the log can go to stdout; without it, the log needs a socket outside any chroot.
    chroot: Option<&'static str>,
    global_maxconn: u32,
    /// How long old processes live, where the version has the setting.
    hard_stop_after: Option<&'static str>,
    fin_timeout: &'static str,
    /// Whether `http-check send` exists; else the request stands in `option httpchk`.
    check_request: bool,
    /// Whether `default-server` takes all options of a check; else each server repeats them.
    default_server: bool,
    endpoints: Vec<Service<'a>>,
    metrics: bool,
}

/// One endpoint.
#[derive(Debug, Serialize)]
struct Service<'a> {
    name: &'a str,
    /// The backend that decides who is alive, and the frontend that says so.
    health: String,
    status: String,
    /// The argument of `bind`: every address of the servers' family, or loopback.
    bind: String,
    /// Where keepalived asks whether this process lives: loopback of that family, as an ACL writes
    /// it.
    door: Option<&'static str>,
    /// What each server is asked; `None` where it is enough that it accepts a connection.
    get: Option<Get<'a>>,
    server_options: String,
    servers: Vec<Server<'a>>,
    status_address: String,
}

/// A request over TLS.
#[derive(Debug, Serialize)]
struct Get<'a> {
    path: &'a str,
    server_name: &'a str,
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
        plan: &'a HaproxyPlan,
        host: &Host,
        program: &Program<catalog::Haproxy>,
        endpoints: impl Iterator<Item = (&'a Endpoint, &'a Balancer)>,
    ) -> Self {
        let family = host.os.family_facts();
        let service = |(position, of)| Service::new(plan, program, position, of);
        Self {
            settings: &plan.settings,
            user: &family.haproxy_user,
            chroot: program.can.log_stdout.then_some(family.haproxy_chroot.as_str()),
            global_maxconn: plan.settings.max_connections + SPARE_CONNECTIONS,
            hard_stop_after: program.can.hard_stop_after.then_some(HARD_STOP),
            fin_timeout: FIN_TIMEOUT,
            check_request: program.can.http_check_send,
            default_server: program.can.default_server_checks,
            endpoints: endpoints.enumerate().map(service).collect(),
            metrics: plan.metrics_on(program),
        }
    }
}

impl<'a> Service<'a> {
    fn new(
        plan: &HaproxyPlan,
        program: &Program<catalog::Haproxy>,
        position: usize,
        (endpoint, balancer): (&'a Endpoint, &'a Balancer),
    ) -> Self {
        let Endpoint { name, port, backends, alive, .. } = endpoint;
        // One family only: a host without IPv6 could not bind a socket that has both.
        let v6 = endpoint.is_ipv6();
        let bind = match (endpoint.is_local(), v6) {
            (false, false) => format!("*:{port}"),
            (false, true) => format!(":::{port} v6only"),
            (true, false) => format!("127.0.0.1:{port}"),
            (true, true) => format!("::1:{port}"),
        };
        // The first is the only one almost everywhere.
        let called = |what: &str| match position {
            0 => what.to_owned(),
            _ => format!("{what}_{name}"),
        };
        Self {
            name,
            health: called("be_health"),
            status: called("fe_status"),
            bind,
            door: endpoint.vrrp().map(|_| if v6 { "::1" } else { "127.0.0.0/8" }),
            get: match alive {
                Alive::Get { path, server_name, .. } => Some(Get { path, server_name }),
                Alive::Connect => None,
            },
            server_options: server_options(&plan.settings, program, alive),
            servers: backends
                .iter()
                .map(|server| Server { name: &server.name, address: server.host_port() })
                .collect(),
            status_address: format!("127.0.0.1:{}", balancer.status_port),
        }
    }
}

/// Who signs the certificates of the servers behind these endpoints.
pub(super) fn authorities<'a>(
    endpoints: impl Iterator<Item = (&'a Endpoint, &'a Balancer)>,
) -> BTreeSet<&'a Authority> {
    let signed = endpoints.filter_map(|(endpoint, _)| match &endpoint.alive {
        Alive::Get { authority, .. } => Some(authority),
        Alive::Connect => None,
    });
    signed.collect()
}

/// An authority's certificate as haproxy reads it: `ca/kubernetes` is `kubernetes-ca.crt`.
pub(super) fn ca_file(authority: &Authority) -> String {
    let name = authority.id.trim_start_matches("ca/");
    format!("/etc/haproxy/{name}-ca.crt")
}

/// How every server is checked, in the order of the manual's section 5.2. With `timeout check`
/// a check's connection, TLS handshake included, may take the lower of `inter` and `timeout
/// connect`; the backend of the checks has both alike. While a server is on its way down or
/// up, checks follow one another twice as fast.
fn server_options(
    settings: &Settings,
    program: &Program<catalog::Haproxy>,
    alive: &Alive,
) -> String {
    let Settings { check_interval, fall, rise, .. } = settings;
    let between = Duration::from_millis((check_interval.millis() / 2).max(1));
    let check = format!("check inter {check_interval} fastinter {between} fall {fall} rise {rise}");
    let Alive::Get { server_name, authority, .. } = alive else { return check };
    let sni = match program.can.check_sni {
        true => format!(" check-sni {server_name}"),
        false => String::new(),
    };
    let ca = ca_file(authority);
    format!("{check} check-ssl{sni} verify required verifyhost {server_name} ca-file {ca}")
}
