//! The parts of one file that change. Each is headed by its nodes and the line that it belongs to, and
//! not by numbers of lines, which move with every change elsewhere in the file.

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

/// A part of a file that changes, and the nodes on which it does.
#[derive(Default)]
pub(super) struct Hunk {
    pub(super) heading: String,
    pub(super) body: String,
    pub(super) nodes: Vec<String>,
}

impl Hunk {
    /// All of a new file.
    pub(super) fn added(lines: &[String]) -> Self {
        Self { body: signed("+", lines), ..Self::default() }
    }

    pub(super) fn text(&self) -> String {
        let Self { heading, body, nodes } = self;
        let words = ["@@", &nodes.join(" "), "@@", heading];
        let title: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{}\n{body}", title.join(" "))
    }
}

/// What changes from one text to another.
pub(super) fn hunks(path: &str, old: &[String], new: &[String]) -> Vec<Hunk> {
    let groups = group_diff_ops(capture_diff_slices(Algorithm::Patience, old, new), 1);
    groups.iter().map(|ops| hunk(path, ops, old, new)).collect()
}

fn hunk(path: &str, ops: &[DiffOp], old: &[String], new: &[String]) -> Hunk {
    let mut body = String::new();
    for op in ops {
        let (was, is) = (&old[op.old_range()], &new[op.new_range()]);
        match op.tag() {
            // An empty line alone tells nobody where he is.
            DiffTag::Equal if was.len() == 1 && was[0].is_empty() => {}
            DiffTag::Equal => body.push_str(&signed(" ", was)),
            _ => {
                let [was, is] = [was, is].map(|lines| shortened(path, lines));
                body.push_str(&(signed("-", &was) + &signed("+", &is)));
            }
        }
    }
    Hunk { heading: heading(path, ops, old, new).unwrap_or_default(), body, nodes: Vec::new() }
}

fn signed(sign: &str, lines: &[String]) -> String {
    lines.iter().map(|line| format!("{sign}{line}").trim_end().to_owned() + "\n").collect()
}

/// Chapters of the runbook are read in whole trees; here it is said which come and go.
fn shortened(path: &str, lines: &[String]) -> Vec<String> {
    if !path.ends_with(".md") || lines.len() <= 4 {
        return lines.to_vec();
    }
    let mut short: Vec<String> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if at < 2 || line.starts_with('#') {
            short.push(line.clone());
        } else if short.last().is_none_or(|last| last != "…") {
            short.push("…".to_owned());
        }
    }
    short
}

/// The line above that says what the first change belongs to, unless it is shown anyway.
fn heading(path: &str, ops: &[DiffOp], old: &[String], new: &[String]) -> Option<String> {
    let shown = ops.first()?.old_range().start;
    let first = ops.iter().find(|op| op.tag() != DiffTag::Equal)?;
    let changed = old[first.old_range()].first().or(new[first.new_range()].first())?;
    let inner = |line: &str| line.starts_with([' ', '-']) && line != "---";
    let mut above = old[..first.old_range().start].iter().enumerate().rev();
    let (at, line) = match (path.ends_with(".md"), inner(changed)) {
        (true, _) => above.find(|(_, line)| line.starts_with('#')),
        (false, true) => above.find(|(_, line)| !inner(line)),
        // Of the same section or document.
        (false, false) => above
            .take_while(|(_, line)| *line != "---")
            .find(|(_, line)| line.starts_with('[') || line.starts_with("kind:")),
    }?;
    (at < shown).then(|| line.clone())
}
