//! Certificates as values: what a room asks for.

use std::collections::BTreeSet;
use std::net::IpAddr;

/// Who signs certificates. Whoever needs one declares it and hands it around; nothing here knows which
/// there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// The certificate's id and the label of its key in the secrets bundle, such as `ca/kubernetes`.
    pub id: &'static str,
    /// Subject CN, and the only DNS name in the SAN, as kubeadm has it with its own.
    pub common_name: &'static str,
    /// What it is for: the usages of the certificates that it may sign.
    pub signs: &'static [Usage],
}

impl Authority {
    /// The subject on one line, such as `CN=kubernetes`.
    pub fn subject(&self) -> String {
        format!("CN={}", self.common_name)
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
