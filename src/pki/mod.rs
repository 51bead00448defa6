//! Certificates. Rooms ask for them as values ([`CertSpec`]); [`issue()`] is a function of the
//! specs, the [`Policy`] and the secrets: the same input gives the same bytes, in any order, on
//! any number of cores. The only user of rcgen.

mod issue;
mod issued;
mod params;
mod policy;
mod signer;
mod spec;

pub use issue::{issue, service_account_kind};
pub use issued::{Entry, Issued, Leaf, Pair, ServiceAccount};
pub use policy::{Algorithm, Policy, lint};
pub use spec::{Authority, CertSpec, San, Usage};

crate::codes! { "pki":
    ALGORITHM = Warning "algorithm",
    LIFETIME_EXCEEDS_CA = Error "lifetime-exceeds-ca",
    LIFETIME_PAST_2049 = Warning "lifetime-past-2049",
    UNISSUABLE = Error "unissuable",
}

#[cfg(test)]
mod tests;
