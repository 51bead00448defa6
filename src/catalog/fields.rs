//! The fields of the configuration documents that `patches` and `kubelet.config` change, with what
//! may stand in each.
//!
//! The table `fields.json` was read out of upstream's Go types: `KubeletConfiguration`
//! (k8s.io/kubelet/config/v1beta1) and `KubeProxyConfiguration`
//! (k8s.io/kube-proxy/config/v1alpha1), one minor after another, with the types that they embed of
//! k8s.io/component-base; `InitConfiguration`, `ClusterConfiguration` and `JoinConfiguration` of
//! v1beta2, v1beta3 and v1beta4 (cmd/kubeadm/app/apis/kubeadm of k8s.io/kubernetes 1.15.12,
//! 1.21.14, 1.30.4, 1.31.0, 1.34.0, 1.35.0 and 1.37.0), whose minors are those that hagen writes
//! them for. Paths are written with dots, `[]` stands for the items of a list. All these documents
//! are decoded strictly: a number is no text, and a duration is a text (`metav1.Duration`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::VersionPart;
use super::flags::Status;

/// What may stand in a field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Kind {
    /// The catalog does not say.
    Any,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A text such as `1h30m`.
    Duration,
    /// A map whose fields are in the table.
    Object,
    /// A list of these.
    List(Box<Kind>),
    /// A map of these by names of the user's.
    Map(Box<Kind>),
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let of = |rest: &str| Self::try_from(rest.to_owned()).map(Box::new);
        Ok(match text.as_str() {
            "any" => Self::Any,
            "bool" => Self::Bool,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::Text,
            "duration" => Self::Duration,
            "object" => Self::Object,
            other => match (other.strip_prefix("list of "), other.strip_prefix("map of ")) {
                (Some(rest), _) => Self::List(of(rest)?),
                (_, Some(rest)) => Self::Map(of(rest)?),
                _ => return Err(format!("`{other}` is no kind of field")),
            },
        })
    }
}

/// A field in some minors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    kind: Kind,
    since: Option<u32>,
    removed: Option<u32>,
    instead: Option<String>,
}

impl Span {
    fn holds(&self, minor: VersionPart) -> bool {
        self.since.is_none_or(|since| since <= minor.0)
            && self.removed.is_none_or(|removed| minor.0 < removed)
    }
}

/// The fields of one document.
#[derive(Debug, Deserialize)]
pub struct Document(BTreeMap<String, Vec<Span>>);

static DOCUMENTS: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("fields.json")).expect("embedded, and read by every test run")
});

/// The fields of the documents of this kind, such as `KubeletConfiguration`.
pub fn document(kind: &str) -> Option<&'static Document> {
    DOCUMENTS.get(kind)
}

/// The fields of KubeletConfiguration that nobody who writes it again keeps where they are zero,
/// false or empty: `omitempty`, and no pointer (k8s.io/kubelet/config/v1beta1 of 1.17 to 1.37).
const LEFT_OUT_WHERE_ZERO: [&str; 47] = [
    "address",
    "authentication.x509.clientCAFile",
    "cgroupDriver",
    "cgroupRoot",
    "clusterDomain",
    "containerLogMaxSize",
    "contentType",
    "cpuManagerPolicy",
    "enableContentionProfiling",
    "eventBurst",
    "evictionMaxPodGracePeriod",
    "hairpinMode",
    "healthzBindAddress",
    "imageServiceEndpoint",
    "kernelMemcgNotification",
    "kubeAPIBurst",
    "kubeReservedCgroup",
    "kubeletCgroups",
    "maxOpenFiles",
    "maxPods",
    "memoryManagerPolicy",
    "memorySwap.swapBehavior",
    "nodeLeaseDurationSeconds",
    "podCIDR",
    "podLogsDir",
    "podsPerCore",
    "port",
    "protectKernelDefaults",
    "providerID",
    "readOnlyPort",
    "registryBurst",
    "reservedSystemCPUs",
    "resolvConf",
    "rotateCertificates",
    "runOnce",
    "serverTLSBootstrap",
    "showHiddenMetricsForVersion",
    "staticPodPath",
    "staticPodURL",
    "systemCgroups",
    "systemReservedCgroup",
    "tlsCertFile",
    "tlsMinVersion",
    "tlsPrivateKeyFile",
    "topologyManagerPolicy",
    "topologyManagerScope",
    "volumePluginDir",
];

/// Whether the field at `path` of a document of this kind is left out where it is zero.
pub fn is_left_out_where_zero(kind: &str, path: &str) -> bool {
    kind == "KubeletConfiguration" && LEFT_OUT_WHERE_ZERO.contains(&path)
}

impl Document {
    /// What may stand in the field at `path` in `1.<minor>`, or why nothing may.
    ///
    /// # Errors
    /// The status of a field that this minor does not have.
    pub fn field(&'static self, path: &str, minor: VersionPart) -> Result<&'static Kind, Status> {
        let spans = self.0.get(path).ok_or(Status::Unknown)?;
        if let Some(span) = spans.iter().find(|span| span.holds(minor)) {
            return Ok(&span.kind);
        }
        let earlier = |span: &&Span| span.removed.is_some_and(|removed| removed <= minor.0);
        Err(match spans.iter().rfind(earlier) {
            Some(Span { removed: Some(in_minor), instead, .. }) => {
                Status::Removed { in_minor: VersionPart(*in_minor), instead: instead.as_deref() }
            }
            _ => match spans.iter().find_map(|span| span.since) {
                Some(since) => Status::NotYet { since: VersionPart(since) },
                None => Status::Unknown,
            },
        })
    }

    /// The names of the fields below `path` (empty: the document's own) in `1.<minor>`.
    pub fn below<'a>(
        &'static self,
        path: &'a str,
        minor: VersionPart,
    ) -> impl Iterator<Item = &'static str> + 'a {
        self.0.iter().filter_map(move |(name, spans)| {
            let name = match path {
                "" => name.as_str(),
                _ => name.strip_prefix(path)?.strip_prefix('.')?,
            };
            let direct = !name.contains(['.', '[']);
            (direct && spans.iter().any(|span| span.holds(minor))).then_some(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, path: &str, minor: u32) -> Result<&'static Kind, Status> {
        document(kind).unwrap().field(path, VersionPart(minor))
    }

    #[test]
    fn fields_have_a_first_minor() {
        let kubelet = |path, minor| field("KubeletConfiguration", path, minor);
        assert_eq!(
            kubelet("containerRuntimeEndpoint", 26),
            Err(Status::NotYet { since: VersionPart(27) })
        );
        assert_eq!(kubelet("containerRuntimeEndpoint", 27), Ok(&Kind::Text));
        assert_eq!(kubelet("failCgroupV1", 30), Err(Status::NotYet { since: VersionPart(31) }));
        assert_eq!(kubelet("memorySwap.swapBehavior", 22), Ok(&Kind::Text));
        assert_eq!(kubelet("memorySwap.swapBehaviour", 30), Err(Status::Unknown));
        assert_eq!(kubelet("evictionHard", 15), Ok(&Kind::Map(Box::new(Kind::Text))));
        assert_eq!(kubelet("cgroupdriver", 30), Err(Status::Unknown));
        assert_eq!(kubelet("syncFrequency", 37), Ok(&Kind::Duration));
        let proxy = |path, minor| field("KubeProxyConfiguration", path, minor);
        assert_eq!(
            proxy("nftables.masqueradeAll", 28),
            Err(Status::NotYet { since: VersionPart(29) })
        );
        assert_eq!(proxy("ipvs.strictARP", 15), Ok(&Kind::Bool));
        let gone = proxy("udpIdleTimeout", 26);
        assert!(matches!(gone, Err(Status::Removed { in_minor: VersionPart(26), .. })), "{gone:?}");
    }

    #[test]
    fn a_field_may_change_its_form() {
        let arguments = |minor| field("ClusterConfiguration", "apiServer.extraArgs", minor);
        assert_eq!(arguments(30), Ok(&Kind::Map(Box::new(Kind::Text))));
        assert_eq!(arguments(31), Ok(&Kind::List(Box::new(Kind::Object))));
        let phases = |minor| field("InitConfiguration", "skipPhases", minor);
        assert_eq!(phases(21), Err(Status::NotYet { since: VersionPart(22) }));
        assert!(phases(22).is_ok());
    }

    #[test]
    fn what_is_below_a_field_can_be_listed() {
        let document = document("KubeletConfiguration").unwrap();
        let below: Vec<&str> = document.below("authentication", VersionPart(30)).collect();
        assert_eq!(below, ["anonymous", "webhook", "x509"]);
        assert!(document.below("", VersionPart(30)).any(|name| name == "maxPods"));
        assert!(!document.below("", VersionPart(30)).any(|name| name == "defaultPodSysctls"));
    }
}
