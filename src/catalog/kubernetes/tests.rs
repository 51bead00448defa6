//! Each fact at its boundary: the last minor (or patch) before it, and the first with it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::catalog::{CorednsPath, ExtraArgsForm};

fn facts(minor: u32) -> &'static Release {
    release(minor).expect("a known minor")
}

#[test]
fn every_minor_is_there() {
    let minors: Vec<u32> = releases().map(|release| release.minor.0).collect();
    assert_eq!(minors, (OLDEST_MINOR..=NEWEST_MINOR).collect::<Vec<u32>>());
    assert!(release(OLDEST_MINOR - 1).is_none() && release(NEWEST_MINOR + 1).is_none());
    let version: KubernetesVersion = "1.30.4".parse().expect("a version");
    assert_eq!(version.release().map(|release| release.minor.0), Some(30));
}

/// Every key of every file: what one minor says, all say, so that a diff of two shows all that
/// changed. (serde alone would take a missing key for `null`.)
#[test]
fn every_file_is_complete() {
    fn keys(value: &Value, at: &str, into: &mut BTreeSet<String>) {
        if let Value::Object(map) = value {
            for (key, value) in map {
                let path = format!("{at}.{key}");
                keys(value, &path, into);
                into.insert(path);
            }
        }
    }
    let of = |text: &str| {
        let mut set = BTreeSet::new();
        keys(&serde_json::from_str(text).expect("JSON"), "", &mut set);
        set
    };
    let first = of(DATA[0]);
    for text in DATA {
        assert_eq!(of(text), first);
    }
}

#[test]
fn each_kubeadm_accepts_the_etcd_of_its_own_images() {
    for release in releases() {
        for patch in [0, 99].map(VersionPart) {
            let own = release.etcd_version(patch);
            let instead = release.external_etcd_instead_of(own, patch);
            assert!(instead.is_none(), "1.{}.{patch}: {own}, {instead:?}", release.minor);
            assert!(own.release().is_some(), "1.{}.{patch}: {own}", release.minor);
        }
    }
}

/// Facts that are true from a minor on, and false before.
#[test]
fn facts_begin_at_their_minor() {
    type Fact = fn(&Release) -> bool;
    let since: [(&str, u32, Fact); 20] = [
        ("readyz", 16, |r| r.health_path == "/readyz"),
        ("dual stack", 21, |r| r.dual_stack),
        ("secure probes", 16, |r| r.static_pods.secure_probes),
        ("kubeadm certs", 20, |r| r.kubeadm.certs_command == "kubeadm certs"),
        ("v1beta2", 22, |r| r.kubeadm_api != KubeadmApi::V1Beta2),
        ("skipPhases", 22, |r| r.kubeadm.skip_phases_field),
        ("imagePullPolicy", 22, |r| r.kubeadm.image_pull_policy_field),
        ("swap warns", 23, |r| r.kubeadm.swap == Severity::Warning),
        ("pkgs.k8s.io", 24, |r| r.package_layout == PackageLayout::PkgsK8sIo),
        ("super-admin", 29, |r| r.super_admin),
        ("cluster-admins", 29, |r| r.admin_organization == "kubeadm:cluster-admins"),
        ("v1beta4", 31, |r| r.kubeadm_api == KubeadmApi::V1Beta4),
        ("extraArgs list", 31, |r| r.kubeadm.extra_args == ExtraArgsForm::List),
        ("local kubelet.conf", 33, |r| r.kubelet_local_endpoint),
        ("conn_reuse_mode left", 22, |r| r.kube_proxy.conn_reuse_left),
        ("route_localnet filtered", 24, |r| r.kube_proxy.route_localnet_filtered),
        ("nftables stable", 33, |r| r.kube_proxy.nftables == Stage::Stable),
        ("P-384", 34, |r| r.kubeadm.encryption_algorithms.iter().any(|a| a == "ECDSA-P384")),
        ("cgroup v2 required", 35, |r| r.kubelet.cgroup_v2_required),
        ("ipvs deprecated", 35, |r| r.kube_proxy.ipvs_deprecated),
    ];
    for (name, first, fact) in since {
        for release in releases() {
            assert_eq!(fact(release), release.minor.0 >= first, "{name} in 1.{}", release.minor);
        }
    }
}

/// Facts that are true up to a minor, and false after.
#[test]
fn facts_end_at_their_minor() {
    type Fact = fn(&Release) -> bool;
    let until: [(&str, u32, Fact); 6] = [
        ("RoleBinding", 15, |r| r.kubeadm.node_role_binding_needed),
        ("route_localnet of ipvs", 20, |r| r.kube_proxy.route_localnet_ipvs),
        ("dockershim", 23, |r| r.dockershim),
        ("system:masters", 28, |r| r.etcd_client_organization.is_some()),
        ("flexvolume", 35, |r| r.static_pods.flexvolume_folder),
        ("kubelet client group", 36, |r| r.apiserver_kubelet_client_organization.is_some()),
    ];
    for (name, last, fact) in until {
        for release in releases() {
            assert_eq!(fact(release), release.minor.0 <= last, "{name} in 1.{}", release.minor);
        }
    }
}

#[test]
fn taints_and_labels_follow_the_renaming() {
    let control_plane = "node-role.kubernetes.io/control-plane";
    let master = "node-role.kubernetes.io/master";
    assert_eq!(facts(23).control_plane_taints, [master]);
    assert_eq!(facts(24).control_plane_taints, [control_plane, master]);
    assert_eq!(facts(25).control_plane_taints, [control_plane]);
    let labelled =
        |minor, label: &str| facts(minor).control_plane_labels.iter().any(|l| l == label);
    assert!(!labelled(19, control_plane) && labelled(20, control_plane));
    assert!(labelled(23, master) && !labelled(24, master));
    let excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
    assert!(!labelled(20, excluded) && labelled(21, excluded));
}

#[test]
fn sockets_become_urls_with_dockershims_end() {
    let socket = |minor, runtime| facts(minor).cri_socket(runtime);
    assert_eq!(socket(23, RuntimeKind::Docker), "/var/run/dockershim.sock");
    assert_eq!(socket(24, RuntimeKind::Docker), "unix:///var/run/cri-dockerd.sock");
    assert_eq!(socket(23, RuntimeKind::Containerd), "/run/containerd/containerd.sock");
    assert_eq!(socket(24, RuntimeKind::Containerd), "unix:///run/containerd/containerd.sock");
}

#[test]
fn patches_change_images_and_behaviour() {
    assert_eq!(
        (facts(30).etcd_image(VersionPart(4)), facts(30).etcd_image(VersionPart(5))),
        ("3.5.12-0", "3.5.15-0")
    );
    assert_eq!(
        (facts(30).coredns(VersionPart(4)), facts(30).coredns(VersionPart(5))),
        ("v1.11.1", "v1.11.3")
    );
    assert_eq!(
        (facts(33).etcd_image(VersionPart(5)), facts(33).etcd_image(VersionPart(6))),
        ("3.5.21-0", "3.5.24-0")
    );
    assert_eq!(
        (facts(34).etcd_image(VersionPart(1)), facts(34).etcd_image(VersionPart(2))),
        ("3.6.4-0", "3.6.5-0")
    );
    assert_eq!(facts(33).min_external_etcd(VersionPart(5)).to_string(), "3.5.11");
    assert_eq!(facts(33).min_external_etcd(VersionPart(6)).to_string(), "3.5.24");
    let endpoint = |minor, patch| facts(minor).local_kubeconfig_endpoint(VersionPart(patch));
    assert_eq!(endpoint(18, 20), KubeconfigEndpoint::ControlPlane);
    assert_eq!(endpoint(19, 0), KubeconfigEndpoint::ControlPlane);
    assert_eq!(endpoint(19, 1), KubeconfigEndpoint::Local);
    assert_eq!(endpoint(20, 0), KubeconfigEndpoint::Local);
    for (minor, first) in [(22, 15), (23, 12), (24, 6), (25, 2)] {
        let takes = |patch| facts(minor).service_account_ecdsa(VersionPart(patch));
        assert!(!takes(first - 1) && takes(first), "1.{minor}");
        assert_eq!(
            facts(minor).service_account_ecdsa_since().map(|since| since.patch.0),
            Some(first)
        );
    }
    assert!(
        !facts(21).service_account_ecdsa(VersionPart(99))
            && facts(26).service_account_ecdsa(VersionPart(0))
    );
    assert_eq!(facts(21).service_account_ecdsa_since(), None);
    let repository = |minor, patch| facts(minor).image_repository(VersionPart(patch));
    assert_eq!((repository(22, 16), repository(22, 17)), ("k8s.gcr.io", "registry.k8s.io"));
    assert_eq!((repository(24, 8), repository(25, 0)), ("k8s.gcr.io", "registry.k8s.io"));
}

#[test]
fn coredns_lies_deeper_in_the_default_repository() {
    let image = |minor, patch, images| facts(minor).coredns_image(VersionPart(patch), images, None);
    assert_eq!(image(20, 0, "k8s.gcr.io"), "k8s.gcr.io/coredns:1.7.0");
    assert_eq!(image(21, 1, "harbor.lan/k8s"), "harbor.lan/k8s/coredns/coredns:v1.8.0");
    assert_eq!(image(21, 2, "harbor.lan/k8s"), "harbor.lan/k8s/coredns:v1.8.0");
    assert_eq!(image(21, 2, "k8s.gcr.io"), "k8s.gcr.io/coredns/coredns:v1.8.0");
    assert_eq!(image(30, 5, "registry.k8s.io"), "registry.k8s.io/coredns/coredns:v1.11.3");
    assert_eq!(
        facts(30).coredns_image(VersionPart(5), "registry.k8s.io", Some("harbor.lan/k8s/coredns")),
        "harbor.lan/k8s/coredns/coredns:v1.11.3"
    );
    assert_eq!(*facts(20).coredns_path.at(VersionPart(0)), CorednsPath::Flat);
}

#[test]
fn ends_of_life_are_dates() {
    assert_eq!(facts(15).end_of_life, Some(time::macros::date!(2020 - 05 - 06)));
    let dates: Vec<_> = releases().filter_map(|release| release.end_of_life).collect();
    assert!(dates.is_sorted());
}
