use serde::Serialize;

use super::{Judged, Place, printable_json};

/// One finding. Fields are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    /// `<room or stage>/<name>`.
    code: &'static str,
    /// `error`, `warning` or `note`, after `--strict`.
    severity: &'static str,
    /// One sentence without a final full stop.
    message: &'a str,
    /// The inventory's name as it was given.
    file: &'a str,
    /// Absent where the finding is about the whole file.
    #[serde(flatten)]
    region: Option<Region>,
    /// Where in the inventory, such as `nodes[2].address`; empty for the whole file.
    path: String,
    /// A few words about the value itself, or null.
    label: Option<&'a str>,
    /// The facts that the value contradicts.
    related: Vec<Related<'a>>,
    /// The edit that mends it, or null.
    help: Option<&'a str>,
}

/// Lines and columns from one, columns in characters; the end is exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    path: String,
    label: &'a str,
    #[serde(flatten)]
    region: Option<Region>,
}

impl From<Place> for Region {
    fn from(Place { span: _, line, column, end_line, end_column }: Place) -> Self {
        Self { line, column, end_line, end_column }
    }
}

/// All findings as one JSON array with one finding per line: `code`, `severity`, `message`,
/// `file`, `line`, `column`, `endLine`, `endColumn`, `path`, `label`, `related`, `help`.
/// `strict` reports warnings as the errors that they count as.
pub fn json(judged: &[Judged<'_>], strict: bool) -> String {
    let lines: Vec<String> = judged
        .iter()
        .flat_map(|judged| {
            judged.sorted().into_iter().map(move |(finding, place)| {
                let entry = Entry {
                    code: finding.code.id,
                    severity: finding.code.severity.effective(strict).as_str(),
                    message: &finding.message,
                    file: judged.source.name,
                    region: place.map(Region::from),
                    path: finding.at.to_string(),
                    label: finding.label.as_deref(),
                    related: finding
                        .related
                        .iter()
                        .map(|(path, label)| Related {
                            path: path.to_string(),
                            label,
                            region: judged.source.path(path).map(Region::from),
                        })
                        .collect(),
                    help: finding.help.as_deref(),
                };
                serde_json::json!(entry).to_string()
            })
        })
        .collect();
    match lines.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", printable_json(&lines.join(",\n"))),
    }
}
