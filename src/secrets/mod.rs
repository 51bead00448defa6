//! The secrets bundle: one small file from which every key, password and fingerprint of a
//! cluster derives. [`Bundle`] is what is stored, [`Secrets`] is what the stages work with.
//!
//! Nothing here draws randomness or reads a clock: entropy and dates come from the command line
//! layer, once, when the bundle is made. The same bundle gives the same keys for ever; the
//! derivation carries a version and is pinned by test vectors.

mod bundle;
mod derive;
mod key;
mod read;
mod seed;

pub use bundle::{API_VERSION, Bundle, DERIVATION};
pub(crate) use bundle::{is_datable, rfc3339};
pub use derive::Secrets;
pub use key::{Curve, KeyKind, PrivateKey};

use crate::report::{Finding, Path};

crate::codes! { "secrets":
    MISSING = Error "missing",
    NEWER = Error "newer",
    WRONG_CLUSTER = Error "wrong-cluster",
    CORRUPT = Error "corrupt",
    READABLE = Warning "readable",
}

/// The finding of a build that found no bundle at `bundle`, for the inventory file `inventory`.
pub fn missing(bundle: &str, inventory: &str) -> Finding {
    Finding::new(&MISSING, Path::root(), format!("there is no secrets bundle at {bundle}"))
        .help(format!("make one, once, with `hagen secrets new {inventory}`"))
}

/// The finding of a bundle whose `mode` (permission bits) lets others than its owner read it.
pub fn readable(bundle: &str, mode: u32) -> Finding {
    Finding::new(
        &READABLE,
        Path::root(),
        format!("the secrets bundle {bundle} has mode {mode:04o}, so others can read it"),
    )
    .help(format!("chmod 0600 {bundle}"))
}
