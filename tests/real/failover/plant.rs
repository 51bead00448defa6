//! The generated balancers and keepalived, really running, and clients of the endpoint.

use std::fs;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Node};
use crate::keepalived::CONFIGURATION;
use crate::machine::{Background, Machine};
use crate::network::Network;
use crate::programs::installed;

/// How long the endpoint may take to answer steadily at the start and after an event.
const SETTLING: Duration = Duration::from_secs(30);
/// How long one event is watched; longer than the bar, so that a late gap is seen.
const WATCH: Duration = Duration::from_secs(9);

/// Tells the stand-ins on a machine to say that they are not ready.
pub(super) const UNREADY: &str = "/run/unready";

/// Tells them how many seconds to take for an answer on their health.
pub(super) const SLOW: &str = "/run/slow";

/// Answers requests for health and for its version on HTTPS, and lets a watch last for ever.
/// Arguments: address, port, certificate, key.
const API_SERVER: &str = r"
import http.server, os, socket, ssl, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/watch':
            return self.watch()
        health = self.path.split('?')[0] in ('/readyz', '/livez', '/healthz')
        ready = not (health and os.path.exists('/run/unready'))
        if health and os.path.exists('/run/slow'):
            with open('/run/slow') as seconds:
                time.sleep(float(seconds.read()))
        known = health or self.path == '/version'
        self.send_response((200 if ready else 500) if known else 404)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

    def watch(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b'bookmark\n')
            time.sleep(0.5)

address, port, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
http.server.ThreadingHTTPServer.address_family = (
    socket.AF_INET6 if ':' in address else socket.AF_INET
)
server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
server.socket = context.wrap_socket(server.socket, True, do_handshake_on_connect=False)
server.serve_forever()
";

/// Prints `1` or `0` and the time, for each try. Arguments: address, port, CA, path.
const CLIENT: &str = r"
import socket, ssl, sys, time

address, port, authority, path = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
while True:
    begun = time.monotonic()
    answer = b''
    try:
        with socket.create_connection((address, int(port)), timeout=0.5) as plain:
            # A balancer may try a dead backend first.
            plain.settimeout(3)
            with context.wrap_socket(plain, server_hostname=address) as tls:
                tls.sendall(f'GET {path} HTTP/1.1\r\nHost: api\r\n\r\n'.encode())
                answer = tls.recv(99)
    except OSError:
        pass
    print(int(b' 200 ' in answer), time.monotonic(), flush=True)
    time.sleep(max(0, begun + 0.1 - time.monotonic()))
";

const CLIENT_LOG: &str = "/var/log/client.log";
const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";

/// What stands in front of the API servers.
#[derive(Clone, Copy)]
pub(super) enum Balancer {
    Haproxy,
    Nginx,
}

impl Balancer {
    /// As the unit of Debian's package starts it, in the foreground.
    pub(super) fn start(self, machine: &Machine) -> Background {
        let command: &[&str] = match self {
            Self::Haproxy => {
                installed("haproxy", "haproxy");
                // RuntimeDirectory= of the unit.
                fs::create_dir_all(machine.path("/run/haproxy")).unwrap();
                &["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
            }
            Self::Nginx => {
                installed("nginx", "nginx libnginx-mod-stream");
                &["nginx", "-g", "daemon off;"]
            }
        };
        machine.background("/var/log/balancer.log", command)
    }
}

/// A control plane with its running programs.
pub(super) struct Master<'a> {
    pub(super) node: &'a Node,
    pub(super) machine: Machine,
    pub(super) api_server: Background,
    pub(super) balancer: Background,
}

impl<'a> Master<'a> {
    /// With what `site` says of its balancer and its files.
    pub(super) fn start(node: &'a Node, network: &Network, site: &Site) -> Self {
        installed("keepalived", "keepalived");
        let machine = node.start(network);
        if let Some((file, edit)) = site.without {
            machine.run("sed", &["-i", edit, file]).succeeded();
        }
        // kubeadm's: from here on keepalived asks whether the balancer is of use.
        machine.place_script("/etc/kubernetes/manifests/kube-apiserver.yaml", "");
        let api_server = start_api_server(node, &machine);
        let balancer = site.balancer.start(&machine);
        let command = ["keepalived", "--dont-fork", "--log-console", "--log-detail"];
        machine.background("/var/log/keepalived.log", &command);
        Self { node, machine, api_server, balancer }
    }

    fn logs(&self) -> String {
        let logs = ["keepalived", "balancer", "api"].map(|name| {
            let log = self.machine.path(&format!("/var/log/{name}.log"));
            format!("{}, {name}:\n{}", self.node.name, fs::read_to_string(log).unwrap_or_default())
        });
        logs.concat()
    }
}

pub(super) fn start_api_server(node: &Node, machine: &Machine) -> Background {
    let [certificate, key] =
        ["crt", "key"].map(|kind| format!("/etc/kubernetes/pki/apiserver.{kind}"));
    let command = ["python3", "-c", API_SERVER, &node.address, "6443", &certificate, &key];
    machine.background("/var/log/api.log", &command)
}

/// What differs between the plants of one cluster.
pub(super) struct Site {
    pub(super) balancer: Balancer,
    /// What the client asks for.
    pub(super) path: &'static str,
    /// A file of every control plane, and what sed does to it before anything starts: the proof
    /// that what it takes away is needed.
    pub(super) without: Option<(&'static str, &'static str)>,
}

impl Site {
    /// Its files as they are generated; its client asks whether the API server is ready.
    pub(super) fn behind(balancer: Balancer) -> Self {
        Self { balancer, path: "/readyz", without: None }
    }
}

/// The control planes, and a worker as their client.
pub(super) struct Plant<'a> {
    cluster: &'a Cluster,
    pub(super) masters: Vec<Master<'a>>,
    pub(super) client: Machine,
    pub(super) network: Network,
}

impl<'a> Plant<'a> {
    pub(super) fn start(cluster: &'a Cluster, site: &Site) -> Self {
        let network = Network::start();
        let nodes = cluster.nodes_with(CONFIGURATION);
        let masters: Vec<_> =
            nodes.iter().map(|node| Master::start(node, &network, site)).collect();
        let worker = cluster.nodes.iter().find(|node| !node.has(CONFIGURATION));
        let client = worker.expect("the case has a worker").start_bare(&network);
        client.place(&nodes[0].rootfs.join(&AUTHORITY[1..]), AUTHORITY);
        let plant = Self { cluster, masters, client, network };
        plant.background(CLIENT_LOG, CLIENT, &[site.path]);
        plant
    }

    /// Starts a Python program on the client's machine: it is given the VIP, the port, the CA and
    /// these arguments.
    pub(super) fn background(&self, log: &str, program: &str, arguments: &[&str]) {
        let Cluster { vip, port, .. } = self.cluster;
        let command = ["python3", "-c", program, vip, port, AUTHORITY];
        self.client.background(log, &[&command[..], arguments].concat());
    }

    /// Every try so far: whether it was answered, and when it ended, in seconds.
    pub(super) fn tries(&self) -> Vec<(bool, f64)> {
        let log = fs::read_to_string(self.client.path(CLIENT_LOG)).unwrap();
        // The last line may be half-written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let parse = |line: &str| {
            let (answered, time) = line.split_once(' ').unwrap();
            (answered == "1", time.parse().unwrap())
        };
        whole.lines().map(parse).collect()
    }

    /// Waits until the endpoint has answered for two seconds without a miss.
    pub(super) fn settle(&self) {
        let begun = Instant::now();
        loop {
            let tries = self.tries();
            let latest = &tries[tries.len().saturating_sub(20)..];
            if latest.len() == 20 && latest.iter().all(|(answered, _)| *answered) {
                return;
            }
            if begun.elapsed() > SETTLING {
                let logs: String = self.masters.iter().map(Master::logs).collect();
                panic!("the endpoint never settled\n{logs}");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The longest time without an answer while `event` happens and is dealt with.
    pub(super) fn gap<T>(&mut self, event: impl FnOnce(&mut Self) -> T) -> (Duration, T) {
        self.settle();
        let before = self.tries().len();
        let result = event(self);
        std::thread::sleep(WATCH);
        let tries = self.tries();
        let answered = tries[before - 1..].iter().filter(|(answered, _)| *answered);
        let times: Vec<_> =
            answered.map(|(_, time)| *time).chain([tries[tries.len() - 1].1]).collect();
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        (Duration::from_secs_f64(longest), result)
    }

    /// The one master that holds the VIP.
    pub(super) fn holder(&self) -> usize {
        let holders = self.holders();
        assert_eq!(holders.len(), 1, "exactly one master holds the VIP");
        holders[0]
    }

    /// Every master that holds the VIP.
    pub(super) fn holders(&self) -> Vec<usize> {
        let vip = format!(" {}/", self.cluster.vip);
        let holds = |master: &Master| {
            master.machine.run("ip", &["-o", "address"]).succeeded().stdout.contains(&vip)
        };
        (0..self.masters.len()).filter(|&index| holds(&self.masters[index])).collect()
    }
}
