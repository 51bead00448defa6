//! What a valid inventory may still get wrong about hosts.

mod archives;
mod packages;
mod repositories;
mod sysctls;

use crate::inventory::Inventory;
use crate::report::Report;
use crate::site::Cluster;

pub(super) fn lint(said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    packages::lint(&said.packages, cluster, report);
    sysctls::lint(&said.host.sysctls, cluster, report);
}
