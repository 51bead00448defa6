use std::collections::BTreeMap;
use std::fmt;

use base16ct::lower::encode_string as hex;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::datetime;
use zeroize::Zeroizing;

use super::generations::{Generations, Purposes, stored_as};
use super::{Bundle, Curve, DERIVATION, PrivateKey, SecretFile};
/// What a password is made of: no character that any configuration syntax gives a meaning.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The least multiple of 62 that does not fit a byte: bytes from here on would favour the
/// first letters, so they are skipped.
const UNBIASED: u8 = 248;

/// A bundle as the stages see it: keys, passwords and fingerprints by label.
///
/// A label is a path such as `leaves/nodes/cp1/apiserver`. Of the purposes under `generations` that
/// it begins with, it follows the longest: `ca/etcd` before `ca`; without one it is at generation 1.
/// Another generation (`hagen secrets rotate`) replaces everything below its purpose and nothing else.
#[derive(Clone)]
pub struct Secrets {
    cluster: String,
    id: String,
    issued_at: OffsetDateTime,
    purposes: Purposes,
    stored: BTreeMap<String, PrivateKey>,
    files: BTreeMap<String, SecretFile>,
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
            purposes: bundle.purposes.clone(),
            stored: bundle.keys().clone(),
            files: bundle.files().clone(),
            prk: bundle.seed().extract(),
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
        // About when this release of hagen was made: `check` judges ends of life by it.
        let bundle = Bundle::new(cluster, seed, datetime!(2026-11-01 00:00 UTC));
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

    /// A private file of the site's own; the placeholder's are all empty.
    pub fn file(&self, name: &str) -> Option<&str> {
        match self.placeholder {
            true => Some(""),
            false => self.files.get(name).map(SecretFile::text),
        }
    }

    /// `N` bytes for a label: HKDF-SHA256 with the seed as key material, salt `hagen/v1` and info
    /// `<derivation>/<cluster>/<generation>/<label>`. The generation is the issuing one of the label's
    /// purpose.
    ///
    /// Different lengths under one label share their beginning: never use a label for two things.
    pub fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        self.derive_of(label, self.purposes.of(label).issuing())
    }

    fn derive_of<const N: usize>(&self, label: &str, generation: u32) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 255 * 32, "HKDF-SHA256 gives no more") };
        let info = format!("{DERIVATION}/{}/{generation}/{label}", self.cluster);
        let mut output = Zeroizing::new([0; N]);
        Hkdf::<Sha256>::from_prk(self.prk.as_ref())
            .expect("32 bytes are a whole key for HKDF-SHA256")
            .expand(info.as_bytes(), output.as_mut())
            .expect("the length is checked at compile time");
        output
    }

    /// The key that signs under a label: that of the issuing generation.
    ///
    /// It is the one that the bundle stores for it, or else derived: the first of
    /// `derive("<label>/p256/<n>")`, n = 0, 1, …, that is a scalar of the group (`p384` for
    /// [`Curve::P384`]). Rejecting instead of reducing keeps the scalar unbiased; a second try is
    /// needed once in 2^32 keys.
    pub fn signing_key(&self, label: &str, curve: Curve) -> PrivateKey {
        self.key_of(label, self.generations(label).issuing(), curve)
    }

    /// The key of each generation of a label that is trusted, the signing one first.
    pub fn trusted_keys(&self, label: &str, curve: Curve) -> Vec<(u32, PrivateKey)> {
        let all = self.generations(label).all();
        all.map(|generation| (generation, self.key_of(label, generation, curve))).collect()
    }

    /// The generations of a label's purpose.
    pub fn generations(&self, label: &str) -> &Generations {
        self.purposes.of(label)
    }

    fn key_of(&self, label: &str, generation: u32, curve: Curve) -> PrivateKey {
        if let Some(key) = self.stored(label, generation) {
            return key.clone();
        }
        match curve {
            Curve::P256 => first_scalar(curve, |n| {
                self.derive_of::<32>(&format!("{label}/p256/{n}"), generation)
            }),
            Curve::P384 => first_scalar(curve, |n| {
                self.derive_of::<48>(&format!("{label}/p384/{n}"), generation)
            }),
        }
    }

    /// The key that the bundle stores for one generation; an entry without one is of the only one.
    fn stored(&self, label: &str, generation: u32) -> Option<&PrivateKey> {
        let only = || self.generations(label).all().count() == 1;
        let exact = || self.stored.get(&stored_as(label, generation));
        self.stored.get(label).filter(|_| only()).or_else(exact)
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
            .field("generations", &self.purposes)
            .finish_non_exhaustive()
    }
}

fn first_scalar<const N: usize>(
    curve: Curve,
    candidate: impl Fn(u32) -> Zeroizing<[u8; N]>,
) -> PrivateKey {
    (0..)
        .find_map(|n| PrivateKey::from_scalar(curve, candidate(n).as_ref()))
        .expect("all but one in 2^32 candidates are scalars of the group")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let bundle = Bundle::new("demo", [7; 32], datetime!(2026-01-31 12:00 UTC));
        Secrets::new(&bundle)
    }

    /// Pinned: if one of these changes, every cluster in the world gets new keys. A new
    /// derivation is a new version beside this one, never another value here. The values were
    /// computed with Python's `hmac` and `openssl ec`, not with this code.
    #[test]
    fn derivation_1_is_pinned() {
        let secrets = secrets();
        assert_eq!(secrets.id(), "297ebd1a1b8f6d64");
        assert_eq!(
            hex(secrets.derive::<16>("serial/ca/kubernetes/00").as_ref()),
            "d4d30dd0517c4a1948cf98137217811f"
        );
        assert_eq!(
            hex(secrets.derive::<32>("encryption/key").as_ref()),
            "a093038421614abc0f5da78f4e06bc7c41c827992f80d24db921ef16f55dcf7a"
        );
        assert_eq!(
            secrets.fingerprint(b"auth_pass secret"),
            "e22ba2b352ebcfc40a79c6a68eea8cb84fa7c8575ba966cc8f3e269934127c25"
        );
        assert_eq!(*secrets.password("vrrp/main", 8), "YAeKxPGG");
        assert_eq!(
            *secrets.password("registry/admin", 100),
            "u12lssCS18Mukt2W8NiwdLz7s42N64KWzJv411lidKDxAJojaK9hFUJtOAqwOMkXapAQhxN2aWK5II8kQrkD6hUXZYAaurl9sI8p"
        );
        assert_eq!(
            *secrets.signing_key("ca/kubernetes", Curve::P256).to_pem(),
            "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIDBLy9dpcNcGNmS440FYIut1ZcCpyyaLdBkeyOB4zjGsoAoGCCqGSM49
AwEHoUQDQgAEgmU58ETrtAn3CAhiTImfkzqi3B0EIEYLdT9o6Pim2uV7GmVnjxpX
6yitykVc3KF1mMp5vMK7xjD25NtqK9x6XQ==
-----END EC PRIVATE KEY-----
"
        );
        assert_eq!(
            *secrets.signing_key("ca/kubernetes", Curve::P384).to_pem(),
            "\
-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDB56HrZTNfq93fdMVm8kAzU4wR+Pg/hTGIYbMDeIF+KddygrM9R3FML
QtzQUviNqNSgBwYFK4EEACKhZANiAARD71HQzdnegVZNWniDey4kWdFxOpBbsRbW
GMBvWGLj+X6A6ij5XOc5oCYkAjAkj77xw/WsSNpsc2XVFteM17TaG5biDVVK7JZX
Swa5En/R1zxZR9+Kfx+0DR4pjkdP5Bk=
-----END EC PRIVATE KEY-----
"
        );
    }

    /// Of a label's generations only the number in the info differs. Computed like those above.
    #[test]
    fn generation_2_of_derivation_1_is_pinned() {
        let mut bundle = Bundle::new("demo", [7; 32], datetime!(2026-01-31 12:00 UTC));
        for purpose in ["encryption", "vrrp", "ca/kubernetes"] {
            assert_eq!(bundle.rotate(purpose), Some(2));
        }
        let secrets = Secrets::new(&bundle);
        assert_eq!(
            hex(secrets.derive::<32>("encryption/key").as_ref()),
            "22ff4401643937e9a332b87062c79fd9b256606df5dffa18b94c9ffd9aaca1eb"
        );
        assert_eq!(*secrets.password("vrrp/main", 8), "LtYAm58c");
        assert_eq!(
            *secrets.signing_key("ca/kubernetes", Curve::P256).to_pem(),
            "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIHftjGo4weqmsicAu5uEUHATReaRc2WjLP1GqXyAhFjAoAoGCCqGSM49
AwEHoUQDQgAEKvjuDG86Gi1+X9vMsrski8PbNPsdf1fURq/xRn+HgqaG3hK4FpjC
KVH87yxvU8C8SIO8gR3/QN1S80lgt7z1QQ==
-----END EC PRIVATE KEY-----
"
        );
    }

    proptest::proptest! {
        /// A bundle of counters alone is the form of before: it reads, is written as it was, and
        /// derives what it always has.
        #[test]
        fn a_bundle_of_before_derives_what_it_did(
            ca in 1_u32.., leaves in 1_u32.., account in 1_u32.., vrrp in proptest::option::of(1_u32..),
        ) {
            let vrrp_line = vrrp.map_or_else(String::new, |vrrp| format!("  vrrp: {vrrp}\n"));
            let new = Bundle::new("demo", [7; 32], datetime!(2026-01-31 12:00 UTC)).to_yaml();
            let (before, after) = new.split_once("  ca: 1\n  leaves: 1\n  serviceAccount: 1\n").unwrap();
            let counters = format!("  ca: {ca}\n  leaves: {leaves}\n  serviceAccount: {account}\n");
            let text = format!("{before}{counters}{vrrp_line}{after}");
            let mut report = crate::report::Report::new();
            let bundle = Bundle::read("demo.secrets.yaml", text.as_bytes(), &mut report).unwrap();
            assert_eq!(*bundle.to_yaml(), text);
            let secrets = Secrets::new(&bundle);
            for (label, generation) in [
                ("ca/kubernetes", ca),
                ("leaves/nodes/cp1/apiserver", leaves),
                ("serviceAccount/key", account),
                ("vrrp/main", vrrp.unwrap_or(1)),
                ("serial/ca/kubernetes", 1),
                ("fingerprint", 1),
            ] {
                let mut expected = [0; 32];
                let info = format!("1/demo/{generation}/{label}");
                let hkdf = Hkdf::<Sha256>::from_prk(secrets.prk.as_ref()).unwrap();
                hkdf.expand(info.as_bytes(), &mut expected).unwrap();
                assert_eq!(*secrets.derive::<32>(label), expected);
            }
        }
    }

    #[test]
    fn a_rejected_candidate_is_followed_by_the_next() {
        let key = first_scalar(Curve::P256, |n| {
            Zeroizing::new([[0; 32], [0xff; 32], [9; 32]][n as usize])
        });
        let third = PrivateKey::from_scalar(Curve::P256, &[9; 32]).unwrap();
        assert_eq!(*key.to_pem(), *third.to_pem());
    }

    #[test]
    fn passwords_use_the_whole_alphabet_evenly() {
        let password = secrets().password("test", 62_000);
        assert_eq!(password.len(), 62_000);
        for letter in ALPHABET {
            let count = password.bytes().filter(|byte| byte == letter).count();
            // 1000 expected, standard deviation 31.
            assert!((840..1160).contains(&count), "{} × {}", char::from(*letter), count);
        }
    }

    #[test]
    fn labels_clusters_and_seeds_are_independent() {
        let here = secrets().derive::<32>("vrrp/main");
        assert_ne!(here, secrets().derive::<32>("vrrp/other"));
        for (cluster, seed) in [("other", 7), ("demo", 8)] {
            let bundle = Bundle::new(cluster, [seed; 32], datetime!(2026-01-31 12:00 UTC));
            assert_ne!(here, Secrets::new(&bundle).derive::<32>("vrrp/main"));
        }
    }

    #[test]
    fn rotating_an_area_changes_it_alone() {
        let mut bundle = Bundle::new("demo", [7; 32], datetime!(2026-01-31 12:00 UTC));
        bundle.rotate("leaves");
        bundle.rotate("vrrp");
        let (before, after) = (secrets(), Secrets::new(&bundle));
        for label in ["leaves/a", "vrrp/main"] {
            assert_ne!(before.derive::<32>(label), after.derive::<32>(label), "{label}");
        }
        for label in ["ca/kubernetes", "serviceAccount/key", "leavesX/a", "fingerprint"] {
            assert_eq!(before.derive::<32>(label), after.derive::<32>(label), "{label}");
        }
        assert_eq!(before.id(), after.id());
    }

    #[test]
    fn a_stored_key_answers_for_its_label_only() {
        let stored = PrivateKey::from_scalar(Curve::P384, &[5; 48]).unwrap();
        let mut bundle = Bundle::new("demo", [7; 32], datetime!(2026-01-31 12:00 UTC));
        bundle.store("ca/etcd", stored.clone());
        let secrets = Secrets::new(&bundle);
        assert_eq!(*secrets.signing_key("ca/etcd", Curve::P256).to_pem(), *stored.to_pem());
        assert_ne!(*secrets.signing_key("ca/kubernetes", Curve::P384).to_pem(), *stored.to_pem());
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", secrets());
        let key = hex(secrets().prk.as_ref());
        assert!(!shown.contains(&key[..8]) && !shown.contains("7, 7"), "{shown}");
    }
}
