//! `kubelet`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runtime::CgroupDriver;

/// The node agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KubeletSection {
    /// Its cgroup driver; must equal the runtime's. Default: the runtime's.
    pub cgroup_driver: Option<CgroupDriver>,
    /// Pods per node at most. Default: 110 (the kubelet's).
    #[schemars(range(min = 1, max = 1000))]
    pub max_pods: Option<u32>,
    /// More fields of KubeletConfiguration (kubelet.config.k8s.io/v1beta1), checked against the
    /// release's fields and their types. Default: none.
    #[serde(default)]
    pub config: BTreeMap<String, serde_json::Value>,
}
