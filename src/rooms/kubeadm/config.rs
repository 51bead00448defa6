//! The documents of kubeadm's configuration API, in the form of the release.

use serde_json::{Map, Value, json};

use super::extra_args::written;
use super::plan::KubeadmPlan;
use super::volumes;
use crate::catalog::Release;
use crate::catalog::flag_words::kubeadm_gate_status;
use crate::claims::Claims;
use crate::control_plane::arguments::joined;
use crate::control_plane::mounts::mounts;
use crate::control_plane::{Part, names};
use crate::pki::Algorithm;
use crate::site::{Cluster, EtcdMode, Holder, Host, layout};

/// What every document begins with.
fn document(release: &Release, kind: &str) -> Map<String, Value> {
    Map::from_iter([
        ("apiVersion".to_owned(), json!(release.kubeadm_api.as_str())),
        ("kind".to_owned(), json!(kind)),
    ])
}

/// How the first control plane presents itself. No `bootstrapTokens`: kubeadm then makes one
/// random token of 24 hours that nobody uses.
pub(super) fn init(
    plan: &KubeadmPlan,
    cluster: &Cluster<'_>,
    node: &Host,
    claims: &Claims,
) -> Value {
    let mut init = document(cluster.release, "InitConfiguration");
    init.insert("localAPIEndpoint".into(), local_api_endpoint(cluster, node));
    init.insert("nodeRegistration".into(), registration(plan, cluster, node, claims));
    let skipped = cluster.skipped_init_phases();
    if cluster.release.kubeadm.skip_phases_field && !skipped.is_empty() {
        init.insert("skipPhases".into(), json!(skipped));
    }
    Value::Object(init)
}

/// How a node joins: by the file that names the CA, the endpoint and the node's own
/// certificate.
pub(super) fn join(
    plan: &KubeadmPlan,
    cluster: &Cluster<'_>,
    node: &Host,
    claims: &Claims,
) -> Value {
    let mut join = document(cluster.release, "JoinConfiguration");
    join.insert("discovery".into(), json!({"file": {"kubeConfigPath": layout::DISCOVERY}}));
    let mut registration = registration(plan, cluster, node, claims);
    if node.control_plane() && matches!(cluster.endpoint.holder, Holder::KubeVip(_)) {
        registration["ignorePreflightErrors"] = json!(with_manifests(&plan.ignored_checks));
    }
    join.insert("nodeRegistration".into(), registration);
    if node.control_plane() {
        let local = json!({"localAPIEndpoint": local_api_endpoint(cluster, node)});
        join.insert("controlPlane".into(), local);
    }
    Value::Object(join)
}

/// Older releases join no node that has a static pod already, which `20-install.sh` has placed
/// (`RunJoinNodeChecks` in `cmd/kubeadm/app/preflight/checks.go` of 1.21); those without the check, such
/// as 1.30, take its name for nothing.
fn with_manifests(ignored: &[String]) -> Vec<String> {
    const MANIFESTS: &str = "DirAvailable--etc-kubernetes-manifests";
    let named =
        |check: &String| ["all", MANIFESTS].iter().any(|name| name.eq_ignore_ascii_case(check));
    let more = (!ignored.iter().any(named)).then(|| MANIFESTS.to_owned());
    ignored.iter().cloned().chain(more).collect()
}

fn local_api_endpoint(cluster: &Cluster<'_>, node: &Host) -> Value {
    json!({"advertiseAddress": node.address, "bindPort": cluster.api_port})
}

fn registration(plan: &KubeadmPlan, cluster: &Cluster<'_>, node: &Host, claims: &Claims) -> Value {
    let flags = claims.of(node.index).command_lines.get("kubelet");
    let mut registration = Map::new();
    registration.insert("name".into(), json!(node.name));
    registration.insert("criSocket".into(), json!(cluster.runtime.cri_socket));
    registration.insert("taints".into(), taints(cluster, node));
    if let Some(flags) = flags.filter(|flags| !flags.is_empty()) {
        let flags = written(cluster.release.kubeadm.extra_args, flags);
        registration.insert("kubeletExtraArgs".into(), flags);
    }
    if !plan.ignored_checks.is_empty() {
        registration.insert("ignorePreflightErrors".into(), json!(plan.ignored_checks));
    }
    if let Some(policy) = plan.pull_policy {
        registration.insert("imagePullPolicy".into(), json!(policy));
    }
    Value::Object(registration)
}

/// Always a list: kubeadm would taint a control plane that lists none, also one that is a worker.
fn taints(cluster: &Cluster<'_>, node: &Host) -> Value {
    if let Some(taints) = &node.taints {
        return taints
            .iter()
            .map(|(key, value, effect)| {
                let mut taint = Map::new();
                taint.insert("key".into(), json!(key));
                if !value.is_empty() {
                    taint.insert("value".into(), json!(value));
                }
                taint.insert("effect".into(), json!(effect));
                Value::Object(taint)
            })
            .collect();
    }
    if !node.control_plane() || node.worker() {
        return json!([]);
    }
    let keys = cluster.release.control_plane_taints.iter();
    keys.map(|key| json!({"key": key, "effect": "NoSchedule"})).collect()
}

/// What all nodes share; kubeadm keeps it in the ConfigMap `kubeadm-config`.
pub(super) fn cluster_configuration(plan: &KubeadmPlan, cluster: &Cluster<'_>) -> Value {
    let release = cluster.release;
    let mut config = document(release, "ClusterConfiguration");
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("kubernetesVersion", json!(format!("v{}", cluster.version)));
    set("clusterName", json!(cluster.site.name));
    set("controlPlaneEndpoint", json!(cluster.endpoint.host_port()));
    set("certificatesDir", json!(layout::PKI));
    set("imageRepository", json!(cluster.image_repository));
    set(
        "networking",
        json!({
            "dnsDomain": cluster.domain,
            "podSubnet": joined(&cluster.pod_subnets),
            "serviceSubnet": joined(&cluster.service_subnets),
        }),
    );
    if let Some(gates) = feature_gates(cluster) {
        set("featureGates", gates);
    }
    // Stays in the ConfigMap, so that an upgrade and `kubeadm config images` know of it as well.
    if release.kubeadm.addon_disabled_fields && !cluster.runs_kube_proxy() {
        set("proxy", json!({"disabled": true}));
    }
    if let Some(algorithm) = encryption_algorithm(cluster) {
        set("encryptionAlgorithm", json!(algorithm));
    }
    if release.kubeadm.certificate_validity_fields {
        let policy = &cluster.site.certificates;
        set("certificateValidityPeriod", json!(hours(policy.leaf_lifetime_days)));
        set("caCertificateValidityPeriod", json!(hours(policy.ca_lifetime_days)));
    }
    let sans: Vec<String> = names::of_clients(cluster)
        .iter()
        .map(|(san, _)| san)
        .chain(&names::loopback())
        .map(names::text)
        .collect();
    let form = release.kubeadm.extra_args;
    for (part, flags) in plan.flags() {
        let mut section = Map::new();
        if part == Part::ApiServer {
            section.insert("certSANs".into(), json!(sans));
        }
        if !flags.is_empty() {
            section.insert("extraArgs".into(), written(form, flags));
        }
        let mounts = mounts(part, flags, release);
        if !mounts.is_empty() {
            section.insert("extraVolumes".into(), mounts.iter().map(volumes::written).collect());
        }
        if !section.is_empty() {
            set(part.key(), Value::Object(section));
        }
    }
    set("etcd", etcd(plan, cluster));
    Value::Object(config)
}

/// One list for all API servers.
fn etcd(plan: &KubeadmPlan, cluster: &Cluster<'_>) -> Value {
    match cluster.etcd.mode {
        EtcdMode::Stacked => {
            let mut local = Map::new();
            local.insert("dataDir".into(), json!(cluster.etcd.data_dir));
            if !plan.etcd.is_empty() {
                let flags = written(cluster.release.kubeadm.extra_args, &plan.etcd);
                local.insert("extraArgs".into(), flags);
            }
            json!({"local": local})
        }
        EtcdMode::External => json!({"external": {
            "endpoints": plan.etcd_endpoints,
            "caFile": format!("{}/etcd/ca.crt", layout::PKI),
            "certFile": format!("{}/apiserver-etcd-client.crt", layout::PKI),
            "keyFile": format!("{}/apiserver-etcd-client.key", layout::PKI),
        }}),
    }
}

/// Two families need a gate while they are an experiment; kubeadm hands it to all components.
fn feature_gates(cluster: &Cluster<'_>) -> Option<Value> {
    const DUAL_STACK: &str = "IPv6DualStack";
    let families = cluster.pod_subnets.len().max(cluster.service_subnets.len());
    let known = kubeadm_gate_status(DUAL_STACK, cluster.version.minor).is_known();
    (families > 1 && known && !cluster.release.dual_stack).then(|| json!({DUAL_STACK: true}))
}

/// What `kubeadm certs renew` makes: the kind of key that the tree has. A release that knows the
/// field but not P-384 gets P-256.
fn encryption_algorithm(cluster: &Cluster<'_>) -> Option<&'static str> {
    let known = &cluster.release.kubeadm.encryption_algorithms;
    let wanted = match cluster.site.certificates.algorithm {
        Algorithm::EcdsaP256 => "ECDSA-P256",
        Algorithm::EcdsaP384 => "ECDSA-P384",
    };
    [wanted, "ECDSA-P256"].into_iter().find(|name| known.iter().any(|known| known == name))
}

/// Days as a Go duration.
fn hours(days: u32) -> String {
    format!("{}h0m0s", u64::from(days) * 24)
}
