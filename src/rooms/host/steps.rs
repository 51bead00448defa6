//! The host's steps, and what they are told.

use super::plan::HostPlan;
use super::{APT, FIREWALL_PART, HOST_PART, PREPARE, RPM};
use crate::catalog::{OsFamily, PackageManager};
use crate::claims::{Phase, Script, Unit};
use crate::document::Assignments;
use crate::rooms::OfCluster;
use crate::site::Host;

/// The number of the step.
const PREPARED: u8 = 10;

/// The step, what knows the host's package manager, and what looks at the host afterwards.
pub(super) fn scripts(host: &Host) -> [Script; 4] {
    let manager = match host.os.package_manager {
        PackageManager::Apt => Script::part("apt", PREPARED, APT.id),
        PackageManager::Dnf | PackageManager::Yum => Script::part("rpm", PREPARED, RPM.id),
    };
    [
        Script::step("10-prepare", PREPARE.id),
        manager,
        Script::part("host", PREPARED, HOST_PART.id),
        // After the host: the kernel has what it needs before a rule is made.
        Script::part("firewall", Phase::INSTALL.step, FIREWALL_PART.id),
    ]
}

/// Who the host is, and what it is to be.
pub(super) fn words(plan: &HostPlan, host: &Host, with: &OfCluster<'_>) -> Assignments {
    let claims = with.claims.of(host.index);
    let permissive = plan.selinux_permissive && host.kubelet() && host.os.family == OsFamily::Rhel;
    let mut words = Assignments::default();
    words
        .word("cluster", &with.cluster.site.name)
        .word("bundle", with.secrets.id())
        .word("node", &host.name)
        .word("address", &host.address.to_string())
        // Empty where the node needs none.
        .word("interface", &host.interface)
        .list("steps", claims.steps())
        .word("os_id", &host.os.distribution)
        .word("os_release", &host.os.version)
        .word(
            "renew_before",
            &renew_before(with.cluster.site.certificates.leaf_lifetime_days).to_string(),
        )
        .flag("set_hostname", plan.set_hostname)
        // The kubelet does not start beside swap, unless it is told to.
        .flag("swap_goes", host.kubelet() && !with.cluster.swap)
        .word("selinux", if permissive { "permissive" } else { "leave" })
        .rows("booleans", claims.units.iter().filter_map(|unit| boolean(unit)))
        .rows("hosts", claims.hosts.iter().map(|(at, name)| [at.to_string(), name.clone()]));
    words
}

/// `UNIT BOOLEAN`.
fn boolean(unit: &Unit) -> Option<[String; 2]> {
    unit.selinux_boolean.map(|boolean| [unit.name.clone(), boolean.to_owned()])
}

/// From so many seconds before its end on, 60-verify.sh names a certificate: 30 days, or a third of
/// the life of those that are shorter than that.
fn renew_before(leaf_lifetime_days: u32) -> u64 {
    u64::from((leaf_lifetime_days / 3).min(30)) * 24 * 60 * 60
}
