//! Compiles `golden/base.yaml` with an overlay merged into it, for the tests of rooms: the whole
//! pipeline, or one room alone, whatever the others and the audit would say.

use serde_json::Value;
use time::macros::datetime;

use super::{Checking, Output, Planned, ROOMS, Rendering, Room};
use crate::claims::Claims;
use crate::compile::{Inputs, Outcome, compile};
use crate::inventory::{self, Inventory};
use crate::report::Report;
use crate::secrets::{Bundle, PrivateKey, Secrets};
use crate::site::{self, Site};
use crate::template::Templates;
use crate::tree::Artifact;
use crate::{pki, rooms, yaml};

const BASE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/base.yaml"));
const RSA: &str = include_str!("../secrets/testdata/rsa-2048.pem");

/// As a merge patch, but what the base lacks is taken over as it stands, `null`s included: in some
/// places they mean something to hagen.
fn lay_over(base: &mut Value, overlay: &Value) {
    let (Value::Object(fields), Value::Object(said)) = (&mut *base, overlay) else {
        *base = overlay.clone();
        return;
    };
    for (key, value) in said {
        match fields.get_mut(key) {
            Some(_) if value.is_null() => drop(fields.shift_remove(key)),
            Some(field) => lay_over(field, value),
            None => drop(fields.insert(key.clone(), value.clone())),
        }
    }
}

/// The base with this overlay (YAML; lists replace wholesale), and a bundle.
pub(crate) fn inputs(overlay: &str) -> (String, Bundle) {
    let read = |text: &str| -> Value { serde_yaml::from_str(text).unwrap() };
    let mut inventory = read(BASE);
    lay_over(&mut inventory, &read(overlay));
    let name = inventory["cluster"]["name"].as_str().unwrap().to_owned();
    let mut bundle = Bundle::new(&name, [7; 32], datetime!(2026-11-01 0:00 UTC));
    // The only kind that kubeadm of every release joins with.
    bundle.store("serviceAccount/key", PrivateKey::from_pem(RSA).unwrap());
    (inventory.to_string(), bundle)
}

/// The whole pipeline over them.
pub(crate) fn outcome(overlay: &str) -> Outcome {
    let (inventory, bundle) = inputs(overlay);
    compile(&Inputs {
        name: "inventory.yaml",
        inventory: inventory.as_bytes(),
        bundle: Some(&bundle),
        templates: [].into(),
    })
}

/// The ids of everything that was found, in order.
pub(crate) fn codes(overlay: &str) -> Vec<&'static str> {
    outcome(overlay).report.findings().iter().map(|finding| finding.code.id).collect()
}

/// The text of one file of the tree, or of a node: `nodes/<node>/rootfs/<path>`, also where several
/// have it.
pub(crate) fn file(outcome: &Outcome, path: &str) -> String {
    let Some(tree) = &outcome.tree else { panic!("{:#?}", outcome.report.findings()) };
    let on_node = path.strip_prefix("nodes/").and_then(|path| path.split_once("/rootfs"));
    let artifact = match on_node {
        Some((node, path)) => tree.on(node, path),
        None => tree.get(path),
    };
    let artifact = artifact.unwrap_or_else(|| panic!("no file {path}"));
    String::from_utf8(artifact.bytes.clone()).unwrap()
}

/// The inventory as it was said, and as it is meant.
pub(crate) fn resolved(overlay: &Value) -> (Inventory, Site) {
    let mut report = Report::new();
    let base = yaml::read("base.yaml", BASE.as_bytes(), &mut report);
    let mut inventory = base.expect("golden/base.yaml is YAML").to_json();
    lay_over(&mut inventory, overlay);
    let text = crate::document::yaml(&[inventory], false);
    let said = yaml::read("test.yaml", &text, &mut report)
        .and_then(|document| inventory::read(&document, &mut report))
        .unwrap_or_else(|| panic!("{:#?}", report.findings()));
    let site =
        site::resolve(&said, &mut report).unwrap_or_else(|| panic!("{:#?}", report.findings()));
    (said, site)
}

/// What every room claims.
pub(crate) fn claimed(overlay: &Value) -> (Site, Claims) {
    let (said, site) = resolved(overlay);
    let claims = claims_on(&said, &site);
    (site, claims)
}

fn claims_on(said: &Inventory, site: &Site) -> Claims {
    let planned = ROOMS
        .iter()
        .filter_map(|room| Some((room.name(), room.plan(said, site, &mut Report::new())?.claims)));
    Claims::merge(site.hosts.len(), planned.collect())
}

/// What one room reports, as `code at path`.
pub(crate) fn complaints(room: &dyn Room, overlay: &Value) -> Vec<String> {
    let (said, site) = resolved(overlay);
    let claims = claims_on(&said, &site);
    let mut report = Report::new();
    if let Some(planned) = room.plan(&said, &site, &mut report) {
        let secrets = Secrets::placeholder(&site.name);
        let with = Checking { site: &site, claims: &claims, secrets: &secrets };
        planned.plan.check(&with, &mut report);
    }
    let found = report.findings().iter();
    found.map(|finding| format!("{} at {}", finding.code.id, finding.at)).collect()
}

/// The files of one room, with throw-away keys; every room's claims are there.
pub(crate) fn files(room: &dyn Room, overlay: &Value) -> Vec<(String, Artifact)> {
    let (said, site) = resolved(overlay);
    files_on(room, &said, &site)
}

/// The same on a site of any kind.
pub(crate) fn files_on(room: &dyn Room, said: &Inventory, site: &Site) -> Vec<(String, Artifact)> {
    let claims = claims_on(said, site);
    let mut report = Report::new();
    let secrets = Secrets::placeholder(&site.name);
    let issued = pki::issue(
        &site.authorities,
        &claims.certificates,
        &site.certificates,
        &secrets,
        &mut report,
    )
    .unwrap_or_else(|| panic!("{:#?}", report.findings()));
    let with = Rendering { site, claims: &claims, issued: &issued, secrets: &secrets };
    let templates = Templates::new(rooms::templates(), Default::default())
        .unwrap_or_else(|error| panic!("{error:?}"));
    let mut out = Output::new(room.name(), site, &templates);
    if let Some(Planned { plan, .. }) = room.plan(said, site, &mut report) {
        for host in &site.hosts {
            plan.render_node(host, &with, &mut out);
        }
        plan.render_cluster(&with, &mut out);
    }
    out.finish().files
}

/// The text of one of them.
pub(crate) fn text<'a>(files: &'a [(String, Artifact)], path: &str) -> &'a str {
    let file = files.iter().find(|(name, _)| name == path);
    let (_, artifact) = file.unwrap_or_else(|| panic!("there is no {path}"));
    std::str::from_utf8(&artifact.bytes).expect("text")
}
