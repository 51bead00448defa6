use std::collections::{BTreeMap, BTreeSet};

use super::documents;
use crate::catalog::Severity;
use crate::control_plane::Part;
use crate::control_plane::arguments::{Flags, of_controller_manager};
use crate::inventory::images::PullPolicy;
use crate::inventory::kubeadm::KubeadmSection;
use crate::inventory::values::{FlagName, FlagValue, PreflightCheck};
use crate::inventory::{ExtraArgsSection, Inventory};
use crate::report::Path;
use crate::site::said_flags::SaidFlag;
use crate::site::{Cluster, EtcdMode, Patch, host_port, loopback, said_flags};

/// kubeadm's metrics port of a stacked member (`EtcdMetricsPort` in
/// <https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/constants/constants.go>).
const ETCD_METRICS_PORT: u16 = 2381;

/// What is decided about `kubeadm init` and `kubeadm join`.
#[derive(Clone)]
pub(super) struct KubeadmPlan {
    /// The extra flags of each component of the control plane, those of patches among them.
    pub(super) flags: [Flags; 3],
    /// Where patches say some of them.
    patched: BTreeMap<(Part, String), Path>,
    /// Those that patches take away.
    pub(super) removed: BTreeSet<(Part, String)>,
    /// A stacked member's.
    pub(super) etcd: Flags,
    /// The members of an external store, as every API server is given them.
    pub(super) etcd_endpoints: Vec<String>,
    /// Preflight checks whose errors are ignored, on every node.
    pub(super) ignored_checks: Vec<String>,
    /// What the site says is on its hosts, so that nobody has to bring it.
    pub(super) host_files: Vec<String>,
    /// When kubeadm pulls images; `None` leaves it to kubeadm.
    pub(super) pull_policy: Option<&'static str>,
}

pub(super) type Said = BTreeMap<FlagName, FlagValue>;

/// Flags as a component gets them.
pub(super) fn texts(flags: &Said) -> Flags {
    flags.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The patches of the document that all control planes share.
pub(super) fn patches<'a>(cluster: &Cluster<'a>) -> Vec<&'a Patch> {
    let first = cluster.control_planes().next().into_iter();
    first.flat_map(|node| cluster.patches_of(documents::CLUSTER, Some(&node.name))).collect()
}

/// The flags of components in patches of the document that all control planes share.
pub(super) fn patched<'a>(cluster: &Cluster<'a>) -> impl Iterator<Item = (Part, SaidFlag<'a>)> {
    patches(cluster).into_iter().flat_map(|patch| {
        Part::ALL.into_iter().flat_map(|part| {
            let flags = said_flags::of_patch(patch, &[part.key(), "extraArgs"]);
            flags.into_iter().map(move |flag| (part, flag))
        })
    })
}

/// What is said, and the check of swap where kubelets run beside it: old releases stop there.
fn ignored_checks(said: &[PreflightCheck], cluster: &Cluster<'_>) -> Vec<String> {
    const SWAP: &str = "Swap";
    let named = |check: &&PreflightCheck| {
        ["all", SWAP].iter().any(|name| name.eq_ignore_ascii_case(check.as_str()))
    };
    let stops = cluster.swap && cluster.release.kubeadm.swap == Severity::Error;
    let swap = (stops && !said.iter().any(|check| named(&check))).then(|| SWAP.to_owned());
    said.iter().map(ToString::to_string).chain(swap).collect()
}

impl KubeadmPlan {
    pub(super) fn new(said: &Inventory, cluster: &Cluster<'_>) -> Self {
        let ExtraArgsSection { api_server, controller_manager, scheduler, kubelet: _, host_files } =
            &said.extra_args;
        let KubeadmSection { ignore_preflight_errors } = &said.kubeadm;
        let stacked = cluster.etcd.mode == EtcdMode::Stacked;
        let mut etcd = if stacked { cluster.etcd.settings.clone() } else { BTreeMap::new() };
        if stacked && cluster.etcd.metrics_port != ETCD_METRICS_PORT {
            // kubeadm points the liveness probe at the same place.
            let loopback = loopback(
                cluster
                    .nodes
                    .first()
                    .map_or(std::net::Ipv4Addr::LOCALHOST.into(), |node| node.address),
            );
            let url = format!("http://{}", host_port(loopback, cluster.etcd.metrics_port));
            etcd.insert("listen-metrics-urls".into(), url);
        }
        let mut flags = [
            texts(api_server),
            of_controller_manager(texts(controller_manager), cluster),
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
            host_files: host_files.iter().map(ToString::to_string).collect(),
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
}

/// kubeadm knows one list for all API servers, so loopback is possible only where every control
/// plane is a member.
fn etcd_endpoints(cluster: &Cluster<'_>) -> Vec<String> {
    let all_are_members = cluster.control_planes().all(|node| node.member());
    match cluster.control_planes().next() {
        Some(first) if all_are_members => cluster.etcd_endpoints(first),
        _ => cluster.members().map(|member| cluster.etcd_client_url(member)).collect(),
    }
}
