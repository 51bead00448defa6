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
                    &endpoint::codes::NO_SAN,
                    at.clone(),
                    format!("{shown} is not in the certificate of the API server on {}", node.name),
                )
                .help("this is a defect of hagen: please report it with the inventory"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Path;
    use crate::rooms::overlaid::claimed;

    #[test]
    fn a_name_that_a_certificate_lacks_is_told_of_each_api_server_without_it() {
        let (site, mut claims) = claimed(&json!({}));
        let cluster = site.cluster().unwrap();
        let vip = San::Ip(cluster.endpoint.address().unwrap());
        claims.names = vec![Name { san: vip.clone(), at: Path::root() }];
        let found = |claims: &Claims| -> Vec<String> {
            let mut report = Report::new();
            lint(&cluster, claims, &mut report);
            report.findings().iter().map(|finding| finding.message.clone()).collect()
        };
        assert_eq!(found(&claims), [""; 0]);
        let mut certificates = claims.certificates.iter_mut();
        let second = certificates.find(|spec| spec.id == "nodes/cp2/apiserver");
        second.unwrap().sans.remove(&vip);
        let of_cp2 = "192.168.1.33 is not in the certificate of the API server on cp2";
        assert_eq!(found(&claims), [of_cp2]);
    }
}
