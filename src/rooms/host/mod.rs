//! The host below everything else. Other rooms say what they need of the kernel; this one adds
//! what every node needs and writes it down.
//!
//! On each node:
//! * the names that the host itself knows (`/etc/hosts`);
//! * where registries are reached through a proxy, a drop-in for each unit that goes there;
//! * kernel modules and kernel settings, of all rooms and of the site's own;
//! * on the RHEL family, what NetworkManager leaves alone, and firewalld's service where asked for.

mod archives;
mod claims;
mod lint;
mod packages;
mod render;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::inventory::host::{Firewall, HostSection};
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
        render::TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        let mut claims = RoomClaims::default();
        // The host's name and SELinux are the scripts' matter, and the proxy a fact of the cluster.
        let HostSection { set_hostname: _, firewall, selinux: _, sysctls, modules: _, proxy: _ } =
            &said.host;
        packages::lint::lint(&said.packages, cluster, report);
        lint::sysctls(sysctls, cluster, report);
        claims.pins = packages::pins(&said.packages);
        let installs = said.packages.source == PackageSource::Repository;
        claims::state(installs, &said.host, cluster, &mut claims);
        let plan = HostPlan { open_firewall: *firewall == Firewall::Open };
        Some(Planned::new(plan, claims))
    }
}

/// What was decided about hosts.
struct HostPlan {
    /// Whether firewalld is told the cluster's ports.
    open_firewall: bool,
}
