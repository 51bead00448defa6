//! `pki`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The algorithm of every key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// ECDSA on P-256. Every release accepts it for certificates; for service accounts kubeadm
    /// before 1.26 may demand an RSA key (`hagen explain kubeadm/service-account-key`).
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
}

/// Algorithms and lifetimes of certificates.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PkiSection {
    /// The algorithm of every key. Default: `ecdsa-p256`.
    #[serde(default)]
    pub algorithm: KeyAlgorithm,
    /// Days that an authority is valid. Default: 3650 (kubeadm's).
    #[schemars(range(min = 1, max = 36_500))]
    pub ca_lifetime_days: Option<u32>,
    /// Days that a leaf is valid. Default: 365 (kubeadm's).
    #[schemars(range(min = 1, max = 36_500))]
    pub leaf_lifetime_days: Option<u32>,
}
