//! The pipeline on one screen: text in, tree out, findings beside it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::cluster::{self, Cluster};
use crate::inventory::{self, Inventory};
use crate::manifest::Manifest;
use crate::pki::{self, Issued};
use crate::report::{Path, Report};
use crate::rooms::{Claims, DocumentName, Output, Plan, ROOMS, Rendering};
use crate::secrets::{Bundle, Secrets};
use crate::template::{Template, Templates};
use crate::tree::{self, Artifact, Tree};
use crate::yaml::{self, Document};
use crate::{audit, disk, rooms};

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
    pub cluster: Option<Cluster>,
    /// The finished tree; absent where an error was found or no bundle was given.
    pub tree: Option<Tree>,
    /// The manifest that belongs to the tree.
    pub manifest: Option<Manifest>,
    /// Everything that was found.
    pub report: Report,
}

/// Compiles one inventory. Pure: equal inputs give equal bytes.
pub fn compile(inputs: &Inputs<'_>) -> Outcome {
    let mut outcome = Outcome {
        document: None,
        cluster: None,
        tree: None,
        manifest: None,
        report: Report::new(),
    };
    let report = &mut outcome.report;
    outcome.document = yaml::read(inputs.name, inputs.inventory, report);
    let Some(document) = &outcome.document else { return outcome };
    let Some(said) = inventory::read(document, report) else { return outcome };
    outcome.cluster = cluster::resolve(&said, report);
    if let Some(cluster) = &outcome.cluster {
        if let Some((tree, manifest)) = build(inputs, &said, cluster, report) {
            outcome.tree = Some(tree);
            outcome.manifest = Some(manifest);
        }
    }
    report.apply_allow(&inventory::allowed(&said));
    outcome
}
