use std::collections::BTreeMap;

use super::plan::DOCUMENT;
use super::{CGROUP_V1, LABEL_REFUSED, fields};
use crate::catalog::flags::Component;
use crate::inventory::Inventory;
use crate::inventory::kubelet::KubeletSection;
use crate::report::{Finding, Path, Report};
use crate::site::{CgroupDriver, Cluster, Host, codes, extra};

const CLUSTER_DNS_FIELD: &str = "clusterDNS";

pub(super) fn lint(said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    let KubeletSection { cgroup_driver, max_pods: _, config } = &said.kubelet;
    let section = Path::of(&["kubelet"]);
    if let Some(driver) = *cgroup_driver
        && driver != cluster.runtime.cgroup_driver
    {
        report.push(cgroup_drivers_differ(driver, cluster));
    }
    let at = section.key("config");
    fields::lint(cluster, config, &at, report);
    let of_config = config.get(CLUSTER_DNS_FIELD).map(|value| (at, value));
    // The audit judges a patch's fields with those of every other document.
    let of_patches = cluster.site.patches.iter().filter(|patch| patch.document == DOCUMENT);
    let of_patches = of_patches.filter_map(|patch| {
        let at = Path::of(&["patches"]).index(patch.index).key("patch");
        Some((at, patch.patch.get(CLUSTER_DNS_FIELD)?))
    });
    for (at, value) in of_config.into_iter().chain(of_patches) {
        fields::dns(value, &at.key(CLUSTER_DNS_FIELD), report);
    }
    let flags = Path::of(&["extraArgs", "kubelet"]);
    extra::lint(
        cluster,
        Component::Kubelet,
        &flags,
        &said.extra_args.kubelet,
        fields::FLAGS,
        report,
    );
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        labels(node, report);
    }
    if cluster.release.kubelet.cgroup_v2_required {
        let mut systems: BTreeMap<&str, Vec<&Host>> = BTreeMap::new();
        let nodes = cluster.nodes.iter().filter(|node| node.kubelet() && !node.os.cgroup_v2);
        nodes.for_each(|node| systems.entry(&node.os.id).or_default().push(node));
        for nodes in systems.values() {
            report.push(cgroup_v1(nodes[0], nodes.len() - 1, cluster));
        }
    }
}

/// Said once for all nodes of a system.
fn cgroup_v1(node: &Host, others: usize, cluster: &Cluster<'_>) -> Finding {
    let os = &node.os.id;
    let others = match others {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Finding::new(
        &CGROUP_V1,
        node.path(),
        format!("the kubelet {} refuses cgroup v1, which {os} boots with", cluster.version),
    )
    .label(format!("{}{others} would never register", node.name))
    .because(Path::of(&["cluster", "kubernetes"]), "needs cgroup v2")
    .help("use a newer operating system, or an older Kubernetes")
}

fn cgroup_drivers_differ(driver: CgroupDriver, cluster: &Cluster<'_>) -> Finding {
    let runtime = word(cluster.runtime.cgroup_driver);
    let kubelet = word(driver);
    Finding::new(
        &codes::CGROUP_DRIVER,
        Path::of(&["kubelet", "cgroupDriver"]),
        format!("the kubelet would use {kubelet}, but the runtime {runtime}"),
    )
    .label(format!("must be {runtime}"))
    .because(Path::of(&["runtime", "cgroupDriver"]), "the runtime's")
    .help("remove `kubelet.cgroupDriver`: it follows the runtime's")
}

/// The driver as both configurations write it.
pub(super) fn word(driver: CgroupDriver) -> &'static str {
    match driver {
        CgroupDriver::Systemd => "systemd",
        CgroupDriver::Cgroupfs => "cgroupfs",
    }
}

fn labels(node: &Host, report: &mut Report) {
    for label in node.labels.keys().filter(|label| !kubelet_may_set(label)) {
        report.push(
            Finding::new(
                &LABEL_REFUSED,
                node.path().key("labels").key(label),
                format!(
                    "the kubelet of {} would refuse to start with the label {label}",
                    node.name
                ),
            )
            .label("in a name space that is Kubernetes' own")
            .help(format!(
                "use a name space of your own, or `kubectl label node {} {label}=…` after the join",
                node.name
            )),
        );
    }
}

/// The rule of the kubelet's `--node-labels`
/// (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go>).
fn kubelet_may_set(label: &str) -> bool {
    const ALLOWED: [&str; 11] = [
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    ];
    let within = |space: &str, root: &str| {
        space.strip_suffix(root).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let Some((space, _)) = label.split_once('/') else { return true };
    let reserved = within(space, "kubernetes.io") || within(space, "k8s.io");
    let own = within(space, "kubelet.kubernetes.io") || within(space, "node.kubernetes.io");
    !reserved || own || ALLOWED.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::kubelet_may_set;

    #[test]
    fn labels_of_kubernetes_own_are_refused_but_for_a_few() {
        for label in [
            "rack",
            "example.com/rack",
            "notkubernetes.io/rack",
            "topology.kubernetes.io/zone",
            "node.kubernetes.io/anything",
            "storage.node.kubernetes.io/class",
        ] {
            assert!(kubelet_may_set(label), "{label}");
        }
        for label in
            ["node-role.kubernetes.io/worker", "kubernetes.io/role", "k8s.io/x", "a.k8s.io/x"]
        {
            assert!(!kubelet_may_set(label), "{label}");
        }
    }
}
