//! `etcd`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{AbsolutePath, Duration, EtcdRelease, FlagName, FlagValue, Port, keyed};

/// Who runs etcd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdMode {
    /// kubeadm, as a static pod on each control plane.
    #[default]
    Stacked,
    /// systemd, on the nodes in the role `etcd` (every control plane where there is none).
    External,
}

/// Which members an API server talks to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtcdEndpoints {
    /// The local member where each control plane has one and the balancer checks readiness; all
    /// members otherwise.
    #[default]
    Auto,
    /// The member on the same node.
    Local,
    /// All members: after the loss of one, requests stall until connections to it time out, ten
    /// seconds later.
    All,
}

/// Snapshots on a timer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupSection {
    /// Whether the timer is enabled. Default: true.
    pub enabled: Option<bool>,
    /// Time between snapshots. Default: `6h`.
    pub interval: Option<Duration>,
    /// How many are kept. Default: 20.
    #[schemars(range(min = 1, max = 10_000))]
    pub keep: Option<u32>,
    /// Where they are kept: a folder of their own, outside of the data. Default:
    /// `/var/backups/etcd`.
    pub directory: Option<AbsolutePath>,
}

/// Settings of etcd. See <https://etcd.io/docs/latest/op-guide/configuration/>.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EtcdSection {
    /// Who runs it. Default: `stacked`.
    #[serde(default)]
    pub mode: EtcdMode,
    /// The exact etcd release, quoted; external only. Default: the one that the Kubernetes
    /// release brings, or its next patch release where neither hagen nor `packages.digests` knows
    /// what the archive has to be.
    pub version: Option<EtcdRelease>,
    /// Which members an API server talks to; external only. Default: `auto`.
    #[serde(default)]
    pub endpoints: EtcdEndpoints,
    /// Where the data lives: a folder of its own, which a reset empties. Default:
    /// `/var/lib/etcd`.
    pub data_dir: Option<AbsolutePath>,
    /// The clients' port; external only. Default: 2379.
    pub client_port: Option<Port>,
    /// The peers' port; external only. Default: 2380.
    pub peer_port: Option<Port>,
    /// The port of metrics and health, plain HTTP on loopback. Default: 2381 (kubeadm's).
    pub metrics_port: Option<Port>,
    /// Time between heartbeats; external only. Default: `100ms` (etcd's).
    pub heartbeat_interval: Option<Duration>,
    /// Time after which a new leader is elected; external only. Default: `1s` (etcd's).
    pub election_timeout: Option<Duration>,
    /// The database's size limit in bytes; external only. Default: 8589934592 (8 GiB, etcd's
    /// suggested maximum).
    #[schemars(range(min = 1, max = 17_179_869_184_u64))]
    pub quota_bytes: Option<u64>,
    /// Snapshots on a timer; external only.
    #[serde(default)]
    pub backup: BackupSection,
    /// More etcd settings: flag name without dashes to value. Default: none.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<FlagName, FlagValue>")]
    pub settings: BTreeMap<FlagName, FlagValue>,
}
