//! Small inventories for the rooms' unit tests: `golden/base.yaml` with a merge patch on top.

use serde_json::Value;

use super::{Claims, Output, ROOMS, Rendering, Room};
use crate::cluster::{self, Cluster};
use crate::inventory::{self, Inventory};
use crate::report::Report;
use crate::secrets::Secrets;
use crate::template::Templates;
use crate::tree::Artifact;
use crate::{document, pki, rooms, yaml};

/// The inventory as it was said, and as it is meant.
pub(crate) fn resolved(overlay: &Value) -> (Inventory, Cluster) {
    let mut report = Report::new();
    let base = yaml::read("base.yaml", include_bytes!("../../golden/base.yaml"), &mut report);
    let mut inventory = base.expect("golden/base.yaml is YAML").to_json();
    document::merge(&mut inventory, overlay);
    let text = document::yaml(&[inventory], false);
    let said = yaml::read("test.yaml", &text, &mut report)
        .and_then(|document| inventory::read(&document, &mut report))
        .unwrap_or_else(|| panic!("{:#?}", report.findings()));
    let cluster =
        cluster::resolve(&said, &mut report).unwrap_or_else(|| panic!("{:#?}", report.findings()));
    (said, cluster)
}

/// What every room claims.
pub(crate) fn claimed(overlay: &Value) -> (Cluster, Claims) {
    let (said, cluster) = resolved(overlay);
    let mut claims = Claims::new(cluster.nodes.len());
    for room in ROOMS {
        room.plan(&said, &cluster, &mut claims, &mut Report::new());
    }
    (cluster, claims)
}

/// What one room reports, as `code at path`.
pub(crate) fn complaints(room: &dyn Room, overlay: &Value) -> Vec<String> {
    let (said, cluster) = resolved(overlay);
    let mut report = Report::new();
    room.plan(&said, &cluster, &mut Claims::new(cluster.nodes.len()), &mut report);
    let found = report.findings().iter();
    found.map(|finding| format!("{} at {}", finding.code.id, finding.at)).collect()
}

/// The files of one room, with throw-away keys; every room's claims are there.
pub(crate) fn files(room: &dyn Room, overlay: &Value) -> Vec<(String, Artifact)> {
    let (said, cluster) = resolved(overlay);
    let (_, claims) = claimed(overlay);
    let mut report = Report::new();
    let secrets = Secrets::placeholder(&cluster.name);
    let issued = pki::issue(&claims.certificates, &cluster.certificates, &secrets, &mut report)
        .unwrap_or_else(|| panic!("{:#?}", report.findings()));
    let with = Rendering { cluster: &cluster, claims: &claims, issued: &issued, secrets: &secrets };
    let templates = Templates::new(rooms::templates(), Default::default())
        .unwrap_or_else(|error| panic!("{error:?}"));
    let mut out = Output::new(room.name(), &cluster, &templates);
    let plan = room.plan(&said, &cluster, &mut Claims::new(cluster.nodes.len()), &mut report);
    if let Some(plan) = plan {
        for node in &cluster.nodes {
            plan.render_node(node, &with, &mut out);
        }
        plan.render_cluster(&with, &mut out);
    }
    out.finish().0
}

/// The text of one of them.
pub(crate) fn text<'a>(files: &'a [(String, Artifact)], path: &str) -> &'a str {
    let file = files.iter().find(|(name, _)| name == path);
    let (_, artifact) = file.unwrap_or_else(|| panic!("there is no {path}"));
    std::str::from_utf8(&artifact.bytes).expect("text")
}
