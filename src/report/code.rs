use std::fmt;

/// How bad a finding is. It belongs to the code, never to the place that reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; changes nothing.
    Note,
    /// The tree is built; `--strict` turns it into an error, `allow:` silences it.
    Warning,
    /// No tree is built.
    Error,
}

impl Severity {
    /// The word that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// What it counts as: `--strict` turns warnings into errors and leaves notes alone.
    #[must_use]
    pub fn effective(self, strict: bool) -> Self {
        match self {
            Self::Warning if strict => Self::Error,
            severity => severity,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The address of a diagnostic: `keepalived/vip-outside-subnet` is explained in
/// `src/rooms/keepalived/codes/vip-outside-subnet.md`. A code is never reused for another meaning.
#[derive(Debug)]
pub struct Code {
    /// `<room or stage>/<name>`.
    pub id: &'static str,
    /// Fixed per code.
    pub severity: Severity,
    /// The page that `hagen explain` prints; a test runs its examples.
    pub page: &'static str,
}

impl Code {
    /// The first paragraph of the page, on one line: what the code means.
    pub fn summary(&self) -> String {
        let paragraph = self.page.split("\n\n").find(|part| !part.trim_start().starts_with('#'));
        paragraph.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Code {}

/// Declares the codes of one room or stage as statics and lists them in `CODES`.
///
/// ```ignore
/// codes! { "keepalived":
///     VIP_OUTSIDE_SUBNET = Error "vip-outside-subnet",
/// }
/// ```
///
/// Each page is `codes/<name>.md` beside the declaring file.
#[macro_export]
macro_rules! codes {
    ($area:literal : $($name:ident = $severity:ident $slug:literal),* $(,)?) => {
        $(
            #[doc = concat!("See `codes/", $slug, ".md`.")]
            pub static $name: $crate::report::Code = $crate::report::Code {
                id: concat!($area, "/", $slug),
                severity: $crate::report::Severity::$severity,
                page: include_str!(concat!("codes/", $slug, ".md")),
            };
        )*
        /// Every code of this area.
        pub static CODES: &[&$crate::report::Code] = &[$(&$name),*];
    };
}
