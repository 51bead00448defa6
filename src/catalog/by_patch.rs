//! Values that a patch release changed.

use serde::Deserialize;

/// A value that holds from a patch release on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SincePatch<T> {
    /// The first patch release with this value.
    since_patch: u32,
    value: T,
}

/// A value that changed within a minor. Every table begins at patch 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct ByPatch<T>(Vec<SincePatch<T>>);

impl<T> ByPatch<T> {
    /// The value in force at `patch`: the last one not newer.
    pub(super) fn at(&self, patch: u32) -> &T {
        let entry = self.0.iter().rfind(|entry| entry.since_patch <= patch);
        &entry.expect("every table begins at patch 0; tested").value
    }

    /// The first patch release with this value.
    pub(super) fn since(&self, value: &T) -> Option<u32>
    where
        T: PartialEq,
    {
        self.0.iter().find(|entry| entry.value == *value).map(|entry| entry.since_patch)
    }
}
