use std::collections::{BTreeMap, BTreeSet};

use super::args::Flags;
use super::mounts::Part;
use super::{ANONYMOUS_AUTH, PULL_POLICY, args, config, paths, pki, rbac, sans, service_account};
use crate::catalog::Severity;
use crate::catalog::flags::Component;
use crate::claims::{Bind, Name, OwnedPath, Phase, Port, Protocol, Reach, RoomClaims};
use crate::cluster::extra::SaidFlag;
use crate::cluster::{
    Cluster, EtcdMode, LoadBalancerKind, Node, extra, host_port, layout, loopback,
};
use crate::inventory::images::PullPolicy;
use crate::inventory::kubeadm::KubeadmSection;
use crate::inventory::values::{FlagName, FlagValue, PreflightCheck};
use crate::inventory::{ExtraArgsSection, Inventory};
use crate::report::{Finding, Path, Report};
use crate::rooms::output::File;
use crate::rooms::{Checking, Output, Plan, Rendering};

/// kubeadm's metrics port of a stacked member (`EtcdMetricsPort` in
/// <https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/constants/constants.go>).
const ETCD_METRICS_PORT: u16 = 2381;

/// What is decided about `kubeadm init` and `kubeadm join`.
#[derive(Clone)]
pub(super) struct Kubeadm {
    /// The extra flags of each component of the control plane, those of patches among them.
    pub(super) flags: [Flags; 3],
    /// Where patches say some of them.
    patched: BTreeMap<(Part, String), Path>,
    /// Those that patches take away.
    removed: BTreeSet<(Part, String)>,
    /// A stacked member's.
    pub(super) etcd: Flags,
    /// The members of an external store, as every API server is given them.
    pub(super) etcd_endpoints: Vec<String>,
    /// Preflight checks whose errors are ignored, on every node.
    pub(super) ignored_checks: Vec<String>,
    /// When kubeadm pulls images; `None` leaves it to kubeadm.
    pub(super) pull_policy: Option<&'static str>,
}

type Said = BTreeMap<FlagName, FlagValue>;

/// Reports flags that the release lacks or that have another owner.
pub(super) fn lint(said: &Inventory, plan: &Kubeadm, cluster: &Cluster, report: &mut Report) {
    // The kubelet's flags are its own room's matter.
    let ExtraArgsSection { api_server, controller_manager, scheduler, kubelet: _, host_files: _ } =
        &said.extra_args;
    let section = Path::of(&["extraArgs"]);
    let mut lint = |component, key: &str, flags: &Said, owned| {
        extra::lint(cluster, component, &section.key(key), flags, owned, report);
    };
    lint(Component::KubeApiserver, "apiServer", api_server, args::API_SERVER);
    lint(
        Component::KubeControllerManager,
        "controllerManager",
        controller_manager,
        args::CONTROLLER_MANAGER,
    );
    lint(Component::KubeScheduler, "scheduler", scheduler, args::SCHEDULER);
    let own = of_controller_manager(controller_manager, cluster);
    for (part, flag) in patched(cluster) {
        let (owned, said) = match part {
            Part::ApiServer => (args::API_SERVER, api_server),
            Part::ControllerManager => (args::CONTROLLER_MANAGER, controller_manager),
            Part::Scheduler => (args::SCHEDULER, scheduler),
        };
        let repeats = part == Part::ControllerManager
            && own.get(flag.name).is_some_and(|own| Some(own.as_str()) == flag.value);
        // A list has to repeat what `extraArgs` says, which the rest of the site follows.
        let mut said = said.iter();
        let followed = said
            .any(|(name, value)| name.as_str() == flag.name && Some(value.as_str()) == flag.value);
        match extra::owner(flag.name, args::FOLLOWED, &flag.at).filter(|_| !followed) {
            Some(finding) => report.push(finding),
            None => flag.lint(cluster, part.component(), owned, repeats, report),
        }
    }
    pull_policy(said, cluster, report);
    let anonymous = plan.flags[Part::ApiServer as usize].get("anonymous-auth");
    if anonymous.is_some_and(|value| value == "false") {
        let mut finding = Finding::new(
            &ANONYMOUS_AUTH,
            plan.at(Part::ApiServer, "anonymous-auth"),
            "without anonymous requests nobody may ask an API server whether it is ready",
        )
        .label("health checks would get 401")
        .help("remove it: anonymous clients may read the health pages only");
        if cluster.balancer == LoadBalancerKind::Haproxy {
            let kind = Path::of(&["loadBalancer", "kind"]);
            finding = finding.because(kind, "haproxy checks readiness without a certificate");
        }
        report.push(finding);
    }
}

/// Releases without the field do what `IfNotPresent` says.
fn pull_policy(said: &Inventory, cluster: &Cluster, report: &mut Report) {
    let Some(policy) = said.images.pull_policy else { return };
    if cluster.release.kubeadm.image_pull_policy_field || policy == PullPolicy::IfNotPresent {
        return;
    }
    report.push(
        Finding::new(
            &PULL_POLICY,
            Path::of(&["images", "pullPolicy"]),
            format!(
                "kubeadm of {} pulls what the node lacks, and nothing else",
                cluster.kubernetes
            ),
        )
        .label("from Kubernetes 1.22 on")
        .because(Path::of(&["cluster", "kubernetes"]), "this release")
        .help("remove it; what `images.archives` brings is not pulled"),
    );
}

fn texts(flags: &Said) -> Flags {
    flags.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// kubeadm turns the allocation of pod ranges on wherever it knows the pods' network; its order is
/// that in which nodes register, so it would not agree with ranges that are fixed.
fn of_controller_manager(said: &Said, cluster: &Cluster) -> Flags {
    let mut flags = texts(said);
    if cluster.fixed_pod_ranges() {
        flags.insert("allocate-node-cidrs".into(), "false".into());
    }
    flags
}

/// The flags of components in patches of the document that all control planes share.
fn patched(cluster: &Cluster) -> impl Iterator<Item = (Part, SaidFlag<'_>)> {
    paths::patches(cluster).into_iter().flat_map(|patch| {
        Part::ALL.into_iter().flat_map(|part| {
            let flags = extra::of_patch(patch, &[part.key(), "extraArgs"]);
            flags.into_iter().map(move |flag| (part, flag))
        })
    })
}

/// What is said, and the check of swap where kubelets run beside it: old releases stop there.
fn ignored_checks(said: &[PreflightCheck], cluster: &Cluster) -> Vec<String> {
    const SWAP: &str = "Swap";
    let named = |check: &&PreflightCheck| {
        ["all", SWAP].iter().any(|name| name.eq_ignore_ascii_case(check.as_str()))
    };
    let stops = cluster.swap && cluster.release.kubeadm.swap == Severity::Error;
    let swap = (stops && !said.iter().any(|check| named(&check))).then(|| SWAP.to_owned());
    said.iter().map(ToString::to_string).chain(swap).collect()
}

impl Kubeadm {
    pub(super) fn new(said: &Inventory, cluster: &Cluster) -> Self {
        let ExtraArgsSection {
            api_server,
            controller_manager,
            scheduler,
            kubelet: _,
            host_files: _,
        } = &said.extra_args;
        let KubeadmSection { ignore_preflight_errors } = &said.kubeadm;
        let stacked = cluster.etcd.mode == EtcdMode::Stacked;
        let mut etcd = if stacked { cluster.etcd.settings.clone() } else { BTreeMap::new() };
        if stacked && cluster.etcd.metrics_port != ETCD_METRICS_PORT {
            // kubeadm points the liveness probe at the same place.
            let loopback = loopback(cluster.endpoint.vip);
            let url = format!("http://{}", host_port(loopback, cluster.etcd.metrics_port));
            etcd.insert("listen-metrics-urls".into(), url);
        }
        let mut flags = [
            texts(api_server),
            of_controller_manager(controller_manager, cluster),
            texts(scheduler),
        ];
        let (mut places, mut removed) = (BTreeMap::new(), BTreeSet::new());
        for (part, SaidFlag { name, value, at }) in patched(cluster) {
            let Some(value) = value else {
                removed.insert((part, name.to_owned()));
                continue;
            };
            flags[part as usize].insert(name.to_owned(), value.to_owned());
            places.insert((part, name.to_owned()), at);
        }
        Self {
            flags,
            patched: places,
            removed,
            etcd,
            etcd_endpoints: etcd_endpoints(cluster),
            ignored_checks: ignored_checks(ignore_preflight_errors, cluster),
            pull_policy: said
                .images
                .pull_policy
                .filter(|_| cluster.release.kubeadm.image_pull_policy_field)
                .map(PullPolicy::as_str),
        }
    }

    /// The flags of each component of the control plane.
    pub(super) fn flags(&self) -> [(Part, &Flags); 3] {
        Part::ALL.map(|part| (part, &self.flags[part as usize]))
    }

    /// Where a flag is said.
    pub(super) fn at(&self, part: Part, flag: &str) -> Path {
        let patched = self.patched.get(&(part, flag.to_owned()));
        patched.cloned().unwrap_or_else(|| Path::of(&["extraArgs", part.key()]).key(flag))
    }

    /// States certificates, names, ports, folders and images.
    pub(super) fn claim(&self, cluster: &Cluster, claims: &mut RoomClaims) {
        let names = sans::of_clients(cluster).into_iter();
        claims.names.extend(names.map(|(san, at)| Name { san, at }));
        for node in cluster.control_planes() {
            claims.certificates.extend(pki::specs(cluster, node));
            let images = control_plane_images(cluster);
            let node_claims = claims.node(node.index);
            node_claims.ports.extend(ports(cluster, node));
            node_claims.arguments.extend(self.arguments(cluster, node));
            node_claims.images.extend(images);
            if cluster.etcd.mode == EtcdMode::Stacked {
                node_claims.paths.push(OwnedPath {
                    path: cluster.etcd.data_dir.clone(),
                    remove_on_reset: true,
                    mounts: false,
                    at: Path::of(&["etcd", "dataDir"]),
                });
            }
        }
    }

    /// What the node's static pods run with: the flags that were said, and those of kubeadm's that
    /// other files agree with.
    fn arguments(&self, cluster: &Cluster, node: &Node) -> Vec<(&'static str, String, String)> {
        let own = [
            ("kube-apiserver", "advertise-address", node.address.to_string()),
            ("kube-apiserver", "secure-port", cluster.api_port.to_string()),
            (
                "kube-apiserver",
                "service-cluster-ip-range",
                config::joined(&cluster.service_subnets),
            ),
            ("kube-controller-manager", "cluster-cidr", config::joined(&cluster.pod_subnets)),
        ];
        let said = self.flags().into_iter().flat_map(|(part, flags)| {
            let flags = flags.iter();
            let stay =
                flags.filter(move |(name, _)| !self.removed.contains(&(part, (*name).clone())));
            stay.map(move |(name, value)| (part.program(), name.as_str(), value.clone()))
        });
        let of_etcd = self.etcd.iter();
        let said = said.chain(of_etcd.map(|(name, value)| ("etcd", name.as_str(), value.clone())));
        own.into_iter()
            .filter(|(_, _, value)| !value.is_empty())
            .chain(said)
            .map(|(component, name, value)| (component, name.to_owned(), value))
            .collect()
    }
}

/// kubeadm knows one list for all API servers, so loopback is possible only where every control
/// plane is a member.
fn etcd_endpoints(cluster: &Cluster) -> Vec<String> {
    let all_are_members = cluster.control_planes().all(|node| node.member);
    match cluster.control_planes().next() {
        Some(first) if all_are_members => cluster.etcd_endpoints(first),
        _ => cluster.members().map(|member| cluster.etcd_client_url(member)).collect(),
    }
}

fn ports(cluster: &Cluster, node: &Node) -> Vec<Port> {
    let release = Path::of(&["cluster", "kubernetes"]);
    let tcp = |bind, port, reach, what, at: &Path| Port {
        protocol: Protocol::Tcp,
        bind,
        port,
        reach,
        what,
        at: at.clone(),
    };
    let api_port = Path::of(&["cluster", "apiPort"]);
    let mut ports = vec![
        // Pods reach it at its own port: the service `kubernetes` leads there from every node.
        tcp(Bind::Any, cluster.api_port, Reach::Nodes, "the API server", &api_port),
        tcp(Bind::Loopback, 10257, Reach::Host, "the controller manager", &release),
        tcp(Bind::Loopback, 10259, Reach::Host, "the scheduler", &release),
    ];
    if !cluster.release.static_pods.secure_probes {
        // Probed over HTTP, which these releases leave open on every address.
        ports.extend([
            tcp(Bind::Any, 10251, Reach::Host, "the scheduler over HTTP", &release),
            tcp(Bind::Any, 10252, Reach::Host, "the controller manager over HTTP", &release),
        ]);
    }
    if cluster.etcd.mode == EtcdMode::Stacked {
        let etcd = Path::of(&["etcd", "mode"]);
        let metrics = Path::of(&["etcd", "metricsPort"]);
        let own = Bind::Address(node.address);
        ports.extend([
            // kubeadm's fixed ports of a stacked member.
            tcp(own, 2379, Reach::ControlPlanes, "etcd for API servers", &etcd),
            tcp(Bind::Loopback, 2379, Reach::Host, "etcd for the node itself", &etcd),
            tcp(own, 2380, Reach::Members, "etcd among members", &etcd),
            tcp(Bind::Loopback, cluster.etcd.metrics_port, Reach::Host, "etcd's metrics", &metrics),
        ]);
    }
    ports
}

/// What kubeadm pulls on a control plane, except for the sandbox and kube-proxy.
fn control_plane_images(cluster: &Cluster) -> Vec<String> {
    let (release, patch) = (cluster.release, cluster.kubernetes.patch);
    let repository = &cluster.image_repository;
    let mut images: Vec<String> = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
        .iter()
        .map(|program| format!("{repository}/{program}:v{}", cluster.kubernetes))
        .collect();
    images.push(release.coredns_image(patch, repository, None));
    if cluster.etcd.mode == EtcdMode::Stacked {
        images.push(format!("{repository}/etcd:{}", release.etcd_image(patch)));
    }
    images
}

impl Plan for Kubeadm {
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        service_account::lint(with.cluster, with.secrets, report);
    }

    fn render_node(&self, node: &Node, with: &Rendering<'_>, out: &mut Output<'_>) {
        let Rendering { cluster, claims, issued, secrets: _ } = *with;
        if node.control_plane {
            pki::render(cluster, node, issued, out);
        }
        if !node.kubelet() {
            return;
        }
        let reads = [
            "cluster",
            "endpoint",
            "etcd",
            "extraArgs",
            "images",
            "kubeadm",
            "kubelet",
            "kubeProxy",
            "pki",
        ]
        .map(|key| Path::of(&[key]))
        .into_iter()
        .chain([node.path()]);
        if cluster.joins(node) {
            let file = File::on(node, layout::KUBEADM_JOIN).phase(Phase::Kubernetes);
            out.yaml(
                file.reads([node.path(), Path::of(&["images"]), Path::of(&["kubeadm"])]),
                vec![(config::JOIN, config::join(self, cluster, node, claims))],
            );
        }
        if !cluster.is_first_control_plane(node) {
            return;
        }
        let mut documents = vec![
            (config::INIT, config::init(self, cluster, node, claims)),
            (config::CLUSTER, config::cluster_configuration(&self.signing(issued), cluster)),
        ];
        let carried = claims.carried.iter();
        documents.extend(carried.map(|carried| (carried.document, carried.value.clone())));
        let file = File::on(node, layout::KUBEADM_CONFIG).phase(Phase::Kubernetes);
        out.yaml(file.reads(reads), documents);
        if cluster.release.kubeadm.node_role_binding_needed {
            let path = format!("{}/{JOIN_RBAC}", layout::ADDONS);
            let file = File::on(node, path).phase(Phase::Kubernetes);
            out.yaml(
                file.reads([kubernetes()]),
                vec![(config::JOIN_RBAC, rbac::nodes_read_kube_proxy())],
            );
        }
    }

    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        if with.cluster.release.kubeadm.node_role_binding_needed {
            let file = File::cluster(format!("cluster/manifests/{JOIN_RBAC}"));
            out.yaml(
                file.reads([kubernetes()]),
                vec![(config::JOIN_RBAC, rbac::nodes_read_kube_proxy())],
            );
        }
    }
}

/// The manifest's file name; the number puts it before the pod network.
const JOIN_RBAC: &str = "00-join-rbac.yaml";

fn kubernetes() -> Path {
    Path::of(&["cluster", "kubernetes"])
}
