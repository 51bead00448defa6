//! Features that a program has from one version on, or until another.

use serde::Deserialize;

use super::Version;
use super::version::from_optional_text;

/// The versions that have a feature.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifespan {
    /// The first version with it; null where it was always there.
    #[serde(deserialize_with = "from_optional_text")]
    since: Option<Version>,
    /// The first version without it again; null where it is still there.
    #[serde(deserialize_with = "from_optional_text")]
    until: Option<Version>,
}

impl Lifespan {
    /// Whether `version` has the feature.
    pub(super) fn contains(self, version: Version) -> bool {
        self.since.is_none_or(|since| version.numbers() >= since.numbers())
            && self.until.is_none_or(|until| version.numbers() < until.numbers())
    }
}

/// Declares the facts of a program: a structure of `bool`s, one per feature, filled from a data
/// file that holds a [`Lifespan`] for each, and the function that makes it for a version.
macro_rules! features {
    (
        $(#[$type_doc:meta])*
        $name:ident, $(#[$fn_doc:meta])* $function:ident, $file:literal,
        { $($(#[$doc:meta])* $feature:ident,)+ }
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $feature: bool,)+
        }

        $(#[$fn_doc])*
        pub fn $function(version: $crate::catalog::Version) -> $name {
            #[derive(serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                $($feature: $crate::catalog::feature::Lifespan,)+
            }
            static TABLE: std::sync::LazyLock<Table> = std::sync::LazyLock::new(|| {
                serde_json::from_str(include_str!($file))
                    .expect("embedded, and read by every test run")
            });
            $name { $($feature: TABLE.$feature.contains(version),)+ }
        }
    };
}
pub(super) use features;
