//! The walls of the house: who may use whom, what has to be where, and what may not be anywhere.
//! The tables come first, each row with its reason; the tests below only compare them with what
//! stands in `src/`, `templates/` and `golden/`.

mod source;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use hagen::catalog::{EtcdVersion, KubernetesVersion, Version, VersionPart};
use hagen::compile::{Outcome, all_codes};
use hagen::rooms::{ROOMS, templates};

use self::source::Source;
use crate::compiled::{build, folders, overlaid, root};

/// What each module may use of the others, and what it is.
const MODULES: &[(&str, &[&str], &str)] = &[
    ("document", &[], "values to bytes; it knows nothing of clusters"),
    ("catalog", &[], "upstream's decisions, as facts with names"),
    ("report", &[], "what every stage says; where it stands is looked up when it is printed"),
    ("yaml", &["report"], "text to values with spans"),
    ("print", &["report", "yaml"], "a finding at its place in the text"),
    ("template", &["document", "report"], "text formats, without a view of what they say"),
    ("inventory", &["document", "report", "yaml"], "what was said"),
    ("secrets", &["report", "yaml"], "the bundle: keys and passwords by label"),
    ("pki", &["report", "secrets"], "specs to certificates"),
    ("tree", &["report", "site"], "paths to files, and whose fault a clash is"),
    ("manifest", &["document", "tree"], "what a tree consists of"),
    ("site", &["catalog", "document", "inventory", "pki", "report"], "what is meant"),
    (
        "claims",
        &["catalog", "pki", "report", "site", "tree"],
        "what rooms occupy and need, and whose each is",
    ),
    (
        "control_plane",
        &["catalog", "claims", "pki", "report", "site"],
        "the parts of a control plane, whoever starts it",
    ),
    (
        "rooms",
        &[
            "catalog",
            "claims",
            "control_plane",
            "document",
            "inventory",
            "pki",
            "report",
            "secrets",
            "site",
            "template",
            "tree",
        ],
        "one component each: everything above it, and nothing of another room",
    ),
    (
        "audit",
        &["claims", "pki", "report", "rooms", "site", "tree"],
        "claims against claims, and the tree",
    ),
    ("disk", &["manifest", "report", "tree"], "the tree to files, and back to compare"),
    (
        "compile",
        &[
            "audit",
            "claims",
            "disk",
            "document",
            "inventory",
            "manifest",
            "pki",
            "report",
            "rooms",
            "secrets",
            "site",
            "template",
            "tree",
            "yaml",
        ],
        "the whole pipeline; of disk it lists the codes only",
    ),
    (
        "cli",
        &[
            "compile",
            "disk",
            "document",
            "inventory",
            "manifest",
            "print",
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
    ("annotate_snippets", &["print"], "snippets are one way to print a report"),
    ("anstream", &["cli"], "only the command line has a terminal"),
    (
        "base64ct",
        &["inventory", "report", "rooms", "secrets"],
        "the seed's text form, certificates in kubeconfigs, keys that come in, logins of docker's",
    ),
    ("clap", &["cli"], "only the command line has arguments"),
    ("clap_complete", &["cli"], "only the command line has arguments"),
    ("clap_mangen", &["cli"], "only the command line has arguments"),
    ("getrandom", &["cli"], "`secrets new` alone draws entropy"),
    ("hkdf", &["secrets"], "derivation is pinned in one place"),
    ("hmac", &["secrets"], "fingerprints are made under a key of the bundle"),
    ("minijinja", &["template"], "templates are rendered strictly, or not at all"),
    ("p256", &["pki", "secrets"], "keys and their signatures"),
    ("p384", &["secrets"], "keys and their signatures"),
    ("rcgen", &["pki"], "a certificate is a spec everywhere else"),
    ("rsa", &["secrets"], "stored keys and their signatures"),
    ("rustix", &["cli", "disk"], "what std cannot do with files, and no core file of the process"),
    ("saphyr_parser", &["yaml"], "the only reader of YAML"),
    ("schemars", &["document", "inventory", "manifest", "tree"], "types that have a schema"),
    ("sec1", &["secrets"], "the form of private keys"),
    ("serde_yaml", &["document", "secrets"], "it writes documents and bundles, and never reads"),
    ("sha2", &["pki", "secrets", "tree"], "serial numbers, derivation, fingerprints"),
    ("signal_hook", &["disk"], "a build that is asked to end removes what it has begun"),
    ("similar", &["cli"], "differences are shown, not computed with"),
    ("strsim", &["report"], "did-you-mean is one decision"),
    ("walkdir", &["cli", "disk"], "templates come in, trees go out"),
    ("x509_parser", &["inventory"], "certificates that come in; hagen's own are specs"),
    ("zeroize", &["cli", "pki", "secrets"], "whoever holds a key wipes it"),
];

/// Paths of the standard library that reach outside, and who may.
const OUTSIDE: &[(&str, &[&str], &str)] = &[
    ("std::env", &["main"], "the output depends on no environment"),
    ("std::fs", &["cli", "disk"], "the compiler's core sees values only"),
    ("std::net::Tcp", &[], "hagen talks to no network"),
    (
        "std::process",
        &["cli", "disk", "main"],
        "hagen starts no program; disk names a file after its id",
    ),
    ("std::thread", &[], "threads are rayon's"),
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

/// What changes files: `src/disk` alone says it.
const WRITES: &[&str] = &[
    "File :: create",
    "OpenOptions",
    "fs :: copy",
    "fs :: create_dir",
    "fs :: create_dir_all",
    "fs :: hard_link",
    "fs :: remove_dir_all",
    "fs :: remove_file",
    "fs :: rename",
    "fs :: set_permissions",
    "fs :: write",
];

/// Texts that versions are said by.
const VERSION_TEXTS: &[&str] = &["version", "version_text", "series", "codename"];

/// Sections of the inventory that a room reads besides its own, and why.
const SECTIONS: &[(&str, &[&str], &str)] = &[
    (
        "kubeadm",
        &["extra_args", "images"],
        "kubeadm's file carries the flags of what it starts, and pulls images",
    ),
    (
        "kubelet",
        &["extra_args", "images"],
        "its flags stand beside those of the control plane; it deletes images that can be pulled",
    ),
    ("kubeproxy", &["kube_proxy"], "the section is spelt as Kubernetes spells it"),
    ("kubevip", &["kube_vip"], "the section is spelt like its neighbours"),
    ("haproxy", &["load_balancer"], "the balancers share a section"),
    ("nginx", &["load_balancer"], "the balancers share a section"),
    ("files", &["private_files"], "files whose contents are elsewhere are files as well"),
    ("etcd", &["nodes"], "the role `etcd` is blamed where it was said"),
    ("runbook", &["images"], "it says where archives of images are copied"),
    ("runtime", &["images"], "containerd has the mirrors of registries in files of its own"),
    ("host", &["packages"], "a host's repositories are set up before its rooms need them"),
];

/// Rooms that read the inventory and have no section of their own. Who plans without a look at it needs
/// no row.
const WITHOUT_SECTION: &[(&str, &str)] =
    &[("files", "the list `files` is a section without a type of its own")];

/// Rooms without a golden case of their own, and where their output is held instead.
const WITHOUT_CASE: &[(&str, &str)] = &[
    ("kubeconfig", "its files are private; the manifest pins them"),
    ("kubelet", "its document travels inside kubeadm's file"),
    ("kubeproxy", "its document travels inside kubeadm's file"),
];

/// Pages whose code belongs to another area than the module that reports it.
const AREAS: &[(&str, &str)] = &[("cluster", "site"), ("internal", "tree")];

/// Files of a room that may look at the inventory, with what is below them, beside its `mod.rs`; the
/// others render decisions.
const READERS: &[&str] = &["plan", "lint", "fields"];

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

/// The first module of a file; `main` for the binary.
fn module_of(source: &Source) -> &str {
    source.module.first().map_or("main", String::as_str)
}

/// The module that a path of this crate begins with.
fn used_module(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("crate::")?;
    let of_macro = AT_THE_ROOT.iter().find(|(name, _)| *name == inner);
    of_macro.map(|(_, home)| *home).or_else(|| inner.split("::").next())
}

#[test]
fn modules_use_only_what_their_place_in_the_pipeline_allows() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| !source.module.is_empty()) {
        let own = module_of(source);
        let row = MODULES.iter().find(|(name, ..)| *name == own);
        let (_, allowed, _) = row.unwrap_or_else(|| panic!("{own} is not in MODULES"));
        for path in source.paths() {
            let Some(used) = used_module(&path) else { continue };
            if used != own && !allowed.contains(&used) {
                wrong.push(format!("{}: {path}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "not in MODULES:\n{}", wrong.join("\n"));
}

#[test]
fn no_two_modules_lean_on_each_other() {
    let mut left: BTreeMap<&str, BTreeSet<&str>> =
        MODULES.iter().map(|(own, uses, _)| (*own, uses.iter().copied().collect())).collect();
    while let Some(lowest) = left.iter().find(|(_, uses)| uses.is_empty()).map(|(own, _)| *own) {
        left.remove(lowest);
        left.values_mut().for_each(|uses| uses.retain(|used| *used != lowest));
    }
    assert!(left.is_empty(), "in circles: {left:#?}");
}

/// A parent declares what its children share, and its children are its own: between these two there
/// is no circle. Between any others there is, whatever stands between them.
#[test]
fn no_two_files_lean_on_each_other() {
    let sources = Source::all();
    let homes: BTreeMap<&[String], &str> =
        sources.iter().map(|source| (&source.module[..], source.file.as_str())).collect();
    let leans_on = |source: &Source| -> BTreeSet<&str> {
        let used = source.paths().into_iter().filter_map(|path| {
            let path: Vec<String> =
                path.strip_prefix("crate::")?.split("::").map(str::to_owned).collect();
            let home =
                (1..=path.len()).rev().find_map(|length| homes.get_key_value(&path[..length]));
            let (module, file) = home?;
            let is_kin = source.module.starts_with(module) || module.starts_with(&source.module);
            (!is_kin).then_some(*file)
        });
        used.collect()
    };
    let mut left: BTreeMap<&str, BTreeSet<&str>> =
        sources.iter().map(|source| (source.file.as_str(), leans_on(source))).collect();
    // Whoever leans on nobody that is left, or has nobody left who leans on it, is in no circle.
    loop {
        let used: BTreeSet<&str> = left.values().flatten().copied().collect();
        let before = left.len();
        left.retain(|file, uses| !uses.is_empty() && used.contains(file));
        let files: BTreeSet<&str> = left.keys().copied().collect();
        left.values_mut().for_each(|uses| uses.retain(|file| files.contains(file)));
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "in circles: {left:#?}");
}

#[test]
fn crates_and_the_outside_stay_behind_their_doors() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        for path in source.paths() {
            let of_crate = CRATES.iter().find(|(name, ..)| path.split("::").next() == Some(name));
            let outside = OUTSIDE.iter().find(|(name, ..)| path.starts_with(name));
            for (_, allowed, reason) in of_crate.into_iter().chain(outside) {
                if !allowed.contains(&module_of(&source)) {
                    wrong.push(format!("{}: {path} ({reason})", source.file));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_of_the_tables_is_used() {
    let sources = Source::all();
    let paths: BTreeSet<(String, String)> = sources
        .iter()
        .flat_map(|source| {
            source.paths().into_iter().map(|path| (module_of(source).to_owned(), path))
        })
        .collect();
    let mut unused = Vec::new();
    for (own, allowed, _) in MODULES {
        let of_own = |used: &str| {
            paths.iter().any(|(module, path)| module == own && used_module(path) == Some(used))
        };
        unused.extend(
            allowed.iter().filter(|used| !of_own(used)).map(|used| format!("{own} → {used}")),
        );
    }
    for (name, allowed, _) in CRATES.iter().chain(OUTSIDE) {
        let of =
            |module: &str| paths.iter().any(|(own, path)| own == module && path.starts_with(name));
        unused.extend(
            allowed.iter().filter(|module| !of(module)).map(|module| format!("{module} → {name}")),
        );
    }
    assert!(unused.is_empty(), "walls with doors that nobody uses: {unused:?}");
}

#[test]
fn nobody_outside_a_room_knows_its_name() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name()).collect();
    let mut wrong = Vec::new();
    for source in Source::all() {
        let within = source.module.first().is_some_and(|first| first == "rooms");
        for path in source.paths().into_iter().filter(|_| !within) {
            let room = path.strip_prefix("crate::rooms::");
            if room.and_then(|rest| rest.split("::").next()).is_some_and(|it| rooms.contains(it)) {
                wrong.push(format!("{}: {path}", source.file));
            }
        }
        // Whose a claim is says nothing of what it is for.
        for compared in ["room == _", "room != _", "room = = _", "room ! = _"] {
            if source.says(compared) {
                wrong.push(format!("{}: {compared}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_meet_in_the_cluster_and_in_claims_only() {
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name()).collect();
    let sections = sections();
    let mut wrong = Vec::new();
    for source in Source::all() {
        let [first, own, ..] = source.module.as_slice() else { continue };
        if first != "rooms" || !rooms.contains(own.as_str()) {
            continue;
        }
        let [_, _, within @ ..] = source.module.as_slice() else { continue };
        let reads = within.first().is_none_or(|file| READERS.contains(&file.as_str()));
        let own_section = format!("crate::inventory::{own}::");
        let own_section = own_section.as_str();
        for path in source.paths() {
            let other =
                path.strip_prefix("crate::rooms::").and_then(|rest| rest.split("::").next());
            if other.is_some_and(|other| other != own && rooms.contains(other)) {
                wrong.push(format!("{}: {path} is another room's", source.file));
            }
            let value =
                [own_section, "crate::inventory::values::"].iter().any(|at| path.starts_with(at));
            if path.starts_with("crate::inventory::") && !value && !reads {
                wrong.push(format!("{}: {path} is read while rendering", source.file));
            }
        }
        let row = SECTIONS.iter().find(|(room, ..)| room == own);
        let shared: &[&str] = row.map_or(&[], |(_, sections, _)| sections);
        for window in source.tokens.windows(3).filter(|_| reads) {
            let [said, dot, section] = window else { continue };
            let is_section = said == "said" && dot == "." && sections.contains(section);
            if is_section && section != own && !shared.contains(&section.as_str()) {
                wrong.push(format!("{}: said.{section} is not its own", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The sections of the inventory, as Rust spells them.
fn sections() -> BTreeSet<String> {
    let schema = hagen::inventory::schema();
    let spell = |key: &String| {
        key.chars().fold(String::new(), |mut name, c| {
            name.extend(c.is_uppercase().then_some('_'));
            name.extend(c.to_lowercase());
            name
        })
    };
    schema["properties"].as_object().unwrap().keys().map(spell).collect()
}

/// The compiler is the wall: it lets nobody compare what has no equality. (Tests inside the crate may.)
#[test]
fn versions_can_be_compared_in_the_catalog_only() {
    struct Of<T>(std::marker::PhantomData<T>);
    trait Otherwise {
        const COMPARED: bool = false;
    }
    impl<T> Otherwise for Of<T> {}
    impl<T: PartialEq> Of<T> {
        const COMPARED: bool = true;
    }
    let versions = [
        Of::<VersionPart>::COMPARED,
        Of::<KubernetesVersion>::COMPARED,
        Of::<EtcdVersion>::COMPARED,
        Of::<Version>::COMPARED,
    ];
    assert_eq!(versions, [false; 4]);
    assert_eq!([Of::<u32>::COMPARED], [true], "this test can fail");
}

/// What the compiler does not see: a text is compared as easily.
#[test]
fn no_text_of_a_version_is_compared_outside_the_catalog() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| module_of(source) != "catalog") {
        let tokens: Vec<&str> = source.tokens.iter().map(String::as_str).collect();
        for (at, _) in tokens
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0] == "." && VERSION_TEXTS.contains(&pair[1]))
        {
            let rest = &tokens[at + 2..];
            let rest = rest.strip_prefix(&["(", ")"]).unwrap_or(rest);
            let [first, second, ..] = rest else { continue };
            let is_compared = matches!(
                (*first, *second),
                ("=" | "!", "=")
                    | ("<" | ">", _)
                    | (".", "starts_with" | "contains" | "cmp" | "max" | "min")
            );
            if is_compared {
                wrong.push(format!("{}: {}", source.file, tokens[at..at + 8].join(" ")));
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
        for tokens in WRITES.iter().filter(|tokens| source.says(tokens)) {
            if module_of(&source) != "disk" {
                wrong.push(format!("{}: `{tokens}`: only src/disk changes files", source.file));
            }
        }
        if source.lines > LINES {
            wrong.push(format!("{}: {} lines, more than {LINES}", source.file, source.lines));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_top_level_is_the_one_that_was_agreed() {
    let entries = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<String> = entries
        .map(|name| name.into_string().unwrap())
        // Where Git puts nothing.
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    let agreed = [
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "golden",
        "schema",
        "src",
        "templates",
        "tests",
    ];
    assert_eq!(names, BTreeSet::from(agreed.map(str::to_owned)));
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
    let sources = Source::all();
    let unread = |name: &str| {
        let own = format!("src/rooms/{name}/mod.rs");
        sources.iter().any(|source| source.file == own && source.says("_ : & Inventory"))
    };
    for room in ROOMS {
        let name = room.name();
        assert!(root().join(format!("src/rooms/{name}/mod.rs")).is_file(), "src/rooms/{name}");
        let own = root().join(format!("src/inventory/{name}.rs")).is_file();
        let without = unread(name) || WITHOUT_SECTION.iter().any(|(room, _)| *room == name);
        assert!(own != without, "src/inventory/{name}.rs, or a row in WITHOUT_SECTION");
        let texts = root().join("templates").join(name).is_dir();
        assert_eq!(texts, !room.templates().is_empty(), "templates/{name}");
        for template in room.templates() {
            assert!(template.id.starts_with(&format!("{name}/")), "{} in room {name}", template.id);
        }
        let cases = folders(&root().join("golden").join(name));
        let elsewhere = WITHOUT_CASE.iter().any(|(room, _)| *room == name);
        assert!(cases.is_empty() == elsewhere, "golden/{name}, or a row in WITHOUT_CASE");
    }
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.name()).collect();
    let shared = BTreeSet::from(["cli", "clusters", "ground", "topologies", "versions"]);
    for door in ["src/rooms", "templates", "golden"] {
        for folder in folders(&root().join(door)) {
            let name = folder.file_name().unwrap().to_str().unwrap();
            let known = rooms.contains(name)
                || door == "golden" && shared.contains(name)
                || door == "src/rooms" && name == "output";
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

/// Whether plain words of a template are in a text.
fn said_in(text: &str, template: &str) -> bool {
    // Items are numbered when they are put together.
    let plain = template.split(['{', '}', '\n']).map(|part| part.trim_start_matches("1. ").trim());
    plain.into_iter().any(|words| words.len() > 20 && text.contains(words))
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
    // What rooms say in the runbook is one file in the end.
    let runbooks = builds.iter().filter_map(|(_, outcome)| outcome.tree.as_ref()?.get("README.md"));
    let runbooks: String =
        runbooks.map(|runbook| String::from_utf8_lossy(&runbook.bytes).into_owned()).collect();
    rendered
        .extend(declared.iter().filter(|(_, text)| said_in(&runbooks, text)).map(|(id, _)| *id));
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
        let home = AREAS.iter().find(|(other, _)| *other == area).map_or(area, |(_, home)| home);
        let place = format!("/{home}/codes/{name}.md");
        let path = pages.keys().find(|path| path.ends_with(&place)).cloned();
        let text = path.and_then(|path| pages.remove(&path));
        assert_eq!(text.as_deref(), Some(code.page), "the page of {}", code.id);
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

/// Shell that is the same everywhere can be read, linted and tried as it stands.
#[test]
fn shell_is_static_and_no_value_is_in_a_here_document() {
    for template in templates() {
        if template.id.ends_with(".sh") {
            for mark in ["{{", "{%", "<<-", "eval ", "bash -c \"", "bash -pc \"", "sh -c \""] {
                assert!(!template.text.contains(mark), "{}: {mark}", template.id);
            }
        }
        let rendered = template.id.ends_with(".j2") && template.text.starts_with("#!");
        assert!(!rendered, "{}: words come first, as Assignments, then static shell", template.id);
        let shell = template.id.ends_with(".sh");
        let here_document = template.text.replace("<<<", "").contains("<<");
        assert!(!(shell && here_document), "{}: a here-document", template.id);
    }
}
