//! The secrets bundle: one small file from which every key, password and fingerprint of a
//! cluster derives. [`Bundle`] is what is stored, [`Secrets`] is what the stages work with.
//!
//! Nothing here draws randomness or reads a clock: entropy and dates come from the command line
//! layer, once, when the bundle is made. The same bundle gives the same keys for ever; the
//! derivation carries a version and is pinned by test vectors.

mod bundle;
mod derive;
mod faults;
mod generations;
mod key;
mod read;
mod seed;

pub use bundle::{API_VERSION, Bundle, DERIVATION, STORABLE, SecretFile};
pub(crate) use bundle::{is_datable, rfc3339};
pub use derive::Secrets;
pub use generations::Generations;
pub use key::{Curve, KeyKind, PrivateKey, Unusable};
pub use read::is_bundle;

use crate::report::{Finding, Path};

crate::codes! { "secrets":
    MISSING = Error "missing",
    NEWER = Error "newer",
    WRONG_CLUSTER = Error "wrong-cluster",
    CORRUPT = Error "corrupt",
    UNKNOWN_LABEL = Error "unknown-label",
    CONTRADICTION = Error "contradiction",
    UNUSABLE_KEY = Error "unusable-key",
    NO_FILE = Error "no-file",
    READABLE = Warning "readable",
    TRACKED = Warning "tracked",
    NOT_IGNORED = Warning "not-ignored",
    TRACKED_FILE = Warning "tracked-file",
    INDEX_UNKNOWN = Warning "index-unknown",
}

/// The finding of a build that found no bundle at `bundle`, for the inventory file `inventory`.
pub fn missing(bundle: &str, inventory: &str) -> Finding {
    Finding::new(&MISSING, Path::root(), format!("there is no secrets bundle at {bundle}"))
        .help(format!("make one, once, with `hagen secrets new {inventory}`"))
}

/// The finding of a private file, asked for `at` a place of the inventory, that the bundle lacks.
pub fn no_file(at: Path, name: &str) -> Finding {
    Finding::new(&NO_FILE, at, format!("the secrets bundle holds no file `{name}`"))
        .label("looked for there")
        .help(format!("give it its contents: `hagen secrets put INVENTORY {name} FILE`"))
}

/// The finding of a bundle that Git tracks; `line` is for a `.gitignore`.
pub fn tracked(bundle: &str, line: &str) -> Finding {
    Finding::new(&TRACKED, Path::root(), format!("Git tracks the secrets bundle {bundle}")).help(
        format!(
            "`git rm --cached {bundle}`, and add the line `{line}` to the file .gitignore beside it"
        ),
    )
}

/// The finding of a bundle that Git would take; `line` is for a `.gitignore`, and `link` says that
/// the one beside it is no file.
pub fn not_ignored(bundle: &str, line: &str, link: bool) -> Finding {
    let message =
        format!("Git does not ignore the secrets bundle {bundle}, so `git add .` takes it");
    Finding::new(&NOT_IGNORED, Path::root(), message).help(match link {
        true => format!(
            "the .gitignore beside it is a link, which Git does not follow: put a file with the line `{line}` in its place"
        ),
        false => format!("add the line `{line}` to the file .gitignore beside it"),
    })
}

/// How many paths a message and a help name.
const NAMED: usize = 5;

/// The finding of private files of the tree in `folder` that Git tracks, by their `paths` in it.
pub fn tracked_files(folder: &str, paths: &[&str]) -> Finding {
    let folder = folder.trim_end_matches('/');
    let (first, rest) = paths.split_at(paths.len().min(NAMED));
    let first: Vec<String> = first.iter().map(|path| format!("{folder}/{path}")).collect();
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let message = format!("Git tracks private files of the tree: {}{more}", first.join(", "));
    Finding::new(&TRACKED_FILE, Path::root(), message).help(match rest.is_empty() {
        true => format!("`git rm --cached {}`", first.join(" ")),
        false => format!(
            "`git rm -r --cached {folder}`, then `hagen build` and `git add {folder}`: the tree's own .gitignore leaves private files out"
        ),
    })
}

/// The finding of a checkout of which it cannot be told whether Git tracks `what`.
pub fn index_unknown(what: &str, reason: &str, help: &str) -> Finding {
    let message = format!("hagen cannot tell whether Git tracks {what}: {reason}");
    Finding::new(&INDEX_UNKNOWN, Path::root(), message).help(help)
}

/// The finding of a private key that cannot be used; `key` says which.
pub fn unusable_key(key: &str, why: Unusable) -> Finding {
    Finding::new(&UNUSABLE_KEY, Path::root(), format!("{key} cannot be used: {why}"))
        .help("give a key on P-256 or P-384, or RSA of 2048 to 8192 bits, in PEM")
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
