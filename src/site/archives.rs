//! Which etcd an external one is, and what its release archives have to be.

use std::collections::BTreeMap;

use crate::catalog::{ETCD_MACHINES, EtcdVersion};
use crate::inventory::packages::{PackageSource, PackagesSection};

/// The SHA-256 of the release's archives by architecture: what the inventory says, else what the
/// catalog knows.
pub(super) fn digests(
    version: EtcdVersion,
    said: &PackagesSection,
) -> BTreeMap<&'static str, String> {
    let digest = |architecture| {
        let name = version.archive_name(architecture);
        let said = said.digests.iter().find(|(said, _)| said.as_str() == name);
        let said = said.map(|(_, digest)| digest.to_string());
        said.or_else(|| version.archive_digest(architecture).map(str::to_owned))
    };
    let machines = ETCD_MACHINES.iter();
    machines.filter_map(|(_, architecture)| Some((*architecture, digest(architecture)?))).collect()
}

/// What an external etcd is unless the inventory says it: the release's own, or, where nothing
/// tells its archive from a forged one, its next patch release. A host that has etcd already is
/// not asked for another.
pub(super) fn default_version(own: EtcdVersion, said: &PackagesSection) -> EtcdVersion {
    let fetched = said.source == PackageSource::Repository;
    if fetched && digests(own, said).is_empty() { own.or_next_verifiable() } else { own }
}
