//! `kubeadm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::PreflightCheck;

/// How kubeadm runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeadmSection {
    /// Preflight checks whose errors become warnings, at `kubeadm init` and at every `kubeadm
    /// join`: `SystemVerification`, `Mem`, `Port-6443` … as kubeadm prints them in
    /// `[ERROR Mem]: …`. `all` ignores every one of them. Default: none.
    #[serde(default)]
    pub ignore_preflight_errors: Vec<PreflightCheck>,
}
