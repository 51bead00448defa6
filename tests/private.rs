//! What hagen never shows, never leaves behind and never takes into Git: the bundle, keys, and the
//! private text of files.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::compiled::root;
use crate::scene::{Ran, Scene, finished};

/// The seed of the scene's bundle.
fn seed(scene: &Scene) -> String {
    let bundle = scene.read("inventory.secrets.yaml");
    bundle.lines().find_map(|line| line.strip_prefix("seed: ")).unwrap().to_owned()
}

fn said(ran: Ran) -> String {
    ran.out + &ran.err
}

#[test]
fn no_verb_shows_a_line_of_a_bundle_that_is_given_for_an_inventory() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let seed = seed(&scene);
    let whole = scene.read("inventory.secrets.yaml");
    // Also where the bundle is damaged, and where nothing says any more that it is one.
    let texts = [
        whole.clone(),
        whole.replace("seed: ", "seed:\t\""),
        whole.replace("apiVersion: hagen-secrets/v1", "apiVersion: hagen/v1"),
        whole.replace("apiVersion: hagen-secrets/v1\n", "").replace("seed: ", "seed: \u{1}"),
    ];
    for text in texts {
        scene.write("given.yaml", &text);
        for arguments in [
            "check given.yaml",
            "check given.yaml --format json",
            "check given.yaml --format sarif",
            "build given.yaml --secrets inventory.secrets.yaml -o out",
            "diff given.yaml --secrets inventory.secrets.yaml -o out",
            "show given.yaml",
            "why cluster/kubeconfigs/admin.conf -o out given.yaml",
            "secrets new given.yaml",
            "secrets show given.yaml --secrets inventory.secrets.yaml",
        ] {
            let said = said(scene.run(arguments));
            assert!(!said.contains(&seed) && !said.contains("panicked"), "{arguments}:\n{said}");
            assert!(!said.contains("Usage:"), "{arguments}:\n{said}");
        }
        let _ = std::fs::remove_file(scene.path("given.secrets.yaml"));
    }
    scene
        .run("check inventory.secrets.yaml")
        .expect(2)
        .says("`inventory.secrets.yaml` is a secrets bundle, not an inventory")
        .says("--secrets FILE");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let scene = Scene::demo();
    let key = std::fs::read_to_string(root().join("src/secrets/testdata/rsa-2048.pem")).unwrap();
    let middle = key.lines().nth(5).unwrap();
    let indented = key.replace('\n', "\n  ");
    let seed = seed(&scene);
    let inventory = scene.read("inventory.yaml");
    for wrong in [
        format!("seed: {seed}\n"),
        format!("etcd: {{mode: {seed}}}\n"),
        format!("etcd: |\n  {indented}\n"),
        format!("etcd: {{mode: \"{}\"}}\n", key.replace('\n', "\\n")),
    ] {
        scene.write("inventory.yaml", format!("{inventory}{wrong}"));
        for format in ["text", "json", "sarif"] {
            let ran = scene.run(&format!("check inventory.yaml --format {format}")).expect(1);
            let said = said(ran);
            assert!(!said.contains(&seed) && !said.contains(middle), "{format}:\n{said}");
        }
    }
}

#[test]
fn a_difference_shows_nothing_that_was_private() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let config = "out/steps/shared/etc/haproxy/haproxy.cfg";
    let entry = "\"path\": \"steps/shared/etc/haproxy/haproxy.cfg\",";
    // A tree in which the file was private, as its manifest says.
    scene.edit("out/hagen.json", entry, &format!("{entry} \"secret\": true,"));
    scene.write(config, "stats auth admin:hunter2\n");
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(diff.contains("haproxy.cfg (private)\n") && !diff.contains("hunter2"), "{diff}");
    // One that no manifest knows, which its owner alone may read; and one that holds a key.
    scene.edit("out/hagen.json", &format!("{entry} \"secret\": true,"), entry);
    let close = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(scene.path(config), close(0o600)).unwrap();
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(diff.contains("haproxy.cfg (private)\n") && !diff.contains("hunter2"), "{diff}");
    std::fs::set_permissions(scene.path(config), close(0o644)).unwrap();
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(diff.contains("\n-stats auth admin:hunter2\n"), "what all may read is shown: {diff}");
    scene.write(config, "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\n");
    assert!(!scene.run("diff inventory.yaml -o out").expect(1).out.contains("hunter2"));
    // The public text of a checkout with a strict umask.
    scene.run("build inventory.yaml -o out").expect(0);
    std::fs::set_permissions(scene.path(config), close(0o600)).unwrap();
    scene.edit("inventory.yaml", "port: 8443", "port: 9443");
    let diff = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(diff.contains("\n-    bind *:8443\n+    bind *:9443\n"), "{diff}");
}

#[test]
fn nothing_that_is_read_from_a_folder_steers_the_terminal() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let steering = |text: &str| {
        text.chars().any(|c| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
    };
    let evil = "\u{1b}[2J\u{9b}31m\u{202e}\r";
    scene.edit("out/steps/shared/etc/haproxy/haproxy.cfg", "bind", evil);
    scene.write(&format!("out/{evil}"), "");
    let json = serde_json::to_string(evil).unwrap();
    scene.edit("out/hagen.json", "\"room\": \"haproxy\"", &format!("\"room\": {json}"));
    scene.edit("out/hagen.json", "\"cp2\"", &json);
    let again = scene.run("diff inventory.yaml -o out").expect(1).out;
    assert!(again.contains("\\u{1b}[2J\\u{9b}31m\\u{202e}\\r"), "{again:?}");
    for arguments in [
        "diff inventory.yaml -o out",
        "diff inventory.yaml -o out --output json",
        "verify out",
        "why /etc/haproxy/haproxy.cfg -o out",
        "build inventory.yaml -o out --check",
    ] {
        let ran = scene.run(arguments);
        assert!(!steering(&ran.out) && !steering(&ran.err), "{arguments}: {:?}", ran.out);
        assert!(!ran.out.is_empty(), "{arguments}: {}", ran.err);
    }
    let json = scene.run("diff inventory.yaml -o out --output json").out;
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
}

#[test]
fn no_name_of_a_file_steers_the_terminal() {
    let steering = |text: &str| {
        text.chars().any(|c| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
    };
    let scene = Scene::demo();
    // A name that opens the clipboard to others, clears the screen and turns what follows around.
    let evil = "a\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}31m\u{202e}";
    let key = root().join("src/secrets/testdata/rsa-2048.pem");
    scene.write("text", "text");
    for (arguments, code) in [
        (format!("init {evil}.yaml"), 0),
        (format!("init {evil}.yaml"), 2),
        (format!("secrets new inventory.yaml -o {evil}.new"), 0),
        (format!("secrets renew {evil}.yaml"), 0),
        (format!("secrets rotate {evil}.yaml leaves"), 0),
        (format!("secrets put {evil}.yaml name text"), 0),
        (format!("secrets drop {evil}.yaml name"), 0),
        (format!("secrets import {evil}.yaml ca/etcd {}", key.display()), 0),
        (format!("build {evil}.yaml -o {evil}"), 0),
        (format!("build {evil}.yaml -o text/{evil}"), 2),
        (format!("build {evil}.yaml -o none/{evil} --check"), 1),
        (format!("check {evil}.yaml none/{evil}"), 2),
        (format!("check text/{evil}"), 2),
        (evil.to_owned(), 2),
        (format!("build {evil}"), 2),
        (format!("secrets new {evil}.yaml --rsa {evil} --color always"), 2),
    ] {
        let Ran { out, err, .. } = scene.run(&arguments).expect(code);
        assert!(!steering(&out) && !steering(&err), "{arguments:?}: {out:?} {err:?}");
        assert!(!(out + &err).is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_abort_leaves_no_core() {
    let scene = Scene::demo();
    let hagen = env!("CARGO_BIN_EXE_hagen");
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -c unlimited; exec \"$0\" check -", hagen])
        .current_dir(scene.folder())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    // It waits for an inventory, with its limit set.
    let closed = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let limits = std::fs::read_to_string(&limits).unwrap_or_default();
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        core.is_some_and(|line| line.split_whitespace().nth(4) == Some("0"))
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert!(closed, "a core file may be written");
    assert!(status.signal() == Some(6) && !status.core_dumped(), "{status}");
}

#[test]
fn a_manifest_that_was_edited_along_with_a_file_is_found_out() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let config = "steps/shared/etc/haproxy/haproxy.cfg";
    let digest = |scene: &Scene| {
        let manifest: serde_json::Value =
            serde_json::from_str(&scene.read("out/hagen.json")).unwrap();
        let files = manifest["files"].as_array().unwrap();
        let entry = files.iter().find(|file| file["path"] == config).unwrap();
        entry["fingerprint"].as_str().unwrap().to_owned()
    };
    let before = digest(&scene);
    scene.run("verify out --secrets inventory.secrets.yaml").expect(0);
    scene.edit("inventory.yaml", "port: 8443", "port: 9443");
    scene.run("build inventory.yaml -o other").expect(0);
    scene.write(&format!("out/{config}"), scene.read(&format!("other/{config}")));
    let other: serde_json::Value = serde_json::from_str(&scene.read("other/hagen.json")).unwrap();
    let files = other["files"].as_array().unwrap();
    let after = files.iter().find(|file| file["path"] == config).unwrap();
    scene.edit("out/hagen.json", &before, after["fingerprint"].as_str().unwrap());
    // Without the bundle nobody can tell, and hagen says that it did not.
    scene.run("verify out").expect(0).says("hagen.json itself and");
    let found = scene.run("verify out --secrets inventory.secrets.yaml").expect(1).out;
    assert_eq!(found, "hagen.json: changed\n");
    scene.edit("inventory.yaml", "port: 9443", "port: 8443");
    let found = scene.run("build inventory.yaml -o out --check").expect(1).out;
    assert!(found.contains("out/hagen.json: differs\n"), "{found}");
}

/// Git, as a person runs it in the scene's folder.
fn git(scene: &Scene, arguments: &[&str]) -> Ran {
    let mut git = Command::new("git");
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    git.args(identity).args(arguments).current_dir(scene.folder());
    finished(git.env("GIT_CONFIG_GLOBAL", "/dev/null")).expect(0)
}

#[test]
fn a_bundle_is_kept_out_of_git_from_the_start() {
    let scene = Scene::new();
    scene.run("init prod.yaml").expect(0).says(".gitignore: Git ignores the secrets bundle");
    git(&scene, &["init", "--quiet"]);
    git(&scene, &["add", "."]);
    let listed = git(&scene, &["ls-files"]).out;
    assert_eq!(listed, ".gitignore\nprod.yaml\n");
    let ran = scene.run("check prod.yaml --strict").expect(0);
    assert!(ran.err.contains("nothing found"), "{}", ran.err);
    // What a killed `secrets renew` or an editor leaves.
    scene.write("prod.secrets.yaml.4711.new", "seed");
    scene.write("prod.secrets.yaml~", "seed");
    git(&scene, &["add", "."]);
    assert_eq!(git(&scene, &["ls-files"]).out, listed);
    // A second one needs no second line; one of another name has one of its own.
    let before = scene.read(".gitignore");
    scene.run("init lab.yaml").expect(0);
    assert_eq!(scene.read(".gitignore"), before);
    scene.write(".gitignore", format!("{before}/out/"));
    scene.run("secrets new prod.yaml -o other.yaml").expect(0);
    assert!(scene.read(".gitignore").starts_with(&format!("{before}/out/\n#")));
    git(&scene, &["add", "."]);
    assert_eq!(git(&scene, &["ls-files"]).out, ".gitignore\nlab.yaml\nprod.yaml\n");
}

#[test]
fn git_s_own_verdict_on_a_bundle_is_hagen_s() {
    let scene = Scene::demo();
    git(&scene, &["init", "--quiet"]);
    std::fs::create_dir(scene.path("sites")).unwrap();
    let bundle = "sites/inventory.secrets.yaml";
    scene.write("sites/inventory.yaml", scene.read("inventory.yaml"));
    scene.write(bundle, scene.read("inventory.secrets.yaml"));
    for lines in [
        "*.secrets.yaml*",
        "/sites/",
        "sites/*.yaml\n!sites/inventory.yaml",
        "*.yaml\n!*.yaml",
        "inventory.secrets.yaml/",
        "# nothing",
        "**/*.secrets.yaml",
        "sites\n!sites/inventory.secrets.yaml",
        "*.secrets.yaml\t",
        "*.secrets.yaml  \r\n",
        "*.secrets.yaml\n![i]nventory.secrets.yaml",
        "[a-j]*.secrets.yaml",
    ] {
        scene.write(".gitignore", lines);
        let ignored = Command::new("git")
            .args(["check-ignore", "--quiet", bundle])
            .current_dir(scene.folder())
            .status()
            .unwrap();
        let said = scene.run("check sites/inventory.yaml").expect(0).err;
        let warned = said.contains("[secrets/not-ignored]");
        assert_eq!(warned, !ignored.success(), "{lines}:\n{said}");
    }
    // A worktree has its index elsewhere, and what is tracked is said although it is ignored.
    scene.write(".gitignore", "*.secrets.yaml");
    git(&scene, &["add", "--force", "."]);
    git(&scene, &["commit", "--quiet", "-m", "a"]);
    scene.run("check sites/inventory.yaml").expect(0).says("[secrets/tracked]");
    git(&scene, &["worktree", "add", "--quiet", "tree"]);
    scene.run("check tree/sites/inventory.yaml").expect(0).says("[secrets/tracked]");
    scene.run("check tree/sites/inventory.yaml --strict").expect(1);
    git(&scene, &["rm", "--quiet", "--cached", bundle]);
    let said = scene.run("check sites/inventory.yaml").expect(0).err;
    assert!(said.contains("nothing found"), "{said}");
    // An encrypted bundle may be committed.
    scene.write("tree/sites/inventory.secrets.yaml", "apiVersion: ENC[AES256_GCM,data:x]\n");
    let said = scene.run("check tree/sites/inventory.yaml").expect(0).err;
    assert!(!said.contains("[secrets/"), "{said}");
}

#[test]
fn a_bundle_in_an_index_of_any_form_is_found() {
    for (form, hash) in [
        (&["--index-version", "4"][..], "sha1"),
        (&["--split-index"], "sha1"),
        (&["--index-version", "3"], "sha256"),
        (&["--index-version", "4", "--split-index"], "sha256"),
    ] {
        let scene = Scene::demo();
        git(&scene, &["init", "--quiet", "--object-format", hash]);
        // A neighbour of which the bundle's path is the most part in version 4.
        scene.write("inventory.secrets.yam", "");
        git(&scene, &["add", "--force", "."]);
        git(&scene, &[&["update-index"], form].concat());
        scene.run("check inventory.yaml").expect(0).says("[secrets/tracked]");
        // Of a split index, the shared part still has it.
        git(&scene, &["rm", "--quiet", "--cached", "inventory.secrets.yaml"]);
        git(&scene, &["add", "--force", "--intent-to-add", "."]);
        scene.run("check inventory.yaml").expect(0).says("[secrets/tracked]");
        git(&scene, &["rm", "--quiet", "--cached", "inventory.secrets.yaml"]);
        let said = scene.run("check inventory.yaml").expect(0).err;
        assert!(said.contains("nothing found"), "{form:?} {hash}: {said}");
    }
}

#[test]
fn what_git_tracks_is_never_passed_over_in_silence() {
    let scene = Scene::demo();
    git(&scene, &["init", "--quiet"]);
    git(&scene, &["add", "inventory.yaml"]);
    let index = scene.path(".git/index");
    let whole = std::fs::read(&index).unwrap();
    let mut next = whole.clone();
    next[7] = 9;
    for (bytes, why) in [(&whole[..whole.len() - 30], "damaged"), (&next, "version 9")] {
        std::fs::write(&index, bytes).unwrap();
        for verb in ["check inventory.yaml", "build inventory.yaml -o out --check"] {
            let said = scene.run(verb).err;
            assert!(
                said.contains("[secrets/index-unknown]") && said.contains(why),
                "{verb}: {said}"
            );
        }
    }
    std::fs::write(&index, whole).unwrap();
    let said = scene.run("check inventory.yaml").expect(0).err;
    assert!(said.contains("nothing found"), "{said}");
}

#[test]
fn a_list_that_is_a_link_protects_nothing_and_is_not_written_through() {
    let scene = Scene::demo();
    git(&scene, &["init", "--quiet"]);
    scene.write("lists/all", "*.secrets.yaml*\n");
    std::fs::remove_file(scene.path(".gitignore")).unwrap();
    std::os::unix::fs::symlink("lists/all", scene.path(".gitignore")).unwrap();
    let ran = scene.run("check inventory.yaml").expect(0);
    ran.says("[secrets/not-ignored]").says("is a link, which Git does not follow");
    let before = scene.read("lists/all");
    scene.run("init lab.yaml").expect(2).says("is a link");
    assert!(!scene.path("lab.yaml").exists() && !scene.path("lab.secrets.yaml").exists());
    assert_eq!(scene.read("lists/all"), before);
    // As the help says.
    std::fs::remove_file(scene.path(".gitignore")).unwrap();
    scene.write(".gitignore", "*.secrets.yaml*\n");
    scene.run("init lab.yaml").expect(0);
}

#[test]
fn a_file_that_becomes_private_does_not_stay_in_git() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml");
    let with = |entries: &str| scene.write("inventory.yaml", format!("{inventory}{entries}"));
    let nodes = "nodes: {names: [cp1, cp2]}";
    let public: String = (0..7)
        .map(|n| format!("  - {{path: /etc/site/t{n}, content: 'none', {nodes}}}\n"))
        .collect();
    with(&format!("files:\n{public}"));
    scene.run("build inventory.yaml -o out").expect(0);
    git(&scene, &["init", "--quiet"]);
    git(&scene, &["add", "."]);
    git(&scene, &["commit", "--quiet", "-m", "a"]);
    let said = scene.run("build inventory.yaml -o out").expect(0).err;
    assert!(!said.contains("[secrets/"), "{said}");
    // One of them moves.
    scene.write("token", "hunter2");
    scene.run("secrets put inventory.yaml token token").expect(0);
    std::fs::remove_file(scene.path("token")).unwrap();
    let private = |count: usize| -> String {
        let entry =
            |n| format!("  - {{path: /etc/site/t{n}, secret: token, nodes: {{names: [cp1]}}}}\n");
        (0..count).map(entry).collect()
    };
    with(&format!("privateFiles:\n{}", private(1)));
    // Shared by two nodes it was elsewhere; now it has a place of its own.
    git(&scene, &["rm", "--quiet", "-r", "--cached", "out"]);
    scene.run("build inventory.yaml -o out").expect(0);
    let path = "out/nodes/cp1/rootfs/etc/site/t0";
    git(&scene, &["add", "--force", path]);
    for verb in ["build inventory.yaml -o out", "diff inventory.yaml -o out"] {
        let said = scene.run(verb).expect(0).err;
        assert!(said.contains("[secrets/tracked-file]") && said.contains(path), "{verb}: {said}");
        assert_eq!(said.matches("warning[").count(), 1, "{said}");
        assert!(!said.contains("hunter2"));
    }
    scene.run("build inventory.yaml -o out --strict").expect(1);
    git(&scene, &["rm", "--quiet", "--cached", path]);
    scene.run("build inventory.yaml -o out --strict").expect(0);
    // Many are one finding with a few names, and its help holds for all.
    with(&format!("privateFiles:\n{}", private(7)));
    scene.run("build inventory.yaml -o out").expect(0);
    git(&scene, &["add", "--force", "out"]);
    let said = scene.run("build inventory.yaml -o ./out/").expect(0).err;
    assert_eq!(said.matches("[secrets/tracked-file]").count(), 1, "{said}");
    assert!(said.contains("more\n") && said.contains("`git rm -r --cached ./out`"), "{said}");
    git(&scene, &["rm", "--quiet", "-r", "--cached", "./out"]);
    scene.run("build inventory.yaml -o out").expect(0);
    git(&scene, &["add", "./out"]);
    scene.run("build inventory.yaml -o out --strict").expect(0);
    assert!(!git(&scene, &["ls-files"]).out.contains("site/t"));
}

#[test]
fn a_private_key_in_the_inventory_is_refused_and_shown_nowhere() {
    let scene = Scene::demo();
    let key = std::fs::read_to_string(root().join("src/secrets/testdata/rsa-2048.pem")).unwrap();
    let middle = key.lines().nth(5).unwrap();
    let indented = key.replace('\n', "\n      ");
    let quoted = key.replace('\n', "\\n");
    let encoded = "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSGNDQVE9PQo=";
    let inventory = scene.read("inventory.yaml");
    for wrong in [
        format!("files:\n  - path: /etc/site/tls.key\n    content: |\n      {indented}\n"),
        format!("files: [{{path: /etc/site/tls.key, mode: '0644', content: \"{quoted}\"}}]\n"),
        format!(
            "files:\n  - path: /etc/site/kubeconfig\n    content: |\n      client-key-data: {encoded}\n"
        ),
        format!(
            "patches: [{{document: runtime/ContainerdConfig, patch: {{a: {{b: [\"{quoted}\"]}}}}}}]\n"
        ),
    ] {
        scene.write("inventory.yaml", format!("{inventory}{wrong}"));
        for arguments in [
            "check inventory.yaml",
            "check inventory.yaml --format json",
            "build inventory.yaml -o out",
            "show inventory.yaml",
            "show inventory.yaml --output json",
        ] {
            let ran = scene.run(arguments).expect(1);
            let said = said(ran);
            assert!(said.contains("inventory/private-key"), "{arguments}: {said}");
            assert!(said.contains("privateFiles"), "{said}");
            assert!(!said.contains(middle) && !said.contains("TSGNDQVE9"), "{arguments}: {said}");
        }
        assert!(!scene.path("out").exists());
    }
    // As the help says, to the letter.
    let files = |rest: &str| format!("[{{path: /etc/site/tls.key, owner: root, {rest}}}]\n");
    let wrong = format!("files: {}", files(&format!("mode: '0644', content: \"{quoted}\"")));
    scene.write("inventory.yaml", format!("{inventory}{wrong}"));
    let help = "with `secret: tls.key` in place of `content` and `mode`";
    scene
        .run("check inventory.yaml")
        .expect(1)
        .says(help)
        .says("secrets put INVENTORY tls.key FILE");
    scene.write("tls.key", &key);
    scene.write("inventory.yaml", format!("{inventory}privateFiles: {}", files("secret: tls.key")));
    scene.run("secrets put inventory.yaml tls.key tls.key").expect(0);
    scene.run("build inventory.yaml -o out --strict").expect(0);
}

#[test]
fn a_login_in_a_url_is_refused_and_not_repeated() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml");
    let login = "bob:hunter2pw@";
    for (overlay, mended) in [
        ("host: {proxy: {https: http://LOGINx:1}}", "help: write `http://x:1`"),
        ("host: {proxy: {https: 'LOGINx:1'}}", "found `***:*********@x:1`"),
        ("images: {mirrors: [{registry: a.b, endpoints: [https://LOGINx]}]}", "`https://x`"),
        ("packages: {archives: https://LOGINx/etcd}", "`https://x/etcd`"),
        (r#"packages: {archives: "https:\/\/LOGINx/etcd"}"#, "`https://x/etcd`"),
    ] {
        let overlay = overlay.replace("LOGIN", login);
        scene.write("inventory.yaml", format!("{inventory}{overlay}\n"));
        for format in ["text", "json", "sarif"] {
            let ran = scene.run(&format!("check inventory.yaml --format {format}")).expect(1);
            let said = said(ran);
            assert!(!said.contains("hunter2pw") && !said.contains("bob"), "{format}:\n{said}");
            assert!(said.contains("without a name and a password"), "{format}:\n{said}");
            assert!(said.contains("***:*********@x"), "{format}:\n{said}");
        }
        scene.run("check inventory.yaml").expect(1).says(mended).says("[inventory/type]");
    }
    // What would be cut in a message is hidden first.
    let long = format!("packages: {{archives: \"https://bob:{}@x/\"}}\n", "hunter2pw".repeat(12));
    scene.write("inventory.yaml", format!("{inventory}{long}"));
    assert!(!said(scene.run("check inventory.yaml").expect(1)).contains("hunter2pw"));
}

#[test]
fn a_password_in_a_public_file_is_found_and_not_repeated() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml");
    let environment = |line: &str| {
        format!(
            "units: [{{unit: containerd.service, dropIn: {{Service: {{Environment: ['{line}', NO_PROXY=*]}}}}}}]"
        )
    };
    let file = |text: &str| format!("files: [{{path: /etc/site/x, content: \"{text}\"}}]");
    let public = "privateFiles";
    for (overlay, help) in [
        (environment("HTTP_PROXY=http://bob:hunter2pw@x:1"), "EnvironmentFile: /etc/site"),
        (environment("AWS_SECRET_ACCESS_KEY=hunter2pw"), "EnvironmentFile: /etc/site"),
        (file("users:\\n- user:\\n    password: hunter2pw\\n"), public),
        (file("users:\\n- user:\\n    token: hunter2pwhunter2pw\\n"), public),
        ("extraArgs: {apiServer: {audit-webhook-mode: 'http://bob:hunter2pw@x'}}".into(), public),
    ] {
        scene.write("inventory.yaml", format!("{inventory}{overlay}\n"));
        for format in ["text", "json", "sarif"] {
            let said = said(scene.run(&format!("check inventory.yaml --format {format}")));
            assert!(said.contains("inventory/looks-secret"), "{overlay}, {format}:\n{said}");
            assert!(!said.contains("hunter2pw"), "{overlay}, {format}:\n{said}");
        }
        scene.run("check inventory.yaml --strict").expect(1).says(help);
    }
    // Two things are wrong here, and neither help leads to what the inventory refuses.
    let proxy = environment("HTTPS_PROXY=http://bob:hunter2pw@x:1").replace(", NO_PROXY=*", "");
    scene.write("inventory.yaml", format!("{inventory}{proxy}\n"));
    let said = said(scene.run("check inventory.yaml").expect(1));
    assert!(said.contains("[units/proxy-hides-cluster]") && said.contains("would ask http://x:1"));
    assert!(!said.contains("hunter2pw") && !said.contains("proxy: {https:"), "{said}");
}

#[test]
fn a_private_key_of_any_program_is_refused_and_not_repeated() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml");
    let pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYhunterBODY\n=aB1c\n-----END PGP PRIVATE KEY BLOCK-----\n";
    let age = "AGE-SECRET-KEY-1HUNTERBODYQ9Q9Q9Q9Q9Q9Q9Q9Q9Q9Q9Q9\n";
    for key in [pgp, age] {
        let quoted = key.replace('\n', "\\n");
        let block = key.replace('\n', "\n        ");
        for overlay in [
            format!("files: [{{path: /etc/site/key, content: \"{quoted}\"}}]\n"),
            format!(
                "packages:\n  repositories:\n    runtime:\n      url: https://x/\n      key: |\n        {block}\n"
            ),
        ] {
            scene.write("inventory.yaml", format!("{inventory}{overlay}"));
            for format in ["text", "json", "sarif"] {
                let ran = scene.run(&format!("check inventory.yaml --format {format}")).expect(1);
                let said = said(ran);
                assert!(said.contains("inventory/private-key"), "{overlay}:\n{said}");
                assert!(!said.to_lowercase().contains("hunterbody"), "{overlay}:\n{said}");
            }
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_can_be_allowed() {
    let scene = Scene::demo();
    let inventory = scene.read("inventory.yaml");
    let wireguard = "files: [{path: /etc/site/peer, content: \"PublicKey = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\\n\"}]\n";
    scene.write("inventory.yaml", format!("{inventory}{wireguard}"));
    scene.run("check inventory.yaml").expect(0).says("[inventory/looks-secret]");
    let allowed = "allow: [{code: inventory/looks-secret, reason: it is public}]\n";
    scene.write("inventory.yaml", format!("{inventory}{wireguard}{allowed}"));
    scene.run("check inventory.yaml --strict").expect(0);
    // It is an inventory still.
    let shown = scene.run("show inventory.yaml").expect(0).out;
    assert!(shown.contains("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), "{shown}");
}

#[test]
fn a_private_key_in_a_template_is_refused() {
    let scene = Scene::demo();
    let key = std::fs::read_to_string(root().join("src/secrets/testdata/rsa-2048.pem")).unwrap();
    scene.write("mine/haproxy/etc/haproxy/haproxy.cfg.j2", &key);
    let ran = scene.run("build inventory.yaml -o out --templates mine").expect(1);
    ran.says("[internal/leftover]").says("holds a private key, and is public");
    assert!(!scene.path("out").exists());
}
