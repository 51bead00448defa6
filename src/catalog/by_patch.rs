//! Values that a patch release changed.

use serde::Deserialize;

use super::VersionPart;

/// A value that holds from a patch release on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SincePatch<T> {
    /// The first patch release with this value.
    since_patch: VersionPart,
    value: T,
}

/// A value that changed within a minor. Every table begins at patch 0.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<SincePatch<T>>")]
pub(super) struct ByPatch<T>(Vec<SincePatch<T>>);

impl<T> TryFrom<Vec<SincePatch<T>>> for ByPatch<T> {
    type Error = &'static str;

    fn try_from(entries: Vec<SincePatch<T>>) -> Result<Self, Self::Error> {
        match entries.first() {
            Some(first) if first.since_patch.0 == 0 => Ok(Self(entries)),
            _ => Err("the table does not begin at patch 0"),
        }
    }
}

impl<T> ByPatch<T> {
    /// The value in force at `patch`: the last one not newer.
    pub(super) fn at(&self, patch: VersionPart) -> &T {
        let entry = self.0.iter().rfind(|entry| entry.since_patch.0 <= patch.0);
        &entry.expect("every table begins at patch 0").value
    }

    /// The first patch release with this value.
    pub(super) fn since(&self, value: &T) -> Option<VersionPart>
    where
        T: PartialEq,
    {
        self.0.iter().find(|entry| entry.value == *value).map(|entry| entry.since_patch)
    }
}
