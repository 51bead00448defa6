//! `units`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NodeSelector;
use super::values::{DirectiveName, DirectiveValue, UnitName, keyed};

/// More settings for one systemd unit that hagen runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitSection {
    /// The unit, such as `haproxy.service`, `keepalived.service`, `containerd.service`,
    /// `kubelet.service` or, where etcd is external, `etcd.service`.
    pub unit: UnitName,
    /// What `/etc/systemd/system/UNIT.d/50-inventory.conf` says, after the unit itself and
    /// hagen's own `10-hagen.conf`. The unit restarts when it changes.
    pub drop_in: DropIn,
    /// Which nodes. Default: all that run the unit.
    pub nodes: Option<NodeSelector>,
}

/// The sections of a drop-in (systemd.unit(5)).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DropIn {
    /// `[Unit]`: order, requirements, limits of starts. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<DirectiveName, Directive>")]
    pub unit: BTreeMap<DirectiveName, Directive>,
    /// `[Service]` of a service: limits, environment, restarts. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<DirectiveName, Directive>")]
    pub service: BTreeMap<DirectiveName, Directive>,
    /// `[Timer]` of a timer: when it elapses. To change a time, take all of them back first:
    /// `{OnActiveSec: ["", 5min], OnUnitActiveSec: 30min}`. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<DirectiveName, Directive>")]
    pub timer: BTreeMap<DirectiveName, Directive>,
}

/// What one setting is set to. A list says the setting once per item; `""` takes back what was
/// said of it before. Settings stand in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Directive {
    /// The setting once.
    One(DirectiveValue),
    /// The setting once per item, in this order.
    Many(#[schemars(length(min = 1))] Vec<DirectiveValue>),
}

impl Directive {
    /// The values in their order.
    pub fn values(&self) -> &[DirectiveValue] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}
