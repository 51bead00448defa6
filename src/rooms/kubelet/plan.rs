use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::agreement::Fields;
use super::lint::word;
use super::patches;
use crate::catalog::{KUBERNETES_PACKAGES, OsFamily, PathUse, flag_paths};
use crate::claims::{
    Bind, Carried, NeededFile, OwnedPath, Package, Phase, Port, Protocol, Reach, Repository,
    RoomClaims, Unit, WrittenFor,
};
use crate::inventory::Inventory;
use crate::inventory::images::PullPolicy;
use crate::inventory::kubelet::KubeletSection;
use crate::report::Path;
use crate::rooms::DocumentName;
use crate::site::extra::SaidFlag;
use crate::site::{Cluster, DEFAULT_PODS, Host, KUBELET_CONFIGURATION};
use crate::tree::Apply;

/// KubeletConfiguration of every node; the API is v1beta1 in every release of the catalog.
pub(super) const DOCUMENT: &str = KUBELET_CONFIGURATION;

pub(super) const DOCUMENTS: &[DocumentName] = &[DocumentName {
    name: DOCUMENT,
    owned: &[
        "/apiVersion",
        "/kind",
        "/authentication/x509/clientCAFile",
        "/cgroupDriver",
        "/clusterDomain",
        "/containerRuntimeEndpoint",
        "/registerWithTaints",
        "/rotateCertificates",
        "/staticPodPath",
    ],
}];

/// States the configuration, flags, ports, unit, folder and packages.
/// Returns the flags of each node, by its index, as they are before patches.
pub(super) fn claim(
    said: &Inventory,
    cluster: &Cluster<'_>,
    claims: &mut RoomClaims,
) -> BTreeMap<usize, patches::Flags> {
    let mut own = BTreeMap::new();
    let value = configuration(said, cluster);
    claims.carried.push(Carried { document: DOCUMENT, program: "kubelet", value });
    let fields = Fields::new(said, cluster);
    let own_resolvers = resolvers_differ(&fields, cluster);
    for node in cluster.nodes.iter().filter(|node| node.kubelet()) {
        let extra = &said.extra_args.kubelet;
        let extra = extra.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let packages = packages(cluster, node);
        let mut flags = flags(node);
        if let Some(pods) = fewer_pods(&fields, cluster, node) {
            flags.insert("max-pods".into(), pods.to_string());
        }
        if own_resolvers {
            flags.insert("resolv-conf".into(), node.os.resolver().to_owned());
        }
        flags.extend(extra);
        own.insert(node.index, flags.clone());
        let mut removed = Vec::new();
        let claims = claims.node(node.index);
        claims.needed_files.extend(files(said, &fields));
        for SaidFlag { name, value, at } in patches::of(cluster, node) {
            claims.needed_files.extend(needed(name, value.unwrap_or_default(), &at));
            match value {
                Some(value) => drop(flags.insert(name.to_owned(), value.to_owned())),
                // The patch itself takes it out of the document.
                None => removed.push(name),
            }
        }
        let arguments = flags.iter().filter(|(name, _)| !removed.contains(&name.as_str()));
        let arguments = arguments.map(|(name, value)| ("kubelet", name.clone(), value.clone()));
        claims.arguments.extend(arguments);
        claims.command_lines.insert("kubelet", flags);
        claims.ports.extend(ports(&fields));
        claims.units.push(Unit {
            name: "kubelet.service".into(),
            phase: Phase::Install,
            check: Vec::new(),
            wait: false,
            start: false,
        });
        claims.paths.push(OwnedPath {
            path: "/var/lib/kubelet".into(),
            remove_on_reset: true,
            mounts: true,
            at: Path::of(&["kubelet"]),
        });
        claims.images.insert(cluster.runtime.pause_image.clone());
        claims.packages.extend(packages);
    }
    own
}

/// Only what must not depend on the release's or kubeadm's default, and what the user said. The
/// driver is explicit: its default changed with 1.21, and the runtime's file names it as well.
fn configuration(said: &Inventory, cluster: &Cluster<'_>) -> Value {
    // `cgroup_driver` is only compared: runtime and kubelet share one.
    let KubeletSection { cgroup_driver: _, max_pods, config } = &said.kubelet;
    let mut document = Map::new();
    document.insert("apiVersion".into(), json!("kubelet.config.k8s.io/v1beta1"));
    document.insert("kind".into(), json!("KubeletConfiguration"));
    document.insert("cgroupDriver".into(), json!(word(cluster.runtime.cgroup_driver)));
    let fewer = cluster.pods_per_node().filter(|addresses| *addresses < DEFAULT_PODS);
    if let Some(pods) = max_pods.or(fewer) {
        document.insert("maxPods".into(), json!(pods));
    }
    if said.images.pull_policy == Some(PullPolicy::Never) {
        // Nobody could pull again what a kubelet deletes from a disk that fills up; 100 forbids it
        // (<https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/>).
        document.insert("imageGCHighThresholdPercent".into(), json!(100));
    }
    // kubeadm forces it as well; said here because joins without a token rest on it.
    document.insert("rotateCertificates".into(), json!(true));
    document.extend(config.iter().map(|(field, value)| (field.clone(), value.clone())));
    Value::Object(document)
}

/// How many pods a node may have whose own range has fewer addresses than all nodes may have pods:
/// one more would wait for an address for ever. The flag wins over the field that nodes share.
fn fewer_pods(fields: &Fields<'_>, cluster: &Cluster<'_>, node: &Host) -> Option<u32> {
    let shared = match fields.max_pods() {
        Some((_, pods)) => pods,
        None => cluster.pods_per_node().unwrap_or(DEFAULT_PODS).min(DEFAULT_PODS),
    };
    cluster.pod_addresses(node).filter(|addresses| node.pod_range.is_some() && *addresses < shared)
}

/// Whether one file with name servers for all nodes would not do: each is told its own.
fn resolvers_differ(fields: &Fields<'_>, cluster: &Cluster<'_>) -> bool {
    let mut files =
        cluster.nodes.iter().filter(|node| node.kubelet()).map(|node| node.os.resolver());
    let first = files.next();
    fields.resolver().is_none()
        && !cluster.release.kubelet.resolver_per_node
        && files.any(|file| Some(file) != first)
}

/// A node with several addresses would otherwise choose by itself, and the VIP is one of them.
fn flags(node: &Host) -> BTreeMap<String, String> {
    let addresses: Vec<String> = node.addresses().map(|address| address.to_string()).collect();
    let mut flags = BTreeMap::from([("node-ip".to_owned(), addresses.join(","))]);
    if !node.labels.is_empty() {
        let labels: Vec<String> =
            node.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        flags.insert("node-labels".into(), labels.join(","));
    }
    flags
}

/// It reads its files at its start.
const KUBELET: (&str, Apply) = ("kubelet.service", Apply::Restart);

/// Fields that name a file which the kubelet reads; one that is not absolute lies in the kubelet's
/// own folder, beside its configuration.
const FILE_FIELDS: [&str; 2] = ["tlsCertFile", "tlsPrivateKeyFile"];

fn files(said: &Inventory, fields: &Fields<'_>) -> Vec<NeededFile> {
    let section = Path::of(&["extraArgs", "kubelet"]);
    let flags = said.extra_args.kubelet.iter();
    let flags = flags.flat_map(|(flag, value)| {
        needed(flag.as_str(), value.as_str(), &section.key(flag.as_str()))
    });
    let fields = FILE_FIELDS.iter().filter_map(|field| {
        let (at, path) = fields.get(field)?;
        let path = path.as_str()?;
        path.starts_with('/').then(|| NeededFile {
            path: path.to_owned(),
            folder: false,
            reader: format!("{field} of the kubelet"),
            read_by: KUBELET,
            at,
        })
    });
    flags.chain(fields).collect()
}

/// What a flag needs to be there.
fn needed(flag: &str, value: &str, at: &Path) -> Vec<NeededFile> {
    let paths = flag_paths(flag, value).into_iter();
    paths
        .filter_map(|(used, path)| {
            let folder = match used {
                PathUse::File => false,
                PathUse::Folder => true,
                // The kubelet makes its folders, and a log beside others' is in one that exists.
                PathUse::Made | PathUse::MadeFolder => return None,
            };
            let reader = format!("--{flag} of the kubelet");
            let path = path.to_owned();
            Some(NeededFile { path, folder, reader, read_by: KUBELET, at: at.clone() })
        })
        .collect()
}

/// The kubelet's own defaults:
/// <https://kubernetes.io/docs/reference/networking/ports-and-protocols/>.
fn ports(fields: &Fields<'_>) -> Vec<Port> {
    let port = |bind, said: Option<(Path, u16)>, default, reach, what| {
        let (at, port) = said.unwrap_or_else(|| (Path::of(&["kubelet"]), default));
        Port { protocol: Protocol::Tcp, bind, port, reach, what, at }
    };
    let own = fields.port("port", "port");
    let health = fields.port("healthzPort", "healthz-port");
    let read_only = fields.port("readOnlyPort", "read-only-port");
    let mut ports = vec![
        port(Bind::Any, own, 10250, Reach::Nodes, "the kubelet"),
        port(Bind::Loopback, health, 10248, Reach::Host, "the kubelet's health"),
        port(Bind::Any, read_only, 0, Reach::Host, "the kubelet without authentication"),
    ];
    // 0 closes one.
    ports.retain(|port| port.port != 0);
    ports
}

/// Programs that the packages bring, as far as a script can look for them.
const PROGRAMS: [(&str, Option<&str>); 5] = [
    ("kubeadm", Some("kubeadm")),
    ("kubectl", Some("kubectl")),
    ("kubelet", Some("kubelet")),
    ("cri-tools", None),
    ("kubernetes-cni", None),
];

/// What decides the version of Kubernetes' packages.
const RELEASE: &[&str] = &["cluster", "kubernetes"];

/// All from one repository. The three that follow Kubernetes' version are held, since an upgrade
/// of a node is kubeadm's matter; the other two come in the version that the repository pairs
/// with them.
fn packages(cluster: &Cluster<'_>, node: &Host) -> Vec<Package> {
    let layout = cluster.release.package_layout;
    let version = match node.os.family {
        OsFamily::Debian => layout.deb_version(cluster.version),
        OsFamily::Rhel => layout.rpm_version(cluster.version),
    };
    PROGRAMS
        .iter()
        .map(|(name, program)| {
            let versioned = KUBERNETES_PACKAGES.contains(name);
            Package {
                name: (*name).to_owned(),
                version: versioned.then(|| version.clone()),
                written_for: versioned.then(|| WrittenFor {
                    release: cluster.version.to_string(),
                    key: RELEASE,
                    at: Path::of(RELEASE),
                }),
                repository: Repository::Kubernetes,
                hold: versioned,
                program: program.map(str::to_owned),
                serves: true,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::trial::{claimed, complaints};

    #[test]
    fn a_node_is_told_its_own_address_and_labels() {
        let overlay = json!({"nodes": [{
            "name": "cp1",
            "address": "192.168.1.11",
            "roles": ["control-plane"],
            "labels": {"example.com/rack": "r1", "disk": ""},
        }]});
        let (_, claims) = claimed(&overlay);
        let flags = &claims.of(0).command_lines["kubelet"];
        assert_eq!(flags["node-ip"], "192.168.1.11");
        assert_eq!(flags["node-labels"], "disk=,example.com/rack=r1");
    }

    #[test]
    fn a_node_of_two_families_registers_both_addresses() {
        let overlay = json!({
            "cluster": {
                "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
                "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
            },
            "nodes": [{
                "name": "cp1",
                "address": "192.168.1.11",
                "secondAddress": "fd00:20::11",
                "roles": ["control-plane"],
            }],
        });
        let (_, claims) = claimed(&overlay);
        assert_eq!(claims.of(0).command_lines["kubelet"]["node-ip"], "192.168.1.11,fd00:20::11");
        let outcome = crate::rooms::trial::outcome(&overlay.to_string());
        let file = |path| crate::rooms::trial::file(&outcome, path);
        let config = file("nodes/cp1/rootfs/etc/kubernetes/kubeadm-config.yaml");
        assert!(config.contains("value: 192.168.1.11,fd00:20::11\n"), "{config}");
        // The certificate names what the configuration asks for.
        assert!(config.contains("- 'fd00:20::11'\n"), "{config}");
        assert!(file("nodes/cp1/node.sh").contains("\n  fd00:20::11 cp1\n"));
    }

    #[test]
    fn packages_are_written_as_their_system_writes_them() {
        let version = |kubernetes: &str, distribution: &str, release: &str| {
            let overlay = json!({
                "cluster": {"kubernetes": kubernetes},
                "os": {"distribution": distribution, "release": release},
            });
            let (_, claims) = claimed(&overlay);
            let package = |name: &str| {
                let packages = &claims.of(0).packages;
                packages.iter().find(|package| package.name == name).unwrap().clone()
            };
            assert!(package("kubelet").hold && package("cri-tools").version.is_none());
            package("kubeadm").version.clone().unwrap()
        };
        assert_eq!(version("1.30.4", "debian", "12"), "1.30.4-1.1");
        assert_eq!(version("1.15.1", "centos", "7"), "1.15.1-0");
    }

    #[test]
    fn fields_are_judged_by_release_and_owner() {
        let with = |version: &str, config: serde_json::Value| {
            let overlay =
                json!({"cluster": {"kubernetes": version}, "kubelet": {"config": config}});
            complaints(&Kubelet, &overlay)
        };
        let too_early = ["cluster/extra-arg-removed at kubelet.config.memorySwap"];
        assert_eq!(with("1.21.14", json!({"memorySwap": {}})), too_early);
        let swap = json!({"memorySwap": {"swapBehavior": "NoSwap"}, "evictionHard": {"nodefs.available": "5%"}});
        assert!(with("1.37.1", swap).is_empty());
        let misspelt = json!({"memorySwap": {"swapBehaviour": "NoSwap"}});
        let unknown = ["cluster/extra-arg-removed at kubelet.config.memorySwap.swapBehaviour"];
        assert_eq!(with("1.37.1", misspelt), unknown);
        let owned = ["cluster/extra-arg-owned at kubelet.config.maxPods"];
        assert_eq!(with("1.37.1", json!({"maxPods": 50})), owned);
    }

    #[test]
    fn pods_may_ask_a_cache_on_their_node() {
        let with = |addresses: serde_json::Value| json!({"kubelet": {"config": {"clusterDNS": addresses}}});
        let cache = with(json!(["169.254.20.10"]));
        assert!(complaints(&Kubelet, &cache).is_empty());
        let (_, claims) = claimed(&cache);
        assert_eq!(claims.carried[0].value["clusterDNS"], json!(["169.254.20.10"]));
        let at = |place: &str| vec![format!("kubelet/cluster-dns at {place}")];
        assert_eq!(complaints(&Kubelet, &with(json!([]))), at("kubelet.config.clusterDNS"));
        let name = with(json!(["10.96.0.10", "kube-dns"]));
        assert_eq!(complaints(&Kubelet, &name), at("kubelet.config.clusterDNS[1]"));
        let patched = json!({"patches": [{
            "document": "kubelet/KubeletConfiguration", "patch": {"clusterDNS": ["dns"]},
        }]});
        assert_eq!(complaints(&Kubelet, &patched), at("patches[0].patch.clusterDNS[0]"));
    }

    #[test]
    fn the_driver_is_always_written() {
        let overlay = json!({"runtime": {"cgroupDriver": "cgroupfs"}, "kubelet": {"maxPods": 50}});
        let (_, claims) = claimed(&overlay);
        let document = &claims.carried[0].value;
        assert_eq!(
            (&document["cgroupDriver"], &document["maxPods"]),
            (&json!("cgroupfs"), &json!(50))
        );
        let differs = json!({"kubelet": {"cgroupDriver": "cgroupfs"}});
        let expected = ["cluster/cgroup-driver at kubelet.cgroupDriver"];
        assert_eq!(complaints(&Kubelet, &differs), expected);
    }

    #[test]
    fn images_that_nobody_can_pull_again_are_not_deleted() {
        let threshold = |overlay: serde_json::Value| {
            let (_, claims) = claimed(&overlay);
            claims.carried[0].value["imageGCHighThresholdPercent"].clone()
        };
        let mut overlay = json!({"images": {"pullPolicy": "Never"}});
        assert_eq!(threshold(overlay.clone()), 100);
        overlay["kubelet"] = json!({"config": {"imageGCHighThresholdPercent": 90}});
        assert_eq!(threshold(overlay), 90);
        assert!(threshold(json!({})).is_null());
    }

    #[test]
    fn files_that_it_reads_are_somebodys() {
        let of = |overlay: &str| {
            let outcome = crate::rooms::trial::outcome(overlay);
            let found = outcome.report.findings().iter();
            found
                .map(|finding| format!("{} at {}", finding.code.id, finding.at))
                .collect::<Vec<_>>()
        };
        let providers = "extraArgs: {kubelet: {\
            image-credential-provider-config: /etc/kubernetes/providers.yaml, \
            image-credential-provider-bin-dir: /opt/providers}";
        let at = "audit/file-missing at extraArgs.kubelet.image-credential-provider-";
        assert_eq!(of(&format!("{providers}}}")), [format!("{at}bin-dir"), format!("{at}config")]);
        let config = "files: [{path: /etc/kubernetes/providers.yaml, content: x}]";
        assert!(
            of(&format!("{{{providers}, hostFiles: [/opt/providers]}}, {config}}}")).is_empty()
        );
        let own = "kubelet: {config: {tlsCertFile: /etc/kubernetes/kubelet.crt}}";
        assert_eq!(of(own), ["audit/file-missing at kubelet.config.tlsCertFile"]);
        let made = "kubelet: {config: {tlsCertFile: /var/lib/kubelet/pki/kubelet.crt}}";
        assert!(of(made).is_empty());
    }
}
