//! Features that a program has from one version on.

use serde::Deserialize;

use super::Version;
use super::version::from_text;

/// The first version that has a feature.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Since(#[serde(deserialize_with = "from_text")] Version);

impl Since {
    /// Whether `version` has the feature.
    pub(super) fn holds(self, version: Version) -> bool {
        version.numbers() >= self.0.numbers()
    }
}

/// Declares the facts of a program: a structure of `bool`s, one per feature, filled from a data
/// file that holds the first version with each, and the function that makes it for a version.
macro_rules! features {
    (
        $(#[$type_doc:meta])*
        $name:ident, $(#[$fn_doc:meta])* $function:ident, $file:literal,
        { $($(#[$doc:meta])* $feature:ident,)+ }
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            $($(#[$doc])* pub $feature: bool,)+
        }

        $(#[$fn_doc])*
        pub fn $function(version: $crate::catalog::Version) -> $name {
            #[derive(serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                $($feature: $crate::catalog::feature::Since,)+
            }
            static TABLE: std::sync::LazyLock<Table> = std::sync::LazyLock::new(|| {
                serde_json::from_str(include_str!($file))
                    .expect("embedded, and read by every test run")
            });
            $name { $($feature: TABLE.$feature.holds(version),)+ }
        }
    };
}
pub(super) use features;
