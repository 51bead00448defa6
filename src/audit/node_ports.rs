//! Ports that a Service may take from the program that listens there.

use std::collections::BTreeMap;

use super::NODE_PORT_TAKEN;
use crate::claims::{Claims, Port, Protocol};
use crate::report::{Finding, Path, Report};
use crate::site::{Cluster, NodePorts};

/// The first node ports that a message of a wide range names.
const NAMED: usize = 4;

/// Compares the range of node ports with every listener of nodes that run pods: kube-proxy sends
/// what comes in on a node port to the Service's pods, whoever listens.
pub(super) fn lint(cluster: &Cluster<'_>, claims: &Claims, report: &mut Report) {
    let range = cluster.node_ports;
    let nodes = cluster.nodes.iter().filter(|node| node.kubelet());
    let mut taken: BTreeMap<u16, &Port> = BTreeMap::new();
    for port in nodes.flat_map(|node| &claims.of(node.index).ports) {
        if port.protocol != Protocol::Vrrp && range.contains(port.port) {
            taken.entry(port.port).or_insert(port);
        }
    }
    if taken.is_empty() {
        return;
    }
    if !range.said {
        // The endpoint's is reported by the model, for all control planes.
        let endpoint = Path::of(&["endpoint", "port"]);
        for port in taken.into_values().filter(|port| port.at != endpoint) {
            report.push(
                finding(&port.at, format!("{} lies in the node ports {range}", named(port)))
                    .label("a Service may take it")
                    .help("choose a port below 30000"),
            );
        }
        return;
    }
    let mut names: Vec<String> = taken.values().take(NAMED).map(|port| named(port)).collect();
    if taken.len() > NAMED {
        names.push(format!("{} more", taken.len() - NAMED));
    }
    let message = format!("a Service may take a port of the host: {}", names.join("; "));
    let mut found = finding(&NodePorts::path(), message)
        .label("ports of services")
        .help("leave it out, for 30000-32767, or choose a range without these ports");
    for port in taken.values().take(NAMED) {
        found = found.because(port.at.clone(), port.what);
    }
    report.push(found);
}

fn named(port: &Port) -> String {
    format!("{}, port {}", port.what, port.port)
}

fn finding(at: &Path, message: String) -> Finding {
    Finding::new(&NODE_PORT_TAKEN, at.clone(), message)
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::outcome;

    fn found(overlay: &str) -> Vec<(String, String)> {
        let outcome = outcome(overlay);
        let findings = outcome.report.findings().iter();
        findings.map(|finding| (finding.at.to_string(), finding.message.clone())).collect()
    }

    #[test]
    fn a_range_over_the_host_s_own_ports_is_one_finding() {
        let range = |text: &str| {
            found(&format!("extraArgs: {{apiServer: {{service-node-port-range: '{text}'}}}}"))
        };
        let all = range("1-32767");
        let [(at, message)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(at, "extraArgs.apiServer.service-node-port-range");
        assert!(message.starts_with("a Service may take a port of the host: SSH, port 22; "));
        let api = range("6000-7000");
        assert!(api[0].1.ends_with("the API server, port 6443"), "{api:?}");
        assert!(range("8440-8450")[0].1.contains("port 8443"));
        let four = &range("2379-6443")[0].1;
        assert!(four.matches(", port ").count() == 4 && !four.contains("more"), "{four}");
        assert!(range("2379-8404")[0].1.ends_with("; 1 more"));
        assert!(range("20000-22767").is_empty());
    }

    #[test]
    fn a_port_in_the_default_range_is_the_port_s_fault() {
        let moved = found("etcd: {metricsPort: 31000}");
        assert_eq!(moved[0].0, "etcd.metricsPort");
        assert_eq!(found("endpoint: {port: 31000}").len(), 1);
        let away = "{endpoint: {port: 31000}, extraArgs: {apiServer: {service-node-port-range: 20000-21000}}}";
        assert!(found(away).is_empty());
    }

    #[test]
    fn the_host_s_files_follow_the_range() {
        let range = "extraArgs: {apiServer: {service-node-port-range: 20000-21000}}";
        let outcome = outcome(&format!(
            "{{os: {{distribution: rocky, release: '9'}}, cluster: {{kubernetes: 1.34.0}}, host: {{firewall: open}}, {range}}}"
        ));
        for (file, text) in [
            ("etc/sysctl.d/90-hagen-kubernetes.conf", "ip_local_reserved_ports = 20000-21000\n"),
            ("etc/firewalld/services/hagen-kubernetes.xml", "\"20000-21000\""),
        ] {
            let said = crate::rooms::overlaid::file(&outcome, &format!("nodes/w1/rootfs/{file}"));
            assert!(said.contains(text) && !said.contains("30000"), "{said}");
        }
    }
}
