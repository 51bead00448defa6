//! A proxy that a site sets by hand. Programs in Go ask it for everything that `NO_PROXY` leaves out,
//! the API and pods included; what containerd runs inherits it, so that plugins of the pod network
//! lose the API as well.

use crate::inventory::units::DropIn;
use crate::report::{Finding, Path, Report, without_logins};
use crate::rooms::units::PROXY_HIDES_CLUSTER;
use crate::site::Cluster;

/// Units that talk to the cluster, or whose children do.
const OF_THE_CLUSTER: [&str; 4] =
    ["containerd.service", "cri-docker.service", "docker.service", "kubelet.service"];

pub(super) fn lint(
    unit: &str,
    drop_in: &DropIn,
    at: &Path,
    cluster: &Cluster<'_>,
    report: &mut Report,
) {
    let said = drop_in.service.iter().find(|(name, _)| name.as_str() == "Environment");
    let Some((_, said)) = said.filter(|_| OF_THE_CLUSTER.contains(&unit)) else { return };
    let words = said.values().iter().flat_map(|value| value.as_str().split_whitespace());
    let variables: Vec<(&str, &str)> =
        words.filter_map(|word| word.trim_matches(['"', '\'']).split_once('=')).collect();
    let value = |name: &str| {
        let mut last = variables.iter().rev();
        last.find(|(said, _)| said.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    };
    let set = |name| value(name).filter(|proxy| !proxy.is_empty());
    let Some(proxy) = set("HTTPS_PROXY").or_else(|| set("HTTP_PROXY")) else { return };
    let from_file = drop_in.service.keys().any(|name| name.as_str() == "EnvironmentFile");
    let hidden = match value("NO_PROXY") {
        Some(direct) => cluster.hidden_by(direct.split(',')),
        // hagen's own drop-in says it, or a file that nobody sees here may.
        None if cluster.site.proxy.is_some() || from_file => None,
        None => cluster.own_address(),
    };
    if let Some(address) = hidden {
        let shown = without_logins(proxy);
        let direct = cluster.reached_directly().join(",");
        // `host.proxy` takes no login: its files are public.
        let help = match shown == proxy {
            true => format!(
                "add `NO_PROXY={direct}`, or write `proxy: {{https: \"{proxy}\"}}` below `host` instead"
            ),
            false => format!("add `NO_PROXY={direct}`"),
        };
        report.push(
            Finding::new(
                &PROXY_HIDES_CLUSTER,
                at.key("dropIn").key("Service").key("Environment"),
                format!("{unit} would ask {shown} for {address}, which is the cluster's own"),
            )
            .label("no `NO_PROXY` keeps it from the proxy")
            .help(help),
        );
    }
}
