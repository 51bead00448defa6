//! The host below everything else. Other rooms say what they need of the kernel; this one adds
//! what every node needs and writes it down.
//!
//! On each node:
//! * the names that the host itself knows (`/etc/hosts`);
//! * where registries are reached through a proxy, a drop-in for each unit that goes there;
//! * kernel modules and kernel settings, of all rooms and of the site's own;
//! * `10-prepare.sh`, and the packages that it installs from which repositories;
//! * on the RHEL family, what NetworkManager leaves alone, and firewalld's service where asked for.

mod claims;
mod firewall;
mod lint;
mod packages;
mod plan;
mod render;
mod repositories;
mod steps;
mod sysctls;
#[cfg(test)]
mod tests;

use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Path, Report};
use crate::rooms::{Planned, Room};
use crate::site::Site;
use crate::template;
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

const MODULES: Template = template!("host/etc/modules-load.d/90-hagen-kubernetes.conf.j2");
const SYSCTL: Template = template!("host/etc/sysctl.d/90-hagen-kubernetes.conf.j2");
const FIREWALL: Template = template!("host/etc/firewalld/services/hagen-kubernetes.xml.j2");
const PROXY: Template = template!("host/etc/systemd/system/20-hagen-proxy.conf.j2");
const NETWORK_MANAGER: Template =
    template!("host/etc/NetworkManager/conf.d/90-hagen-kubernetes.conf.j2");
const PREPARE: Template = template!("host/steps/10-prepare.sh");
const APT: Template = template!("host/steps/apt.sh");
const RPM: Template = template!("host/steps/rpm.sh");
const HOST_PART: Template = template!("host/steps/host.sh");
const FIREWALL_PART: Template = template!("host/steps/firewall.sh");

static TEMPLATES: [Template; 10] = [
    MODULES,
    SYSCTL,
    FIREWALL,
    PROXY,
    NETWORK_MANAGER,
    PREPARE,
    APT,
    RPM,
    HOST_PART,
    FIREWALL_PART,
];

fn section_of_packages() -> Path {
    Path::of(&["packages"])
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
        &TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        lint::lint(said, cluster, report);
        let plan = plan::HostPlan::new(said, cluster);
        let mut claims = RoomClaims::default();
        claims::state(&plan, cluster, &mut claims);
        Some(Planned::new(plan, claims))
    }
}
