use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Authority, CertSpec};

/// Every certificate of a cluster, with its key.
#[derive(Debug)]
pub struct Issued {
    pub(super) kubernetes: Pair,
    pub(super) front_proxy: Pair,
    pub(super) etcd: Pair,
    pub(super) service_account: ServiceAccount,
    pub(super) leaves: BTreeMap<String, Leaf>,
}

/// An authority's certificate and key. `Debug` hides the key.
#[derive(Clone)]
pub struct Pair {
    /// Public: PEM, LF, 64 columns.
    pub certificate_pem: String,
    /// Secret: PEM.
    pub key_pem: Zeroizing<String>,
    /// Subject, such as `CN=kubernetes`.
    pub subject: String,
    /// First valid moment, UTC.
    pub not_before: OffsetDateTime,
    /// Last valid moment, UTC.
    pub not_after: OffsetDateTime,
}

/// A leaf certificate and its key. `Debug` hides the key.
#[derive(Clone)]
pub struct Leaf {
    /// What was asked for.
    pub spec: CertSpec,
    /// Public: PEM, LF, 64 columns; the leaf alone, as its issuer is a root.
    pub certificate_pem: String,
    /// Secret: PEM.
    pub key_pem: Zeroizing<String>,
    /// First valid moment, UTC.
    pub not_before: OffsetDateTime,
    /// Last valid moment, UTC.
    pub not_after: OffsetDateTime,
}

/// The key pair that signs service account tokens; `sa.key` and `sa.pub`. `Debug` hides the key.
#[derive(Clone)]
pub struct ServiceAccount {
    /// Secret: PEM.
    pub private_pem: Zeroizing<String>,
    /// Public: PKIX PEM.
    pub public_pem: String,
}

/// One line of the certificate calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// `ca/kubernetes` or the id of a spec.
    pub id: &'a str,
    /// Such as `O=system:nodes, CN=system:node:cp1`.
    pub subject: String,
    /// Who signed it, such as `CN=kubernetes`.
    pub issuer: &'a str,
    /// First valid moment, UTC.
    pub not_before: OffsetDateTime,
    /// Last valid moment, UTC.
    pub not_after: OffsetDateTime,
}

impl Issued {
    /// An authority.
    pub fn ca(&self, authority: Authority) -> &Pair {
        match authority {
            Authority::Kubernetes => &self.kubernetes,
            Authority::FrontProxy => &self.front_proxy,
            Authority::Etcd => &self.etcd,
        }
    }

    /// The certificate that a room asked for under this id.
    ///
    /// # Panics
    /// When no spec had this id: the room renders what it never claimed, which no inventory can
    /// cause and every golden of the room would show.
    pub fn leaf(&self, id: &str) -> &Leaf {
        &self.leaves[id]
    }

    /// The service account key pair, the same on every control plane.
    pub fn service_account(&self) -> &ServiceAccount {
        &self.service_account
    }

    /// Every certificate with its dates: the authorities, then the leaves sorted by id.
    pub fn calendar(&self) -> impl Iterator<Item = Entry<'_>> {
        let authorities = Authority::ALL.into_iter().map(|authority| {
            let pair = self.ca(authority);
            Entry {
                id: authority.id(),
                subject: pair.subject.clone(),
                issuer: &pair.subject,
                not_before: pair.not_before,
                not_after: pair.not_after,
            }
        });
        let leaves = self.leaves.iter().map(|(id, leaf)| Entry {
            id,
            subject: leaf.spec.subject(),
            issuer: &self.ca(leaf.spec.issuer).subject,
            not_before: leaf.not_before,
            not_after: leaf.not_after,
        });
        authorities.chain(leaves)
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("certificate_pem", &self.certificate_pem)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("spec", &self.spec)
            .field("certificate_pem", &self.certificate_pem)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("public_pem", &self.public_pem)
            .finish_non_exhaustive()
    }
}
