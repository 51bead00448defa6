//! Whether static pods see what their flags name, after patches.

use serde_json::Value;

use super::config;
use super::plan::{KubeadmPlan, patches};
use super::volumes::outside;
use crate::control_plane::Part;
use crate::control_plane::mounts::{Named, named, taken, usual};
use crate::document;
use crate::inventory::values::AbsolutePath;
use crate::report::Path;
use crate::site::{Cluster, Patch};

/// A path that a flag names.
pub(super) struct OfFlag<'a> {
    pub(super) part: Part,
    pub(super) named: Named<'a>,
    /// Where the flag is said.
    pub(super) at: Path,
    /// What the pod sees there.
    pub(super) seen: Seen,
}

/// What a pod sees of a path.
pub(super) enum Seen {
    /// This path of the host.
    Outside(String),
    /// Nothing, since no pod can have it: why.
    Unmountable(String),
    /// Nothing, since a patch has taken its mount away: the patch's place.
    Unmounted(Path),
}

/// Every path that flags of the control plane name, in their order; first those of usual mounts.
pub(super) fn of_flags<'a>(plan: &'a KubeadmPlan, cluster: &Cluster<'_>) -> Vec<OfFlag<'a>> {
    let patches = patches(cluster);
    let mut finished = config::cluster_configuration(plan, cluster);
    for patch in &patches {
        document::merge(&mut finished, &patch.patch);
    }
    let mut paths = Vec::new();
    for (part, flags) in plan.flags() {
        let at = |named: &Named<'_>| plan.at(part, named.flag);
        paths.extend(usual(part, flags, cluster.release).into_iter().map(|named| OfFlag {
            part,
            at: at(&named),
            seen: Seen::Outside(named.path.to_owned()),
            named,
        }));
        let volumes = finished[part.key()]["extraVolumes"].as_array();
        let volumes = volumes.map_or(&[][..], Vec::as_slice);
        paths.extend(named(part, flags, cluster.release).into_iter().filter_map(|named| {
            let seen = problem(&named)
                .map(Seen::Unmountable)
                .or_else(|| outside(named.path, volumes).map(Seen::Outside))
                .or_else(|| replaced(&patches, part).map(Seen::Unmounted))?;
            Some(OfFlag { part, at: at(&named), named, seen })
        }));
    }
    paths
}

/// Why no pod can have this path.
fn problem(named: &Named<'_>) -> Option<String> {
    let path = named.path;
    if path.parse::<AbsolutePath>().is_err() || path.contains(':') {
        return Some(format!("`{path}` is not an absolute path that can be mounted"));
    }
    taken(named).map(|folder| format!("all of `{folder}` would be the pod's"))
}

/// The place of the last patch that says something of a component's volumes.
fn replaced(patches: &[&Patch], part: Part) -> Option<Path> {
    const FIELD: &str = "extraVolumes";
    patches.iter().rev().find_map(|patch| {
        let at = Path::of(&["patches"]).index(patch.index).key("patch").key(part.key());
        match patch.patch.get(part.key())? {
            Value::Object(fields) => fields.contains_key(FIELD).then(|| at.key(FIELD)),
            _ => Some(at),
        }
    })
}
