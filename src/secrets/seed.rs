use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

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

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[elided]")
    }
}
