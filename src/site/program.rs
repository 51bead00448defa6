use super::Host;
use crate::catalog::{Version, builds_of};
use crate::inventory::values::ProgramVersion;
use crate::report::Path;

/// A program of the distribution's on one machine, and the version that its files are written for.
#[derive(Debug)]
pub struct Program<Facts> {
    /// The machine, by its place.
    pub host: usize,
    /// The machine's name.
    pub on: String,
    /// What it is called, and its package too.
    pub name: &'static str,
    /// Its version.
    pub version: Version,
    /// The key of the inventory that would change it.
    pub key: &'static [&'static str],
    /// Where it was decided.
    pub at: Path,
    /// The version of its package, where one is asked for.
    pub wanted: Option<String>,
    /// What the version can do.
    pub can: Facts,
}

impl<Facts> Program<Facts> {
    /// The one of this machine: in the version that is `said` under its `key`, else in that which
    /// the operating system ships. `can` are the catalog's facts about a version.
    pub fn new(
        host: &Host,
        name: &'static str,
        (key, said): (&'static [&'static str], Option<&ProgramVersion>),
        ships: Version,
        can: impl Fn(Version) -> Facts,
    ) -> Self {
        let parsed = said.and_then(|version| version.as_str().parse().ok());
        let version = parsed.unwrap_or(ships);
        Self {
            host: host.index,
            on: host.name.clone(),
            name,
            version,
            key,
            at: said.map_or_else(|| host.path().key("os"), |_| Path::of(key)),
            wanted: said.map(|said| builds_of(name, version, said.is_exact(), host.os.family)),
            can: can(version),
        }
    }
}
