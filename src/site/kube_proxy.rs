//! Settings of the kernel that kube-proxy writes at each of its starts, over whatever stands there:
//! by its KubeProxyConfiguration, defaults included, and by its mode.
//!
//! Sources: `SetSysctls` in `pkg/proxy/conntrack/sysctls.go` (up to 1.35 in `cmd/kube-proxy/app`),
//! `NewProxier` in `pkg/proxy/iptables/proxier.go` and `pkg/proxy/ipvs/proxier.go`, and
//! `pkg/proxy/apis/config/v1alpha1/defaults.go`.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Cluster, ProxyMode, duration};
use crate::catalog::fields;
use crate::document;
use crate::report::{Code, Finding, Path};

/// The name of kube-proxy's configuration, for patches.
pub const KUBE_PROXY_CONFIGURATION: &str = "kubeproxy/KubeProxyConfiguration";

/// The kernel's limit of connections, under its two names.
const LIMIT: [&str; 2] = ["net.netfilter.nf_conntrack_max", "net.nf_conntrack_max"];

/// Each with its field below `conntrack` and the default in seconds; 0 leaves the kernel's.
const TIMEOUTS: [(&str, &str, u64); 4] = [
    ("net.netfilter.nf_conntrack_tcp_timeout_established", "tcpEstablishedTimeout", 86_400),
    ("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "tcpCloseWaitTimeout", 3_600),
    ("net.netfilter.nf_conntrack_udp_timeout", "udpTimeout", 0),
    ("net.netfilter.nf_conntrack_udp_timeout_stream", "udpStreamTimeout", 0),
];

const LIBERAL: &str = "net.netfilter.nf_conntrack_tcp_be_liberal";
const ROUTE_LOCALNET: &str = "net.ipv4.conf.all.route_localnet";
const CONN_REUSE: &str = "net.ipv4.vs.conn_reuse_mode";

/// What ipvs mode sets; the last two by strict ARP, which hagen always asks for.
const IPVS: [(&str, u64); 5] = [
    ("net.ipv4.vs.conntrack", 1),
    ("net.ipv4.vs.expire_nodest_conn", 1),
    ("net.ipv4.vs.expire_quiescent_template", 1),
    ("net.ipv4.conf.all.arp_ignore", 1),
    ("net.ipv4.conf.all.arp_announce", 2),
];

/// More cores than any Linux has (`NR_CPUS` of x86-64).
const CORES: u64 = 8192;

/// The finding, under the code of whoever sets it, that a setting with this name (with dots) and
/// value at `at` does not outlive the start of kube-proxy.
pub fn overwritten(
    cluster: &Cluster<'_>,
    code: &'static Code,
    name: &str,
    value: &str,
    at: Path,
) -> Option<Finding> {
    if !cluster.runs_kube_proxy() {
        return None;
    }
    let configuration = Configuration::of(cluster);
    let Setting { sets, words, field, instead } = configuration.setting(cluster, name)?;
    if sets.is_some_and(|sets| value.trim().parse() == Ok(sets)) {
        return None;
    }
    let message =
        format!("{name} would be {value}, but kube-proxy sets it to {words} when it starts");
    let (decided, why) = match field {
        Some(field) => match cluster.decided(&field) {
            Some(at) => (at, "set here".to_owned()),
            None => (Path::of(&["kubeProxy"]), format!("by default, in {}", field.join("."))),
        },
        None => (Path::of(&["kubeProxy", "mode"]), "in this mode".to_owned()),
    };
    let help = match instead.patch(value) {
        Some(patch) => format!(
            "remove it, or add `{{document: {KUBE_PROXY_CONFIGURATION}, patch: {patch}}}` to the end of `patches`"
        ),
        None => "remove it".to_owned(),
    };
    let finding = Finding::new(code, at, message).label(format!("becomes {words}"));
    Some(finding.because(decided, why).help(help))
}

/// What kube-proxy makes of one setting.
struct Setting {
    /// `None` where it depends on the host.
    sets: Option<u64>,
    words: String,
    /// The keys of the field that decides; `None` is the mode.
    field: Option<[&'static str; 2]>,
    instead: Instead,
}

/// The patch with which a value of the site's own stays.
enum Instead {
    /// There is none.
    No,
    /// One that makes kube-proxy leave it alone.
    Patch(&'static str),
    /// One that makes kube-proxy set the same, in this field of `conntrack`.
    Same(&'static str),
}

impl Instead {
    fn patch(&self, value: &str) -> Option<String> {
        match self {
            Self::No => None,
            Self::Patch(patch) => Some((*patch).to_owned()),
            Self::Same(field) => {
                let seconds: u32 = value.trim().parse().ok().filter(|seconds| *seconds > 0)?;
                Some(format!("{{conntrack: {{{field}: {seconds}s}}}}"))
            }
        }
    }
}

impl Setting {
    fn to(sets: u64) -> Self {
        let words = sets.to_string();
        Self { sets: Some(sets), words, field: None, instead: Instead::No }
    }

    fn by(mut self, field: [&'static str; 2]) -> Self {
        self.field = Some(field);
        self
    }

    fn unless(mut self, instead: Instead) -> Self {
        self.instead = instead;
        self
    }
}

/// What all patches say together; hagen itself says nothing of these fields.
struct Configuration(Value);

impl Configuration {
    fn of(cluster: &Cluster<'_>) -> Self {
        let mut value = json!({});
        for patch in cluster.patches_of(KUBE_PROXY_CONFIGURATION, None) {
            document::merge(&mut value, &patch.patch);
        }
        Self(value)
    }

    /// The setting with this name, if kube-proxy writes it.
    fn setting(&self, cluster: &Cluster<'_>, name: &str) -> Option<Setting> {
        if LIMIT.contains(&name) {
            return self.limit();
        }
        if let Some((_, field, default)) = TIMEOUTS.iter().find(|(key, ..)| *key == name) {
            return self.timeout(field, *default);
        }
        match (name, cluster.proxy_mode) {
            (LIBERAL, _) if self.0["conntrack"]["tcpBeLiberal"] == true => {
                let off = Instead::Patch("{conntrack: {tcpBeLiberal: false}}");
                Some(Setting::to(1).by(["conntrack", "tcpBeLiberal"]).unless(off))
            }
            (ROUTE_LOCALNET, _) => self.route_localnet(cluster),
            (CONN_REUSE, ProxyMode::Ipvs) => {
                let mut nodes = cluster.nodes.iter().filter(|node| node.kubelet());
                let left = cluster.release.kube_proxy.conn_reuse_left
                    && nodes.all(|node| node.os.conn_reuse_mended());
                (!left).then(|| Setting::to(0))
            }
            (_, ProxyMode::Ipvs) => {
                let (_, sets) = IPVS.iter().find(|(key, _)| *key == name)?;
                Some(Setting::to(*sets))
            }
            _ => None,
        }
    }

    /// As many for each core, and some in any case. From 1.36 on there are caps, and 1.37.2 only
    /// raises it; what that comes to takes the cores of the host all the same.
    fn limit(&self) -> Option<Setting> {
        let said = |field: &str, default| self.0["conntrack"][field].as_u64().unwrap_or(default);
        let (each, least) = (said("maxPerCore", 32 * 1024), said("min", 128 * 1024));
        let field = ["conntrack", "maxPerCore"];
        let leave = Instead::Patch("{conntrack: {maxPerCore: 0}}");
        if each == 0 {
            return None;
        }
        let setting = Setting::to(least).by(field).unless(leave);
        if each.saturating_mul(CORES) <= least {
            return Some(setting);
        }
        let words = format!("{each} for each core and {least} at least");
        Some(Setting { sets: None, words, ..setting })
    }

    fn timeout(&self, field: &'static str, default: u64) -> Option<Setting> {
        let said = self.0["conntrack"][field].as_str().and_then(duration::nanoseconds);
        let seconds = match said {
            Some(nanoseconds) if nanoseconds <= 0 => return None,
            Some(nanoseconds) => nanoseconds.unsigned_abs() / 1_000_000_000,
            None if default == 0 => return None,
            None => default,
        };
        Some(Setting::to(seconds).by(["conntrack", field]).unless(Instead::Same(field)))
    }

    /// For node ports on the host's own loopback.
    fn route_localnet(&self, cluster: &Cluster<'_>) -> Option<Setting> {
        let facts = &cluster.release.kube_proxy;
        match cluster.proxy_mode {
            ProxyMode::Ipvs if facts.route_localnet_ipvs => return Some(Setting::to(1)),
            ProxyMode::Iptables => {}
            ProxyMode::Ipvs | ProxyMode::Nftables | ProxyMode::None => return None,
        }
        let field = ["iptables", "localhostNodePorts"];
        let known = fields::document("KubeProxyConfiguration").is_some_and(|document| {
            document.field(&field.join("."), cluster.version.minor).is_ok()
        });
        let off = known && self.0[field[0]][field[1]] == false;
        if off || facts.route_localnet_filtered && self.filters_loopback() {
            return None;
        }
        let setting = Setting::to(1);
        let off = Instead::Patch("{iptables: {localhostNodePorts: false}}");
        Some(if known { setting.by(field).unless(off) } else { setting })
    }

    /// Whether node ports are on some addresses alone, and loopback's are not among them.
    fn filters_loopback(&self) -> bool {
        let said = self.0["nodePortAddresses"].as_array().filter(|said| !said.is_empty());
        said.is_some_and(|said| {
            said.iter().filter_map(Value::as_str).all(|range| {
                // `primary` (1.27) is the node's own address.
                let Ok(range) = range.parse::<IpNet>() else { return true };
                !range.contains(&std::net::IpAddr::from([127, 0, 0, 1]))
                    && !range.addr().is_loopback()
            })
        })
    }
}

impl Cluster<'_> {
    /// The last patch of kube-proxy's configuration that says something of this field.
    fn decided(&self, field: &[&str]) -> Option<Path> {
        let patches = self.patches_of(KUBE_PROXY_CONFIGURATION, None);
        let said = patches.filter(|patch| {
            field.iter().try_fold(&patch.patch, |value, key| value.get(*key)).is_some()
        });
        let patch = Path::of(&["patches"]).index(said.last()?.index).key("patch");
        Some(field.iter().fold(patch, |at, key| at.key(*key)))
    }
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::outcome;

    /// What is said of the only setting that is overwritten: what it becomes, where that is decided,
    /// and the edit.
    fn said(overlay: &str) -> [String; 3] {
        let outcome = outcome(overlay);
        let mut found = outcome.report.findings().iter();
        let finding = found.find(|finding| finding.code.id == "host/sysctl-overwritten");
        let finding = finding.unwrap_or_else(|| panic!("{:#?}", outcome.report.findings()));
        let (at, why) = &finding.related[0];
        let label = finding.label.clone().unwrap_or_default();
        [label, format!("{at}, {why}"), finding.help.clone().unwrap_or_default()]
    }

    #[test]
    fn what_decides_and_what_to_write_instead_are_told() {
        let add = |patch: &str| {
            format!(
                "remove it, or add `{{document: kubeproxy/KubeProxyConfiguration, patch: {patch}}}` to the end of `patches`"
            )
        };
        let sysctls = |name: &str, value: &str| format!("host: {{sysctls: {{{name}: '{value}'}}}}");
        let max = sysctls("net.netfilter.nf_conntrack_max", "7");
        assert_eq!(
            said(&max),
            [
                "becomes 32768 for each core and 131072 at least".to_owned(),
                "kubeProxy, by default, in conntrack.maxPerCore".to_owned(),
                add("{conntrack: {maxPerCore: 0}}"),
            ]
        );
        let patch =
            "{document: kubeproxy/KubeProxyConfiguration, patch: {conntrack: {maxPerCore: 9}}}";
        let [becomes, decided, _] = said(&format!("{{{max}, patches: [{patch}]}}"));
        assert_eq!(becomes, "becomes 131072");
        assert_eq!(decided, "patches[0].patch.conntrack.maxPerCore, set here");
        let established = "net.netfilter.nf_conntrack_tcp_timeout_established";
        let [_, _, help] = said(&sysctls(established, "60"));
        assert_eq!(help, add("{conntrack: {tcpEstablishedTimeout: 60s}}"));
        // Of kube-proxy, 0 would leave the kernel's own.
        assert_eq!(said(&sysctls(established, "0"))[2], "remove it");
        let localnet = sysctls("net.ipv4.conf.all.route_localnet", "0");
        assert_eq!(said(&localnet)[2], add("{iptables: {localhostNodePorts: false}}"));
        let old = "cluster: {kubernetes: 1.25.0}, packages: {source: preinstalled}";
        assert_eq!(said(&format!("{{{localnet}, {old}}}"))[2], "remove it");
    }
}
