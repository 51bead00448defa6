use std::fmt;

use base16ct::lower::encode_string as hex;
use base64ct::{Base64, Encoding};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::DERIVATION;

/// HKDF's salt: names the scheme, so that the seed used elsewhere gives unrelated keys.
const SALT: &[u8] = b"hagen/v1";

/// The 32 bytes from which everything derives. Wiped when dropped; `Debug` hides it.
#[derive(Clone)]
pub(super) struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// From the base64 of exactly 32 bytes.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let length = Base64::decode(text, bytes.as_mut()).ok()?.len();
        (length == 32).then_some(Self(bytes))
    }

    /// As base64 with padding.
    pub(super) fn encode(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64::encode_string(self.0.as_ref()))
    }

    /// The public id: 8 bytes in hex, independent of cluster, generation and date.
    pub(super) fn id(&self) -> String {
        let mut id = [0; 8];
        Hkdf::<Sha256>::from_prk(self.extract().as_ref())
            .expect("32 bytes are a whole key for HKDF-SHA256")
            .expand(format!("{DERIVATION}/id").as_bytes(), &mut id)
            .expect("8 bytes are less than HKDF's limit");
        hex(&id)
    }

    /// HKDF's extract step: the key that every label expands.
    pub(super) fn extract(&self) -> Zeroizing<[u8; 32]> {
        let (prk, _) = Hkdf::<Sha256>::extract(Some(SALT), self.0.as_ref());
        Zeroizing::new(prk.into())
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[elided]")
    }
}
