use base16ct::lower::encode_string as hex;
use p256::pkcs8::der::pem::{self, LineEnding};
use rcgen::{Certificate, CertificateParams, Issuer, PublicKeyData, SignatureAlgorithm};
use sha2::{Digest, Sha256};

use crate::secrets::{Curve, KeyKind, PrivateKey, Secrets};

/// A key of ours as rcgen sees it. rcgen's own `KeyPair` signs with fresh randomness, so no
/// crypto backend of it is compiled in.
pub(super) struct Signer {
    key: PrivateKey,
    public: Vec<u8>,
}

impl Signer {
    pub(super) fn new(key: PrivateKey) -> Self {
        let public = key.public_bits();
        Self { key, public }
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The key identifier: the leftmost 160 bits of the SHA-256 of the public key's bits
    /// (RFC 7093, section 2, method 1), which is what Go computes from 1.25 on.
    pub(super) fn key_id(&self) -> Vec<u8> {
        Sha256::digest(&self.public)[..20].to_vec()
    }

    /// Signs `subject`'s certificate; `params` are this authority's own, `label` is the
    /// certificate's place in the derivation.
    ///
    /// The serial number derives from the bundle, the label and the certificate itself as it
    /// would be without serial and signature: whatever changes in it, the serial changes too.
    pub(super) fn certify(
        &self,
        params: &CertificateParams,
        label: &str,
        mut request: CertificateParams,
        subject: &Signer,
        secrets: &Secrets,
    ) -> Result<Certificate, rcgen::Error> {
        request.serial_number = Some(1.into());
        let draft = request.signed_by(subject, &Issuer::from_params(params, Draft(self)))?;
        let content = hex(&Sha256::digest(draft.der()));
        let mut serial = secrets.derive::<16>(&format!("serial/{label}/{content}"));
        // RFC 5280 wants a positive number of at most 20 octets. Fixing the two top bits makes it
        // one of exactly 16, with 126 bits that nobody can guess.
        serial[0] = serial[0] & 0x3f | 0x40;
        request.serial_number = Some(serial.to_vec().into());
        request.signed_by(subject, &Issuer::from_params(params, self))
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.key.kind() {
            KeyKind::Ecdsa(Curve::P256) => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyKind::Ecdsa(Curve::P384) => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyKind::Rsa => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message))
    }
}

/// An authority that writes its name under a certificate but does not sign it.
struct Draft<'a>(&'a Signer);

impl PublicKeyData for Draft<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl rcgen::SigningKey for Draft<'_> {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Vec::new())
    }
}

/// A certificate in PEM. rcgen's own writer ends lines in CRLF on Windows.
pub(super) fn certificate_pem(certificate: &Certificate) -> String {
    pem::encode_string("CERTIFICATE", LineEnding::LF, certificate.der())
        .expect("the label is one that PEM allows")
}
