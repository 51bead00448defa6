//! The host below everything else. Other rooms say what they need of the kernel; this one adds
//! what every node needs and writes it down.
//!
//! On each node:
//! * the names that the host itself knows (`/etc/hosts`);
//! * where registries are reached through a proxy, a drop-in for each unit that goes there;
//! * kernel modules and kernel settings, of all rooms and of the site's own;
//! * `10-prepare.sh`, and the packages that it installs from which repositories;
//! * on the RHEL family, what NetworkManager leaves alone, and firewalld's service where asked for.

mod archives;
mod claims;
mod firewall;
mod lint;
mod packages;
mod plan;
mod render;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::inventory::packages::PackageSource;
use crate::report::{Code, Report};
use crate::rooms::{Planned, Room};
use crate::site::Site;
use crate::template::Template;

crate::codes! { "host":
    ARCHIVE_UNPINNED = Error "archive-unpinned",
    EPEL_NEEDED = Warning "epel-needed",
    KEY_UNPINNED = Error "key-unpinned",
    PACKAGE_MISSING = Error "package-missing",
    PACKAGES_UNUSED = Warning "packages-unused",
    REPOSITORY_FORM = Error "repository-form",
    REPOSITORY_KEY = Error "repository-key",
    SYSCTL_NEEDED = Error "sysctl-needed",
    SYSCTL_NOT_SET = Warning "sysctl-not-set",
    SYSCTL_OVERWRITTEN = Error "sysctl-overwritten",
    SYSTEM_UNUSED = Error "system-unused",
}

static TEMPLATES: LazyLock<Vec<Template>> =
    LazyLock::new(|| render::TEMPLATES.iter().chain(steps::TEMPLATES).copied().collect());

/// The room.
pub struct Host;

impl Room for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn templates(&self) -> &'static [Template] {
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut claims = RoomClaims::default();
        packages::lint::lint(&said.packages, cluster, report);
        lint::sysctls(&said.host.sysctls, cluster, report);
        claims.pins = packages::pins(&said.packages);
        let installs = said.packages.source == PackageSource::Repository;
        claims::state(installs, &said.host, cluster, &mut claims);
        Some(Planned::new(plan::HostPlan::new(said, cluster), claims))
    }
}
