use super::codes::{LOOKS_SECRET, PRIVATE_KEY, TYPE};
use super::values::SecretName;
use crate::report::{Finding, Path, Report, holds_private_key, secret_in, without_logins};
use crate::yaml::{Document, Node, Value};

/// Private keys and URLs with a password anywhere, and what else looks like a secret where the user
/// says what a file holds: the inventory is public, and so is what the tree makes of it.
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
    let free = file.is_some() || ["patches[", "units["].iter().any(|list| place.starts_with(list));
    // Where a value is of the wrong form, it is refused already.
    let looks = secret_in(text).filter(|_| free || without_logins(text) != text);
    let finding = if holds_private_key(text) {
        let message = format!("this holds a private key, {PUBLIC}");
        Finding::new(&PRIVATE_KEY, at.clone(), message).label("known to all who see the inventory")
    } else if let Some(looks) = looks.filter(|_| !report.has(&TYPE, at)) {
        let message = format!("this holds what looks like a secret, {PUBLIC}");
        Finding::new(&LOOKS_SECRET, at.clone(), message).label(looks)
    } else {
        return;
    };
    let help = match file.and_then(moved) {
        Some(help) => help,
        None if place.starts_with("units[") && place.contains(".Environment") => {
            ENVIRONMENT.to_owned()
        }
        None => ELSEWHERE.to_owned(),
    };
    report.push(finding.help(help));
}

const ELSEWHERE: &str = "take it out; where a program needs it, let an entry of `privateFiles` bring it in a file of its own";

const ENVIRONMENT: &str = "take it out; let an entry of `privateFiles` bring a file with that line, and the unit read it: `EnvironmentFile: /etc/site/secret.env`";

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
