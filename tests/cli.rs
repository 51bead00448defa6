//! The command line as its users meet it.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::compiled::{reviewed, root};
use crate::scene::{Scene, finished};

fn mode(scene: &Scene, path: &str) -> u32 {
    std::fs::metadata(scene.path(path)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_newcomer_gets_from_nothing_to_a_reviewed_change() {
    let scene = Scene::new();
    scene.run("init prod.yaml").expect(0).says("hagen build prod.yaml -o out");
    assert!(scene.read("prod.yaml").contains("name: prod"), "the cluster is named after the file");
    assert_eq!(mode(&scene, "prod.secrets.yaml"), 0o600);

    scene.run("check prod.yaml").expect(0).says("nothing found");
    let built = scene.run("build prod.yaml -o out").expect(0);
    assert!(built.err.contains("cluster prod, 4 nodes"), "{}", built.err);
    assert!(built.err.contains("0 unchanged, 0 removed"), "{}", built.err);
    assert!(!built.err.contains("warning"), "{}", built.err);
    scene.run("build prod.yaml -o out").expect(0).says("up to date, nothing written");
    assert_eq!(scene.run("diff prod.yaml -o out").expect(0).out, "");

    scene.edit("prod.yaml", "port: 8443", "port: 9443");
    let diff = scene.run("diff prod.yaml -o out").expect(1);
    assert!(diff.out.contains("\n-    bind *:8443\n+    bind *:9443\n"), "{}", diff.out);
    assert!(diff.out.contains("changed cluster/kubeconfigs/admin.conf (private)\n"));
    assert!(diff.out.contains("\nImpact, one node after the other:\n  cp1 "), "{}", diff.out);
    assert!(diff.out.contains("reload haproxy.service"), "{}", diff.out);
    scene.run("build prod.yaml -o out --check").expect(1);
    scene.run("build prod.yaml -o out").expect(0);
    scene.run("build prod.yaml -o out --check").expect(0);

    let why = scene.run("why out/nodes/cp1/rootfs/etc/haproxy/haproxy.cfg prod.yaml").expect(0);
    for fact in ["room          haproxy", "/etc/haproxy/haproxy.cfg", "haproxy.service, reload"] {
        assert!(why.out.contains(fact), "{}", why.out);
    }
    assert!(why.out.contains("shaped by     endpoint, prod.yaml:"), "{}", why.out);
    let everywhere = scene.run("why /etc/haproxy/haproxy.cfg -o out").expect(0).out;
    assert_eq!(
        everywhere,
        scene.run("why out/steps/shared/etc/haproxy/haproxy.cfg").expect(0).out,
        "one copy for three"
    );
    assert!(everywhere.contains("nodes         cp1, cp2, cp3\n"), "{everywhere}");
    let of_each = scene.run("why /etc/kubernetes/admin.conf -o out").expect(0).out;
    assert_eq!(of_each.matches("room          kubeconfig").count(), 3, "{of_each}");
}

#[test]
fn a_diff_says_what_ends_and_who_leaves() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    scene.edit("inventory.yaml", "  vip: 192.168.1.33/24\n", "  holder: nodeLocal\n");
    let w1 = "  - {name: w1, address: 192.168.1.21, roles: [worker]}\n";
    scene.edit("inventory.yaml", w1, "");
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    let impact = diff.split_once("Impact").unwrap().1;
    let of = |node: &str| impact.lines().find(|line| line.starts_with(&format!("  {node} ")));
    let cp1 = of("cp1").unwrap();
    assert!(cp1.contains("reload haproxy.service, stop keepalived.service"), "{impact}");
    let w1 = of("w1").unwrap();
    assert!(w1.contains(": leaves the cluster: first run 90-reset.sh there"), "{impact}");
    assert!(!w1.contains(".service"), "{impact}");
}

#[test]
fn a_copy_that_moves_in_the_tree_is_compared_with_what_its_nodes_have() {
    let scene = Scene::demo();
    let base = scene.read("inventory.yaml");
    let motd = |content: &str, nodes: &str| {
        format!("  - {{path: /etc/motd, content: \"{content}\\n\", nodes: {{names: [{nodes}]}}}}\n")
    };
    scene.write("inventory.yaml", format!("{base}files:\n{}", motd("all", "cp1, cp2, w1")));
    scene.run("build inventory.yaml -o out").expect(0);
    let own = motd("own", "cp1") + &motd("all", "cp2, w1");
    scene.write("inventory.yaml", format!("{base}files:\n{own}"));
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    let hunk =
        "--- a/steps/shared/etc/motd\n+++ b/nodes/cp1/rootfs/etc/motd\n@@ -1 +1 @@\n-all\n+own\n";
    assert!(diff.contains(hunk), "{diff}");
    let impact = diff.split_once("Impact").unwrap().1;
    assert!(impact.contains("cp1  1 file") && !impact.contains("cp2"), "{diff}");
    scene.run("build inventory.yaml -o out").expect(0);
    // Back, and what only moves shows no text.
    scene.write("inventory.yaml", format!("{base}files:\n{}", motd("all", "cp2")));
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(diff.contains("added nodes/cp2/rootfs/etc/motd\n"), "{diff}");
    assert!(!diff.contains("+all") && !diff.contains("-all"), "{diff}");
}

#[test]
fn a_check_that_found_something_says_so() {
    let scene = Scene::demo();
    scene.run("check inventory.yaml").expect(0).says("nothing found");
    let inventory = scene.read("inventory.yaml");
    scene.write("inventory.yaml", inventory + "etcd: {mode: external}\n");
    let ran = scene.run("check inventory.yaml").expect(0).says("note[etcd/on-control-planes]");
    assert!(ran.err.ends_with("\n1 note\n"), "{}", ran.err);
}

#[test]
fn no_private_byte_is_ever_printed() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let seed = scene.read("inventory.secrets.yaml");
    let seed = seed.lines().find_map(|line| line.strip_prefix("seed: ")).unwrap();
    scene.run("secrets rotate inventory.yaml leaves").expect(0);
    for (arguments, code) in [
        ("diff inventory.yaml -o out", 1),
        ("diff inventory.yaml -o empty --verbose", 1),
        ("diff inventory.yaml -o out --output json", 1),
        ("show inventory.yaml", 0),
        ("secrets show inventory.yaml -v", 0),
        ("build inventory.yaml -o out -v", 0),
        ("why cluster/kubeconfigs/admin.conf -o out inventory.yaml", 0),
    ] {
        let ran = scene.run(arguments).expect(code);
        let said = ran.out + &ran.err;
        assert!(!said.is_empty(), "{arguments}");
        assert!(!said.contains("PRIVATE KEY") && !said.contains("client-key-data"), "{arguments}");
        assert!(!said.contains(seed), "{arguments}");
    }
}

#[test]
fn private_files_are_private_and_listed_for_git() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let manifest: Value = serde_json::from_str(&scene.read("out/hagen.json")).unwrap();
    let ignored = scene.read("out/.gitignore");
    let files = manifest["files"].as_array().unwrap();
    let private = files.iter().filter(|file| file["secret"] == true);
    let private: Vec<&str> = private.map(|file| file["path"].as_str().unwrap()).collect();
    assert!(private.len() > 10);
    for path in private {
        assert_eq!(mode(&scene, &format!("out/{path}")), 0o600, "{path}");
        assert!(ignored.lines().any(|line| line == format!("/{path}")), "{path}");
    }
}

#[test]
fn a_checkout_without_private_files_is_compared_in_public() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let manifest: Value = serde_json::from_str(&scene.read("out/hagen.json")).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        if file["secret"] == true {
            std::fs::remove_file(scene.path("out").join(file["path"].as_str().unwrap())).unwrap();
        }
    }
    scene.run("diff inventory.yaml -o out --public").expect(0);
    scene.run("build inventory.yaml -o out --check --public").expect(0);
    scene.run("diff inventory.yaml -o out").expect(1);
    scene.run("build inventory.yaml -o out --check").expect(1);
}

#[test]
fn a_copy_is_checked_against_its_own_manifest() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let whole = scene.run("verify out --secrets inventory.secrets.yaml").expect(0);
    assert_eq!((whole.out.as_str(), whole.err.as_str()), ("", ""));
    scene.run("verify out").expect(0).says("private files not checked");
    let config = "out/steps/shared/etc/haproxy/haproxy.cfg";
    scene.edit(config, "8443", "8444");
    std::fs::remove_file(scene.path("out/cluster/kubeconfigs/admin.conf")).unwrap();
    scene.write("out/note.txt", "mine");
    let damaged = scene.run("verify out").expect(1).out;
    assert!(damaged.contains("haproxy.cfg: changed\n"), "{damaged}");
    assert!(damaged.contains("admin.conf: missing\n"), "{damaged}");
    assert!(damaged.contains("note.txt: not of this tree\n"), "{damaged}");
    scene.edit(config, "8444", "8443");
    scene.run("verify out --public").expect(0);
    scene.run("secrets new inventory.yaml -o other.yaml").expect(0);
    scene.run("verify out --secrets other.yaml").expect(2).says("is made with bundle");
    scene.run("verify nowhere").expect(2);
}

#[test]
fn what_would_be_rolled_out_along_with_a_tree_is_named_by_every_verb() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let verbs = [
        ("verify out", "", ""),
        ("verify out --secrets inventory.secrets.yaml", "", ""),
        ("verify out --public", "", ""),
        ("diff inventory.yaml -o out", "foreign ", "readable "),
        ("build inventory.yaml -o out --check", "out/", "out/"),
    ];
    let planted = "steps/node.sh";
    scene.write(&format!("out/{planted}"), "");
    for (verb, foreign, _) in verbs {
        let said = scene.run(verb).expect(1).out;
        assert!(said.starts_with(&format!("{foreign}{planted}")), "{verb}: {said}");
        assert!(said.ends_with("not of this tree\n") || said.ends_with("not of this tree)\n"));
    }
    let said = scene.run("diff inventory.yaml -o out --output json").expect(1).out;
    let json: Value = serde_json::from_str(&said).unwrap();
    let files = serde_json::json!([{"path": planted, "change": "foreign", "private": false}]);
    assert_eq!((&json["same"], &json["files"]), (&Value::from(false), &files));
    std::fs::remove_file(scene.path(&format!("out/{planted}"))).unwrap();

    let key = "nodes/cp1/rootfs/etc/kubernetes/pki/ca.key";
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(scene.path(&format!("out/{key}")), open).unwrap();
    for (verb, _, readable) in verbs {
        let said = scene.run(verb).expect(1).out;
        assert!(said.starts_with(&format!("{readable}{key}")), "{verb}: {said}");
        assert!(said.contains("readable by others"), "{verb}: {said}");
    }
    scene.run("build inventory.yaml -o out").expect(0);
    for (verb, ..) in verbs {
        assert_eq!(scene.run(verb).expect(0).out, "", "{verb}");
    }
}

#[test]
fn an_edited_manifest_gives_no_file_of_the_user_s_away() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    scene.write("out/notes.md", "");
    let mut manifest: Value = serde_json::from_str(&scene.read("out/hagen.json")).unwrap();
    let files = manifest["files"].as_array_mut().unwrap();
    let mut entry = files.iter().find(|file| file["path"] == "README.md").unwrap().clone();
    entry["path"] = "notes.md".into();
    // Anybody can say so of a file without text.
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    entry["fingerprint"] = format!("sha256:{nothing}").into();
    files.push(entry);
    scene.write("out/hagen.json", manifest.to_string());
    for how in ["", "--in-place"] {
        let said = scene.run("diff inventory.yaml -o out").out;
        assert!(!said.contains("notes.md"), "{said}");
        scene.run(&format!("build inventory.yaml -o out {how}")).expect(0);
        assert!(scene.path("out/notes.md").exists(), "{how}");
        scene.write("out/hagen.json", manifest.to_string());
    }
}

#[test]
fn exit_codes_tell_findings_from_failures() {
    let scene = Scene::demo();
    scene.write("broken.yaml", "apiVersion: hagen/v1\n");
    scene.write(
        "warned.yaml",
        scene.read("inventory.yaml") + "allow: [{code: etcd/none, reason: x}]\n",
    );
    scene.write("warned.secrets.yaml", scene.read("inventory.secrets.yaml"));
    for (arguments, code) in [
        ("--help", 0),
        ("--version", 0),
        ("check inventory.yaml", 0),
        ("check broken.yaml", 1),
        ("check broken.yaml inventory.yaml", 1),
        ("check warned.yaml", 0),
        ("check warned.yaml --strict", 1),
        ("build warned.yaml -o strict --strict", 1),
        ("build broken.yaml -o out", 2),
        ("build broken.yaml --secrets inventory.secrets.yaml -o out", 1),
        ("diff broken.yaml --secrets inventory.secrets.yaml -o out", 2),
        ("diff inventory.yaml -o out", 1),
        ("check", 2),
        ("check nowhere.yaml", 2),
        ("check .", 2),
        ("build inventory.yaml", 2),
        ("build inventory.yaml -o out --public", 2),
        ("frobnicate", 2),
        ("explain etcd/none", 2),
        ("why nothing -o nowhere", 2),
    ] {
        let ran = scene.run(arguments).expect(code);
        assert!(code < 2 || ran.err.contains("error"), "{arguments}: {}", ran.err);
    }
    assert!(!scene.path("strict").exists() && !scene.path("out").exists());
}

#[test]
fn standard_input_is_an_inventory_or_a_bundle() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml").into_bytes();
    let bundle = scene.read("inventory.secrets.yaml").into_bytes();
    scene.run("build inventory.yaml -o out").expect(0);
    scene.run_with("check -", &inventory).expect(0);
    scene.run_with("show -", &inventory).expect(0);
    scene.run_with("build - --secrets inventory.secrets.yaml -o piped", &inventory).expect(0);
    assert_eq!(scene.files("piped"), scene.files("out"));
    scene.run_with("build inventory.yaml --secrets - -o out --check", &bundle).expect(0);
    scene.run_with("build - -o out", &inventory).expect(2).says("--secrets FILE");
    scene.run_with("build - --secrets - -o out", &inventory).expect(2);
    scene.run_with("check - -", &inventory).expect(2).says("only be read once");
    scene.run_with("secrets new --cluster lab -o lab.secrets.yaml", b"").expect(0);
    scene.run_with("secrets new - -o demo.secrets.yaml", &inventory).expect(0);
    assert!(scene.read("demo.secrets.yaml").contains("cluster: demo\n"));
}

#[test]
fn several_inventories_build_several_trees_or_none() {
    let scene = Scene::demo();
    let lab = scene.read("inventory.yaml").replace("name: demo", "name: lab");
    scene.write("lab.yaml", &lab);
    scene.run("secrets new lab.yaml").expect(0);
    let clash = scene.run("build inventory.yaml lab.yaml -o both").expect(1);
    for code in ["audit/vip-shared", "audit/address-shared"] {
        assert!(clash.err.contains(&format!("[{code}]")), "{}", clash.err);
    }
    // The id follows from the VIP, and so from another one.
    assert!(!clash.err.contains("router-id-clash"), "{}", clash.err);
    scene.write("lab.yaml", lab.replace(".33/24", ".34/24") + "keepalived: {routerId: 33}\n");
    let clash = scene.run("check inventory.yaml lab.yaml").expect(1);
    assert!(clash.err.contains("[keepalived/router-id-clash]"), "{}", clash.err);
    scene.write("lab.yaml", &lab);
    assert!(!scene.path("both").exists());
    scene.run("check inventory.yaml lab.yaml").expect(1);

    let lab =
        lab.replace("192.168.1.", "192.168.1.1").replace("vip: 192.168.1.1", "vip: 192.168.1.");
    scene.write("lab.yaml", lab.replace("1.33/24", "1.34/24") + "keepalived: {routerId: 77}\n");
    scene.run("build inventory.yaml lab.yaml -o both").expect(0);
    scene.run("build inventory.yaml -o alone").expect(0);
    assert_eq!(scene.files("both/demo"), scene.files("alone"));
    assert!(scene.path("both/lab/hagen.json").exists());
    scene.run("build inventory.yaml lab.yaml -o both --check").expect(0);

    scene.run("build inventory.yaml inventory.yaml -o both").expect(2).says("cluster `demo`");
    scene.run("build inventory.yaml lab.yaml --secrets inventory.secrets.yaml -o both").expect(2);
    scene.edit("lab.yaml", "port: 8443", "port: 0");
    let before = scene.files("both");
    scene.edit("inventory.yaml", "port: 8443", "port: 9443");
    scene.run("build inventory.yaml lab.yaml -o both").expect(1);
    assert_eq!(scene.files("both"), before, "an error in one stops all");
}

#[test]
fn programs_read_findings_on_standard_output() {
    let scene = Scene::demo();
    let clean = scene.run("check inventory.yaml --format json").expect(0);
    assert_eq!(clean.out, "[]\n");
    scene.edit("inventory.yaml", "port: 8443", "port: 6443");
    let json: Value =
        serde_json::from_str(&scene.run("check inventory.yaml --format json").expect(1).out)
            .unwrap();
    assert_eq!(json[0]["file"], "inventory.yaml");
    assert_eq!(json[0]["severity"], "error");
    assert!(json[0]["line"].is_number(), "{json:#}");
    let sarif: Value =
        serde_json::from_str(&scene.run("check inventory.yaml --format sarif").expect(1).out)
            .unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], run["results"][0]["ruleId"]);
    assert!(run["results"][0]["locations"][0]["physicalLocation"]["region"].is_object());
}

#[test]
fn a_difference_is_read_by_programs_as_well() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    scene.edit("inventory.yaml", "port: 8443", "port: 9443");
    let json: Value =
        serde_json::from_str(&scene.run("diff inventory.yaml -o out --output json").expect(1).out)
            .unwrap();
    assert_eq!(json["same"], false);
    assert_eq!(json["impact"]["cp1"]["units"]["haproxy.service"], "reload");
    let files = json["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["private"] == true && file["change"] == "changed"));
}

#[test]
fn what_is_shown_is_an_inventory_that_builds_the_same_tree() {
    for overlay in ["", "loadBalancer: {kind: nginx}\n", "etcd: {mode: external}\n"] {
        let scene = Scene::demo();
        scene.write("inventory.yaml", scene.read("inventory.yaml") + overlay);
        scene.write("shown.yaml", scene.run("show inventory.yaml").expect(0).out);
        scene.write("shown.json", scene.run("show inventory.yaml -o json").expect(0).out);
        scene.run("build inventory.yaml -o out").expect(0);
        for shown in ["shown.yaml", "shown.json"] {
            let check = format!("build {shown} --secrets inventory.secrets.yaml -o out --check");
            let ran = scene.run(&check).expect(0);
            assert_eq!(ran.out, "", "{overlay}");
        }
        let again = scene.run("show shown.yaml").expect(0).out;
        assert_eq!(again, scene.read("shown.yaml"), "nothing is left to fill in");
    }
}

#[test]
fn the_user_s_template_takes_the_place_of_ours() {
    let scene = Scene::demo();
    let id = "haproxy/etc/haproxy/haproxy.cfg.j2";
    let ours = std::fs::read_to_string(root().join("templates").join(id)).unwrap();
    scene.write(&format!("mine/{id}"), format!("# Mine.\n{ours}"));
    scene.run("build inventory.yaml -o out --templates mine").expect(0);
    assert!(scene.read("out/steps/shared/etc/haproxy/haproxy.cfg").starts_with("# Mine.\n"));
    scene.run("diff inventory.yaml -o out").expect(1);
    scene.run("diff inventory.yaml -o out --templates mine").expect(0);
}

#[test]
fn colour_is_for_terminals_and_on_request() {
    let scene = Scene::demo();
    scene.edit("inventory.yaml", "port: 8443", "port: 0");
    let escape = '\u{1b}';
    assert!(!scene.run("check inventory.yaml").expect(1).err.contains(escape));
    assert!(scene.run("check inventory.yaml --color always").expect(1).err.contains(escape));
    let forced = || {
        let mut command = scene.hagen("check inventory.yaml");
        command.env("CLICOLOR_FORCE", "1");
        command
    };
    assert!(finished(&mut forced()).expect(1).err.contains(escape));
    let never = finished(forced().env("NO_COLOR", "1")).expect(1);
    assert!(!never.err.contains(escape));
    assert!(!scene.run("check inventory.yaml --color never").expect(1).err.contains(escape));
}

#[test]
fn quiet_keeps_back_everything_but_errors() {
    let scene = Scene::demo();
    assert_eq!(scene.run("build -q inventory.yaml -o out").expect(0).err, "");
    scene.edit("inventory.yaml", "port: 8443", "port: 0");
    scene.run("build -q inventory.yaml -o out").expect(1).says("error");
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let scene = Scene::new();
    let mut child =
        scene.hagen("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn everything_about_the_program_is_told_by_itself() {
    let scene = Scene::new();
    let list = scene.run("explain").expect(0).out;
    for code in hagen::compile::all_codes() {
        assert!(list.contains(code.id), "{}", code.id);
        assert_eq!(scene.run(&format!("explain {}", code.id)).expect(0).out, code.page);
    }
    let area = scene.run("explain disk").expect(0).out;
    assert!(area.lines().all(|line| line.starts_with("disk/")), "{area}");
    scene.run("explain disk/foreign-foldr").expect(2).says("did you mean `disk/foreign-folder`?");

    for (of, file) in [("inventory", "inventory"), ("manifest", "manifest")] {
        let printed: Value =
            serde_json::from_str(&scene.run(&format!("schema {of}")).expect(0).out).unwrap();
        let committed = std::fs::read(root().join(format!("schema/{file}.schema.json"))).unwrap();
        assert_eq!(printed, serde_json::from_slice::<Value>(&committed).unwrap());
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(scene.run(&format!("completions {shell}")).expect(0).out.contains("hagen"));
    }
    assert!(scene.run("man").expect(0).out.contains(".TH hagen"));
    assert!(scene.run("man secrets new").expect(0).out.contains("hagen-secrets-new"));
}

/// The help is the manual: changes of it are reviewed.
#[test]
fn the_help_is_reviewed() {
    let mut command = hagen::cli::command().term_width(100);
    command.build();
    let mut text = command.render_long_help().to_string();
    let mut waiting: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    waiting.reverse();
    while let Some(mut verb) = waiting.pop() {
        if verb.get_name() == "help" {
            continue;
        }
        assert!(verb.get_about().is_some(), "{}", verb.get_name());
        let name = verb.get_display_name().unwrap_or_default().replace('-', " ");
        verb = verb.term_width(100);
        text += &format!("\n{}\n{name}\n\n{}", "=".repeat(100), verb.render_long_help());
        waiting.extend(verb.get_subcommands().cloned().collect::<Vec<_>>().into_iter().rev());
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    reviewed("cli", "help", &lines.join("\n"));
}

#[test]
fn a_report_is_reviewed() {
    let scene = Scene::demo();
    scene.edit("inventory.yaml", "vip: 192.168.1.33/24", "vip: 192.168.2.33/24");
    scene.edit("inventory.yaml", "port: 8443", "port: 6443");
    scene.edit(
        "inventory.yaml",
        "name: cp3, address: 192.168.1.13",
        "name: cp2, address: 192.168.1.12",
    );
    reviewed("cli", "report", &scene.run("check inventory.yaml").expect(1).err);
}
