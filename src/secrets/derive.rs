use std::collections::BTreeMap;
use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::seed::Seed;
use super::{Bundle, Curve, DERIVATION, PrivateKey};

/// HKDF's salt: names the scheme, so that the seed used elsewhere gives unrelated keys.
const SALT: &[u8] = b"hagen/v1";

/// What a password is made of: no character that any configuration syntax gives a meaning.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The least multiple of 62 that does not fit a byte: bytes from here on would favour the
/// first letters, so they are skipped.
const UNBIASED: u8 = 248;

/// A bundle as the stages see it: keys, passwords and fingerprints by label.
///
/// A label is a path such as `leaves/nodes/cp1/apiserver`. Its first segment names the
/// generation counter that it follows; an area without a counter is at generation 1. Raising a
/// counter (`hagen secrets rotate`) replaces everything below that area and nothing else.
#[derive(Clone)]
pub struct Secrets {
    cluster: String,
    id: String,
    issued_at: OffsetDateTime,
    generations: BTreeMap<String, u32>,
    stored: BTreeMap<String, PrivateKey>,
    prk: Zeroizing<[u8; 32]>,
    fingerprint_key: Zeroizing<[u8; 32]>,
    placeholder: bool,
}

impl Secrets {
    /// The derived view of a bundle.
    pub fn new(bundle: &Bundle) -> Self {
        let mut secrets = Self {
            cluster: bundle.cluster().to_owned(),
            id: bundle.id(),
            issued_at: bundle.issued_at(),
            generations: bundle.generations().clone(),
            stored: bundle.keys().clone(),
            prk: extract(bundle.seed()),
            fingerprint_key: Zeroizing::default(),
            placeholder: false,
        };
        secrets.fingerprint_key = secrets.derive("fingerprint");
        secrets
    }

    /// Fixed, worthless secrets for `hagen check`, which runs without a bundle. Nothing made
    /// from them may be written.
    pub fn placeholder(cluster: &str) -> Self {
        let seed = *b"hagen placeholder, never written";
        let bundle = Bundle::new(cluster, seed, datetime!(2025-01-01 00:00 UTC));
        Self { placeholder: true, ..Self::new(&bundle) }
    }

    /// Whether these are the worthless ones, whose date means nothing either.
    pub fn is_placeholder(&self) -> bool {
        self.placeholder
    }

    /// The public id of the bundle; the manifest names it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the bundle was made or last renewed; every certificate is dated from it.
    pub fn issued_at(&self) -> OffsetDateTime {
        self.issued_at
    }

    /// `N` bytes for a label: HKDF-SHA256 with the seed as key material, salt `hagen/v1` and info
    /// `<derivation>/<cluster>/<generation>/<label>`.
    ///
    /// Different lengths under one label share their beginning: never use a label for two things.
    pub fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 255 * 32, "HKDF-SHA256 gives no more") };
        let area = label.split('/').next().unwrap_or(label);
        let generation = self.generations.get(area).copied().unwrap_or(1);
        let info = format!("{DERIVATION}/{}/{generation}/{label}", self.cluster);
        let mut output = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::from_prk(self.prk.as_ref())
            .expect("32 bytes are a whole key for HKDF-SHA256")
            .expand(info.as_bytes(), output.as_mut())
            .expect("the length is checked at compile time");
        output
    }

    /// The key of a label: the one stored in the bundle under this very label, or else derived.
    ///
    /// Derived: the first of `derive("<label>/p256/<n>")`, n = 0, 1, …, that is a scalar of the
    /// group (`p384` for [`Curve::P384`]). Rejecting instead of reducing keeps the scalar
    /// unbiased; a second try is needed once in 2^32 keys.
    pub fn signing_key(&self, label: &str, curve: Curve) -> PrivateKey {
        if let Some(key) = self.stored.get(label) {
            return key.clone();
        }
        match curve {
            Curve::P256 => first_scalar(curve, |n| self.derive::<32>(&format!("{label}/p256/{n}"))),
            Curve::P384 => first_scalar(curve, |n| self.derive::<48>(&format!("{label}/p384/{n}"))),
        }
    }

    /// A password of `length` characters out of `[A-Za-z0-9]`, each equally likely.
    pub fn password(&self, label: &str, length: usize) -> Zeroizing<String> {
        // Reserved at once: growing would leave copies behind that nothing wipes.
        let mut password = Zeroizing::new(String::with_capacity(length));
        for block in 0_u32.. {
            let bytes = self.derive::<64>(&format!("{label}/password/{length}/{block}"));
            for byte in bytes.iter().filter(|byte| **byte < UNBIASED) {
                if password.len() == length {
                    return password;
                }
                password.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        password
    }

    /// The HMAC-SHA256 of a private file, in hex. The manifest pins private files by it: a bare
    /// hash of a short password could be searched offline.
    pub fn fingerprint(&self, bytes: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.fingerprint_key.as_ref())
            .expect("HMAC takes keys of any length");
        mac.update(bytes);
        hex(&mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("cluster", &self.cluster)
            .field("id", &self.id)
            .field("issued_at", &self.issued_at)
            .field("generations", &self.generations)
            .finish_non_exhaustive()
    }
}

/// The public id of a seed: 8 bytes in hex, independent of cluster, generation and date.
pub(super) fn id_of(seed: &Seed) -> String {
    let mut id = [0; 8];
    Hkdf::<Sha256>::from_prk(extract(seed).as_ref())
        .expect("32 bytes are a whole key for HKDF-SHA256")
        .expand(format!("{DERIVATION}/id").as_bytes(), &mut id)
        .expect("8 bytes are less than HKDF's limit");
    hex(&id)
}

fn extract(seed: &Seed) -> Zeroizing<[u8; 32]> {
    let (prk, _) = Hkdf::<Sha256>::extract(Some(SALT), seed.bytes());
    Zeroizing::new(prk.into())
}

fn first_scalar<const N: usize>(
    curve: Curve,
    candidate: impl Fn(u32) -> Zeroizing<[u8; N]>,
) -> PrivateKey {
    (0..)
        .find_map(|n| PrivateKey::from_scalar(curve, candidate(n).as_ref()))
        .expect("all but one in 2^32 candidates are scalars of the group")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
