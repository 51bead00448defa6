mod agreement;
mod guard;
mod limits;
mod owned;
mod patches;
mod rules;
mod splits;
mod values;

use std::collections::BTreeMap;

use super::fields::Fields;
use super::plan::{KubeletPlan, word};
use super::{CGROUP_V1, LABEL_REFUSED};
use crate::catalog::flags::Component;
use crate::inventory::Inventory;
use crate::inventory::kubelet::KubeletSection;
use crate::report::{Finding, Path, Report};
use crate::site::gates::{self, SaidGates};
use crate::site::{CgroupDriver, Cluster, Host, KUBELET_CONFIGURATION, codes, said_flags};

const CLUSTER_DNS_FIELD: &str = "clusterDNS";

/// Reports what a valid inventory still gets wrong about kubelets.
pub(super) fn lint(
    said: &Inventory,
    plan: &KubeletPlan<'_>,
    cluster: &Cluster<'_>,
    report: &mut Report,
) {
    section(said, cluster, report);
    nodes(cluster, report);
    let fields = &plan.fields;
    splits::lint(fields, report);
    agreement::lint(fields, report);
    rules::lint(fields, report);
    values::lint(fields, report);
    let given = given(said, fields);
    gates::lint(Component::Kubelet, &given, cluster, report);
    limits::lint(fields, &given, report);
    guard::lint(fields, report);
    patches::lint(plan, cluster, report);
}

/// What the section and the flags say, against the runtime, the release and other owners.
fn section(said: &Inventory, cluster: &Cluster<'_>, report: &mut Report) {
    let KubeletSection { cgroup_driver, max_pods: _, config } = &said.kubelet;
    let section = Path::of(&["kubelet"]);
    if let Some(driver) = *cgroup_driver
        && driver != cluster.runtime.cgroup_driver
    {
        report.push(cgroup_drivers_differ(driver, cluster));
    }
    let at = section.key("config");
    owned::lint(cluster, config, &at, report);
    let of_config = config.get(CLUSTER_DNS_FIELD).map(|value| (at, value));
    // The audit judges a patch's fields with those of every other document.
    let of_patches =
        cluster.site.patches.iter().filter(|patch| patch.document == KUBELET_CONFIGURATION);
    let of_patches = of_patches.filter_map(|patch| {
        let at = Path::of(&["patches"]).index(patch.index).key("patch");
        Some((at, patch.patch.get(CLUSTER_DNS_FIELD)?))
    });
    for (at, value) in of_config.into_iter().chain(of_patches) {
        owned::dns(value, &at.key(CLUSTER_DNS_FIELD), report);
    }
    let flags = Path::of(&["extraArgs", "kubelet"]);
    said_flags::lint(
        cluster,
        Component::Kubelet,
        &flags,
        &said.extra_args.kubelet,
        owned::FLAGS,
        report,
    );
}

/// Feature gates; a flag wins over the field.
fn given(said: &Inventory, fields: &Fields<'_>) -> SaidGates {
    let mut given = SaidGates::default();
    if let Some(value) = said.kubelet.config.get("featureGates") {
        given.field(value, &Path::of(&["kubelet", "config", "featureGates"]));
    }
    given.patches(KUBELET_CONFIGURATION, fields.cluster);
    if let Some((at, value)) = fields.flag("feature-gates") {
        given.flag(Component::Kubelet, &value, &at, fields.cluster);
    }
    given
}

/// Labels that nodes are given, and what nodes boot with.
fn nodes(cluster: &Cluster<'_>, report: &mut Report) {
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
    use serde_json::{Value, json};

    use super::kubelet_may_set;
    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::overlaid::complaints;

    fn of(overlay: &Value) -> Vec<String> {
        complaints(&Kubelet, overlay)
    }

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

    #[test]
    fn gates_are_those_of_the_release() {
        let patch = |gates: Value, nodes: Value| {
            let mut patch = json!({"document": "kubelet/KubeletConfiguration", "patch": {"featureGates": gates}});
            if !nodes.is_null() {
                patch["nodes"] = nodes;
            }
            patch
        };
        let with = |own: Value, patches: Value| {
            of(&json!({
                "cluster": {"kubernetes": "1.37.1"},
                "kubelet": {"config": {"featureGates": own}},
                "patches": patches,
            }))
        };
        let none = || json!([]);
        let at = "at kubelet.config.featureGates";
        let unknown = [format!("cluster/extra-arg-removed {at}.Nonsense")];
        assert_eq!(with(json!({"Nonsense": true}), none()), unknown);
        let alone = json!({"CompositePodGroup": true});
        let needs = [format!("cluster/gate-needs {at}.CompositePodGroup")];
        assert_eq!(with(alone.clone(), none()), needs);
        let rest = json!({"GenericWorkload": true, "TopologyAwareWorkloadScheduling": true});
        // Patches merge, and one that takes a gate away leaves nothing to judge.
        assert_eq!(with(rest.clone(), json!([patch(alone.clone(), Value::Null)])), [""; 0]);
        let taken = json!([patch(json!({"CompositePodGroup": null}), Value::Null)]);
        assert_eq!(with(alone.clone(), taken), [""; 0]);
        // What the nodes with the patch have, the others may lack.
        let some = json!([patch(rest, json!({"names": ["cp1"]}))]);
        assert_eq!(with(alone, some), [""; 0]);
        let hidden = json!([patch(json!({"ContextualLogging": true}), json!({"names": ["cp1"]}))]);
        assert_eq!(with(json!({"Nonsense": true}), hidden), unknown);
        // A flag wins over the field.
        let flag = |value: &str| {
            of(&json!({
                "cluster": {"kubernetes": "1.26.15"},
                "kubelet": {"config": {"featureGates": {"EphemeralContainers": false}}},
                "extraArgs": {"kubelet": {"feature-gates": value}},
            }))
        };
        assert_eq!(flag("EphemeralContainers=true"), [""; 0]);
        let locked = [format!("cluster/gate-locked {at}.EphemeralContainers")];
        assert_eq!(flag("CPUManager=true"), locked);
    }

    #[test]
    fn flags_have_the_words_of_fields() {
        let with = |flag: &str, value: &str| of(&json!({"extraArgs": {"kubelet": {flag: value}}}));
        for (flag, wrong, right) in [
            ("tls-cipher-suites", "TLS_A", "TLS_AES_128_GCM_SHA256"),
            ("tls-min-version", "TLS1.2", "VersionTLS12"),
        ] {
            let refused = [format!("cluster/field-type at extraArgs.kubelet.{flag}")];
            assert_eq!(with(flag, wrong), refused);
            assert_eq!(with(flag, right), [""; 0]);
        }
    }
}
