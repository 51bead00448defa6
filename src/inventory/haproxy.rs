//! `loadBalancer.haproxy`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Duration, Port, ProgramVersion};

/// How sessions are spread over the API servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// Fewest sessions first: evens out long watches after a restart.
    #[default]
    Leastconn,
    /// In turn.
    Roundrobin,
}

/// Settings of haproxy. See <https://docs.haproxy.org/>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HaproxySection {
    /// The installed haproxy, such as `"2.6"`. Default: the one that the node's OS ships.
    pub version: Option<ProgramVersion>,
    /// How sessions are spread. Default: `leastconn`.
    #[serde(default)]
    pub balance: Balance,
    /// How long a session may be idle. Default: `4h`, the kubelet's own limit for exec and
    /// port-forward (streamingConnectionIdleTimeout).
    pub idle_timeout: Option<Duration>,
    /// How long a connection to an API server may take. Default: `300ms`.
    pub connect_timeout: Option<Duration>,
    /// Time between two health checks, and the longest that the connection of one may take, TLS
    /// handshake included: who lets none come about is dead. Default: `500ms`.
    pub check_interval: Option<Duration>,
    /// How long an API server may take to answer a health check: who is slower counts as dead. Its
    /// own wait for etcd alone is up to 2 s. Default: `3s`.
    pub check_timeout: Option<Duration>,
    /// Failed checks after which a backend leaves. Default: 3.
    #[schemars(range(min = 1, max = 100))]
    pub fall: Option<u32>,
    /// Good checks after which it returns. Default: 2.
    #[schemars(range(min = 1, max = 100))]
    pub rise: Option<u32>,
    /// Sessions at most. Default: 4000.
    #[schemars(range(min = 100, max = 1_000_000))]
    pub max_connections: Option<u32>,
    /// The port of the statistics page, of metrics, and of `/healthz`, which answers 200 while an API
    /// server is ready; on loopback only. Default: 8404.
    pub stats_port: Option<Port>,
    /// Whether that port serves Prometheus metrics, under `/metrics`. Default: where the version
    /// can.
    pub metrics: Option<bool>,
}
