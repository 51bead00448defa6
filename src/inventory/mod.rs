//! What may be said: the inventory, `apiVersion: hagen/v1`. Types only; defaults and meaning
//! are filled in by [`crate::site`], structure is checked by [`check`] against the JSON
//! Schema that these types generate. Doc comments here are the manual: an editor shows them.

pub mod check;
pub mod cni;
pub mod codes;
pub mod endpoint;
pub mod etcd;
pub mod haproxy;
mod hidden;
pub mod host;
pub mod images;
pub mod keepalived;
pub mod kubeadm;
pub mod kubelet;
pub mod kubeproxy;
pub mod kubevip;
pub mod nginx;
pub mod node;
pub mod packages;
pub mod pki;
pub mod runtime;
mod secret;
pub mod units;
pub mod values;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{Allow, Finding, Path, Report, Severity, Step};
use crate::yaml::{Document, Value};

use self::values::{
    AbsolutePath, Cidr, Cidrs, ClusterName, DnsName, FileMode, FlagName, FlagValue,
    KubernetesRelease, NodeName, Port, PrivateFileMode,
};
pub use self::values::{OwnerName, SecretName};

/// The one `apiVersion` this compiler reads.
pub const API_VERSION: &str = "hagen/v1";

/// One highly available Kubernetes cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    /// Always `hagen/v1`.
    #[schemars(extend("const" = API_VERSION))]
    pub api_version: String,
    /// Names, version and networks of the cluster.
    pub cluster: ClusterSection,
    /// The one address under which everybody reaches the API. Default, with one control plane: its
    /// own.
    #[serde(default)]
    pub endpoint: endpoint::EndpointSection,
    /// What listens on the endpoint's port. Default: haproxy.
    #[serde(default)]
    pub load_balancer: LoadBalancerSection,
    /// Who holds the VIP. Default: VRRP version 3, unicast, no preemption.
    #[serde(default)]
    pub keepalived: keepalived::KeepalivedSection,
    /// Who holds the VIP with `endpoint.holder: kubeVip`.
    #[serde(default)]
    pub kube_vip: kubevip::KubeVipSection,
    /// The store. Default: stacked, one member per control plane, run by kubeadm.
    #[serde(default)]
    pub etcd: etcd::EtcdSection,
    /// The container runtime. Default: containerd.
    #[serde(default)]
    pub runtime: runtime::RuntimeSection,
    /// How kubeadm runs.
    #[serde(default)]
    pub kubeadm: kubeadm::KubeadmSection,
    /// The node agent.
    #[serde(default)]
    pub kubelet: kubelet::KubeletSection,
    /// The service proxy. Default: iptables.
    #[serde(default)]
    pub kube_proxy: kubeproxy::KubeProxySection,
    /// The pod network. Default: flannel with VXLAN.
    #[serde(default)]
    pub cni: cni::CniSection,
    /// The operating system of every node that does not name its own. Default: Debian 12.
    #[serde(default)]
    pub os: Option<host::OsSection>,
    /// How hosts are prepared.
    #[serde(default)]
    pub host: host::HostSection,
    /// Where packages come from.
    #[serde(default)]
    pub packages: packages::PackagesSection,
    /// Where container images come from.
    #[serde(default)]
    pub images: images::ImagesSection,
    /// Algorithms and lifetimes of certificates.
    #[serde(default)]
    pub pki: pki::PkiSection,
    /// The machines, in order: the first control plane is the one that runs `kubeadm init`.
    #[schemars(length(min = 1, max = MAX_NODES))]
    pub nodes: Vec<node::NodeSection>,
    /// Command-line flags added to a component. A flag that hagen itself sets is refused.
    #[serde(default)]
    pub extra_args: ExtraArgsSection,
    /// JSON merge patches (RFC 7386) on generated YAML, JSON and TOML documents. Default: none.
    #[serde(default)]
    pub patches: Vec<PatchSection>,
    /// Settings of the site's own for the systemd units that hagen runs. Default: none.
    #[serde(default)]
    pub units: Vec<units::UnitSection>,
    /// Extra files placed on nodes as they are. Default: none.
    #[serde(default)]
    pub files: Vec<FileSection>,
    /// Extra files that are secret: their contents are in the secrets bundle. Default: none.
    #[serde(default)]
    pub private_files: Vec<PrivateFileSection>,
    /// Warnings that are accepted, each with a reason. Default: none.
    #[serde(default)]
    pub allow: Vec<AllowSection>,
}

/// Names, version and networks of the cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSection {
    /// The cluster's name: kubeconfig contexts, etcd's cluster token, key derivation. Changing it
    /// changes every key.
    pub name: ClusterName,
    /// The exact Kubernetes release, quoted, such as `"1.30.4"`; 1.15 to 1.37.
    pub kubernetes: KubernetesRelease,
    /// The DNS domain of services. Default: `cluster.local` (kubeadm's).
    pub domain: Option<DnsName>,
    /// Addresses of pods; one CIDR, or one IPv4 and one IPv6 separated by a comma. Each node gets
    /// a /24 (IPv6: /64) of it. Default: `10.244.0.0/16` (flannel's).
    pub pod_subnet: Option<Cidrs>,
    /// Addresses of services; the first is the API's, the tenth the DNS's. Default:
    /// `10.96.0.0/12` (kubeadm's).
    pub service_subnet: Option<Cidrs>,
    /// The port on which each API server itself listens. Default: 6443 (kubeadm's). The
    /// balancer's port is `endpoint.port`.
    pub api_port: Option<Port>,
    /// The networks that the nodes are in: firewall rules and `NO_PROXY` name these instead of single
    /// nodes. Default: that of `endpoint.vip`, else none.
    #[serde(default)]
    pub node_subnets: Vec<Cidr>,
}

/// Which program balances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LoadBalancerKind {
    /// Layer 4 with health checks of `/readyz` against the cluster's CA.
    #[default]
    Haproxy,
    /// Layer 4 stream with passive checks only.
    Nginx,
}

impl LoadBalancerKind {
    /// The program's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }
}

/// What listens on the endpoint's port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadBalancerSection {
    /// Which program. Default: `haproxy`.
    #[serde(default)]
    pub kind: LoadBalancerKind,
    /// Settings where `kind` is haproxy.
    #[serde(default)]
    pub haproxy: haproxy::HaproxySection,
    /// Settings where `kind` is nginx.
    #[serde(default)]
    pub nginx: nginx::NginxSection,
}

/// Command-line flags by component: name without dashes to value.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtraArgsSection {
    /// Flags of kube-apiserver. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<FlagName, FlagValue>")]
    pub api_server: BTreeMap<FlagName, FlagValue>,
    /// Flags of kube-controller-manager. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<FlagName, FlagValue>")]
    pub controller_manager: BTreeMap<FlagName, FlagValue>,
    /// Flags of kube-scheduler. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<FlagName, FlagValue>")]
    pub scheduler: BTreeMap<FlagName, FlagValue>,
    /// Flags of the kubelet, on every node. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "values::keyed::<FlagName, FlagValue>")]
    pub kubelet: BTreeMap<FlagName, FlagValue>,
    /// Files and folders that the hosts have already and that flags and `etcd.settings` may name;
    /// hagen neither brings nor checks them. Default: none, such a file is one of `files`.
    #[serde(default)]
    pub host_files: Vec<AbsolutePath>,
}

/// Which nodes something applies to: those with one of the names or roles, at least one.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeSelector {
    /// Nodes by name. Default: none.
    #[serde(default)]
    pub names: Vec<NodeName>,
    /// Nodes by role. Default: none.
    #[serde(default)]
    pub roles: Vec<node::Role>,
}

/// One JSON merge patch (RFC 7386).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PatchSection {
    /// The document's name: `kubeadm/ClusterConfiguration`, `kubelet/KubeletConfiguration` …;
    /// `hagen show --output yaml` lists them all.
    pub document: String,
    /// Which nodes' documents. Default: all.
    pub nodes: Option<NodeSelector>,
    /// The patch: maps merge, `null` removes, everything else replaces.
    pub patch: BTreeMap<String, serde_json::Value>,
}

/// One extra file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSection {
    /// Where it goes on the node.
    pub path: AbsolutePath,
    /// The whole content. A secret does not belong here, the inventory is public: `privateFiles`.
    pub content: String,
    /// Permission bits, quoted octal. Default: `"0644"`.
    pub mode: Option<FileMode>,
    /// Owner by name. Default: root.
    pub owner: Option<OwnerName>,
    /// Group by name. Default: root.
    pub group: Option<OwnerName>,
    /// Which nodes. Default: all.
    pub nodes: Option<NodeSelector>,
}

/// One extra file that is secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivateFileSection {
    /// Where it goes on the node.
    pub path: AbsolutePath,
    /// The name under which the secrets bundle holds it: `hagen secrets put`.
    pub secret: SecretName,
    /// Permission bits, quoted octal; none for others. Default: `"0600"`.
    pub mode: Option<PrivateFileMode>,
    /// Owner by name. Default: root.
    pub owner: Option<OwnerName>,
    /// Group by name. Default: root.
    pub group: Option<OwnerName>,
    /// Which nodes. Default: all.
    pub nodes: Option<NodeSelector>,
}

/// One accepted warning.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllowSection {
    /// The code, such as `etcd/on-control-planes`.
    pub code: String,
    /// Why it is fine here.
    #[schemars(length(min = 1))]
    pub reason: String,
}

/// Every named string format with its check, for [`check`]: what an address, a CIDR or a
/// version looks like is decided once, by the newtype's own parser.
pub fn formats() -> check::Formats {
    values::formats()
}

/// The JSON Schema of the inventory (draft 2020-12).
pub fn schema() -> serde_json::Value {
    crate::document::schema::<Inventory>()
}

/// Reads a document as an inventory. All structural findings are reported at once. A key that
/// nobody knows is left out, or taken for the one that it was meant as, so that the same run can
/// judge the rest; `None` where a value is missing or of the wrong form, since nothing can be
/// decided on it.
pub fn read(document: &Document, report: &mut Report) -> Option<Inventory> {
    let mut structure = Report::new();
    envelope(document, &mut structure);
    hidden::lint(document, &mut structure);
    let misspelt = match structure.has_errors() {
        true => Vec::new(),
        false => check::check(document, &schema(), &formats(), &mut structure),
    };
    let mut said = document.to_json();
    let mut undecidable = false;
    for finding in structure.findings() {
        if *finding.code == codes::UNKNOWN_KEY {
            let meant = misspelt.iter().find(|(at, _)| *at == finding.at);
            rename(&mut said, finding.at.steps(), meant.map(|(_, key)| key.as_str()));
        } else {
            undecidable |= finding.code.severity == Severity::Error;
        }
    }
    let known = !structure.has_errors();
    secret::lint(document, &mut structure);
    report.append(structure);
    if undecidable {
        return None;
    }
    match serde_json::from_value(said) {
        Ok(inventory) => Some(inventory),
        // What is missing is what was misspelt.
        Err(_) if !known => None,
        Err(error) => {
            // The schema and the types come from one definition, so this is a value that the
            // schema language cannot refuse.
            report.push(Finding::new(&codes::TYPE, Path::root(), error.to_string()));
            None
        }
    }
}

/// Gives the key at the end of these steps another name, or takes it away.
fn rename(said: &mut serde_json::Value, steps: &[Step], name: Option<&str>) {
    let Some((last, way)) = steps.split_last() else { return };
    let parent = way.iter().try_fold(said, |value, step| match step {
        Step::Key(key) => value.get_mut(&**key),
        Step::Index(index) => value.get_mut(index),
    });
    if let (Some(parent), Step::Key(key)) = (parent, last)
        && let Some(map) = parent.as_object_mut()
    {
        let value = map.shift_remove(&**key);
        if let (Some(name), Some(value)) = (name, value) {
            // Of two that are meant as one key, the first is.
            map.entry(name).or_insert(value);
        }
    }
}

/// What has to hold before the schema is worth asking.
fn envelope(document: &Document, report: &mut Report) {
    let at = Path::of(&["apiVersion"]);
    if let Some(Value::String(version)) = document.get(&at).map(|node| &node.value)
        && version != API_VERSION
    {
        report.push(
            Finding::new(
                &codes::API_VERSION,
                at,
                format!("`{version}` is not a version that this hagen reads"),
            )
            .label(format!("expected `{API_VERSION}`"))
            .help(format!("write `apiVersion: {API_VERSION}`")),
        );
    }
}

/// Kubernetes' own limit: <https://kubernetes.io/docs/setup/best-practices/cluster-large/>.
pub const MAX_NODES: usize = 5000;

/// The warnings that this inventory accepts, in the report's own terms.
pub fn allowed(said: &Inventory) -> Vec<Allow> {
    let entries = Path::of(&["allow"]);
    said.allow
        .iter()
        .enumerate()
        .map(|(index, AllowSection { code, reason: _ })| Allow {
            code: code.clone(),
            at: entries.index(index).key("code"),
        })
        .collect()
}
