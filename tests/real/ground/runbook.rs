//! The runbook, read as its reader does: what to run where, in order.

use std::path::Path;

/// One step of the bring-up.
#[derive(Debug)]
pub(crate) struct Step {
    /// The nodes, in order.
    pub(crate) nodes: Vec<String>,
    /// Whether all of them at once.
    pub(crate) at_once: bool,
    /// Shell.
    pub(crate) script: String,
}

/// The steps of the chapter "Bring-up".
pub(crate) fn bring_up(tree: &Path, nodes: &[String]) -> Vec<Step> {
    let blocks = blocks(tree, "Bring-up");
    blocks.into_iter().map(|(sentence, script)| step(&sentence, script, nodes)).collect()
}

/// The blocks of shell of a chapter, each with the sentence before it.
pub(crate) fn blocks(tree: &Path, chapter: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(tree.join("README.md")).unwrap();
    let (_, section) = text
        .split_once(&format!("\n## {chapter}\n"))
        .unwrap_or_else(|| panic!("the runbook has no chapter {chapter:?}"));
    let mut blocks = Vec::new();
    let mut sentence = "";
    let mut block: Option<String> = None;
    for line in section.lines().take_while(|line| !line.starts_with("## ")) {
        match (&mut block, line.trim()) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => blocks.push((sentence.to_owned(), block.take().unwrap())),
            (Some(script), _) => *script += &format!("{}\n", line.trim()),
            (None, "") => {}
            (None, line) => sentence = line,
        }
    }
    blocks
}

/// "On the other control planes, one after another (cp2, then cp3):"
fn step(sentence: &str, script: String, all: &[String]) -> Step {
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let named: Vec<String> = all.iter().filter(|n| words.contains(&n.as_str())).cloned().collect();
    let nodes = if named.is_empty() {
        assert!(sentence.contains("every node"), "nobody is told to run {script}: {sentence}");
        all.to_vec()
    } else {
        named
    };
    Step { nodes, at_once: !sentence.contains("one after another"), script }
}
