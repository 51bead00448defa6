//! What is slow stays: neither a session that is opened nor a watch that is open is lost while API
//! servers take their time to say that they are ready, one of them or all; and no client waits for
//! a balancer that has given all of them up.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cluster::{Case, MINIMAL, NGINX_1_30, compiled};
use crate::haproxy::CONFIGURATION;

use super::flawless;
use super::plant::{Balancer, Plant, SLOW, Site, start_api_server};

/// How long `/readyz` takes, in seconds. An API server's own wait for etcd is up to two.
const DELAYS: [&str; 3] = ["0.6", "1.5", "2.5"];
/// How long it stays that slow: a balancer that takes it for dead has found out by then.
const PERIOD: Duration = Duration::from_secs(9);

const WATCHES: usize = 9;
const WATCH_LOG: &str = "/var/log/watches.log";

/// Opens watches and says when each is open and when it was cut. Arguments: VIP, port, CA, count.
const WATCHER: &str = r"
import socket, ssl, sys, threading

vip, port, authority, count = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)

def watch():
    with socket.create_connection((vip, int(port)), timeout=9) as plain:
        with context.wrap_socket(plain, server_hostname=vip) as tls:
            tls.sendall(b'GET /watch HTTP/1.1\r\nHost: api\r\n\r\n')
            tls.recv(99)
            print('open', flush=True)
            try:
                while tls.recv(99):
                    pass
            except OSError:
                pass
    print('cut', flush=True)

for _ in range(int(count)):
    threading.Thread(target=watch).start()
";

/// What clients lost in one period.
#[derive(Debug)]
struct Lost {
    when: String,
    sessions: usize,
    watches: usize,
    holder: bool,
}

impl Lost {
    fn something(&self) -> bool {
        self.sessions > 0 || self.watches > 0 || self.holder
    }
}

impl Plant<'_> {
    /// How many lines of the watches' log say this.
    fn watches(&self, word: &str) -> usize {
        let log = fs::read_to_string(self.client.path(WATCH_LOG)).unwrap_or_default();
        log.lines().filter(|line| *line == word).count()
    }

    /// Opens watches, which the balancer spreads over all API servers.
    fn watch(&self) {
        self.background(WATCH_LOG, WATCHER, &[&WATCHES.to_string()]);
        let begun = Instant::now();
        while self.watches("open") < WATCHES {
            assert!(begun.elapsed() < Duration::from_secs(30), "no watches");
            sleep(Duration::from_millis(100));
        }
    }

    /// What clients lose while the first API servers are slow.
    fn lost(&self, slow: usize, delay: &str) -> Lost {
        self.settle();
        let (tries, cut, holder) = (self.tries().len(), self.watches("cut"), self.holder());
        for master in &self.masters[..slow] {
            fs::write(master.machine.path(SLOW), delay).unwrap();
        }
        sleep(PERIOD);
        let sessions = self.tries()[tries..].iter().filter(|(answered, _)| !answered).count();
        let lost = Lost {
            when: format!("/readyz of {slow} of {} takes {delay} s", self.masters.len()),
            sessions,
            watches: self.watches("cut") - cut,
            holder: self.holders() != [holder],
        };
        for master in &self.masters[..slow] {
            fs::remove_file(master.machine.path(SLOW)).unwrap();
        }
        lost
    }
}

fn stays(case: &Case, balancer: Balancer) {
    let cluster = compiled(case);
    let site = Site { path: "/version", ..Site::behind(balancer) };
    flawless(case, || {
        let plant = Plant::start(&cluster, &site);
        plant.settle();
        plant.watch();
        let everybody = plant.masters.len();
        let measure = |slow| DELAYS.map(|delay| plant.lost(slow, delay));
        let mut lost: Vec<_> = [1, everybody].map(measure).into_iter().flatten().collect();
        for Lost { when, sessions, watches, holder } in &lost {
            eprintln!(
                "{}: {when}: {sessions} sessions and {watches} watches lost, the VIP moved: {holder}",
                case.name
            );
        }
        lost.retain(Lost::something);
        lost
    });
}

/// How long clients wait for the balancer when every API server is back.
fn lag(case: &Case, balancer: Balancer) -> Duration {
    let cluster = compiled(case);
    let mut plant = Plant::start(&cluster, &Site { path: "/version", ..Site::behind(balancer) });
    plant.settle();
    for master in &plant.masters {
        master.machine.kill(&master.api_server);
    }
    sleep(Duration::from_secs(3));
    for master in &mut plant.masters {
        master.api_server = start_api_server(master.node, &master.machine);
    }
    let port = "exec 3<>/dev/tcp/$1/6443";
    let listens = |plant: &Plant| {
        plant.masters.iter().all(|master| {
            let ask = ["-c", port, "bash", &master.node.address];
            master.machine.run("bash", &ask).ok()
        })
    };
    while !listens(&plant) {}
    let (begun, tries) = (Instant::now(), plant.tries().len());
    while !plant.tries()[tries..].iter().any(|(answered, _)| *answered) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the balancer never came back");
        sleep(Duration::from_millis(50));
    }
    begun.elapsed()
}

fn is_back_with_them(case: &Case, balancer: Balancer) {
    flawless(case, || {
        let lag = lag(case, balancer);
        eprintln!("{}: every API server back: {:.1} s", case.name, lag.as_secs_f64());
        Vec::from_iter((lag >= Duration::from_secs(1)).then_some(lag))
    });
}

#[test]
fn behind_haproxy() {
    stays(&MINIMAL, Balancer::Haproxy);
}

#[test]
fn behind_nginx() {
    stays(&NGINX_1_30, Balancer::Nginx);
}

/// Where the answer has no limit of its own, a check may take its interval.
#[test]
fn but_not_without_a_limit_of_its_own() {
    let cluster = compiled(&MINIMAL);
    let without = Some((CONFIGURATION, "/timeout check/d"));
    let plant = Plant::start(&cluster, &Site { without, ..Site::behind(Balancer::Haproxy) });
    plant.settle();
    plant.watch();
    let lost = plant.lost(plant.masters.len(), DELAYS[0]);
    assert_eq!(lost.watches, WATCHES, "what takes it for dead cuts every watch: {lost:?}");
}

#[test]
fn all_back_behind_haproxy() {
    is_back_with_them(&MINIMAL, Balancer::Haproxy);
}

#[test]
fn all_back_behind_nginx() {
    is_back_with_them(&NGINX_1_30, Balancer::Nginx);
}
