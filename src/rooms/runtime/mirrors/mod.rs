//! Mirrors of registries: a folder per registry, which containerd reads at every pull.
//! <https://github.com/containerd/containerd/blob/main/docs/hosts.md>

mod lint;
mod plan;

pub(super) use lint::check;
pub(super) use plan::{Mirror, TEMPLATE};

use crate::report::Path;

/// One folder per registry.
pub(super) const FOLDER: &str = "/etc/containerd/certs.d";

fn section() -> Path {
    Path::of(&["images", "mirrors"])
}
