//! The walls of the house: who may use whom, what has to be where, and what may not be anywhere.
//! The tables come first, each row with its reason; the tests below only compare them with what
//! stands in `src/`, `templates/` and `golden/`.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hagen::compile::{Outcome, all_codes};
use hagen::rooms::{ROOMS, templates};

use self::source::Source;
use crate::compiled::{build, folders, overlaid, root};

/// What each module may use of the others. Top to bottom is the order of the pipeline; nothing
/// looks down except the last two.
const MODULES: &[(&str, &[&str], &str)] = &[
    ("document", &[], "values to bytes; it knows nothing of clusters"),
    ("catalog", &[], "upstream's decisions, as facts with names"),
    ("report", &["yaml"], "a finding is printed at its place in the text"),
    ("yaml", &["report"], "text to values with spans"),
    ("template", &["report"], "text formats, without a view of what they say"),
    ("inventory", &["document", "report", "yaml"], "what was said"),
    ("secrets", &["report"], "the bundle: keys and passwords by label"),
    ("pki", &["report", "secrets"], "specs to certificates"),
    ("tree", &["report"], "paths to files, in memory"),
    ("manifest", &["document", "report", "tree"], "what a tree consists of"),
    ("cluster", &["catalog", "inventory", "pki", "report"], "what is meant"),
    (
        "rooms",
        &[
            "catalog",
            "cluster",
            "document",
            "inventory",
            "pki",
            "report",
            "secrets",
            "template",
            "tree",
        ],
        "one component each: everything above it, and nothing of another room",
    ),
    ("audit", &["cluster", "report", "rooms"], "claims against claims"),
    ("disk", &["manifest", "report", "tree"], "the tree to files, and back to compare"),
    (
        "compile",
        &[
            "audit",
            "cluster",
            "disk",
            "inventory",
            "manifest",
            "pki",
            "report",
            "rooms",
            "secrets",
            "template",
            "tree",
            "yaml",
        ],
        "the whole pipeline; of disk it lists the codes only",
    ),
    (
        "cli",
        &[
            "catalog",
            "cluster",
            "compile",
            "disk",
            "document",
            "inventory",
            "manifest",
            "pki",
            "report",
            "rooms",
            "secrets",
            "tree",
            "yaml",
        ],
        "one file per verb; the only printing",
    ),
];

/// Macros and statics at the root, and the module that each belongs to.
const AT_THE_ROOT: &[(&str, &str)] = &[("codes", "report"), ("template", "template")];

/// Who may use a crate. Crates that are not named here are shared language (`serde`, `ipnet`).
const CRATES: &[(&str, &[&str], &str)] = &[
    ("annotate_snippets", &["report"], "snippets are one way to print a report"),
    ("anstream", &["cli"], "only the command line has a terminal"),
    ("base64ct", &["secrets"], "the seed's text form"),
    ("clap", &["cli"], "only the command line has arguments"),
    ("clap_complete", &["cli"], "only the command line has arguments"),
    ("clap_mangen", &["cli"], "only the command line has arguments"),
    ("getrandom", &["cli"], "`secrets new` alone draws entropy"),
    ("hkdf", &["secrets"], "derivation is pinned in one place"),
    ("hmac", &["secrets"], "fingerprints are made under a key of the bundle"),
    ("minijinja", &["template"], "templates are rendered strictly, or not at all"),
    ("p256", &["pki", "secrets"], "keys and their signatures"),
    ("p384", &["pki", "secrets"], "keys and their signatures"),
    ("rcgen", &["pki"], "a certificate is a spec everywhere else"),
    ("rsa", &["pki", "secrets"], "stored keys and their signatures"),
    ("rustix", &["cli", "disk"], "files, and umask or modes of bundles"),
    ("saphyr_parser", &["yaml"], "the only reader of YAML"),
    ("schemars", &["document", "inventory", "manifest", "tree"], "types that have a schema"),
    ("sec1", &["secrets"], "the form of private keys"),
    ("serde_yaml", &["document"], "it writes and never reads"),
    ("sha2", &["pki", "secrets", "tree"], "serial numbers, derivation, fingerprints"),
    ("similar", &["cli"], "differences are shown, not computed with"),
    ("strsim", &["report"], "did-you-mean is one decision"),
    ("walkdir", &["disk"], "only disk looks at folders"),
    ("zeroize", &["pki", "secrets"], "whoever holds a key wipes it"),
];

/// Paths of the standard library that reach outside, and who may.
const OUTSIDE: &[(&str, &[&str], &str)] = &[
    ("std::env", &["cli"], "the output depends on no environment"),
    ("std::fs", &["cli", "disk"], "the compiler's core sees values only"),
    ("std::net::Tcp", &[], "hagen talks to no network"),
    ("std::process", &["cli", "main"], "hagen starts no program"),
    ("std::thread", &["cli"], "threads are rayon's"),
    ("std::time::SystemTime", &["cli"], "the output depends on no clock"),
    ("std::collections::Hash", &[], "iteration order is random"),
];

/// Tokens that no program text holds.
const BANNED: &[(&str, &str)] = &[
    ("todo !", "unfinished"),
    ("unimplemented !", "unfinished"),
    ("dbg !", "left over from debugging"),
    (". unwrap ( )", "an error is a finding; what cannot fail says why in `expect`"),
    ("# [ allow", "`expect` says when it is no longer needed"),
    ("unsafe {", "forbidden"),
];

/// Version comparisons: what a version means is decided in the catalog, under a name.
const COMPARED: &[&str] = &["minor", "patch", "kubernetes", "version"];

/// Sections of the inventory that a room reads besides its own, and why.
const SECTIONS: &[(&str, &[&str], &str)] = &[
    ("kubeadm", &["extra_args"], "kubeadm's file carries the flags of what it starts"),
    ("kubelet", &["extra_args"], "its flags stand beside those of the control plane"),
    ("kubeproxy", &["kube_proxy"], "the section is spelt as Kubernetes spells it"),
    ("haproxy", &["load_balancer"], "the balancers share a section"),
    ("nginx", &["load_balancer"], "the balancers share a section"),
    ("etcd", &["nodes"], "the role `etcd` is blamed where it was said"),
    ("runbook", &["host", "packages"], "hosts are prepared by its scripts"),
    ("host", &["files"], "the user's own files go to hosts"),
];

/// Rooms whose facts all stand in the cluster, so they have no section of their own.
const WITHOUT_SECTION: &[(&str, &str)] = &[
    ("kubeadm", "it writes down what the cluster is"),
    ("kubeconfig", "one endpoint, one authority"),
    ("runbook", "scripts are written from claims"),
];

/// Files of a room that may look at the inventory; the others render decisions.
const READERS: &[&str] = &["mod.rs", "plan.rs", "lint.rs", "args.rs"];

/// Most decisions (`{% if`) in one template.
const DECISIONS: usize = 12;

/// Templates with more, and why.
const MORE_DECISIONS: &[(&str, usize, &str)] = &[];

/// Most lines of a source file, tests not counted.
const LINES: usize = 400;

/// What must not reach any user: marks of unfinished work, and what the field's old recipes
/// carried along: mirrors, passwords, tokens.
const FORBIDDEN: &[&str] = &[
    "TODO",
    "FIXME",
    "XXX",
    "aliyun",
    "mirrorgooglecontainers",
    "raw.githubusercontent.com",
    "insecure-registries",
    "atguigu",
    "example-password",
    "123456",
];

fn module_of(source: &Source) -> &str {
    source.module.first().map_or(source.file.as_str(), String::as_str)
}

#[test]
fn modules_use_only_what_their_place_in_the_pipeline_allows() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        let Some((own, allowed, _)) = MODULES.iter().find(|(name, ..)| name == &module_of(&source))
        else {
            assert!(
                ["src/lib.rs", "src/main.rs"].contains(&source.file.as_str()),
                "{}",
                source.file
            );
            continue;
        };
        for path in source.paths() {
            let Some(used) = path.strip_prefix("crate::") else { continue };
            let used = used.split("::").next().unwrap_or_default();
            let is_macro = |(name, home): &&(&str, &str)| {
                *name == used && (home == own || path == format!("crate::{name}"))
            };
            let used = AT_THE_ROOT.iter().find(is_macro).map_or(used, |_| "report");
            if used != *own && !allowed.contains(&used) {
                wrong.push(format!("{}: {path}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "not in MODULES:\n{}", wrong.join("\n"));
}

#[test]
fn crates_and_the_outside_stay_behind_their_doors() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        for path in source.paths() {
            for (name, allowed, reason) in CRATES.iter().chain(OUTSIDE) {
                let uses = path == *name
                    || path
                        .strip_prefix(name)
                        .is_some_and(|rest| name.contains("::") || rest.starts_with("::"));
                if uses
                    && !allowed.contains(
                        &module_of(&source).trim_start_matches("src/").trim_end_matches(".rs"),
                    )
                {
                    wrong.push(format!("{}: {path} ({reason})", source.file));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_meet_in_the_cluster_and_in_claims_only() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name()).collect();
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| source.module.len() > 1) {
        let [first, own, ..] = source.module.as_slice() else { continue };
        if first != "rooms" || !rooms.contains(own.as_str()) {
            continue;
        }
        let section = |path: &str| {
            path.strip_prefix("crate::inventory::")
                .map(|rest| rest.split("::").next().unwrap_or_default().to_owned())
        };
        let file = Path::new(&source.file).file_name().unwrap().to_str().unwrap();
        for path in source.paths() {
            let other =
                path.strip_prefix("crate::rooms::").and_then(|rest| rest.split("::").next());
            if other.is_some_and(|other| other != own && rooms.contains(other)) {
                wrong.push(format!("{}: {path} is another room's", source.file));
            }
            if section(&path).is_some() && !READERS.contains(&file) {
                wrong.push(format!("{}: {path} is read while rendering", source.file));
            }
        }
        let others: &[&str] =
            SECTIONS.iter().find(|(room, ..)| room == own).map_or(&[], |row| row.1);
        for window in source.tokens.windows(3) {
            let [said, dot, section] = window else { continue };
            if said == "said"
                && dot == "."
                && file != "settings.rs"
                && section != own
                && !others.contains(&section.as_str())
                && section.starts_with(|c: char| c.is_lowercase())
                && hagen_section(section)
            {
                wrong.push(format!("{}: said.{section} is not its own", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the inventory has a section of this name, as Rust spells it.
fn hagen_section(name: &str) -> bool {
    let schema = hagen::inventory::schema();
    let camel: String = name
        .split('_')
        .enumerate()
        .map(|(index, word)| match index {
            0 => word.to_owned(),
            _ => word[..1].to_uppercase() + &word[1..],
        })
        .collect();
    schema["properties"].get(camel).is_some()
}

#[test]
fn versions_are_compared_in_the_catalog_only() {
    let order = |token: &str| matches!(token, "<" | ">");
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| module_of(source) != "catalog") {
        for window in source.tokens.windows(6) {
            let [before, dot, field, first, second, after] = window else { continue };
            let is_field = dot == "." && COMPARED.contains(&field.as_str());
            let to_number = after == "_" || second == "_";
            if is_field && (order(first) && to_number || order(before)) {
                wrong.push(format!("{}: {}", source.file, window.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "name the fact in src/catalog:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_is_banned_unfinished_or_too_long() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        for (tokens, reason) in BANNED {
            if source.says(tokens) {
                wrong.push(format!("{}: `{tokens}`: {reason}", source.file));
            }
        }
        if source.lines > LINES {
            wrong.push(format!("{}: {} lines, more than {LINES}", source.file, source.lines));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut previous = "";
    let mut section = "";
    for line in manifest.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && line.starts_with(|c: char| c.is_lowercase())
        {
            let told = previous.starts_with('#') || previous.starts_with("p256");
            assert!(told, "Cargo.toml: no comment above `{line}`");
        }
        previous = line;
    }
}

#[test]
fn every_room_has_its_four_doors() {
    let sections = hagen::inventory::schema();
    for room in ROOMS {
        let name = room.name();
        assert!(root().join(format!("src/rooms/{name}/mod.rs")).is_file(), "src/rooms/{name}");
        let own = root().join(format!("src/inventory/{name}.rs")).is_file();
        let without = WITHOUT_SECTION.iter().any(|(room, _)| *room == name);
        assert!(own != without, "src/inventory/{name}.rs, or a row in WITHOUT_SECTION");
        let texts = root().join("templates").join(name).is_dir();
        assert_eq!(texts, !room.templates().is_empty(), "templates/{name}");
        for template in room.templates() {
            assert!(template.id.starts_with(&format!("{name}/")), "{} in room {name}", template.id);
        }
        let cases = folders(&root().join("golden").join(name));
        assert!(!cases.is_empty(), "golden/{name} has no case");
    }
    assert!(sections["properties"].is_object());
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name()).collect();
    let shared = BTreeSet::from(["clusters", "matrix"]);
    for door in ["src/rooms", "templates", "golden"] {
        for folder in folders(&root().join(door)) {
            let name = folder.file_name().unwrap().to_str().unwrap();
            let known = rooms.contains(name) || door == "golden" && shared.contains(name);
            assert!(known, "{door}/{name} belongs to no room");
        }
    }
}

/// Builds of every golden cluster and of every room's cases.
fn built() -> Vec<(String, Outcome)> {
    let clusters = folders(&root().join("golden/clusters"));
    let clusters = clusters
        .iter()
        .map(|case| (case, std::fs::read_to_string(case.join("inventory.yaml")).unwrap()));
    let cases: Vec<_> =
        ROOMS.iter().flat_map(|room| folders(&root().join("golden").join(room.name()))).collect();
    let cases = cases.iter().filter_map(|case| {
        let overlay = std::fs::read_to_string(case.join("overlay.yaml")).ok()?;
        Some((case, overlaid(&overlay)))
    });
    clusters.chain(cases).map(|(case, text)| (case.display().to_string(), build(&text))).collect()
}

#[test]
fn every_template_is_declared_and_some_golden_renders_it() {
    let folder = root().join("templates");
    let files: BTreeSet<String> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&folder).unwrap().to_str().unwrap().to_owned())
        .collect();
    let declared: BTreeMap<&str, &str> =
        templates().map(|template| (template.id, template.text)).collect();
    let ids: BTreeSet<String> = declared.keys().map(|id| (*id).to_owned()).collect();
    assert_eq!(files, ids, "files of templates/ against what the rooms declare");
    let mut rendered: BTreeSet<&str> = BTreeSet::new();
    let builds = built();
    for (_, outcome) in &builds {
        let artifacts = outcome.tree.iter().flat_map(|tree| tree.iter());
        rendered.extend(artifacts.filter_map(|(_, artifact)| artifact.origin.template));
    }
    let mut grown = 0;
    while rendered.len() > grown {
        grown = rendered.len();
        let included = declared.iter().filter(|(id, _)| {
            let mention = format!("\"{id}\"");
            rendered.iter().any(|by| declared[by].contains(&mention))
        });
        let included: Vec<&str> = included.map(|(id, _)| *id).collect();
        rendered.extend(included);
    }
    let unused: Vec<&&str> = declared.keys().filter(|id| !rendered.contains(**id)).collect();
    assert!(unused.is_empty(), "no golden renders {unused:?}");
}

#[test]
fn templates_decide_little() {
    for template in templates() {
        let count =
            template.text.matches("{% if").count() + template.text.matches("{%- if").count();
        let more = MORE_DECISIONS.iter().find(|(id, ..)| *id == template.id);
        let most = more.map_or(DECISIONS, |(_, most, _)| *most);
        assert!(count <= most, "{}: {count} decisions; make them in Rust", template.id);
    }
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root().join("src")).into_iter().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|ending| ending == "md") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            pages.insert(entry.path().strip_prefix(root()).unwrap().display().to_string(), text);
        }
    }
    for code in all_codes() {
        let (area, name) = code.id.split_once('/').unwrap();
        let place = pages.iter().find(|(path, text)| {
            path.ends_with(&format!("{area}/codes/{name}.md")) && text.as_str() == code.page
        });
        let path = place.unwrap_or_else(|| panic!("no page for {}", code.id)).0.clone();
        pages.remove(&path);
    }
    assert!(pages.is_empty(), "pages without a code: {:?}", pages.keys());
}

#[test]
fn no_generated_file_holds_a_forbidden_word() {
    let mut wrong = Vec::new();
    for (name, outcome) in built() {
        for (path, artifact) in outcome.tree.iter().flat_map(|tree| tree.iter()) {
            let text = String::from_utf8_lossy(&artifact.bytes);
            if artifact.secret || artifact.verbatim {
                continue;
            }
            for word in FORBIDDEN.iter().filter(|word| text.contains(**word)) {
                wrong.push(format!("{name}: {path}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
