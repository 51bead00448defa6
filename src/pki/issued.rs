use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Authority, CertSpec};

/// Every certificate of a cluster, with its key.
#[derive(Debug)]
pub struct Issued {
    pub(super) authorities: BTreeMap<Authority, Trusted>,
    pub(super) service_account: ServiceAccount,
    pub(super) leaves: BTreeMap<String, Leaf>,
}

/// The generations of one authority that are trusted.
#[derive(Debug)]
pub(super) struct Trusted {
    pub(super) issuing: Pair,
    others: Vec<Pair>,
    all_pem: String,
}

impl Trusted {
    /// Of at least one; the first issues.
    pub(super) fn new(mut pairs: Vec<Pair>) -> Self {
        let all_pem = pairs.iter().map(|pair| pair.certificate_pem.as_str()).collect();
        let issuing = pairs.remove(0);
        Self { issuing, others: pairs, all_pem }
    }
}

/// One generation of an authority: certificate and key. `Debug` hides the key.
#[derive(Clone)]
pub struct Pair {
    /// Which generation of the authority's label it is.
    pub generation: u32,
    /// Public: PEM, LF, 64 columns. What verifies others reads [`Issued::trust`] instead.
    pub certificate_pem: String,
    /// Secret: PEM.
    pub key_pem: Zeroizing<String>,
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
    /// Which generation of its authority signed it.
    pub authority_generation: u32,
    /// Which generation its key is of.
    pub key_generation: u32,
    /// The bundle's date, UTC.
    pub issued_at: OffsetDateTime,
    /// First valid moment, UTC.
    pub not_before: OffsetDateTime,
    /// Last valid moment, UTC.
    pub not_after: OffsetDateTime,
}

/// The keys of service account tokens; `sa.key` and `sa.pub`. `Debug` hides the private one.
#[derive(Clone)]
pub struct ServiceAccount {
    /// Secret: PEM of the one that signs.
    pub private_pem: Zeroizing<String>,
    /// Public: PKIX PEM of each that is trusted, that of the signing one first. API servers verify
    /// tokens by all of them (`--service-account-key-file`: "The specified file can contain multiple
    /// keys"), and kubeadm looks at the first (`TryLoadPrivatePublicKeyFromDisk` in
    /// <https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/util/pkiutil/pki_helpers.go>).
    pub public_pem: String,
}

/// One line of the certificate calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// `ca/kubernetes`, `ca/kubernetes@1` for a generation that is trusted and does not issue, or the
    /// id of a spec.
    pub id: Cow<'a, str>,
    /// Such as `O=system:nodes, CN=system:node:cp1`.
    pub subject: String,
    /// Who signed it, such as `CN=kubernetes`.
    pub issuer: String,
    /// First valid moment, UTC.
    pub not_before: OffsetDateTime,
    /// Last valid moment, UTC.
    pub not_after: OffsetDateTime,
}

impl Issued {
    /// What every reader of an authority gets, in PEM: each generation that is trusted, the issuing one
    /// first and the others as the bundle lists them.
    ///
    /// Go, OpenSSL and curl take every certificate of such a file: `--client-ca-file`, `--root-ca-file`,
    /// `--requestheader-client-ca-file`, `clientCAFile` and kubeconfigs
    /// (`CertsFromFile` in <https://github.com/kubernetes/client-go/blob/master/util/cert/pem.go>),
    /// etcd's `trusted-ca-file` (`NewCertPool` in
    /// <https://github.com/etcd-io/etcd/blob/main/client/pkg/tlsutil/tlsutil.go>), haproxy's `ca-file`.
    /// kubeadm signs with the first one and checks its leaves against it (`TryLoadCertFromDisk` in
    /// <https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/util/pkiutil/pki_helpers.go>),
    /// which is why that has to be the one of the key beside it.
    ///
    /// One program takes no file with two: what signs in the controller manager
    /// (<https://github.com/kubernetes/kubeadm/issues/1350>) gets [`Issued::issuing`].
    ///
    /// # Panics
    /// When nobody declared the authority, which no inventory can cause.
    pub fn trust(&self, authority: &Authority) -> &str {
        &self.authorities[authority].all_pem
    }

    /// The generation of an authority that signs: for who signs as well.
    ///
    /// # Panics
    /// As [`Issued::trust`].
    pub fn issuing(&self, authority: &Authority) -> &Pair {
        &self.authorities[authority].issuing
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

    /// Every certificate with its dates: the authorities, then the leaves, sorted by id.
    pub fn calendar(&self) -> impl Iterator<Item = Entry<'_>> {
        let authorities = self.authorities.iter().flat_map(|(authority, trusted)| {
            let others = trusted.others.iter().map(|pair| {
                let id = format!("{}@{}", authority.id, pair.generation);
                (Cow::Owned(id), pair)
            });
            let all =
                std::iter::once((Cow::Borrowed(authority.id), &trusted.issuing)).chain(others);
            all.map(|(id, pair)| Entry {
                id,
                subject: authority.subject(),
                issuer: authority.subject(),
                not_before: pair.not_before,
                not_after: pair.not_after,
            })
        });
        let leaves = self.leaves.iter().map(|(id, leaf)| Entry {
            id: Cow::Borrowed(id),
            subject: leaf.spec.subject(),
            issuer: leaf.spec.issuer.subject(),
            not_before: leaf.not_before,
            not_after: leaf.not_after,
        });
        authorities.chain(leaves)
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("generation", &self.generation)
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
