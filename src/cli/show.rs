//! `hagen show`.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::console::Console;
use super::exit::{Exit, Failure};
use super::input::Inventory;
use super::reporting::Reporting;
use crate::compile::settle;
use crate::document::{self, Value};
use crate::print::{Judged, Source};
use crate::report::without_private_keys;
use crate::rooms;

/// Print an inventory with every default written in.
///
/// The result is an inventory itself and builds the same tree. It holds no secret. Below the
/// YAML the documents are listed that `patches` may name. What nothing decides and what differs
/// from node to node, such as the haproxy of two distributions, stays out.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen show prod.yaml
  hagen show prod.yaml --output json | jq .keepalived")]
pub(super) struct Show {
    /// The inventory; `-` is standard input.
    #[arg(value_name = "INVENTORY")]
    inventory: PathBuf,
    /// The language of the result.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Form {
    /// YAML, with comments.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

impl Show {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let inventory = Inventory::read(&self.inventory)?;
        let name = inventory.name();
        let (outcome, settled) = settle(&name, &inventory.bytes);
        let source = match &outcome.document {
            Some(document) => Source::read(document),
            None => Source::unread(&name, &inventory.bytes),
        };
        let judged = Judged { source, report: &outcome.report };
        let exit = Reporting::default().print(console, &[judged])?;
        if let Some(mut settled) = settled {
            without_blanks(&mut settled);
            hide_private_keys(&mut settled);
            let bytes = match self.output {
                Form::Yaml => document::yaml(&[settled], false),
                Form::Json => document::json(&settled),
            };
            console.result(&String::from_utf8_lossy(&bytes))?;
            if let Form::Yaml = self.output {
                console.result(&documents())?;
            }
        }
        Ok(exit)
    }
}

/// Leaves out what is not said: `null` stands for it, except in a merge patch and in the kubelet's
/// own configuration, where it is a value.
fn without_blanks(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            let inner =
                fields.iter_mut().filter(|(key, _)| !["patch", "config"].contains(&key.as_str()));
            inner.for_each(|(_, value)| without_blanks(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_blanks),
        _ => {}
    }
}

/// Stars for private keys, which are an error where they stand.
fn hide_private_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| hide_private_keys(value)),
        Value::Array(items) => items.iter_mut().for_each(hide_private_keys),
        Value::String(text) => {
            if let Cow::Owned(hidden) = without_private_keys(text) {
                *text = hidden;
            }
        }
        _ => {}
    }
}

/// What `patches` may name, as comments.
fn documents() -> String {
    let names = rooms::documents().map(|document| format!("#   {}\n", document.name));
    ["# Documents that `patches` may name:\n".to_owned()].into_iter().chain(names).collect()
}
