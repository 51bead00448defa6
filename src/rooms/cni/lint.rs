use super::RANGE_DIFFERS;
use crate::cluster::Cluster;
use crate::inventory::values::Cidrs;
use crate::report::{Finding, Path, Report};

/// Whether the network that was said for the plugin is the pods'.
pub(super) fn range(said: Option<&Cidrs>, cluster: &Cluster, report: &mut Report) {
    let Some(network) = said.filter(|network| *network.get() != cluster.pod_subnets) else {
        return;
    };
    let pods: Vec<String> = cluster.pod_subnets.iter().map(ToString::to_string).collect();
    let pods = pods.join(",");
    report.push(
        Finding::new(
            &RANGE_DIFFERS,
            Path::of(&["cni", "network"]),
            format!("the pod network would be {network}, but pods get addresses of {pods}"),
        )
        .label(format!("must be {pods}"))
        .because(Path::of(&["cluster", "podSubnet"]), "the pods' addresses")
        .help("remove `cni.network`: it follows `cluster.podSubnet`"),
    );
}
