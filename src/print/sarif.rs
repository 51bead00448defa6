use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Judged, Place, Source, printable_json};
use crate::report::{Code, Finding};

/// All findings as one SARIF 2.1.0 log, as code-scanning services read it. `strict` reports
/// warnings as the errors that they count as.
/// Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html>.
pub fn sarif(judged: &[Judged<'_>], strict: bool) -> String {
    let codes: BTreeMap<&str, &Code> = judged
        .iter()
        .flat_map(|judged| judged.report.findings())
        .map(|finding| (finding.code.id, finding.code))
        .collect();
    let results: Vec<Value> = judged
        .iter()
        .flat_map(|judged| {
            let source = &judged.source;
            let findings = judged.sorted().into_iter();
            findings.map(move |(finding, place)| result(source, finding, place, strict))
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "hagen",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.values().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    printable_json(&format!("{log:#}\n"))
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": {"text": code.summary()},
        "help": {"text": code.page, "markdown": code.page},
        "defaultConfiguration": {"level": code.severity.as_str()},
    })
}

fn result(source: &Source<'_>, finding: &Finding, place: Option<Place>, strict: bool) -> Value {
    let sentences = [Some(finding.message.as_str()), finding.help.as_deref()];
    let text = sentences.iter().flatten().copied().collect::<Vec<_>>().join("\n");
    let mut result = json!({
        "ruleId": finding.code.id,
        "level": finding.code.severity.effective(strict).as_str(),
        "message": {"text": text},
        "locations": [location(source, place, finding.label.as_deref(), &finding.at.to_string())],
    });
    if !finding.related.is_empty() {
        result["relatedLocations"] = finding
            .related
            .iter()
            .map(|(path, label)| {
                location(source, source.path(path), Some(label), &path.to_string())
            })
            .collect();
    }
    result
}

fn location(source: &Source<'_>, place: Option<Place>, label: Option<&str>, path: &str) -> Value {
    let mut physical = json!({"artifactLocation": {"uri": uri(source.name)}});
    if let Some(Place { span: _, line, column, end_line, end_column }) = place {
        physical["region"] = json!({
            "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
        });
    }
    let mut location = json!({"physicalLocation": physical});
    if let Some(label) = label {
        location["message"] = json!({"text": label});
    }
    if !path.is_empty() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": path}]);
    }
    location
}

/// A file's name as a relative or absolute URI reference (RFC 3986, section 3.3): a space or
/// a `%` in it would make the log invalid.
fn uri(name: &str) -> String {
    name.bytes().fold(String::new(), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri += &format!("%{byte:02X}"),
        }
        uri
    })
}
