//! Words that values of flags are made of: a component that does not know one does not start.
//!
//! `flag_words.json` was read out of upstream's sources, one minor after another: admission plugins
//! of `AllOrderedPlugins` in `pkg/kubeapiserver/options/plugins.go`; controllers of
//! `cmd/kube-controller-manager/app/controllermanager.go` and, from 1.27, of
//! `names/controller_names.go` beside it and of k8s.io/cloud-provider's `names`: older names
//! stay, as aliases; cipher suites of `cli/flag/ciphersuites_flag.go` of k8s.io/component-base and
//! of Go, which has had the same ones since 1.19; kubeadm's own feature gates, which its configuration
//! says in the same way, of `cmd/kubeadm/app/features/features.go`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::flags::{Names, Status, known, status};
use super::{NEWEST_MINOR, VersionPart};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    admission_plugins: Names,
    controllers: Names,
    cipher_suites: Names,
    kubeadm_gates: Names,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_json::from_str(include_str!("flag_words.json"))
        .expect("embedded, and read by every test run")
});

/// Whether the API server of `1.<minor>` has this admission plugin.
pub fn admission_plugin_status(plugin: &str, minor: VersionPart) -> Status {
    status(&WORDS.admission_plugins, plugin, minor)
}

/// The admission plugins that the API server of `1.<minor>` has.
pub fn admission_plugins(minor: VersionPart) -> impl Iterator<Item = &'static str> {
    known(&WORDS.admission_plugins, minor)
}

/// Whether the controller manager of `1.<minor>` knows a controller by this name.
pub fn controller_status(controller: &str, minor: VersionPart) -> Status {
    status(&WORDS.controllers, controller, minor)
}

/// The controllers that the controller manager of `1.<minor>` knows.
pub fn controllers(minor: VersionPart) -> impl Iterator<Item = &'static str> {
    known(&WORDS.controllers, minor)
}

/// Whether the components of `1.<minor>` know a cipher suite by this name.
pub fn cipher_suite_status(suite: &str, minor: VersionPart) -> Status {
    status(&WORDS.cipher_suites, suite, minor)
}

/// The cipher suites that the components of `1.<minor>` know, by Go's names.
pub fn cipher_suites(minor: VersionPart) -> impl Iterator<Item = &'static str> {
    known(&WORDS.cipher_suites, minor)
}

/// The cipher suites of a program that is no component of Kubernetes, by Go's names.
pub fn cipher_suites_of_go() -> impl Iterator<Item = &'static str> {
    cipher_suites(VersionPart(NEWEST_MINOR))
}

/// Whether kubeadm `1.<minor>` has this feature gate of its own.
pub fn kubeadm_gate_status(gate: &str, minor: VersionPart) -> Status {
    status(&WORDS.kubeadm_gates, gate, minor)
}

/// The feature gates of kubeadm `1.<minor>` itself.
pub fn kubeadm_gates(minor: VersionPart) -> impl Iterator<Item = &'static str> {
    known(&WORDS.kubeadm_gates, minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_come_and_go_with_the_minor() {
        let status = |plugin, minor| admission_plugin_status(plugin, VersionPart(minor));
        assert_eq!(status("PodSecurityPolicy", 24), Status::Known);
        assert!(matches!(
            status("PodSecurityPolicy", 25),
            Status::Removed { in_minor: VersionPart(25), .. }
        ));
        assert_eq!(status("PodSecurity", 21), Status::NotYet { since: VersionPart(22) });
        assert_eq!(status("PodSecurity", 23), Status::Known);
        assert_eq!(status("Podsecurity", 30), Status::Unknown);
        assert!(admission_plugins(VersionPart(37)).any(|plugin| plugin == "NodeRestriction"));
    }

    #[test]
    fn gates_of_kubeadm_itself_come_and_go_with_the_minor() {
        let has = |gate, minor| kubeadm_gate_status(gate, VersionPart(minor)).is_known();
        assert!(!has("IPv6DualStack", 15) && has("IPv6DualStack", 16));
        assert!(has("IPv6DualStack", 23) && !has("IPv6DualStack", 24));
        assert!(!has("PublicKeysECDSA", 17) && has("PublicKeysECDSA", 18));
        assert!(has("PublicKeysECDSA", 36) && !has("PublicKeysECDSA", 37));
        assert!(has("EtcdLearnerMode", 32) && !has("EtcdLearnerMode", 33));
    }
}
