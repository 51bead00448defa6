//! Words that values of flags are made of: a component that does not know one does not start.
//!
//! `flag_words.json` was read out of upstream's sources, one minor after another: admission plugins
//! of `AllOrderedPlugins` in `pkg/kubeapiserver/options/plugins.go`; controllers of
//! `cmd/kube-controller-manager/app/controllermanager.go` and, from 1.27, of
//! `names/controller_names.go` beside it, whose older names stay aliases; cipher suites of what
//! `--help` says, the same in 1.20, 1.30 and 1.37.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::flags::{Lifetime, Status};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    admission_plugins: BTreeMap<String, Lifetime>,
    controllers: Vec<String>,
    cipher_suites: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    serde_json::from_str(include_str!("flag_words.json"))
        .expect("embedded, and read by every test run")
});

/// Whether the API server of `1.<minor>` has this admission plugin.
pub fn admission_plugin_status(plugin: &str, minor: u32) -> Status {
    WORDS.admission_plugins.get(plugin).map_or(Status::Unknown, |life| life.at(minor))
}

/// The admission plugins that the API server of `1.<minor>` has.
pub fn admission_plugins(minor: u32) -> impl Iterator<Item = &'static str> {
    let plugins = WORDS.admission_plugins.iter();
    plugins.filter(move |(_, life)| life.at(minor) == Status::Known).map(|(name, _)| name.as_str())
}

/// The controllers of every minor's controller manager.
pub fn controllers() -> impl Iterator<Item = &'static str> {
    WORDS.controllers.iter().map(String::as_str)
}

/// The cipher suites that every component knows, by Go's names.
pub fn cipher_suites() -> impl Iterator<Item = &'static str> {
    WORDS.cipher_suites.iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_come_and_go_with_the_minor() {
        let status = admission_plugin_status;
        assert_eq!(status("PodSecurityPolicy", 24), Status::Known);
        assert!(matches!(status("PodSecurityPolicy", 25), Status::Removed { in_minor: 25, .. }));
        assert_eq!(status("PodSecurity", 21), Status::NotYet { since: 22 });
        assert_eq!(status("PodSecurity", 23), Status::Known);
        assert_eq!(status("Podsecurity", 30), Status::Unknown);
        assert!(admission_plugins(37).any(|plugin| plugin == "NodeRestriction"));
    }
}
