//! The pod network. flannel's manifest is written from its facts, for the first control plane to
//! apply before any other node joins, and once more below `cluster/manifests` for people.
//!
//! flannel's own plugin comes from its init container; `portmap` and `loopback` come from the
//! package `kubernetes-cni`. With `plugin: bridge` all plugins do, the network's configuration is a
//! file of each node, and a unit keeps the routes to the others. With `plugin: none` this room
//! writes nothing, and nodes stay NotReady until somebody applies a network.

mod bridge;
mod claims;
mod flannel;
mod lint;
mod manifest;
mod plan;
mod render;

use std::collections::BTreeMap;

use self::plan::CniPlan;
use super::{DocumentName, Planned, Room};
use crate::claims::RoomClaims;
use crate::inventory::Inventory;
use crate::report::{Code, Finding, Report};
use crate::site::{Site, moved_pod_ranges};
use crate::template::Template;

crate::codes! { "cni":
    NO_SERVICES = Warning "no-services",
    NOT_ONE_SUBNET = Error "not-one-subnet",
    ONE_FAMILY = Error "one-family",
    RANGE_DIFFERS = Error "range-differs",
}

/// The room.
pub struct Cni;

impl Room for Cni {
    fn name(&self) -> &'static str {
        "cni"
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn documents(&self) -> &'static [DocumentName] {
        manifest::DOCUMENTS
    }

    fn templates(&self) -> &'static [Template] {
        bridge::TEMPLATES
    }

    fn plan(&self, said: &Inventory, site: &Site, report: &mut Report) -> Option<Planned> {
        let cluster = &site.cluster()?;
        lint::lint(&said.cni, cluster, report);
        let mut claims = RoomClaims::default();
        claims::scripts(cluster, &mut claims);
        Some(match CniPlan::new(&said.cni, cluster) {
            Some(plan) => {
                claims::state(&plan, cluster, &mut claims);
                Planned::new(plan, claims)
            }
            None => Planned::claims(claims),
        })
    }

    fn remembers(&self) -> Option<&'static str> {
        Some(bridge::CONFLIST_PATH)
    }

    fn replaces(&self, site: &Site, standing: &BTreeMap<String, Vec<u8>>) -> Option<Finding> {
        let ranges = standing.iter();
        let ranges = ranges.filter_map(|(node, file)| Some((node.clone(), bridge::range(file)?)));
        moved_pod_ranges(&site.cluster()?, &ranges.collect())
    }
}
