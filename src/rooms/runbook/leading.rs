//! What people read of the machines that lead clients to an endpoint.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::{BRING_UP, LOST_LOAD_BALANCER};
use crate::claims::Phase;
use crate::rooms::{Output, Place, Rendering};
use crate::site::{Host, LOAD_BALANCER};

#[derive(Serialize)]
struct BringUp<'a> {
    leaders: Vec<&'a str>,
    vips: Vec<Vip<'a>>,
}

#[derive(Serialize)]
struct Vip<'a> {
    address: IpAddr,
    holders: Vec<&'a str>,
}

#[derive(Serialize)]
struct Lost<'a> {
    cluster: &'a str,
    balancers: Vec<&'a str>,
}

pub(super) fn render(with: &Rendering<'_>, out: &mut Output<'_>) {
    let site = with.site;
    let names = |keep: &dyn Fn(&Host) -> bool| -> Vec<&str> {
        let hosts = site.hosts.iter().filter(|host| keep(host));
        hosts.map(|host| host.name.as_str()).collect()
    };
    let leaders = names(&|host| site.leads(host));
    if leaders.is_empty() {
        return;
    }
    let held = site.endpoints.iter().filter_map(|endpoint| endpoint.vrrp());
    let vips = held
        .map(|held| Vip { address: held.address, holders: site.names_of(&held.hosts).collect() });
    let context = BringUp { leaders, vips: vips.collect() };
    out.prose(Place::BringUp(Phase::BALANCER.step), BRING_UP.id, &context);
    // What else a machine is has chapters of its own.
    let balancers = names(&|host| host.roles == BTreeSet::from([LOAD_BALANCER]));
    if !balancers.is_empty() {
        let context = Lost { cluster: &site.name, balancers };
        out.prose(Place::Loss, LOST_LOAD_BALANCER.id, &context);
    }
}
