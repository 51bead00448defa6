use std::collections::BTreeMap;

use crate::claims::Pin;
use crate::inventory::packages::{PackageSource, PackagesSection};
use crate::inventory::values::{PackageName, PackageVersion};
use crate::report::Path;

/// The versions that the inventory pins.
pub(super) fn of(said: &PackagesSection) -> Vec<Pin> {
    // Nobody installs any: the section is without effect, and said to be.
    if said.source == PackageSource::Preinstalled {
        return Vec::new();
    }
    let of = |versions: &BTreeMap<PackageName, PackageVersion>, system: Option<&str>, at: &Path| {
        let pin = |(package, version): (&PackageName, &PackageVersion)| Pin {
            package: package.to_string(),
            version: version.to_string(),
            system: system.map(str::to_owned),
            at: at.key("versions").key(package.as_str()),
        };
        versions.iter().map(pin).collect::<Vec<_>>()
    };
    let section = Path::of(&["packages"]);
    // A second entry of a system is refused as a whole.
    let first = |index: usize| {
        let of = &said.systems[index].os;
        !said.systems[..index].iter().any(|before| before.os == *of)
    };
    let systems = said.systems.iter().enumerate().filter(|(index, _)| first(*index));
    let systems = systems.flat_map(|(index, system)| {
        of(&system.versions, Some(&system.os.id()), &section.key("systems").index(index))
    });
    of(&said.versions, None, &section).into_iter().chain(systems).collect()
}
