//! What the section says, with every default filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::catalog::{self, OsFamily};
use crate::inventory::keepalived::{KeepalivedSection, State};
use crate::inventory::values::{Duration, ProgramVersion};
use crate::site::{Holder, Host, Program, Site, Virtual as Held};

use super::election::Voter;

/// What decides the program's version, where it is said.
const VERSION: &[&str] = &["keepalived", "programVersion"];

/// The first default priority, as most guides have it; those of other nodes follow below.
const FIRST_PRIORITY: u32 = 150;

/// Every decision of the room. Numbers are as they were said: `lint` refuses those out of range.
#[derive(Debug)]
pub(super) struct KeepalivedPlan {
    pub(super) settings: Settings,
    pub(super) addresses: Vec<Virtual>,
    pub(super) reserved_router_ids: Vec<u32>,
    /// As said, by name.
    pub(super) priorities: BTreeMap<String, u32>,
    pub(super) instances: Vec<Instance>,
}

/// What is settled for every machine, under the section's own keys: `hagen show` writes it out, and
/// the template is filled with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    /// VRRP's: 2 or 3.
    #[serde(rename = "version")]
    pub(super) vrrp_version: u8,
    pub(super) state: State,
    pub(super) preempt: bool,
    /// Zero or negative.
    pub(super) weight: i32,
    pub(super) advert_interval: Duration,
    pub(super) check_interval: Duration,
    pub(super) fall: u32,
    pub(super) rise: u32,
    /// Whether adverts carry a password.
    pub(super) authentication: bool,
}

/// One virtual address, however many endpoints have it.
#[derive(Debug)]
pub(super) struct Virtual {
    /// What it is called after: its first endpoint.
    pub(super) name: &'static str,
    pub(super) vip: IpAddr,
    pub(super) subnet: IpNet,
    pub(super) router_id: u32,
    /// Whether nobody said it.
    pub(super) router_id_follows: bool,
    /// The machines that may hold it, by their positions in the inventory.
    pub(super) holders: Vec<usize>,
}

/// One machine's keepalived.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) program: Program<catalog::Keepalived>,
    pub(super) address: IpAddr,
    pub(super) interface: String,
    pub(super) priority: u32,
    pub(super) state: State,
    /// The folder of the scripts that check balancers.
    pub(super) scripts: &'static str,
}

impl KeepalivedPlan {
    pub(super) fn new(section: &KeepalivedSection, site: &Site) -> Self {
        let KeepalivedSection {
            program_version,
            version: vrrp_version,
            router_id,
            reserved_router_ids,
            state,
            preempt,
            weight,
            priorities,
            advert_interval,
            check_interval,
            fall,
            rise,
            authentication,
        } = section;
        let priorities: BTreeMap<String, u32> =
            priorities.iter().map(|(name, priority)| (name.to_string(), *priority)).collect();
        let addresses = addresses(site, *router_id);
        let holds = |host: &&Host| addresses.iter().any(|vip| vip.holders.contains(&host.index));
        let holders = site.hosts.iter().filter(holds);
        let mut instances: Vec<Instance> =
            holders.map(|host| Instance::new(host, program_version.as_ref())).collect();
        number(&mut instances, &priorities);
        let v4 = addresses.iter().any(|address| address.vip.is_ipv4());
        let version_3 =
            !v4 || instances.iter().all(|instance| instance.program.can.vrrp_v3_unicast);
        let vrrp_version = vrrp_version.unwrap_or(if version_3 { 3 } else { 2 });
        if *state == State::Master
            && let Some(first) = instances.first_mut()
        {
            first.state = State::Master;
        }
        // Version 2 counts whole seconds (RFC 3768, 5.3.7).
        let advert = if vrrp_version == 2 { 1000 } else { 500 };
        let settings = Settings {
            vrrp_version,
            state: *state,
            preempt: *preempt,
            weight: weight.unwrap_or(0),
            advert_interval: advert_interval.clone().unwrap_or(Duration::from_millis(advert)),
            check_interval: check_interval.clone().unwrap_or(Duration::from_millis(1000)),
            fall: fall.unwrap_or(2),
            rise: rise.unwrap_or(2),
            authentication: authentication.unwrap_or(vrrp_version == 2),
        };
        let reserved_router_ids = reserved_router_ids.clone();
        Self { settings, addresses, reserved_router_ids, priorities, instances }
    }

    /// The keepalived of this machine, where it runs one.
    pub(super) fn on(&self, host: &Host) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.program.host == host.index)
    }

    /// Those that may hold an address.
    pub(super) fn holders_of<'a>(
        &'a self,
        address: &'a Virtual,
    ) -> impl Iterator<Item = &'a Instance> {
        self.instances.iter().filter(|instance| address.holders.contains(&instance.program.host))
    }

    /// The same as the election sees them.
    pub(super) fn voters(&self, address: &Virtual) -> Vec<Voter> {
        self.holders_of(address)
            .map(|host| Voter { priority: host.priority, address: host.address })
            .collect()
    }
}

impl Instance {
    fn new(node: &Host, said: Option<&ProgramVersion>) -> Self {
        let ships = node.os.keepalived;
        Self {
            program: Program::new(node, "keepalived", (VERSION, said), ships, catalog::keepalived),
            address: node.address,
            interface: node.interface.clone(),
            priority: 0,
            state: State::Backup,
            scripts: scripts(node.os.family),
        }
    }
}

/// SELinux lets keepalived run scripts below its own folder of libexec only
/// (`keepalived_unconfined_script_exec_t`, keepalived_selinux(8)).
fn scripts(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Debian => "/etc/keepalived",
        OsFamily::Rhel => "/usr/libexec/keepalived",
    }
}

/// The addresses that machines of the site hold. What the inventory says of a router id is of the
/// first of them.
fn addresses(site: &Site, said: Option<u32>) -> Vec<Virtual> {
    let mut addresses: Vec<Virtual> = Vec::new();
    for endpoint in &site.endpoints {
        let Holder::Vrrp(held) = &endpoint.holder else { continue };
        let Held { address: vip, subnet, hosts } = held;
        if addresses.iter().any(|known| known.vip == *vip) {
            continue;
        }
        let said = said.filter(|_| addresses.is_empty());
        addresses.push(Virtual {
            name: endpoint.name,
            vip: *vip,
            subnet: *subnet,
            router_id: said.unwrap_or_else(|| default_router_id(*vip)),
            router_id_follows: said.is_none(),
            holders: hosts.clone(),
        });
    }
    addresses
}

/// Gives each host its priority: the one said for it, else the highest that nobody has, from
/// [`FIRST_PRIORITY`] down, then from there up. More hosts than priorities leave zeros.
fn number(hosts: &mut [Instance], said: &BTreeMap<String, u32>) {
    let taken: BTreeSet<u32> = said.values().copied().collect();
    let mut free = (1..=FIRST_PRIORITY)
        .rev()
        .chain(FIRST_PRIORITY + 1..=254)
        .filter(|priority| !taken.contains(priority));
    for host in hosts {
        host.priority = match said.get(&host.program.on) {
            Some(priority) => *priority,
            None => free.next().unwrap_or(0),
        };
    }
}

/// The VIP's last octet, so that two clusters on one segment differ by themselves; 0 is no
/// router id.
fn default_router_id(vip: IpAddr) -> u32 {
    let last = match vip {
        IpAddr::V4(vip) => vip.octets()[3],
        IpAddr::V6(vip) => vip.octets()[15],
    };
    if last == 0 { 255 } else { last.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Path;

    fn host(name: &str) -> Instance {
        let version = "2.2.7".parse().unwrap();
        Instance {
            program: Program {
                host: 0,
                on: name.into(),
                name: "keepalived",
                version,
                key: VERSION,
                at: Path::root(),
                wanted: None,
                can: catalog::keepalived(version),
            },
            address: IpAddr::from([192, 168, 1, 11]),
            interface: "eth0".into(),
            priority: 0,
            state: State::Backup,
            scripts: "",
        }
    }

    fn numbered(names: &[&str], said: &[(&str, u32)]) -> Vec<u32> {
        let mut hosts: Vec<Instance> = names.iter().map(|name| host(name)).collect();
        let said = said.iter().map(|(name, priority)| ((*name).to_owned(), *priority)).collect();
        number(&mut hosts, &said);
        hosts.iter().map(|host| host.priority).collect()
    }

    #[test]
    fn priorities_fall_in_the_order_of_the_nodes() {
        assert_eq!(numbered(&["a", "b", "c"], &[]), [150, 149, 148]);
    }

    #[test]
    fn a_priority_that_was_said_is_nobody_elses() {
        assert_eq!(numbered(&["a", "b", "c"], &[("c", 150)]), [149, 148, 150]);
    }

    #[test]
    fn there_are_254_priorities() {
        let names = ["n"; 255];
        let priorities = numbered(&names, &[]);
        let distinct: BTreeSet<u32> = priorities[..254].iter().copied().collect();
        assert_eq!(distinct, (1..=254).collect());
        assert_eq!(priorities[254], 0);
    }

    #[test]
    fn the_router_id_is_the_last_octet_and_never_zero() {
        assert_eq!(default_router_id(IpAddr::from([192, 168, 1, 33])), 33);
        assert_eq!(default_router_id(IpAddr::from([10, 0, 1, 0])), 255);
        assert_eq!(default_router_id("fd00::1:10".parse().unwrap()), 16);
    }
}
