//! Certificates as values: what a room asks for.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The authorities of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// `/etc/kubernetes/pki/ca.crt`.
    Kubernetes,
    /// `/etc/kubernetes/pki/front-proxy-ca.crt`.
    FrontProxy,
    /// `/etc/kubernetes/pki/etcd/ca.crt`.
    Etcd,
}

/// Extended key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// serverAuth.
    Server,
    /// clientAuth.
    Client,
    /// Both, as etcd members need.
    Peer,
}

/// A subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum San {
    /// A DNS name.
    Dns(String),
    /// An address; IPv4 as 4, IPv6 as 16 octets.
    Ip(IpAddr),
}

/// One leaf certificate. Equal specs under one bundle give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertSpec {
    /// Unique in the cluster and part of the derivation label, such as `nodes/cp1/apiserver`.
    pub id: String,
    /// Who signs it.
    pub issuer: Authority,
    /// Subject CN; never empty.
    pub common_name: String,
    /// Subject O, in order.
    pub organization: Vec<String>,
    /// Extended key usage.
    pub usage: Usage,
    /// Sorted, without duplicates.
    pub sans: BTreeSet<San>,
}
