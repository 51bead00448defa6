//! `loadBalancer.nginx`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Duration, ProgramVersion};

/// Settings of nginx's stream proxy. See <https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NginxSection {
    /// The installed nginx, such as `"1.22"`. Default: the one that the node's OS ships.
    pub version: Option<ProgramVersion>,
    /// How long a session may be idle. Default: `4h`, the kubelet's own limit for exec and
    /// port-forward (streamingConnectionIdleTimeout).
    pub idle_timeout: Option<Duration>,
    /// How long a connection to an API server may take. Default: `300ms`.
    pub connect_timeout: Option<Duration>,
    /// Failed connections after which an API server is left alone for `failTimeout`. Default: 1.
    #[schemars(range(min = 1, max = 100))]
    pub max_fails: Option<u32>,
    /// How long it is left alone, in whole seconds. Default: `5s`.
    pub fail_timeout: Option<Duration>,
    /// Connections of one worker process at most; a session takes two. Default: 16384.
    #[schemars(range(min = 512, max = 1_000_000))]
    pub worker_connections: Option<u32>,
}
