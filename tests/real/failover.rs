//! The endpoint survives: the generated balancer and keepalived really run on every control
//! plane, in front of stand-ins that answer as API servers do and hold the generated
//! certificates. A client opens ten connections a second to the VIP, each new, and verifies the
//! certificate; the longest time without an answer is what counts.

use std::fs;
use std::time::{Duration, Instant};

use crate::cluster::{Case, Cluster, MINIMAL, MINIMAL_IPV6, NGINX_1_30, Node, compiled};
use crate::machine::{Background, Machine};
use crate::network::Network;
use crate::programs::installed;

/// The bar: the loss of any one node costs no more than this.
const BAR: Duration = Duration::from_secs(4);
/// For how long no API server is ready while etcd elects a leader, when two members were candidates
/// at the same moment.
const ELECTION: Duration = Duration::from_secs(3);
/// How long the endpoint may take to answer steadily at the start and after an event.
const SETTLING: Duration = Duration::from_secs(30);
/// How long one event is watched; longer than the bar, so that a late gap is seen.
const WATCH: Duration = Duration::from_secs(9);

/// Tells the stand-ins on a machine to say that they are not ready.
const UNREADY: &str = "/run/unready";

/// Answers every request for health on HTTPS. Arguments: address, port, certificate, key.
const API_SERVER: &str = r"
import http.server, os, socket, ssl, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path.split('?')[0] in ('/readyz', '/livez', '/healthz')
        ready = not os.path.exists('/run/unready')
        self.send_response((200 if ready else 500) if known else 404)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

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

/// Prints `1` or `0` and the time, for each try. Arguments: VIP, port, CA.
const CLIENT: &str = r"
import socket, ssl, sys, time

vip, port, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
while True:
    begun = time.monotonic()
    answer = b''
    try:
        with socket.create_connection((vip, int(port)), timeout=0.5) as plain:
            # A balancer may try a dead backend first.
            plain.settimeout(3)
            with context.wrap_socket(plain, server_hostname=vip) as tls:
                tls.sendall(b'GET /readyz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n')
                answer = tls.recv(99)
    except OSError:
        pass
    print(int(b' 200 ' in answer), time.monotonic(), flush=True)
    time.sleep(max(0, begun + 0.1 - time.monotonic()))
";

const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";
const CLIENT_LOG: &str = "/var/log/client.log";
const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";

/// What stands in front of the API servers.
#[derive(Clone, Copy)]
enum Balancer {
    Haproxy,
    Nginx,
}

impl Balancer {
    /// As the unit of Debian's package starts it, in the foreground.
    fn start(self, machine: &Machine) -> Background {
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
struct Master<'a> {
    node: &'a Node,
    machine: Machine,
    api_server: Background,
    balancer: Background,
}

impl<'a> Master<'a> {
    fn start(node: &'a Node, network: &Network, balancer: Balancer) -> Self {
        installed("keepalived", "keepalived");
        let machine = node.start(network);
        // kubeadm's: from here on keepalived asks whether the balancer is of use.
        machine.place_script("/etc/kubernetes/manifests/kube-apiserver.yaml", "");
        let api_server = start_api_server(node, &machine);
        let balancer = balancer.start(&machine);
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

fn start_api_server(node: &Node, machine: &Machine) -> Background {
    let [certificate, key] =
        ["crt", "key"].map(|kind| format!("/etc/kubernetes/pki/apiserver.{kind}"));
    let command = ["python3", "-c", API_SERVER, &node.address, "6443", &certificate, &key];
    machine.background("/var/log/api.log", &command)
}

/// The control planes, and a worker as their client.
struct Plant<'a> {
    vip: &'a str,
    masters: Vec<Master<'a>>,
    client: Machine,
    network: Network,
}

impl<'a> Plant<'a> {
    fn start(cluster: &'a Cluster, balancer: Balancer) -> Self {
        let network = Network::start();
        let nodes = cluster.nodes_with(CONFIGURATION);
        let masters: Vec<_> =
            nodes.iter().map(|node| Master::start(node, &network, balancer)).collect();
        let worker = cluster.nodes.iter().find(|node| !node.has(CONFIGURATION));
        let client = worker.expect("the case has a worker").start_bare(&network);
        client.place(&nodes[0].rootfs().join(&AUTHORITY[1..]), AUTHORITY);
        let command = ["python3", "-c", CLIENT, &cluster.vip, &cluster.port, AUTHORITY];
        client.background(CLIENT_LOG, &command);
        Self { vip: &cluster.vip, masters, client, network }
    }

    /// Every try so far: whether it was answered, and when it ended, in seconds.
    fn tries(&self) -> Vec<(bool, f64)> {
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
    fn settle(&self) {
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
    fn gap<T>(&mut self, event: impl FnOnce(&mut Self) -> T) -> (Duration, T) {
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

    /// No API server is ready for a while, on whichever node; all go on answering.
    fn elect(&mut self) -> Duration {
        let holder = self.holder();
        let (gap, ()) = self.gap(|plant| {
            for master in &plant.masters {
                fs::write(master.machine.path(UNREADY), "").unwrap();
            }
            std::thread::sleep(ELECTION);
            for master in &plant.masters {
                fs::remove_file(master.machine.path(UNREADY)).unwrap();
            }
        });
        assert_eq!(self.holder(), holder, "no other master was of more use");
        gap
    }

    /// Cuts a master off from the others, but not from clients, until it has let go of the VIP.
    /// Its API server hangs: that is what a member of etcd without a quorum makes of it.
    fn cut_off(&mut self, cut_off: usize) -> Duration {
        let (gap, ()) = self.gap(|plant| {
            let machines = plant.masters.iter().map(|master| &master.machine);
            let others: Vec<&Machine> = (0..)
                .zip(machines)
                .filter(|(index, _)| *index != cut_off)
                .map(|(_, machine)| machine)
                .collect();
            let Master { machine, api_server, .. } = &plant.masters[cut_off];
            plant.network.cut_off(machine, &others);
            machine.hang(api_server, true);
        });
        assert_ne!(self.holder(), cut_off, "a master that reaches nobody holds the VIP");
        let Master { machine, api_server, .. } = &self.masters[cut_off];
        machine.hang(api_server, false);
        self.network.mend();
        gap
    }

    /// The one master that holds the VIP.
    fn holder(&mut self) -> usize {
        let vip = format!(" {}/", self.vip);
        let holds = |master: &Master| {
            master.machine.run("ip", &["-o", "address"]).succeeded().stdout.contains(&vip)
        };
        let holders: Vec<_> =
            (0..self.masters.len()).filter(|&index| holds(&self.masters[index])).collect();
        assert_eq!(holders.len(), 1, "exactly one master holds the VIP");
        holders[0]
    }
}

/// A busy host makes a run slow now and then; a defect makes each one slow.
const RUNS: usize = 3;

fn survives(case: &Case, balancer: Balancer) {
    let mut slow = Vec::new();
    for _ in 0..RUNS {
        slow = gaps(case, balancer);
        for (event, gap) in &slow {
            eprintln!("{}: {event}: {:.1} s", case.name, gap.as_secs_f64());
        }
        slow.retain(|(_, gap)| *gap > BAR);
        if slow.is_empty() {
            return;
        }
    }
    panic!("{}: more than {BAR:?} without an answer, {RUNS} times: {slow:?}", case.name);
}

/// The longest time without an answer for each event.
fn gaps(case: &Case, balancer: Balancer) -> Vec<(&'static str, Duration)> {
    let cluster = compiled(case);
    let mut plant = Plant::start(&cluster, balancer);

    let (api_server_gone, holder) = plant.gap(|plant| {
        let holder = plant.holder();
        plant.masters[holder].machine.kill(&plant.masters[holder].api_server);
        holder
    });
    let master = &mut plant.masters[holder];
    master.api_server = start_api_server(master.node, &master.machine);

    let (balancer_gone, holder) = plant.gap(|plant| {
        let holder = plant.holder();
        plant.masters[holder].machine.kill(&plant.masters[holder].balancer);
        holder
    });
    let master = &mut plant.masters[holder];
    master.balancer = balancer.start(&master.machine);

    let (power_cut, node) = plant.gap(|plant| {
        let holder = plant.holder();
        // Dropped, its processes and its link are gone at once.
        plant.masters.remove(holder).node
    });

    let (return_of_the_node, ()) = plant.gap(|plant| {
        plant.masters.push(Master::start(node, &plant.network, balancer));
    });
    let holder = plant.holder();

    let election = plant.elect();

    // It goes on announcing itself.
    let holder_cut_off = plant.cut_off(holder);
    // It hears nobody, and takes the VIP too.
    let another = (plant.holder() + 1) % plant.masters.len();
    let another_cut_off = plant.cut_off(another);

    vec![
        ("the VIP holder's API server gone", api_server_gone),
        ("the VIP holder's balancer gone", balancer_gone),
        ("power cut of the VIP holder", power_cut),
        ("return of that node", return_of_the_node),
        ("an election of etcd", election),
        ("the VIP holder cut off from the others", holder_cut_off),
        ("another one cut off from the others", another_cut_off),
    ]
}

#[test]
fn of_minimal() {
    survives(&MINIMAL, Balancer::Haproxy);
}

#[test]
fn of_minimal_ipv6() {
    survives(&MINIMAL_IPV6, Balancer::Haproxy);
}

#[test]
fn of_nginx_keepalived() {
    survives(&NGINX_1_30, Balancer::Nginx);
}
