//! The pipeline on one screen: text in, tree out, findings beside it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::audit;
use crate::claims::Claims;
use crate::document::{self, Value};
use crate::inventory::{self, Inventory};
use crate::manifest::{self, About, Manifest};
use crate::pki::{self, Issued};
use crate::report::{Code, Finding, Report};
use crate::rooms::{self, Checking, Output, Plan, ROOMS, Rendered, Rendering, Room};
use crate::secrets::{Bundle, Secrets};
use crate::site::{self, Site};
use crate::template::Templates;
use crate::tree::{self, Tree};
use crate::yaml::{self, Document};

/// Everything that a build depends on.
pub struct Inputs<'a> {
    /// What the findings call the inventory: its file name, or `-`.
    pub name: &'a str,
    /// The inventory's bytes.
    pub inventory: &'a [u8],
    /// The bundle; `None` checks everything with throw-away keys and yields no tree.
    pub bundle: Option<&'a Bundle>,
    /// Template texts by id that replace the built-in ones.
    pub templates: BTreeMap<String, String>,
}

/// What a build yields: as much as could be made, and all that was found.
pub struct Outcome {
    /// The text with its spans, to place the findings.
    pub document: Option<Document>,
    /// The resolved model, as far as it got.
    pub site: Option<Site>,
    /// The finished tree; absent where an error was found or no bundle was given.
    pub tree: Option<Tree>,
    /// The manifest that belongs to the tree.
    pub manifest: Option<Manifest>,
    /// What the site occupies, to be compared with others.
    pub claims: Option<Claims>,
    /// Everything that was found.
    pub report: Report,
}

impl Outcome {
    /// Refuses what a cluster that runs on the tree of before would not survive. `standing` reads
    /// the file of that path of each node in the tree that this one is to replace.
    pub fn replaces(&mut self, standing: impl Fn(&str) -> BTreeMap<String, Vec<u8>>) {
        let Some(site) = &self.site else { return };
        let remembered = ROOMS.iter().filter_map(|room| Some((room, room.remembers()?)));
        let found: Vec<Finding> =
            remembered.filter_map(|(room, path)| room.replaces(site, &standing(path))).collect();
        self.refuse(found);
    }

    /// There is no tree of what is refused.
    fn refuse(&mut self, found: Vec<Finding>) {
        if !found.is_empty() {
            self.tree = None;
            self.manifest = None;
            found.into_iter().for_each(|finding| self.report.push(finding));
        }
    }
}

/// Compiles one inventory. Pure: equal inputs give equal bytes.
pub fn compile(inputs: &Inputs<'_>) -> Outcome {
    with_rooms(ROOMS, inputs)
}

fn with_rooms(rooms: &[&dyn Room], inputs: &Inputs<'_>) -> Outcome {
    let mut outcome = Outcome {
        document: None,
        site: None,
        tree: None,
        manifest: None,
        claims: None,
        report: Report::new(),
    };
    let report = &mut outcome.report;
    outcome.document = yaml::read(inputs.name, inputs.inventory, report);
    let Some(document) = &outcome.document else { return outcome };
    let Some(said) = inventory::read(document, report) else { return outcome };
    outcome.site = site::resolve(&said, report);
    if let Some(site) = &outcome.site {
        let claims = &mut outcome.claims;
        if let Some((tree, manifest)) = build(rooms, inputs, &said, site, claims, report) {
            outcome.tree = Some(tree);
            outcome.manifest = Some(manifest);
        }
    }
    report.apply_allow(&inventory::allowed(&said), &all_codes(), &inventory::codes::UNUSED_ALLOW);
    outcome
}

/// The inventory with every default written in: what was found, and the value where there is one.
pub fn settle(name: &str, inventory: &[u8]) -> (Outcome, Option<Value>) {
    let inputs = Inputs { name, inventory, bundle: None, templates: BTreeMap::new() };
    let outcome = compile(&inputs);
    let settled = outcome.document.as_ref().zip(outcome.site.as_ref()).and_then(settled);
    (outcome, settled)
}

fn settled((document, site): (&Document, &Site)) -> Option<Value> {
    // Everything has been reported once already.
    let unheard = &mut Report::new();
    let said = inventory::read(document, unheard)?;
    let mut whole = site::settled(&said, site);
    for (_, plan) in plan(ROOMS, &said, site, unheard).0 {
        document::merge(&mut whole, &plan.settled());
    }
    Some(whole)
}

/// Compiles several inventories in parallel and compares what they occupy together: two clusters
/// on one segment must not answer each other's VRRP adverts, nor have an address in common.
pub fn compile_all(inputs: &[Inputs<'_>]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = inputs.par_iter().map(compile).collect();
    for mine in 0..outcomes.len() {
        let clashes = clashes(&outcomes, mine);
        outcomes[mine].refuse(clashes);
    }
    outcomes
}

/// What the outcome at `mine` has against the others.
fn clashes(outcomes: &[Outcome], mine: usize) -> Vec<Finding> {
    let Outcome { site: Some(site), claims, .. } = &outcomes[mine] else { return Vec::new() };
    let others = outcomes.iter().enumerate().filter(|(other, _)| *other != mine);
    let others = others.filter_map(|(_, other)| Some((other.site.as_ref()?, &other.claims)));
    others
        .flat_map(|(other, theirs)| {
            let claims = claims.as_ref().zip(theirs.as_ref());
            let of_rooms = claims.into_iter().flat_map(|(mine, theirs)| {
                ROOMS.iter().flat_map(move |room| room.beside(mine, theirs, &other.name))
            });
            of_rooms.chain(audit::together(site, other)).collect::<Vec<_>>()
        })
        .collect()
}

/// Rooms to tree. `None` where an error was found, or where there is no bundle to build with.
fn build(
    rooms: &[&dyn Room],
    inputs: &Inputs<'_>,
    said: &Inventory,
    site: &Site,
    claims: &mut Option<Claims>,
    report: &mut Report,
) -> Option<(Tree, Manifest)> {
    let templates = match Templates::new(rooms::templates(), inputs.templates.clone()) {
        Ok(templates) => templates,
        Err(error) => {
            report.push(error.into());
            return None;
        }
    };
    let secrets = match inputs.bundle {
        Some(bundle) => bundle.open(&site.name, report)?,
        None => Secrets::placeholder(&site.name),
    };
    site::lint(site, secrets.issued_at(), report);
    let (plans, planned) = plan(rooms, said, site, report);
    let claims = claims.insert(planned);
    let with = Checking { site, claims, secrets: &secrets };
    plans.iter().for_each(|(_, plan)| plan.check(&with, report));
    audit::claims(site, claims, report);
    pki::lint(&site.certificates, secrets.issued_at(), report);
    if report.has_errors() {
        return None;
    }
    let issued =
        pki::issue(&site.authorities, &claims.certificates, &site.certificates, &secrets, report)?;
    let with = Rendering { site, claims, issued: &issued, secrets: &secrets };
    let mut tree = render(&plans, &with, &templates, report);
    audit::files(site, claims, &tree, report);
    for refused in tree.finish() {
        report.push(refused.into());
    }
    tree::leftovers(&tree, report);
    if report.has_errors() || inputs.bundle.is_none() {
        return None;
    }
    // Of a large cluster they take as much memory as the manifest, which is made without them.
    drop(plans);
    claims.forget_nodes();
    let manifest = manifest(&tree, site, &issued, &secrets);
    Some((tree, manifest))
}

type Plans = Vec<(&'static str, Box<dyn Plan>)>;

/// Asks every room for itself, and only then puts together what they claim.
fn plan(
    rooms: &[&dyn Room],
    said: &Inventory,
    site: &Site,
    report: &mut Report,
) -> (Plans, Claims) {
    let mut plans = Plans::new();
    let mut claims = Vec::new();
    for room in rooms {
        if let Some(planned) = room.plan(said, site, report) {
            plans.push((room.name(), planned.plan));
            claims.push((room.name(), planned.claims));
        }
    }
    (plans, Claims::merge(site.hosts.len(), claims))
}

/// Renders node by node on all cores. The tree is a sorted map, so its order does not depend on
/// which core was first.
fn render(plans: &Plans, with: &Rendering<'_>, templates: &Templates, report: &mut Report) -> Tree {
    let of_nodes = with.site.hosts.par_iter().map(|node| {
        let render = |plan: &dyn Plan, out: &mut Output<'_>| plan.render_node(node, with, out);
        let mut rendered = rendered(plans, with, templates, render);
        let mut words = std::mem::take(&mut rendered.words);
        let assemble = |plan: &dyn Plan, out: &mut Output<'_>| {
            plan.assemble_node(node, &mut words, with, out);
        };
        rendered.append(self::rendered(plans, with, templates, assemble));
        rendered
    });
    let mut parts: Vec<Rendered> = of_nodes.collect();
    let mut of_site = rendered(plans, with, templates, |plan, out| plan.render_cluster(with, out));
    let mut prose = std::mem::take(&mut of_site.prose);
    let assemble =
        |plan: &dyn Plan, out: &mut Output<'_>| plan.assemble_cluster(&mut prose, with, out);
    parts.push(rendered(plans, with, templates, assemble));
    parts.push(of_site);
    let mut tree = Tree::new();
    let mut documents = Vec::new();
    for part in parts {
        report.append_new(part.report);
        documents.extend(part.made);
        for (path, artifact) in part.files {
            if let Err(refused) = tree.insert(path, artifact) {
                report.push(refused.into());
            }
        }
    }
    audit::patched(with.site, &documents, report);
    tree
}

fn rendered(
    plans: &Plans,
    with: &Rendering<'_>,
    templates: &Templates,
    mut render: impl FnMut(&dyn Plan, &mut Output<'_>),
) -> Rendered {
    let mut rendered = Rendered::default();
    for (room, plan) in plans {
        let mut out = Output::new(room, with.site, templates);
        render(plan.as_ref(), &mut out);
        rendered.append(out.finish());
    }
    rendered
}

fn manifest(tree: &Tree, site: &Site, issued: &Issued, secrets: &Secrets) -> Manifest {
    let certificates = issued.calendar().map(calendar_entry).collect();
    let about = About { cluster: site.name.clone(), bundle: secrets.id().to_owned(), certificates };
    Manifest::from_tree(tree, about, &|bytes| secrets.fingerprint(bytes))
}

fn calendar_entry(entry: pki::Entry<'_>) -> manifest::Certificate {
    let pki::Entry { id, subject, issuer, not_before: _, not_after } = entry;
    manifest::Certificate {
        id: id.into_owned(),
        subject,
        issuer,
        not_after: crate::secrets::rfc3339(not_after),
    }
}

/// Every code that a build can report, by area.
pub fn all_codes() -> Vec<&'static Code> {
    let stages = [
        yaml::codes::CODES,
        inventory::codes::CODES,
        site::codes::CODES,
        site::endpoint::codes::CODES,
        audit::CODES,
        pki::CODES,
        crate::secrets::CODES,
        crate::template::CODES,
        tree::CODES,
        crate::disk::CODES,
    ];
    let rooms = ROOMS.iter().map(|room| room.codes());
    stages.into_iter().chain(rooms).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rooms::overlaid;

    #[test]
    fn the_order_of_rooms_means_nothing() {
        let everything = "{etcd: {mode: external}, kubeProxy: {mode: ipvs}, cluster: {kubernetes: 1.34.0}, \
             host: {modules: [vxlan], firewall: open}, os: {distribution: rocky, release: '9'}, \
             units: [{unit: kubelet.service, dropIn: {Service: {CPUWeight: '500'}}}], \
             files: [{path: /etc/site.conf, content: x}]}";
        let faulty = "{endpoint: {port: 6443}, etcd: {dataDir: /var/lib/kubelet}, \
             files: [{path: /etc/cni/net.d/x, content: x}], units: [{unit: x.service, dropIn: {}}]}";
        for overlay in
            ["{}", "{cni: {plugin: bridge}}", "{loadBalancer: {kind: nginx}}", everything, faulty]
        {
            let (inventory, bundle) = overlaid::inputs(overlay);
            let inputs = Inputs {
                name: "inventory.yaml",
                inventory: inventory.as_bytes(),
                bundle: Some(&bundle),
                templates: BTreeMap::new(),
            };
            let made = |rooms: &[&dyn Room]| {
                let Outcome { tree, manifest, report, .. } = with_rooms(rooms, &inputs);
                let files: Option<Vec<_>> = tree.map(|tree| {
                    tree.iter().map(|(path, file)| (path.to_owned(), file.bytes.clone())).collect()
                });
                let found = report.findings().iter().map(|finding| format!("{finding:?}"));
                let found: BTreeSet<String> = found.collect();
                (files, manifest.map(|manifest| manifest.to_bytes()), found)
            };
            let once = made(ROOMS);
            let mut rooms = ROOMS.to_vec();
            for _ in 0..rooms.len() {
                rooms.rotate_left(1);
                assert!(made(&rooms) == once, "{overlay}: {:?} first", rooms[0].name());
            }
            rooms.reverse();
            assert!(made(&rooms) == once, "{overlay}: backwards");
        }
    }
}
