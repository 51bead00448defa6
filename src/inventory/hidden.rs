use super::codes::HIDDEN_CHARACTER;
use crate::report::{Finding, Path, Report};
use crate::yaml::{Document, Node, Value, hides, named};

/// Characters that a reader does not see, in keys and values. As they are, the text cannot have
/// them; as escapes between double quotes they come this far. Only the content of a file is the
/// user's own bytes.
pub(super) fn lint(document: &Document, report: &mut Report) {
    if document.text().contains('\\') {
        visit(document.root(), &Path::root(), report);
    }
}

fn visit(node: &Node, at: &Path, report: &mut Report) {
    let found = |text: &str, at: &Path| {
        let hidden = text.chars().find(|character| hides(*character))?;
        let message = format!("{}, stands in this text", named(hidden));
        let escape = hidden.escape_unicode();
        let help = format!("delete its escape; nobody who reads the result would see {escape}");
        Some(Finding::new(&HIDDEN_CHARACTER, at.clone(), message).help(help))
    };
    match &node.value {
        Value::String(text) => found(text, at).into_iter().for_each(|found| report.push(found)),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &at.index(index), report);
            }
        }
        Value::Map(entries) => {
            let file = at.steps().len() == 2 && at.to_string().starts_with("files[");
            for (key, value) in entries {
                let at = at.key(key.name.as_str());
                if let Some(found) = found(&key.name, &at) {
                    report.push(found.span(key.span()).label("this key"));
                }
                if !(file && key.name == "content") {
                    visit(value, &at, report);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
