//! Certificates as values: what a room asks for.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// The authorities of a cluster. Each cluster has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// `/etc/kubernetes/pki/ca.crt`.
    Kubernetes,
    /// `/etc/kubernetes/pki/front-proxy-ca.crt`.
    FrontProxy,
    /// `/etc/kubernetes/pki/etcd/ca.crt`.
    Etcd,
}

impl Authority {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::FrontProxy, Self::Etcd];

    /// The certificate's id and the label of its key in the secrets bundle.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Kubernetes => "ca/kubernetes",
            Self::FrontProxy => "ca/front-proxy",
            Self::Etcd => "ca/etcd",
        }
    }

    /// Subject CN, and the only DNS name in the SAN: both as kubeadm has them
    /// (`cmd/kubeadm/app/phases/certs/certlist.go`).
    pub fn common_name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd-ca",
        }
    }
}

/// The label of the service account key in the secrets bundle.
pub(super) const SERVICE_ACCOUNT: &str = "serviceAccount/key";

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
    /// Subject O, Kubernetes' group. One at most: no component's identity has two, and rcgen's
    /// names hold one value per attribute.
    pub organization: Option<String>,
    /// Extended key usage.
    pub usage: Usage,
    /// Sorted, without duplicates.
    pub sans: BTreeSet<San>,
}

impl CertSpec {
    /// The subject on one line, such as `O=system:nodes, CN=system:node:cp1`.
    pub fn subject(&self) -> String {
        match &self.organization {
            Some(organization) => format!("O={organization}, CN={}", self.common_name),
            None => format!("CN={}", self.common_name),
        }
    }
}
