//! Command-line flags that came or went.
//!
//! The table `flags.json` was read out of upstream's sources, one minor after another: every
//! flag that the components' `options` packages register (cmd/ and pkg/ of
//! k8s.io/kubernetes, k8s.io/apiserver, k8s.io/component-base, k8s.io/cloud-provider,
//! k8s.io/controller-manager). `since` is null for what 1.15 already had.
//!
//! `flag_kinds.json` has what the programs of 1.20.2, 1.30.4 and 1.37.1 say in their `--help` of the
//! values of their flags; a flag that is not there takes texts, or is of none of these releases.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::VersionPart;

/// A program whose flags the catalog knows. (etcd's are in [`super::EtcdRelease`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// The API server.
    KubeApiserver,
    /// The controller manager.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// The kubelet.
    Kubelet,
    /// kube-proxy.
    KubeProxy,
}

impl Component {
    /// The program's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Component::KubeApiserver => "kube-apiserver",
            Component::KubeControllerManager => "kube-controller-manager",
            Component::KubeScheduler => "kube-scheduler",
            Component::Kubelet => "kubelet",
            Component::KubeProxy => "kube-proxy",
        }
    }
}

/// Whether a minor knows a flag or field.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub enum Status {
    /// It does.
    Known,
    /// A later minor brought it.
    NotYet {
        /// The first minor with it.
        since: VersionPart,
    },
    /// An earlier minor had it; passing it now stops the program.
    Removed {
        /// The first minor without it.
        in_minor: VersionPart,
        /// What to use now, as text for a message; none where upstream names nothing.
        instead: Option<&'static str>,
    },
    /// No minor of the catalog has it: most likely a typing error.
    Unknown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifetime {
    since: Option<u32>,
    removed: Option<u32>,
    instead: Option<String>,
}

/// What came and went, by name.
pub(super) type Names = BTreeMap<String, Lifetime>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    flags: BTreeMap<Component, Names>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    serde_json::from_str(include_str!("flags.json")).expect("embedded, and read by every test run")
});

impl Lifetime {
    fn at(&'static self, minor: VersionPart) -> Status {
        Status::at(minor, self.since, self.removed, self.instead.as_deref())
    }
}

impl Status {
    /// Whether the minor has it.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Known)
    }

    /// Of what the first minor has that is not named, and the last one that is not named either.
    pub(super) fn at(
        minor: VersionPart,
        since: Option<u32>,
        removed: Option<u32>,
        instead: Option<&'static str>,
    ) -> Self {
        match (since, removed) {
            (Some(since), _) if minor.0 < since => Self::NotYet { since: VersionPart(since) },
            (_, Some(removed)) if minor.0 >= removed => {
                Self::Removed { in_minor: VersionPart(removed), instead }
            }
            _ => Self::Known,
        }
    }
}

/// Whether `1.<minor>` has a name of a table.
pub(super) fn status(names: &'static Names, name: &str, minor: VersionPart) -> Status {
    names.get(name).map_or(Status::Unknown, |life| life.at(minor))
}

/// The names of a table that `1.<minor>` has, in alphabetical order.
pub(super) fn known(
    names: &'static Names,
    minor: VersionPart,
) -> impl Iterator<Item = &'static str> {
    let known = names.iter().filter(move |(_, life)| life.at(minor).is_known());
    known.map(|(name, _)| name.as_str())
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagKind {
    /// `true` or `false`; Go also takes `F` and `0`, which the rest of the site does not read.
    Bool,
    /// Numbers with units: `1m30s`.
    Duration,
    /// A whole number.
    Integer,
    /// A whole number that is not negative.
    Natural,
    /// A number.
    Number,
    /// A quantity of Kubernetes: `64Mi`.
    Quantity,
    /// An address.
    Ip,
}

/// What flags take, by kind.
pub(super) type Kinds = BTreeMap<FlagKind, Vec<String>>;

static KINDS: LazyLock<BTreeMap<Component, Kinds>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("flag_kinds.json"))
        .expect("embedded, and read by every test run")
});

/// What `component` takes as the value of `flag`; `None` for a text.
pub fn flag_kind(component: Component, flag: &str) -> Option<FlagKind> {
    kind(KINDS.get(&component)?, flag)
}

/// The kind of a flag in a table.
pub(super) fn kind(kinds: &Kinds, flag: &str) -> Option<FlagKind> {
    let mut kinds = kinds.iter();
    kinds.find(|(_, flags)| flags.iter().any(|name| name == flag)).map(|(kind, _)| *kind)
}

/// Whether `component` of `1.<minor>` has the command-line flag `flag` (without dashes in front).
pub fn flag_status(component: Component, flag: &str, minor: VersionPart) -> Status {
    let names = TABLES.flags.get(&component);
    names.map_or(Status::Unknown, |names| status(names, flag, minor))
}

/// The flags that `component` of `1.<minor>` has, in alphabetical order: for did-you-mean.
pub fn flags(component: Component, minor: VersionPart) -> impl Iterator<Item = &'static str> {
    TABLES.flags.get(&component).into_iter().flat_map(move |names| known(names, minor))
}

#[cfg(test)]
mod tests {
    use super::Component::*;
    use super::*;

    #[test]
    fn flags_come_and_go_with_the_minor() {
        let status = |component, flag, minor| flag_status(component, flag, VersionPart(minor));
        let removed = |component, flag, last: u32| {
            assert_eq!(status(component, flag, last), Status::Known, "{flag}");
            let after = status(component, flag, last + 1);
            assert!(
                matches!(after, Status::Removed { in_minor, .. } if in_minor.0 == last + 1),
                "{flag}: {after:?}"
            );
        };
        removed(KubeApiserver, "insecure-port", 23);
        removed(KubeApiserver, "basic-auth-file", 18);
        removed(KubeApiserver, "logtostderr", 25);
        removed(KubeControllerManager, "port", 23);
        removed(KubeControllerManager, "pod-eviction-timeout", 26);
        removed(KubeControllerManager, "experimental-cluster-signing-duration", 24);
        removed(KubeScheduler, "policy-config-file", 22);
        removed(Kubelet, "network-plugin", 23);
        removed(Kubelet, "container-runtime", 26);
        removed(Kubelet, "pod-infra-container-image", 34);
        removed(Kubelet, "global-housekeeping-interval", 36);
        removed(KubeProxy, "udp-timeout", 25);

        let added = |component, flag, since: u32| {
            let first = Status::NotYet { since: VersionPart(since) };
            assert_eq!(status(component, flag, since - 1), first);
            assert_eq!(status(component, flag, since), Status::Known);
        };
        added(KubeApiserver, "goaway-chance", 18);
        added(KubeApiserver, "authentication-config", 29);
        added(KubeControllerManager, "node-cidr-mask-size-ipv4", 17);
        added(Kubelet, "config-dir", 28);

        assert_eq!(status(Kubelet, "node-ip", 15), Status::Known);
        assert_eq!(status(Kubelet, "node-ips", 30), Status::Unknown);
    }

    #[test]
    fn a_removed_flag_names_its_successor() {
        let Status::Removed { instead: Some(text), .. } = flag_status(
            KubeControllerManager,
            "experimental-cluster-signing-duration",
            VersionPart(30),
        ) else {
            panic!("a removed flag with a successor")
        };
        assert_eq!(text, "--cluster-signing-duration");
    }

    #[test]
    fn every_flag_that_kubeadm_passes_is_known() {
        let api = "advertise-address allow-privileged authorization-mode client-ca-file \
            enable-admission-plugins enable-bootstrap-token-auth etcd-servers etcd-cafile \
            etcd-certfile etcd-keyfile kubelet-client-certificate kubelet-client-key \
            kubelet-preferred-address-types proxy-client-cert-file proxy-client-key-file \
            requestheader-allowed-names requestheader-client-ca-file \
            requestheader-extra-headers-prefix requestheader-group-headers \
            requestheader-username-headers secure-port service-account-issuer \
            service-account-key-file service-account-signing-key-file service-cluster-ip-range \
            tls-cert-file tls-private-key-file feature-gates profiling audit-log-path v";
        let manager = "allocate-node-cidrs authentication-kubeconfig authorization-kubeconfig \
            bind-address client-ca-file cluster-cidr cluster-name cluster-signing-cert-file \
            cluster-signing-key-file controllers kubeconfig leader-elect \
            requestheader-client-ca-file root-ca-file service-account-private-key-file \
            service-cluster-ip-range use-service-account-credentials feature-gates v";
        let scheduler = "authentication-kubeconfig authorization-kubeconfig bind-address \
            kubeconfig leader-elect feature-gates v";
        for minor in super::super::OLDEST_MINOR..=super::super::NEWEST_MINOR {
            for (component, flags) in
                [(KubeApiserver, api), (KubeControllerManager, manager), (KubeScheduler, scheduler)]
            {
                for flag in flags.split_whitespace() {
                    let status = flag_status(component, flag, VersionPart(minor));
                    assert_eq!(status, Status::Known, "{flag} in 1.{minor}");
                }
            }
        }
    }

    #[test]
    fn flags_of_a_minor_can_be_listed() {
        let kubelet: Vec<&str> = flags(Kubelet, VersionPart(30)).collect();
        assert!(kubelet.contains(&"node-ip"));
        assert!(!kubelet.contains(&"network-plugin"));
    }
}
