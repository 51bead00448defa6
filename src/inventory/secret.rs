use super::codes::{LOOKS_SECRET, PRIVATE_KEY};
use super::values::SecretName;
use crate::report::{Finding, Path, Report, holds_private_key, holds_secret};
use crate::yaml::{Document, Node, Value};

/// Private keys anywhere, and what looks like a secret where the user says what a file holds: the
/// inventory is public, and so is what the tree makes of it.
pub(super) fn lint(document: &Document, report: &mut Report) {
    visit(document.root(), None, &Path::root(), report);
}

/// `around` is the map that the node stands in.
fn visit(node: &Node, around: Option<&Node>, at: &Path, report: &mut Report) {
    match &node.value {
        Value::String(text) => {
            report_secret(text, around, at, report);
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, around, &at.index(index), report);
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                visit(value, Some(node), &at.key(key.name.as_str()), report);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn report_secret(text: &str, around: Option<&Node>, at: &Path, report: &mut Report) {
    const PUBLIC: &str = "and files that are made of it are public";
    let place = at.to_string();
    let file = around.filter(|_| place.starts_with("files[") && place.ends_with("].content"));
    let finding = if holds_private_key(text) {
        let message = format!("this holds a private key, {PUBLIC}");
        Finding::new(&PRIVATE_KEY, at.clone(), message).label("known to all who see the inventory")
    } else if (file.is_some() || place.starts_with("patches[")) && holds_secret(text) {
        let message = format!("this holds what looks like a secret, {PUBLIC}");
        Finding::new(&LOOKS_SECRET, at.clone(), message).label("a key of 256 bits, or a seed")
    } else {
        return;
    };
    report.push(finding.help(file.and_then(moved).unwrap_or_else(|| {
        "take it out; where a program needs it, let an entry of `privateFiles` bring it in a file of its own".to_owned()
    })));
}

/// How an entry of `files` becomes a private one.
fn moved(file: &Node) -> Option<String> {
    let Value::Map(entries) = &file.value else { return None };
    let said = |name: &str| entries.iter().find(|(key, _)| key.name == name);
    let (_, path) = said("path")?;
    let Value::String(path) = &path.value else { return None };
    let name = name(path);
    let gone = if said("mode").is_some() { "`content` and `mode`" } else { "`content`" };
    Some(format!(
        "move the entry to `privateFiles`, with `secret: {name}` in place of {gone}, and give the bundle what was here: `hagen secrets put INVENTORY {name} FILE`"
    ))
}

/// A name for it in the bundle: that of the file, where it can be one.
fn name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase().replace('_', "-");
    name.parse::<SecretName>().map_or_else(|_| "secret".to_owned(), |name| name.to_string())
}
