//! Whoever can send IP protocol 112 cannot take the VIP away: a machine that is no peer sends
//! adverts of the highest priority, from its own address, and from a peer's as a router would hand
//! them on. Each is sent to a plant without the setting as well, where it has to win.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::cluster::{Case, MINIMAL, MINIMAL_IPV6, compiled};
use crate::keepalived::CONFIGURATION;
use crate::patience::within;

use super::flawless;
use super::plant::{Balancer, Plant, Site};

/// CentOS 7's keepalived: VRRP version 2, whose password everybody on the wire can read.
const VRRP_2: Case = Case {
    name: "vrrp-2",
    edit: |text| text + "keepalived: {programVersion: \"1.3.5\"}\n",
    ..MINIMAL
};

/// How long forged adverts are withstood.
const PERIOD: Duration = Duration::from_secs(5);

/// How long something that has to begin may take.
const BEGINNING: Duration = Duration::from_secs(30);

const FORGER_LOG: &str = "/var/log/forger.log";

/// Sends adverts of priority 254 for ever. Arguments: VIP, port, CA, VRRP version, router id,
/// password or nothing, TTL; then pairs of a target and the source to show, or `own`.
const FORGER: &str = r"
import ipaddress, socket, struct, sys, time

vip, _, _, version, router, password, ttl, *pairs = sys.argv[1:]
vip, version = ipaddress.ip_address(vip), int(version)
family = socket.AF_INET6 if vip.version == 6 else socket.AF_INET

def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def advert(source, target):
    kind = version << 4 | 1
    timing = struct.pack('!BB', 1, 1) if version == 2 else struct.pack('!H', 50)
    head = struct.pack('!BBBB', kind, int(router), 254, 1)
    rest = vip.packed + (password.encode() if version == 2 else b'')
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    size = len(head) + 4 + len(rest)
    pseudo = b'' if version == 2 else ends + (
        struct.pack('!II', size, 112) if vip.version == 6 else struct.pack('!BBH', 0, 112, size)
    )
    total = checksum(pseudo + head + timing + bytes(2) + rest)
    return head + timing + struct.pack('!H', total) + rest

def own(target):
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((target, 9))
        return probe.getsockname()[0]

def packet(source, target):
    body = advert(source, target)
    if family == socket.AF_INET6:
        return body
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    return struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 0, 0, int(ttl), 112, 0) + ends + body

if family == socket.AF_INET6:
    wire = socket.socket(family, socket.SOCK_RAW, 112)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, int(ttl))
else:
    wire = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
while True:
    for target, source in zip(pairs[::2], pairs[1::2]):
        source = own(target) if source == 'own' else source
        wire.sendto(packet(source, target), (target, 0))
    print('sent', flush=True)
    time.sleep(0.1)
";

/// Who a forged advert says that it is from.
#[derive(Clone, Copy, Debug)]
enum From {
    /// The machine that sends it, on the same wire.
    Nobody,
    /// A peer, beyond a router.
    RoutedPeer,
}

impl From {
    /// What sed takes out of the configuration so that such adverts are heard. A TTL that is asked
    /// for turns on the question who sends.
    fn heard_without(self) -> &'static str {
        match self {
            Self::Nobody => "s/ min_ttl 255//; /vrrp_check_unicast_src/d",
            Self::RoutedPeer => "s/ min_ttl 255//",
        }
    }
}

impl Plant<'_> {
    /// Sends adverts to every master from the return on until the plant is gone.
    fn forge(&self, from: From) {
        let read = |file: &str, keyword: &str| {
            let text = fs::read_to_string(self.masters[0].machine.path(file)).unwrap_or_default();
            let words: Vec<&str> = text.split_whitespace().collect();
            let at = words.iter().position(|word| *word == keyword);
            at.map_or(String::new(), |at| words[at + 1].to_owned())
        };
        let version = read(CONFIGURATION, "vrrp_version");
        let router = read(CONFIGURATION, "virtual_router_id");
        let password = read("/etc/keepalived/auth.conf", "auth_pass");
        let ttl = match from {
            From::Nobody => "255",
            From::RoutedPeer => "63",
        };
        let addresses: Vec<&str> =
            self.masters.iter().map(|master| master.node.address.as_str()).collect();
        let next = addresses.iter().cycle().skip(1);
        let pairs = addresses.iter().zip(next).flat_map(|(target, peer)| match from {
            From::Nobody => [*target, "own"],
            From::RoutedPeer => [*target, *peer],
        });
        let settings = [version.as_str(), &router, &password, ttl];
        let arguments: Vec<&str> = settings.into_iter().chain(pairs).collect();
        self.background(FORGER_LOG, FORGER, &arguments);
        let sent = || {
            let log = fs::read_to_string(self.client.path(FORGER_LOG)).unwrap_or_default();
            assert!(log.lines().all(|line| line == "sent"), "{log}");
            !log.is_empty()
        };
        assert!(within(BEGINNING, sent), "nothing was forged");
    }

    /// Who holds the VIP once the endpoint answers and it is one of them.
    fn settled(&self) -> Vec<usize> {
        self.settle();
        within(BEGINNING, || self.holders().len() == 1);
        self.holders()
    }
}

fn forged<T>(
    case: &Case,
    from: From,
    without: Option<&'static str>,
    judge: impl FnOnce(&Plant<'_>, Vec<usize>) -> T,
) -> T {
    let cluster = compiled(case);
    let without = without.map(|edit| (CONFIGURATION, edit));
    let site = Site { without, ..Site::behind(Balancer::Haproxy) };
    let plant = Plant::start(&cluster, &site);
    let before = plant.settled();
    plant.forge(from);
    judge(&plant, before)
}

fn refuses(case: &Case, from: From) {
    flawless(case, || {
        forged(case, from, None, |plant, before| {
            sleep(PERIOD);
            let during = plant.holders();
            let stays = before.len() == 1 && during == before;
            let fault = || format!("{from:?}: {before:?}, then {during:?} hold it");
            Vec::from_iter((!stays).then(fault))
        })
    });
    forged(case, from, Some(from.heard_without()), |plant, before| {
        assert_eq!(before.len(), 1);
        let lost = within(BEGINNING, || plant.holders().is_empty());
        assert!(lost, "{}: {from:?}: forged badly, {:?} holds it", case.name, plant.holders());
    });
}

#[test]
fn by_nobody() {
    refuses(&MINIMAL, From::Nobody);
}

#[test]
fn by_nobody_over_ipv6() {
    refuses(&MINIMAL_IPV6, From::Nobody);
}

#[test]
fn by_nobody_who_knows_the_password() {
    refuses(&VRRP_2, From::Nobody);
}

#[test]
fn by_a_peer_beyond_a_router() {
    refuses(&MINIMAL, From::RoutedPeer);
}
