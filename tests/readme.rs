//! Every command of README.md is run, in its order, in one scratch folder.

use std::path::Path;
use std::process::Command;

use hagen::catalog::{NEWEST_MINOR, OLDEST_MINOR};

use crate::compiled::{blessing, root};

/// The lines of every `sh` block.
fn commands(readme: &str) -> Vec<&str> {
    readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .flat_map(|(block, _)| block.lines())
        .collect()
}

/// Runs one line with this build's `hagen` first on the path.
fn run(line: &str, folder: &Path) {
    let hagen = Path::new(env!("CARGO_BIN_EXE_hagen"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .args(["-euc", line])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", hagen.parent().unwrap().display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_command_works() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("golden"), scratch.path().join("golden")).unwrap();
    let commands = commands(&readme);
    assert!(commands.len() > 5, "{commands:?}");
    for line in commands {
        match line {
            // This test is part of it.
            "cargo test --locked" => {}
            // As root, with installed programs: .ci/run runs exactly this.
            "tests/real/go/build && cargo test --locked --test real" => {}
            line if line.starts_with("cargo test --locked --test ground") => {}
            line => run(&line.replace("cargo run --release --locked --", "hagen"), scratch.path()),
        }
    }
    for path in pictured(&readme) {
        assert!(scratch.path().join(&path).exists(), "{path} is in the picture only");
    }
}

/// What the picture of the tree shows: `├── names   a remark`, four columns for each level.
fn pictured(readme: &str) -> Vec<String> {
    let picture = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut folders = Vec::new();
    let mut paths = Vec::new();
    for line in picture.expect("README.md has a picture").lines() {
        let names = line.trim_start_matches(['│', '├', '└', '─', ' ', '\u{a0}']);
        let level = (line.chars().count() - names.chars().count()) / 4;
        folders.truncate(level);
        let names = names.split("  ").next().unwrap_or_default();
        for name in names.split(' ').filter(|name| *name != "…") {
            paths.push(format!("{}{name}", folders.concat()));
        }
        if names.ends_with('/') {
            folders.push(names.to_owned());
        }
    }
    paths
}

/// The first is whole; the others show a part of one.
#[test]
fn every_inventory_is_accepted() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1);
    assert!(blocks.clone().count() > 1);
    for inventory in blocks.filter_map(|rest| rest.split("```").next()) {
        let outcome = crate::compiled::check(&crate::pages::inventory(inventory));
        let findings = outcome.report.findings().iter();
        let found: Vec<&str> = findings.map(|found| found.code.id).collect();
        assert!(found.is_empty(), "{found:?} in\n{inventory}");
    }
}

/// Texts for people that say from which release to which there are any.
const RANGES: [&str; 3] = ["README.md", "src/cli/init/inventory.yaml", "src/inventory/mod.rs"];

#[test]
fn the_releases_that_a_text_names_are_the_catalog_s() {
    for file in RANGES {
        let path = root().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let said = format!("1.{OLDEST_MINOR} to 1.");
        let (before, after) = text.split_once(&said).unwrap_or_else(|| panic!("{file}: no {said}"));
        let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let wanted = format!("{before}{said}{NEWEST_MINOR}{rest}");
        if blessing() && wanted != text {
            std::fs::write(&path, wanted).unwrap();
        } else {
            assert!(wanted == text, "{file}: HAGEN_BLESS=1 writes {said}{NEWEST_MINOR}");
        }
    }
}
