//! The runbook, read as its reader does: what to run where, in order.

use std::path::Path;

/// One step of the bring-up.
#[derive(Debug)]
pub(crate) struct Step {
    /// The nodes, in order.
    pub(crate) nodes: Vec<String>,
    /// Whether all of them at once.
    pub(crate) at_once: bool,
    /// Lines of shell.
    pub(crate) commands: Vec<String>,
}

/// The steps under the heading "Bring-up".
pub(crate) fn bring_up(tree: &Path, nodes: &[String]) -> Vec<Step> {
    let text = std::fs::read_to_string(tree.join("README.md")).unwrap();
    let (_, section) = text.split_once("\n## Bring-up\n").expect("the runbook says how to start");
    let section = section.split("\n## ").next().unwrap();
    let mut steps = Vec::new();
    let mut sentence = "";
    let mut block: Option<Vec<String>> = None;
    for line in section.lines() {
        let bare = line.trim();
        match (&mut block, bare) {
            (None, "```sh") => block = Some(Vec::new()),
            (Some(_), "```") => steps.push(step(sentence, block.take().unwrap(), nodes)),
            (Some(commands), _) => commands.push(bare.to_owned()),
            (None, "") => {}
            (None, _) => sentence = bare,
        }
    }
    steps
}

/// "On the other control planes, one after another (cp2, then cp3):"
fn step(sentence: &str, commands: Vec<String>, all: &[String]) -> Step {
    let words: Vec<&str> = sentence.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let named: Vec<String> = all.iter().filter(|n| words.contains(&n.as_str())).cloned().collect();
    let nodes = if named.is_empty() {
        assert!(sentence.contains("every node"), "nobody is told to run {commands:?}: {sentence}");
        all.to_vec()
    } else {
        named
    };
    Step { nodes, at_once: !sentence.contains("one after another"), commands }
}
