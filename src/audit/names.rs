//! Names in certificates.

use crate::claims::{Claims, Name};
use crate::pki::San;
use crate::report::{Finding, Report};
use crate::site::{Cluster, endpoint};

/// Every name and address that clients use must be in every API server's certificate. Rooms see to
/// it; this proves it.
pub(super) fn lint(cluster: &Cluster<'_>, claims: &Claims, report: &mut Report) {
    for node in cluster.control_planes() {
        let id = format!("nodes/{}/apiserver", node.name);
        let Some(spec) = claims.certificates.iter().find(|spec| spec.id == id) else { continue };
        for Name { san, at } in claims.names.iter().filter(|name| !spec.sans.contains(&name.san)) {
            let shown = match san {
                San::Dns(name) => name.clone(),
                San::Ip(address) => address.to_string(),
            };
            report.push(
                Finding::new(
                    &endpoint::NO_SAN,
                    at.clone(),
                    format!("{shown} is not in the certificate of the API server on {}", node.name),
                )
                .help("this is a defect of hagen: please report it with the inventory"),
            );
        }
    }
}
