use std::fmt;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::{AssociatedOid, DecodePrivateKey, EncodePublicKey, LineEnding};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15;
use rsa::rand_core::CryptoRng;
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use sec1::der::Encode;
use sec1::der::pem::{self, PemLabel};
use sec1::{EcParameters, EcPrivateKey};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The curve of a derived key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Curve {
    /// NIST P-256 (`prime256v1`), signing with SHA-256.
    P256,
    /// NIST P-384 (`secp384r1`), signing with SHA-384.
    P384,
}

/// How a [`PrivateKey`] signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// ECDSA with the curve's hash.
    Ecdsa(Curve),
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rsa,
}

/// The least RSA modulus in bits that a bundle may hold: kubeadm's own, and NIST's minimum
/// (SP 800-131A).
const RSA_BITS: usize = 2048;

/// What is signed to see that a key can sign.
const TRIAL: &[u8] = b"hagen";

/// Why a text is no private key that hagen can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable(&'static str);

impl Unusable {
    const KIND: Self = Self("it is not an EC key on P-256 or P-384 or an RSA key, in PEM");
    const RSA: Self = Self("the numbers of the RSA key do not belong together");
    const FACTORS: Self = Self("the factors of the RSA key are not two different primes");
    const SHORT: Self = Self("the RSA key has fewer than 2048 bits");
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unusable {}

/// A private key whose signatures are deterministic (RFC 6979 for ECDSA; PKCS#1 v1.5 by nature):
/// signing the same bytes twice gives the same certificate. Wiped when dropped; `Debug` hides it.
#[derive(Clone)]
pub struct PrivateKey(Inner);

#[derive(Clone)]
enum Inner {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(pkcs1v15::SigningKey<Sha256>),
}

impl PrivateKey {
    /// From the big-endian scalar of a curve; `None` unless 0 < scalar < the curve's order.
    pub(super) fn from_scalar(curve: Curve, scalar: &[u8]) -> Option<Self> {
        Some(Self(match curve {
            Curve::P256 => Inner::P256(p256::ecdsa::SigningKey::from_slice(scalar).ok()?),
            Curve::P384 => Inner::P384(p384::ecdsa::SigningKey::from_slice(scalar).ok()?),
        }))
    }

    /// A new RSA key of `bits`, at least 2048. RSA keys are never derived: the search for primes
    /// is the library's own and may change with it.
    pub fn draw_rsa<R: CryptoRng + ?Sized>(rng: &mut R, bits: usize) -> Option<Self> {
        (bits >= RSA_BITS).then_some(())?;
        RsaPrivateKey::new(rng, bits).ok().map(Self::from_rsa)
    }

    fn from_rsa(key: RsaPrivateKey) -> Self {
        Self(Inner::Rsa(pkcs1v15::SigningKey::new(key)))
    }

    /// From PEM: an EC key on one of the [`Curve`]s or an RSA key of at least 2048 bits, in the
    /// form of kubeadm (`EC PRIVATE KEY`, `RSA PRIVATE KEY`) or in PKCS#8 (`PRIVATE KEY`).
    ///
    /// # Errors
    /// When it is none of these, or could not sign.
    pub fn from_pem(pem: &str) -> Result<Self, Unusable> {
        let p256 = p256::SecretKey::from_sec1_pem(pem).ok();
        if let Some(key) = p256.or_else(|| p256::SecretKey::from_pkcs8_pem(pem).ok()) {
            return Ok(Self(Inner::P256(key.into())));
        }
        let p384 = p384::SecretKey::from_sec1_pem(pem).ok();
        if let Some(key) = p384.or_else(|| p384::SecretKey::from_pkcs8_pem(pem).ok()) {
            return Ok(Self(Inner::P384(key.into())));
        }
        let rsa = RsaPrivateKey::from_pkcs1_pem(pem).ok();
        let key = rsa.or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok());
        let no_key =
            if pem.contains("BEGIN RSA PRIVATE KEY") { Unusable::RSA } else { Unusable::KIND };
        Self::from_given_rsa(key.ok_or(no_key)?)
    }

    /// The library takes any factors for which n = p·q and e·d = 1 modulo p-1 and q-1, and fails
    /// where it signs or encodes: with equal ones there is no inverse of q modulo p, and with
    /// composite ones a signature is wrong.
    fn from_given_rsa(key: RsaPrivateKey) -> Result<Self, Unusable> {
        if (key.n().bits() as usize) < RSA_BITS {
            return Err(Unusable::SHORT);
        }
        let inverse = key.crt_coefficient();
        let signer = pkcs1v15::SigningKey::<Sha256>::new(key);
        let signature: Option<pkcs1v15::Signature> =
            inverse.and_then(|_| signer.try_sign(TRIAL).ok());
        let verifier = pkcs1v15::VerifyingKey::<Sha256>::new(signer.as_ref().to_public_key());
        match signature {
            Some(signature) if verifier.verify(TRIAL, &signature).is_ok() => {
                Ok(Self(Inner::Rsa(signer)))
            }
            _ => Err(Unusable::FACTORS),
        }
    }

    /// How it signs.
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Inner::P256(_) => KeyKind::Ecdsa(Curve::P256),
            Inner::P384(_) => KeyKind::Ecdsa(Curve::P384),
            Inner::Rsa(_) => KeyKind::Rsa,
        }
    }

    /// The signature of `message` as a certificate carries it; ECDSA in DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Inner::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Inner::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Inner::Rsa(key) => key.sign(message).to_vec(),
        }
    }

    /// The public key as it stands in a certificate's BIT STRING: the uncompressed point, or
    /// PKCS#1's RSAPublicKey.
    pub fn public_bits(&self) -> Vec<u8> {
        match &self.0 {
            Inner::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Inner::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Inner::Rsa(key) => {
                let key: &RsaPrivateKey = key.as_ref();
                key.to_public_key().to_pkcs1_der().expect("a valid key encodes").into_vec()
            }
        }
    }

    /// PEM as kubeadm writes it: SEC1 (`EC PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`); LF, 64
    /// columns.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let (scalar, curve) = match &self.0 {
            Inner::P256(key) => (Zeroizing::new(key.to_bytes().to_vec()), p256::NistP256::OID),
            Inner::P384(key) => (Zeroizing::new(key.to_bytes().to_vec()), p384::NistP384::OID),
            Inner::Rsa(key) => {
                let key: &RsaPrivateKey = key.as_ref();
                return key.to_pkcs1_pem(LineEnding::LF).expect("a valid key encodes");
            }
        };
        // `SecretKey::to_sec1_pem` would compute the public point anew, as long as signing takes.
        let point = self.public_bits();
        let key = EcPrivateKey {
            private_key: &scalar,
            parameters: Some(EcParameters::NamedCurve(curve)),
            public_key: Some(&point),
        };
        let der = Zeroizing::new(key.to_der().expect("a valid key encodes"));
        let pem = pem::encode_string(EcPrivateKey::PEM_LABEL, LineEnding::LF, &der);
        Zeroizing::new(pem.expect("the label is one that PEM allows"))
    }

    /// PKIX PEM of the public half (`PUBLIC KEY`), the form of `sa.pub`; LF, 64 columns.
    pub fn public_pem(&self) -> String {
        match &self.0 {
            Inner::P256(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Inner::P384(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Inner::Rsa(key) => {
                let key: &RsaPrivateKey = key.as_ref();
                key.to_public_key().to_public_key_pem(LineEnding::LF)
            }
        }
        .expect("a valid key encodes")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, [elided])", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().map(|digit| digit.to_digit(16).expect("a hex digit") as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// r and s of a DER signature, without the sign octet.
    fn scalars(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let integer = |at: usize| {
            let end = at + 2 + der[at + 1] as usize;
            let value = &der[at + 2..end];
            (value.strip_prefix(&[0]).unwrap_or(value).to_vec(), end)
        };
        let (r, next) = integer(2);
        (r, integer(next).0)
    }

    // RFC 6979, appendix A.2.5, message "sample", SHA-256.
    #[test]
    fn p256_signs_as_rfc_6979_says() {
        let scalar = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
        let key = PrivateKey::from_scalar(Curve::P256, &scalar).unwrap();
        let (r, s) = scalars(&key.sign(b"sample"));
        assert_eq!(r, hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"));
        assert_eq!(s, hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"));
    }

    // RFC 6979, appendix A.2.6, message "sample", SHA-384.
    #[test]
    fn p384_signs_as_rfc_6979_says() {
        let scalar = hex("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8\
             96D5724E4C70A825F872C9EA60D2EDF5");
        let key = PrivateKey::from_scalar(Curve::P384, &scalar).unwrap();
        let (r, s) = scalars(&key.sign(b"sample"));
        assert_eq!(
            r,
            hex("94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C\
                 81A648152E44ACF96E36DD1E80FABE46")
        );
        assert_eq!(
            s,
            hex("99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F\
                 A329C145786E679E7B82C71A38628AC8")
        );
    }

    #[test]
    fn a_scalar_outside_the_group_is_no_key() {
        assert!(PrivateKey::from_scalar(Curve::P256, &[0; 32]).is_none());
        assert!(PrivateKey::from_scalar(Curve::P256, &[0xff; 32]).is_none());
        assert!(PrivateKey::from_scalar(Curve::P384, &[0; 48]).is_none());
        assert!(PrivateKey::from_scalar(Curve::P384, &[0xff; 48]).is_none());
    }

    #[test]
    fn pem_reads_back_and_debug_hides_the_key() {
        for (curve, length) in [(Curve::P256, 32), (Curve::P384, 48)] {
            let key = PrivateKey::from_scalar(curve, &vec![7; length]).unwrap();
            let pem = key.to_pem();
            assert!(pem.starts_with("-----BEGIN EC PRIVATE KEY-----\n"), "SEC1, as kubeadm");
            assert!(pem.lines().all(|line| line.len() <= 64) && pem.ends_with("-----\n"));
            let again = PrivateKey::from_pem(&pem).unwrap();
            assert_eq!(again.kind(), KeyKind::Ecdsa(curve));
            assert_eq!(*again.to_pem(), *pem);
            assert_eq!(format!("{key:?}"), format!("PrivateKey(Ecdsa({curve:?}), [elided])"));
        }
    }

    // A test key, of use nowhere else; drawn and its signature computed with OpenSSL 3.0.
    const RSA: &str = include_str!("testdata/rsa-2048.pem");

    #[test]
    fn rsa_signs_as_openssl_does() {
        use sha2::Digest;
        let key = PrivateKey::from_pem(RSA).unwrap();
        assert_eq!(key.kind(), KeyKind::Rsa);
        assert_eq!(
            Sha256::digest(key.sign(b"sample"))[..],
            hex("27afc5d823807d3d52275ed22a7f6b634a35adf32d581946de13e7ee5f5a9601")
        );
        assert_eq!(*key.to_pem(), RSA, "PKCS#1, as kubeadm");
        assert_eq!(format!("{key:?}"), "PrivateKey(Rsa, [elided])");
    }

    #[test]
    fn a_short_rsa_key_is_refused() {
        const SHORT: &str = include_str!("testdata/rsa-1024.pem");
        assert!(RsaPrivateKey::from_pkcs1_pem(SHORT).is_ok());
        assert_eq!(PrivateKey::from_pem(SHORT).unwrap_err(), Unusable::SHORT);
    }

    /// Made with Python's integers: all satisfy n = p·q, and the first three
    /// e·d = 1 modulo p-1 and q-1.
    #[test]
    fn an_rsa_key_that_could_not_sign_is_refused() {
        const EQUAL: &str = include_str!("testdata/rsa-equal-primes.pem");
        const EQUAL_PKCS8: &str = include_str!("testdata/rsa-equal-primes.pkcs8.pem");
        const COMPOSITE: &str = include_str!("testdata/rsa-composite-factor.pem");
        const EXPONENT: &str = include_str!("testdata/rsa-other-exponent.pem");
        const MODULUS: &str = include_str!("testdata/rsa-other-modulus.pem");
        for (pem, why) in [
            (EQUAL, Unusable::FACTORS),
            (EQUAL_PKCS8, Unusable::FACTORS),
            (COMPOSITE, Unusable::FACTORS),
            (EXPONENT, Unusable::RSA),
            (MODULUS, Unusable::RSA),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n",
                Unusable::RSA,
            ),
            ("hunter2", Unusable::KIND),
        ] {
            assert_eq!(PrivateKey::from_pem(pem).unwrap_err(), why, "{pem}");
        }
    }

    /// A reproducible source of bytes: SHA-256 of a counter.
    struct Counter(u64);

    impl rsa::rand_core::TryRng for Counter {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.try_next_u64()? as u32)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            use sha2::Digest;
            for chunk in out.chunks_mut(32) {
                self.0 += 1;
                chunk.copy_from_slice(&Sha256::digest(self.0.to_le_bytes())[..chunk.len()]);
            }
            Ok(())
        }
    }

    impl rsa::rand_core::TryCryptoRng for Counter {}

    #[test]
    fn a_drawn_rsa_key_reads_back() {
        assert!(PrivateKey::draw_rsa(&mut Counter(0), 1024).is_none());
        let key = PrivateKey::draw_rsa(&mut Counter(0), 2048).unwrap();
        let again = PrivateKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.sign(b"sample"), key.sign(b"sample"));
        assert!(again.public_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    }
}
