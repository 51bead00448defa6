//! flannel's objects, after upstream's manifest. What differs, and why: the interface is found by
//! the node's address, the health port is bound to loopback, the init container copies with `cp`,
//! which images of every flannel have, and every taint is tolerated.

use serde_json::{Map, Value, json};

use super::bridge;
use super::flannel::{HEALTH_PORT, NODE_IP};
use super::plan::{Families, Flannel};
use crate::document;
use crate::inventory::cni::Backend;
use crate::rooms::DocumentName;
use crate::site::Cluster;

const NAMESPACE: &str = "cni/Namespace";
const SERVICE_ACCOUNT: &str = "cni/ServiceAccount";
const CLUSTER_ROLE: &str = "cni/ClusterRole";
const CLUSTER_ROLE_BINDING: &str = "cni/ClusterRoleBinding";
const CONFIG_MAP: &str = "cni/ConfigMap";
const DAEMON_SET: &str = "cni/DaemonSet";

const IDENTITY: &[&str] = &["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];

pub(super) const DOCUMENTS: &[DocumentName] = &[
    DocumentName { name: NAMESPACE, owned: IDENTITY },
    DocumentName { name: SERVICE_ACCOUNT, owned: IDENTITY },
    DocumentName { name: CLUSTER_ROLE, owned: IDENTITY },
    DocumentName { name: CLUSTER_ROLE_BINDING, owned: IDENTITY },
    DocumentName {
        name: CONFIG_MAP,
        owned: &[
            "/apiVersion",
            "/kind",
            "/metadata/name",
            "/metadata/namespace",
            "/data/net-conf.json",
        ],
    },
    DocumentName { name: DAEMON_SET, owned: IDENTITY },
    // Lists are replaced as a whole, and the ranges agree with the other nodes' routes.
    DocumentName { name: bridge::CONFLIST, owned: &["/cniVersion", "/name", "/plugins"] },
];

/// Every object's name.
const NAME: &str = "flannel";
/// Where the pods live.
const SPACE: &str = "kube-flannel";
/// Where both configuration files are inside the containers.
const CONFIG_FOLDER: &str = "/etc/kube-flannel/";

/// All objects, in the order in which they have to exist.
pub(super) fn documents(plan: &Flannel, cluster: &Cluster<'_>) -> Vec<(&'static str, Value)> {
    vec![
        (NAMESPACE, namespace()),
        (SERVICE_ACCOUNT, service_account()),
        (CLUSTER_ROLE, cluster_role()),
        (CLUSTER_ROLE_BINDING, cluster_role_binding()),
        (CONFIG_MAP, config_map(plan, cluster)),
        (DAEMON_SET, daemon_set(plan, cluster)),
    ]
}

/// Labelled for Pod Security admission, which refuses host networks otherwise where an
/// administrator turned it on; releases without it ignore the label.
fn namespace() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": SPACE,
            "labels": {
                "k8s-app": NAME,
                "pod-security.kubernetes.io/enforce": "privileged",
            },
        },
    })
}

fn service_account() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": SPACE, "labels": {"k8s-app": NAME}},
    })
}

fn cluster_role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": NAME, "labels": {"k8s-app": NAME}},
        "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
        ],
    })
}

fn cluster_role_binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": NAME, "labels": {"k8s-app": NAME}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": SPACE}],
    })
}

fn config_map(plan: &Flannel, cluster: &Cluster<'_>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "kube-flannel-cfg",
            "namespace": SPACE,
            "labels": {"tier": "node", "app": NAME, "k8s-app": NAME},
        },
        "data": {
            "cni-conf.json": text(&cni_conf()),
            "net-conf.json": text(&net_conf(plan, cluster)),
        },
    })
}

fn text(document: &Value) -> String {
    String::from_utf8_lossy(&document::json(document)).into_owned()
}

/// `10-flannel.conflist` on every node. `hairpinMode`: a pod may reach itself through a service.
fn cni_conf() -> Value {
    json!({
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

/// flanneld's own configuration: exactly the pods' networks.
fn net_conf(plan: &Flannel, cluster: &Cluster<'_>) -> Value {
    let mut config = Map::new();
    for network in &cluster.pod_subnets {
        let key = if network.addr().is_ipv4() { "Network" } else { "IPv6Network" };
        config.insert(key.into(), json!(network.to_string()));
    }
    let Families { v4, v6 } = Families::of(cluster);
    if v6 {
        config.insert("EnableIPv4".into(), json!(v4));
        config.insert("EnableIPv6".into(), json!(true));
    }
    let backend = match plan.backend {
        Backend::Vxlan => "vxlan",
        Backend::HostGw => "host-gw",
        Backend::Wireguard => "wireguard",
    };
    config.insert("Backend".into(), json!({"Type": backend}));
    Value::Object(config)
}

fn daemon_set(plan: &Flannel, cluster: &Cluster<'_>) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": "kube-flannel-ds",
            "namespace": SPACE,
            "labels": {"tier": "node", "app": NAME, "k8s-app": NAME},
        },
        "spec": {
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": {"tier": "node", "app": NAME}},
                "spec": pod(plan, cluster),
            },
        },
    })
}

fn pod(plan: &Flannel, cluster: &Cluster<'_>) -> Value {
    let mut pod = Map::new();
    let mut set = |key: &str, value: Value| pod.insert(key.to_owned(), value);
    set("nodeSelector", json!({"kubernetes.io/os": "linux"}));
    set("hostNetwork", json!(true));
    if cluster.release.critical_pods_anywhere {
        set("priorityClassName", json!("system-node-critical"));
    }
    // A node is tainted not-ready until its network works, and may have taints of its own, of any
    // effect: `NoExecute` would take the network away from the pods that tolerate it.
    set("tolerations", json!([{"operator": "Exists"}]));
    set("serviceAccountName", json!(NAME));
    set(
        "initContainers",
        json!([
            copy(
                "install-cni-plugin",
                &plan.plugin_image,
                ["/flannel", "/opt/cni/bin/flannel"],
                json!([{"name": "cni-plugin", "mountPath": "/opt/cni/bin"}]),
            ),
            copy(
                "install-cni",
                &plan.image,
                ["/etc/kube-flannel/cni-conf.json", "/etc/cni/net.d/10-flannel.conflist"],
                json!([
                    {"name": "cni", "mountPath": "/etc/cni/net.d"},
                    {"name": "flannel-cfg", "mountPath": CONFIG_FOLDER},
                ]),
            ),
        ]),
    );
    set("containers", json!([flanneld(plan)]));
    set(
        "volumes",
        json!([
            {"name": "run", "hostPath": {"path": "/run/flannel", "type": "DirectoryOrCreate"}},
            {"name": "cni-plugin", "hostPath": {"path": "/opt/cni/bin", "type": "DirectoryOrCreate"}},
            {"name": "cni", "hostPath": {"path": "/etc/cni/net.d", "type": "DirectoryOrCreate"}},
            {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
        ]),
    );
    Value::Object(pod)
}

fn copy(name: &str, image: &str, paths: [&str; 2], mounts: Value) -> Value {
    let [from, to] = paths;
    json!({
        "name": name,
        "image": image,
        "command": ["cp"],
        "args": ["-f", from, to],
        "volumeMounts": mounts,
    })
}

fn flanneld(plan: &Flannel) -> Value {
    let mut args = vec!["--ip-masq".to_owned(), "--kube-subnet-mgr".to_owned()];
    args.extend(plan.interface.iter().cloned());
    args.extend(["--healthz-ip=127.0.0.1".to_owned(), format!("--healthz-port={HEALTH_PORT}")]);
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
    let probe = |path: &str, delay: u32, period: u32| {
        json!({
            "httpGet": {"host": "127.0.0.1", "path": path, "port": HEALTH_PORT},
            "initialDelaySeconds": delay,
            "periodSeconds": period,
        })
    };
    json!({
        "name": "kube-flannel",
        "image": plan.image,
        "command": ["/opt/bin/flanneld"],
        "args": args,
        "env": [
            field("POD_NAME", "metadata.name"),
            field("POD_NAMESPACE", "metadata.namespace"),
            field(NODE_IP, "status.hostIP"),
            {"name": "EVENT_QUEUE_DEPTH", "value": "5000"},
            {"name": "CONT_WHEN_CACHE_NOT_READY", "value": "false"},
        ],
        "livenessProbe": probe("/healthz", 10, 30),
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {
            "privileged": false,
            "capabilities": {"add": ["NET_ADMIN", "NET_RAW"]},
        },
        "volumeMounts": [
            {"name": "run", "mountPath": "/run/flannel"},
            {"name": "flannel-cfg", "mountPath": CONFIG_FOLDER},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
        ],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::cni::Cni;
    use crate::rooms::overlaid::{files, text};

    fn manifest(overlay: &Value) -> String {
        let files = files(&Cni, overlay);
        let node = "nodes/cp1/rootfs/etc/kubernetes/addons/10-flannel.yaml";
        let manifest = text(&files, "cluster/manifests/flannel.yaml");
        assert_eq!(text(&files, node), manifest);
        manifest.to_owned()
    }

    #[test]
    fn the_network_is_the_pods_in_every_family() {
        let one = manifest(&json!({"cluster": {"podSubnet": "10.20.0.0/16"}}));
        assert!(one.contains(r#""Network": "10.20.0.0/16""#) && !one.contains("EnableIPv6"));
        let two = json!({"cluster": {
            "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
            "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
        }});
        let two = manifest(&two);
        assert!(two.contains(r#""IPv6Network": "fd00:10:244::/56""#));
        assert!(two.contains(r#""EnableIPv4": true"#) && two.contains(r#""EnableIPv6": true"#));
        let six = json!({"cluster": {
            "podSubnet": "fd00:10:244::/56",
            "serviceSubnet": "fd00:10:96::/112",
        }});
        assert!(manifest(&six).contains(r#""EnableIPv4": false"#));
    }

    #[test]
    fn the_interface_is_the_one_with_the_nodes_address() {
        assert!(manifest(&json!({})).contains("- --iface=$(NODE_IP)\n"));
        let said = json!({"cni": {"interface": "bond0"}});
        assert!(manifest(&said).contains("- --iface=bond0\n"));
    }

    #[test]
    fn an_old_release_refuses_critical_pods_outside_kube_system() {
        let of = |version: &str| manifest(&json!({"cluster": {"kubernetes": version}}));
        assert!(!of("1.16.15").contains("priorityClassName"));
        assert!(of("1.17.17").contains("priorityClassName: system-node-critical"));
    }

    #[test]
    fn the_network_runs_on_a_node_whatever_its_taints() {
        let all = "      tolerations:\n      - operator: Exists\n      serviceAccountName";
        assert!(manifest(&json!({})).contains(all));
    }
}
