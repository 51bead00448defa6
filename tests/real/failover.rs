//! The endpoint survives: the generated balancer and keepalived really run on every control
//! plane, in front of stand-ins that answer as API servers do and hold the generated
//! certificates. A client opens ten connections a second to the VIP, each new, and verifies the
//! certificate; the longest time without an answer is what counts.

mod forged;
mod plant;
mod slow;

use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use crate::cluster::{Case, MINIMAL, MINIMAL_IPV6, NGINX_1_30, compiled};
use crate::machine::Machine;

use self::plant::{Balancer, Master, Plant, Site, UNREADY, start_api_server};

/// The bar: the loss of any one node costs no more than this.
const BAR: Duration = Duration::from_secs(4);
/// For how long no API server is ready while etcd elects a leader, when two members were candidates
/// at the same moment.
const ELECTION: Duration = Duration::from_secs(3);

impl Plant<'_> {
    /// No API server is ready for a while, on whichever node; all go on answering. Also whether the
    /// VIP moved.
    fn elect(&mut self) -> (Duration, bool) {
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
        (gap, self.holder() != holder)
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
}

/// A busy host spoils a run now and then; a defect spoils each one.
const RUNS: usize = 3;

/// Fails if each of several runs finds faults.
fn flawless<F: Debug>(case: &Case, mut faults: impl FnMut() -> Vec<F>) {
    let mut found = Vec::new();
    for _ in 0..RUNS {
        let faults = faults();
        if faults.is_empty() {
            return;
        }
        eprintln!("{}: {faults:?}", case.name);
        found.push(faults);
    }
    panic!("{}: faults in each of {RUNS} runs: {found:#?}", case.name);
}

fn survives(case: &Case, balancer: Balancer) {
    flawless(case, || {
        let mut events = events(case, balancer);
        for Event { what, gap, moved } in &events {
            let moved = if *moved { ", and the VIP moved for nothing" } else { "" };
            eprintln!("{}: {what}: {:.1} s{moved}", case.name, gap.as_secs_f64());
        }
        events.retain(|event| event.gap > BAR || event.moved);
        events
    });
}

/// What clients saw of one event.
#[derive(Debug)]
struct Event {
    what: &'static str,
    /// The longest time without an answer.
    gap: Duration,
    /// Whether the VIP left a master though no other was of more use.
    moved: bool,
}

fn events(case: &Case, balancer: Balancer) -> Vec<Event> {
    let cluster = compiled(case);
    let site = Site::behind(balancer);
    let mut plant = Plant::start(&cluster, &site);

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
        plant.masters.push(Master::start(node, &plant.network, &site));
    });
    let holder = plant.holder();

    let (election, moved) = plant.elect();

    // It goes on announcing itself.
    let holder_cut_off = plant.cut_off(holder);
    // It hears nobody, and takes the VIP too.
    let another = (plant.holder() + 1) % plant.masters.len();
    let another_cut_off = plant.cut_off(another);

    [
        ("the VIP holder's API server gone", api_server_gone, false),
        ("the VIP holder's balancer gone", balancer_gone, false),
        ("power cut of the VIP holder", power_cut, false),
        ("return of that node", return_of_the_node, false),
        ("an election of etcd", election, moved),
        ("the VIP holder cut off from the others", holder_cut_off, false),
        ("another one cut off from the others", another_cut_off, false),
    ]
    .map(|(what, gap, moved)| Event { what, gap, moved })
    .into()
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
