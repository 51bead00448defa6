use serde::Serialize;

use super::TEMPLATES;
use super::manifest::{self, LEASE, POD};
use super::plan::KubeVipPlan;
use crate::claims::Phase;
use crate::document::Assignments;
use crate::report::Path;
use crate::rooms::output::File;
use crate::rooms::{Output, Place, Plan, Rendering};
use crate::site::Host;
use crate::tree::Apply;

/// Read by the kubelet, which starts the pod anew when it changes and ends it when it goes.
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-vip.yaml";

/// Context of the runbook's chapter.
#[derive(Serialize)]
struct LostVip {
    vip: String,
    prefix: u8,
    lease: &'static str,
    /// After which another has taken it: the lease that runs out, and tries that come late.
    seconds: u64,
    port: u16,
}

impl LostVip {
    fn new(plan: &KubeVipPlan) -> Self {
        let settings = &plan.settings;
        let milliseconds = settings.lease_duration.millis() + 3 * settings.retry_period.millis();
        Self {
            vip: plan.vip.to_string(),
            prefix: plan.prefix,
            lease: LEASE,
            seconds: milliseconds / 1000,
            port: plan.port,
        }
    }
}

impl Plan for KubeVipPlan {
    fn settled(&self) -> serde_json::Value {
        serde_json::json!({"kubeVip": self.settings})
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Some(cluster) = &with.site.cluster() else { return };
        if self.holders.contains(&node.index) {
            let file = File::on(node, MANIFEST).mode(0o600).phase(Phase::KUBERNETES);
            let file = file.read_by("kube-vip", Apply::Kubelet).reads([
                Path::of(&["endpoint"]),
                Path::of(&["kubeVip"]),
                Path::of(&["cluster", "kubernetes"]),
                Path::of(&["cluster", "apiPort"]),
                node.path(),
            ]);
            out.yaml(file, vec![(POD, manifest::pod(self, node, cluster))]);
            let mut words = Assignments::default();
            words
                .word("kube_vip", &format!("{}/{}", self.vip, self.prefix))
                .word("kube_vip_lease", LEASE);
            out.words(Phase::KUBERNETES.step, words);
        }
    }

    fn render_cluster(&self, _: &Rendering<'_>, out: &mut Output<'_>) {
        let [lost_vip, _] = &TEMPLATES;
        out.prose(Place::Loss, lost_vip.id, &LostVip::new(self));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::document::merge;
    use crate::rooms::kubevip::KubeVip;
    use crate::rooms::overlaid::{claimed, codes, file, files, outcome, text};

    /// The base, whose VIP kube-vip holds.
    fn held(mut more: Value) -> Value {
        merge(&mut more, &json!({"endpoint": {"holder": "kubeVip"}}));
        if more["endpoint"].get("port").is_none() {
            more["endpoint"]["port"] = Value::Null;
        }
        more
    }

    fn pod(node: &str, more: Value) -> Value {
        let files = files(&KubeVip, &held(more));
        let path = format!("nodes/{node}/rootfs/etc/kubernetes/manifests/kube-vip.yaml");
        serde_yaml::from_str(text(&files, &path)).unwrap()
    }

    fn variable(pod: &Value, name: &str) -> String {
        let variables = pod["spec"]["containers"][0]["env"].as_array().unwrap();
        let variable = variables.iter().find(|variable| variable["name"] == name).unwrap();
        variable["value"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_first_control_plane_asks_with_what_has_rights_before_init() {
        let path = |version: &str, node: &str| {
            let pod = pod(node, json!({"cluster": {"kubernetes": version}}));
            pod["spec"]["volumes"][0]["hostPath"]["path"].as_str().unwrap().to_owned()
        };
        assert_eq!(path("1.28.15", "cp1"), "/etc/kubernetes/admin.conf");
        assert_eq!(path("1.29.0", "cp1"), "/etc/kubernetes/super-admin.conf");
        assert_eq!(path("1.29.0", "cp2"), "/etc/kubernetes/admin.conf");
    }

    #[test]
    fn it_runs_on_control_planes_alone_and_asks_their_own_api_server() {
        let more = json!({"cluster": {"apiPort": 7443}, "kubeVip": {"leaseDuration": "9s"}});
        let own = pod("cp2", more.clone());
        for (name, value) in [
            ("address", "192.168.1.33"),
            ("port", "7443"),
            ("kubernetes_addr", "127.0.0.1:7443"),
            ("vip_interface", "eth0"),
            ("vip_subnet", "32"),
            ("vip_leaseduration", "9"),
            ("prometheus_server", "127.0.0.1:2112"),
        ] {
            assert_eq!(variable(&own, name), value, "{name}");
        }
        let made = files(&KubeVip, &held(more));
        assert!(made.iter().all(|(path, _)| !path.starts_with("nodes/w1/")));
    }

    #[test]
    fn an_ipv6_address_is_held_alike() {
        let six = pod(
            "cp1",
            json!({
                "cluster": {"podSubnet": "fd10::/48", "serviceSubnet": "fd20::/112"},
                "endpoint": {"vip": "fd00::33/64"},
                "nodes": [{"name": "cp1", "address": "fd00::11", "roles": ["control-plane"]}],
            }),
        );
        assert_eq!(variable(&six, "vip_subnet"), "128");
        assert_eq!(variable(&six, "prometheus_server"), "[::1]:2112");
        assert_eq!(variable(&six, "kubernetes_addr"), "[::1]:6443");
    }

    #[test]
    fn what_others_make_of_it() {
        let built = outcome("{endpoint: {holder: kubeVip, port: null}}");
        let config = file(&built, "nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        assert!(config.contains("controlPlaneEndpoint: 192.168.1.33:6443\n"), "{config}");
        assert!(config.contains("  certSANs:\n  - 192.168.1.33\n"), "{config}");
        // A join that finds a static pod stops, unless it is told otherwise; an init does not.
        let ignored = "  ignorePreflightErrors:\n  - DirAvailable--etc-kubernetes-manifests\n";
        assert!(!config.contains(ignored), "{config}");
        let join = |node: &str| {
            file(&built, &format!("nodes/{node}/rootfs/etc/kubernetes/kubeadm-join.yaml"))
        };
        assert!(join("cp1").contains(ignored) && join("cp2").contains(ignored));
        assert!(!join("w1").contains(ignored));
        let (_, claims) = claimed(&held(json!({})));
        let [control_plane, worker] = [0, 3].map(|node| claims.of(node));
        assert!(control_plane.images.contains("ghcr.io/kube-vip/kube-vip:v1.2.2"));
        assert!(!worker.images.iter().any(|image| image.contains("kube-vip")));
        assert!(control_plane.steps().all(|step| step != "30-balancer"));
        let clients = control_plane.ports.iter().filter(|port| port.is_for_clients());
        assert_eq!(clients.map(|port| port.port).collect::<Vec<_>>(), [6443]);
        let runbook = file(&built, "README.md");
        assert!(!runbook.contains("30-balancer"), "{runbook}");
    }

    #[test]
    fn what_nobody_reads_is_refused() {
        let of = |more: &str| codes(&format!("{{endpoint: {{holder: kubeVip{more}}}"));
        assert_eq!(of(", port: 8443}"), ["endpoint/wrong-port"]);
        assert_eq!(of(", port: 6443}"), [""; 0]);
        assert_eq!(of(", port: null, vip: null}"), ["endpoint/lacks-key"]);
        assert_eq!(of(", port: null, address: 192.168.1.9}"), ["endpoint/unused-key"]);
        let unused = ["cluster/balancer-unused"];
        assert_eq!(of(", port: null}, keepalived: {preempt: true}"), unused);
        assert_eq!(of(", port: null}, loadBalancer: {kind: nginx}"), unused);
        assert_eq!(codes("kubeVip: {leaseDuration: 9s}"), unused);
    }
}
