use std::fmt;

use p256::ecdsa::signature::Signer;
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use zeroize::Zeroizing;

/// The curve of a derived key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Curve {
    /// NIST P-256 (`prime256v1`), signing with SHA-256.
    P256,
    /// NIST P-384 (`secp384r1`), signing with SHA-384.
    P384,
}

/// A private key whose signatures are deterministic (RFC 6979): signing the same bytes twice
/// gives the same certificate. Wiped when dropped; `Debug` hides it.
#[derive(Clone)]
pub struct PrivateKey(Inner);

#[derive(Clone)]
enum Inner {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl PrivateKey {
    /// From the big-endian scalar of a curve; `None` unless 0 < scalar < the curve's order.
    pub(super) fn from_scalar(curve: Curve, scalar: &[u8]) -> Option<Self> {
        Some(Self(match curve {
            Curve::P256 => Inner::P256(p256::ecdsa::SigningKey::from_slice(scalar).ok()?),
            Curve::P384 => Inner::P384(p384::ecdsa::SigningKey::from_slice(scalar).ok()?),
        }))
    }

    /// From PEM, SEC1 (`EC PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`), on one of the [`Curve`]s.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let p256 = p256::SecretKey::from_sec1_pem(pem).ok();
        if let Some(key) = p256.or_else(|| p256::SecretKey::from_pkcs8_pem(pem).ok()) {
            return Some(Self(Inner::P256(key.into())));
        }
        let p384 = p384::SecretKey::from_sec1_pem(pem).ok();
        let key = p384.or_else(|| p384::SecretKey::from_pkcs8_pem(pem).ok())?;
        Some(Self(Inner::P384(key.into())))
    }

    /// The curve, and with it the signature's hash.
    pub fn curve(&self) -> Curve {
        match &self.0 {
            Inner::P256(_) => Curve::P256,
            Inner::P384(_) => Curve::P384,
        }
    }

    /// The ECDSA signature of `message` in DER, with the nonce of RFC 6979.
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
        }
    }

    /// The public key as it stands in a certificate's BIT STRING: the uncompressed point.
    pub fn public_point(&self) -> Vec<u8> {
        match &self.0 {
            Inner::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Inner::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// SEC1 PEM (`EC PRIVATE KEY`), as kubeadm writes EC keys; LF, 64 columns.
    pub fn to_pem(&self) -> Zeroizing<String> {
        match &self.0 {
            Inner::P256(key) => p256::SecretKey::from(key).to_sec1_pem(LineEnding::LF),
            Inner::P384(key) => p384::SecretKey::from(key).to_sec1_pem(LineEnding::LF),
        }
        .expect("a valid key encodes")
    }

    /// PKIX PEM of the public half (`PUBLIC KEY`), the form of `sa.pub`; LF, 64 columns.
    pub fn public_pem(&self) -> String {
        match &self.0 {
            Inner::P256(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Inner::P384(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
        }
        .expect("a valid key encodes")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, [elided])", self.curve())
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
            assert_eq!(again.curve(), curve);
            assert_eq!(*again.to_pem(), *pem);
            assert_eq!(format!("{key:?}"), format!("PrivateKey({curve:?}, [elided])"));
        }
    }
}
