//! `keepalived`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Duration, NodeName, ProgramVersion, keyed};

/// The state in which every node starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// The election decides.
    #[default]
    Backup,
    /// The first that may hold the VIP starts as master, the others as backup.
    Master,
}

/// Settings of keepalived. See `keepalived.conf(5)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeepalivedSection {
    /// The installed keepalived, such as `"2.2.7"`. Default: the one that the node's OS ships.
    pub program_version: Option<ProgramVersion>,
    /// The VRRP version, 2 or 3. Default: 3; 2 for an IPv4 VIP where a node's keepalived is older
    /// than 1.3.7, whose version 3 loses most unicast adverts.
    #[schemars(range(min = 2, max = 3))]
    pub version: Option<u8>,
    /// The virtual router id, 1–255, unique on the segment. Default: the last octet of the VIP
    /// (0 becomes 255).
    pub router_id: Option<u32>,
    /// Router ids that others on the same segment hold already: routers, other clusters.
    /// Default: none.
    #[serde(default)]
    pub reserved_router_ids: Vec<u32>,
    /// The starting state. Default: `BACKUP` on every node.
    #[serde(default)]
    pub state: State,
    /// Whether a node that returns takes the VIP back from one with a lower priority. Default:
    /// false (`nopreempt`).
    #[serde(default)]
    pub preempt: bool,
    /// What a failed check takes from the priority, written as a negative number; works with
    /// `preempt: true` only. Default: 0, the node gives the VIP up at once.
    #[schemars(range(min = -253, max = 0))]
    pub weight: Option<i32>,
    /// Priorities of those that may hold the VIP, by name, 1–254, all different. Default: 150, 149 … in the
    /// order of the nodes, leaving out what is given here.
    #[serde(default)]
    #[schemars(schema_with = "keyed::<NodeName, u32>")]
    pub priorities: BTreeMap<NodeName, u32>,
    /// Time between adverts: with version 3 at most 40.95 s in steps of 10 ms, with version 2
    /// whole seconds. Default: `500ms` with VRRP version 3, `1s` with version 2.
    pub advert_interval: Option<Duration>,
    /// Time between two checks of the balancer, in whole seconds. Default: `1s`.
    pub check_interval: Option<Duration>,
    /// Failed checks after which the node gives the VIP up. Default: 2.
    #[schemars(range(min = 1, max = 100))]
    pub fall: Option<u32>,
    /// Good checks after which it may hold it again. Default: 2.
    #[schemars(range(min = 1, max = 100))]
    pub rise: Option<u32>,
    /// Whether adverts carry a password; VRRP version 2 only. Default: true with version 2.
    pub authentication: Option<bool>,
}
