use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{is_dns_1123_label, is_dns_1123_subdomain, is_port};
use super::value;
use crate::report::without_logins;

value! {
    /// One address, IPv4 or IPv6, without prefix, port or zone.
    Address(IpAddr), "hagen-address", ["192.168.1.90"], parse_address
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| "an address without prefix or port, such as 192.168.1.90".to_owned())?;
    if address.is_unspecified() || never_routed(address).is_some() {
        return Err(
            "the address of one host, not a loopback, multicast, link-local or empty one".into()
        );
    }
    Ok(address)
}

value! {
    /// An address with the prefix of its subnet: `192.168.1.33/24`.
    InterfaceAddress(IpNet), "hagen-interface-address", ["192.168.1.33/24"], |text| {
        let form = || "an address with the prefix of its subnet, such as 192.168.1.33/24".to_owned();
        let network: IpNet = text.parse().map_err(|_| form())?;
        parse_address(&network.addr().to_string())?;
        Ok(network)
    }
}

impl fmt::Display for InterfaceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

value! {
    /// One network: `10.0.0.0/24`.
    Cidr(IpNet), "hagen-cidr", ["10.0.0.0/24"], |text| match parse_cidrs(text)?.as_slice() {
        [network] => Ok(*network),
        _ => Err("one network, such as 10.0.0.0/24".into()),
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

value! {
    /// One network, or one IPv4 and one IPv6 network separated by a comma. The order decides the
    /// primary family.
    Cidrs(Vec<IpNet>), "hagen-cidrs", ["10.244.0.0/16", "10.244.0.0/16,fd00:10:244::/56"], parse_cidrs
}

impl fmt::Display for Cidrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, network) in self.get().iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            write!(f, "{comma}{network}")?;
        }
        Ok(())
    }
}

fn parse_cidrs(text: &str) -> Result<Vec<IpNet>, String> {
    let mut networks = Vec::new();
    for part in text.split(',') {
        let network: IpNet =
            part.parse().map_err(|_| "a network such as 10.244.0.0/16".to_owned())?;
        if network.addr() != network.network() {
            return Err(format!("the network's own address {}", network.trunc()));
        }
        if let Some(kind) = never_routed(network.addr()) {
            return Err(format!("a network that packets are routed to, and this is {kind}"));
        }
        networks.push(network);
    }
    match networks.as_slice() {
        [_] => Ok(networks),
        [first, second] if first.addr().is_ipv4() != second.addr().is_ipv4() => Ok(networks),
        _ => Err("one network, or one IPv4 and one IPv6 network".into()),
    }
}

/// What an address is that no packet leaves a host or a link for
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry/>).
fn never_routed(address: IpAddr) -> Option<&'static str> {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    if address.is_loopback() {
        Some("loopback's")
    } else if address.is_multicast() {
        Some("multicast's")
    } else if link_local {
        Some("of one link alone")
    } else {
        None
    }
}

/// A TCP or UDP port, 1–65535.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Port(#[schemars(range(min = 1, max = 65_535))] u16);

impl Port {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

value! {
    /// A network interface's name: at most 15 characters (IFNAMSIZ), not `lo`.
    Interface, "hagen-interface", ["eth0"], |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > 15 || !text.chars().all(plain) || text.starts_with(['-', '.']) {
            return Err("an interface name of at most 15 characters, such as eth0".into());
        }
        if text == "lo" {
            return Err("an interface that carries VRRP; lo cannot".into());
        }
        Ok(text.to_owned())
    }
}

value! {
    /// A DNS name (DNS-1123 subdomain), at most 253 characters.
    DnsName, "hagen-dns-name", ["api.example.com"], |text| {
        if is_dns_1123_subdomain(text) && text.parse::<IpAddr>().is_err() {
            Ok(text.to_owned())
        } else {
            Err("a lower-case DNS name such as api.example.com".into())
        }
    }
}

value! {
    /// A DNS name or an address.
    DnsNameOrAddress, "hagen-dns-name-or-address", ["api.example.com", "203.0.113.7"], |text| {
        if is_dns_1123_subdomain(text) || text.parse::<IpAddr>().is_ok() {
            Ok(text.to_owned())
        } else {
            Err("a lower-case DNS name or an address".into())
        }
    }
}

value! {
    /// An `http` or `https` URL without query, fragment, user or blanks.
    Url, "hagen-url", ["https://mirror.example.com/kubernetes/"], |text| {
        let expected = || "a URL such as https://mirror.example.com/kubernetes/".to_owned();
        if without_logins(text) != text {
            return Err("a URL without a name and a password in front of its host: it stands in public files".to_owned());
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(expected)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "443"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:+".contains(c);
        let host_ok = host.split('.').all(is_dns_1123_label);
        if host_ok && host.len() <= 253 && is_port(port) && path.chars().all(plain) && text.len() <= 2048 {
            Ok(text.to_owned())
        } else {
            Err(expected())
        }
    }
}

value! {
    /// What is reached without a proxy: a DNS name with all below it, `.` and a name for what is
    /// below it only, an address, or a network.
    NoProxy, "hagen-no-proxy", [".example.com", "registry.example.com", "10.0.0.0/8"], |text| {
        let name = text.strip_prefix('.').unwrap_or(text);
        let address = text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok();
        if address || is_dns_1123_subdomain(name) {
            Ok(text.to_owned())
        } else {
            Err("a name such as .example.com, an address or a network".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_an_address_that_packets_are_routed_to() {
        for address in ["127.0.0.1", "::1", "0.0.0.0", "224.0.0.18", "169.254.0.10", "fe80::11"] {
            assert!(parse_address(address).is_err(), "{address}");
        }
        for address in ["10.0.0.1", "fd00::1", "203.0.113.7"] {
            assert!(parse_address(address).is_ok(), "{address}");
        }
    }
}
