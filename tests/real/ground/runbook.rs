//! The runbook, read as its reader does: what to run where, in order.

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

/// The steps of the chapter "Bring-up" of a runbook.
pub(crate) fn bring_up(runbook: &str, nodes: &[String]) -> Vec<Step> {
    let blocks = blocks(runbook, "Bring-up");
    blocks.into_iter().map(|(sentence, script)| step(&sentence, script, nodes)).collect()
}

/// The blocks of shell of a chapter, each with the sentence before it.
pub(crate) fn blocks(runbook: &str, chapter: &str) -> Vec<(String, String)> {
    let (_, rest) = runbook
        .split_once(&format!("\n## {chapter}\n"))
        .unwrap_or_else(|| panic!("the runbook has no chapter {chapter:?}"));
    let section: Vec<&str> = rest.lines().take_while(|line| !line.starts_with("## ")).collect();
    let blocks = followed(&section.join("\n"));
    assert!(!blocks.is_empty(), "the chapter {chapter:?} has nothing to run");
    blocks
}

/// Every block of shell, with the sentence before it: all of a text that a run follows.
pub(crate) fn followed(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut sentence = "";
    let mut block: Option<String> = None;
    for line in text.lines() {
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
