//! What only files, folders and bundles can provoke: each code whose page shows a console is met
//! here, and leaves what was there as it was.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::compiled::root;
use crate::scene::{Ran, Scene};

/// Codes that no input can provoke: only a defect of a room reports them. Unit tests do.
const DEFECTS: [&str; 4] =
    ["audit/unit-clash", "endpoint/no-san", "internal/tree-path", "pki/unissuable"];

/// Codes whose input no page can show: tests/input.rs makes it.
const INPUTS: [&str; 2] = ["inventory/too-many-nodes", "yaml/encoding"];

type Case = (&'static str, i32, fn(&Scene) -> Ran);

const BUILD: &str = "build inventory.yaml -o out";

/// Changes the inventory to an old release.
fn release(scene: &Scene, kubernetes: &str) {
    scene.edit("inventory.yaml", "kubernetes: \"1.37.1\"", &format!("kubernetes: {kubernetes}"));
    let more = "runtime: {version: \"1.6\"}\npackages: {source: preinstalled}\n";
    scene.write("inventory.yaml", scene.read("inventory.yaml") + more);
}

/// Gives the demo a network whose ranges are fixed.
fn bridge(scene: &Scene) {
    scene.write("inventory.yaml", scene.read("inventory.yaml") + "cni: {plugin: bridge}\n");
}

const CP2: &str = "  - {name: cp2, address: 192.168.1.12, roles: [control-plane]}\n";
const W0: &str = "  - {name: w0, address: 192.168.1.20, roles: [worker]}\n";
const CP3: &str = "  - {name: cp3, address: 192.168.1.13, roles: [control-plane]}\n";

/// Swaps two lines of the demo's nodes.
fn swap(scene: &Scene) {
    scene.edit("inventory.yaml", &format!("{CP2}{CP3}"), &format!("{CP3}{CP2}"));
}

/// Builds the demo together with another cluster on the same machines, behind the same VIP.
fn twice(scene: &Scene) -> Ran {
    scene.write("lab.yaml", scene.read("inventory.yaml").replace("name: demo", "name: lab"));
    scene.run("secrets new lab.yaml").expect(0);
    scene.run("build inventory.yaml lab.yaml -o out")
}

/// The same, where both endpoints have one name.
fn by_one_name(scene: &Scene) -> Ran {
    scene.edit("inventory.yaml", "endpoint:\n", "endpoint:\n  name: api.example.com\n");
    twice(scene)
}

/// Builds the demo together with a cluster whose pods have the demo's addresses.
fn beside_its_pods(scene: &Scene) -> Ran {
    let lab = scene.read("inventory.yaml").replace("name: demo", "name: lab");
    let range = "cluster:\n  podSubnet: 192.168.0.0/16\n  serviceSubnet: 10.97.0.0/16\n";
    let lab = lab.replace("192.168.1.", "172.16.1.").replacen("cluster:\n", range, 1);
    scene.write("lab.yaml", lab + "keepalived: {routerId: 77}\n");
    scene.run("secrets new lab.yaml").expect(0);
    scene.run("build inventory.yaml lab.yaml -o out")
}

const CASES: &[Case] = &[
    ("audit/address-in-range", 1, beside_its_pods),
    ("audit/address-shared", 1, twice),
    ("audit/name-shared", 1, by_one_name),
    ("audit/vip-shared", 1, twice),
    ("disk/foreign-folder", 2, |scene| {
        scene.write("out/thesis.tex", "years of work");
        scene.run(BUILD)
    }),
    ("disk/foreign-folder", 2, |scene| {
        scene.write("out/hagen.json", "{}");
        scene.run(BUILD)
    }),
    ("disk/foreign-content", 2, |scene| {
        scene.run(BUILD).expect(0);
        scene.write("out/.git/config", "[core]\n");
        scene.run(&format!("{BUILD} --quiet"))
    }),
    ("disk/foreign-content", 2, |scene| {
        scene.run(BUILD).expect(0);
        symlink("/etc", scene.path("out/nodes/cp1/link")).unwrap();
        scene.run(BUILD)
    }),
    ("disk/foreign-content", 2, |scene| {
        scene.run(BUILD).expect(0);
        scene.write("out/steps/node.sh", "# Read by every script.\n");
        scene.run(BUILD).expect(2).says("`steps/node.sh`");
        scene.run(&format!("{BUILD} --in-place")).says("help: remove it, or move it out")
    }),
    ("disk/other-bundle", 2, |scene| {
        scene.run(BUILD).expect(0);
        scene.run("secrets new inventory.yaml -o other.yaml").expect(0);
        scene.run(&format!("{BUILD} --secrets other.yaml"))
    }),
    ("disk/unwritable", 2, |scene| {
        scene.write("out", "a file");
        scene.run(BUILD)
    }),
    ("disk/unwritable", 2, |scene| {
        scene.write("above", "a file");
        scene.run("build inventory.yaml -o above/out")
    }),
    ("disk/busy", 2, |scene| {
        scene.run(BUILD).expect(0);
        let held = std::fs::File::open(scene.path("out")).unwrap();
        held.lock().unwrap();
        scene.run(BUILD)
    }),
    ("cluster/pod-range-moved", 1, |scene| {
        bridge(scene);
        scene.run(BUILD).expect(0);
        swap(scene);
        scene.run("diff inventory.yaml -o out").expect(2).says("[cluster/pod-range-moved]");
        scene.run(&format!("{BUILD} --check")).expect(1).says("[cluster/pod-range-moved]");
        scene.run(BUILD)
    }),
    ("cluster/pod-range-moved", 1, |scene| {
        bridge(scene);
        scene.run(BUILD).expect(0);
        scene.edit("inventory.yaml", "cluster:\n", "cluster:\n  podSubnet: 10.200.0.0/16\n");
        scene.run(BUILD).says("10.200.0.0/16 does not hold 10.244.0.0/24")
    }),
    ("secrets/missing", 2, |scene| scene.run("build inventory.yaml --secrets none.yaml -o out")),
    ("secrets/wrong-cluster", 1, |scene| {
        scene.run("secrets new --cluster lab -o lab.secrets.yaml").expect(0);
        scene.run("build inventory.yaml --secrets lab.secrets.yaml -o out")
    }),
    ("secrets/wrong-cluster", 1, |scene| {
        scene.run("secrets new --cluster lab -o lab.secrets.yaml").expect(0);
        let before = scene.read("lab.secrets.yaml");
        for verb in ["renew inventory.yaml", "rotate inventory.yaml leaves"] {
            scene.run(&format!("secrets {verb} --secrets lab.secrets.yaml")).expect(1);
        }
        let key = root().join("src/secrets/testdata/rsa-2048.pem");
        let import = format!("secrets import inventory.yaml ca/etcd {}", key.display());
        let ran = scene.run(&format!("{import} --secrets lab.secrets.yaml"));
        assert_eq!(scene.read("lab.secrets.yaml"), before);
        ran
    }),
    ("secrets/newer", 1, |scene| {
        scene.edit("inventory.secrets.yaml", "derivation: 1", "derivation: 2");
        scene.run(BUILD)
    }),
    ("secrets/corrupt", 1, |scene| {
        scene.edit("inventory.secrets.yaml", "id: ", "id: 0");
        scene.run(BUILD)
    }),
    ("secrets/corrupt", 1, |scene| {
        scene.write("inventory.secrets.yaml", "seed: [\n");
        scene.run("secrets renew inventory.yaml")
    }),
    ("secrets/no-file", 1, |scene| {
        scene.edit("inventory.yaml", "nodes:\n", &format!("{PRIVATE_FILE}nodes:\n"));
        scene.run("build inventory.yaml -o out")
    }),
    ("secrets/unknown-label", 1, |scene| {
        scene.edit("inventory.secrets.yaml", "  ca: 1", "  Ca: 2\n  ca: 1");
        scene.run(BUILD).says("help: did you mean `ca`?")
    }),
    ("secrets/unknown-label", 1, |scene| {
        let key = root().join("src/secrets/testdata/rsa-2048.pem");
        let import = format!("secrets import inventory.yaml ca/etcd {}", key.display());
        scene.run(&import).expect(0);
        scene.edit("inventory.secrets.yaml", "ca/etcd", "ca/etdc");
        scene.run(BUILD).says("help: did you mean `ca/etcd`?")
    }),
    ("secrets/contradiction", 1, |scene| {
        let twice = "  ca/kubernetes: {issuing: 2, trusted: [2]}\n  leaves: 1";
        scene.edit("inventory.secrets.yaml", "  leaves: 1", twice);
        scene.run(BUILD).says("`ca/kubernetes` names generation 2 twice")
    }),
    ("secrets/corrupt", 1, |scene| {
        scene.edit("inventory.secrets.yaml", "  ca: 1\n", "");
        scene.run(BUILD)
    }),
    ("secrets/unusable-key", 1, |scene| {
        let before = scene.read("inventory.secrets.yaml");
        for key in ["equal-primes", "composite-factor", "other-exponent", "other-modulus", "1024"] {
            let key = root().join(format!("src/secrets/testdata/rsa-{key}.pem"));
            let import = format!("secrets import inventory.yaml ca/etcd {}", key.display());
            scene.run(&import).expect(1).says("[secrets/unusable-key]");
        }
        let ran = scene.run("secrets import inventory.yaml ca/etcd inventory.yaml");
        assert_eq!(scene.read("inventory.secrets.yaml"), before);
        ran
    }),
    ("secrets/unusable-key", 1, |scene| {
        let key = root().join("src/secrets/testdata/rsa-equal-primes.pem");
        let key = std::fs::read_to_string(key).unwrap().replace('\n', "\n    ");
        let bundle = scene.read("inventory.secrets.yaml");
        scene.write("inventory.secrets.yaml", format!("{bundle}keys:\n  ca/etcd: |\n    {key}\n"));
        scene.run(BUILD).says("the key `ca/etcd` of the secrets bundle")
    }),
    ("secrets/not-ignored", 0, |scene| {
        // Where Git looks is all that makes a checkout.
        scene.write(".git/HEAD", "ref: refs/heads/main\n");
        scene.write(".gitignore", "");
        scene.run("build inventory.yaml -o built")
    }),
    ("secrets/tracked", 0, |scene| {
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            assert!(git.args(arguments).current_dir(scene.folder()).status().unwrap().success());
        };
        git(&["init", "--quiet"]);
        git(&["add", "--force", "inventory.secrets.yaml"]);
        scene.run("build inventory.yaml -o built")
    }),
    ("secrets/tracked-file", 0, |scene| {
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            assert!(git.args(arguments).current_dir(scene.folder()).status().unwrap().success());
        };
        scene.run("build inventory.yaml -o built").expect(0);
        git(&["init", "--quiet"]);
        git(&["add", "--force", "built/nodes/cp1/files.tsv"]);
        scene
            .run("build inventory.yaml -o built")
            .says("`git rm --cached built/nodes/cp1/files.tsv`")
    }),
    ("secrets/index-unknown", 0, |scene| {
        scene.write(".git/index", "DIRC");
        scene.run("build inventory.yaml -o built")
    }),
    ("secrets/readable", 0, |scene| {
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(scene.path("inventory.secrets.yaml"), open).unwrap();
        scene.run("build inventory.yaml -o built")
    }),
    ("kubeadm/service-account-key", 1, |scene| {
        release(scene, "1.24.5");
        scene.run(BUILD).says("help: take Kubernetes 1.24.6 or newer, or make")
    }),
    ("kubeadm/service-account-key", 1, |scene| {
        release(scene, "1.21.14");
        scene.run(BUILD).says("help: make the bundle of a new cluster again")
    }),
    ("template/failed", 1, |scene| {
        scene.write("mine/haproxy/etc/haproxy/haproxy.cfg.j2", "frontend {{ nmae }}\n");
        scene.run(&format!("{BUILD} --templates mine"))
    }),
    ("template/failed", 1, |scene| {
        scene.write("mine/haproxy/haproxy.cgf.j2", "frontend\n");
        scene.run("check inventory.yaml --templates mine")
    }),
    ("internal/leftover", 1, |scene| {
        scene.write("mine/haproxy/etc/haproxy/haproxy.cfg.j2", "bind <your-vip>:6443\n");
        scene.run(&format!("{BUILD} --templates mine"))
    }),
];

#[test]
fn each_refusal_names_its_code_and_its_remedy_and_touches_nothing() {
    for (code, exit, provoke) in CASES {
        let scene = Scene::demo();
        let ran = provoke(&scene).expect(*exit);
        assert!(ran.err.contains(&format!("[{code}]")), "{code}:\n{}", ran.err);
        assert!(ran.err.contains("help: ") || code.starts_with("template/"), "{}", ran.err);
        let left = scene.files("out");
        let whole = left.contains_key("cluster/kubeconfigs/admin.conf");
        assert!(whole || left.len() <= 1, "{code}: part of a tree: {:?}", left.keys());
    }
}

#[test]
fn every_code_whose_page_is_no_test_is_provoked() {
    let provoked: BTreeSet<&str> = CASES.iter().map(|(code, ..)| *code).collect();
    for code in hagen::compile::all_codes() {
        let failing = code.page.split_once("## Failing example").map_or("", |(_, rest)| rest);
        let fence = failing.lines().find(|line| line.starts_with("```")).unwrap_or_default();
        if fence != "```yaml" && !DEFECTS.contains(&code.id) && !INPUTS.contains(&code.id) {
            assert!(provoked.contains(code.id), "{} is not provoked", code.id);
        }
    }
}

#[test]
fn what_is_refused_is_done_on_request() {
    let scene = Scene::demo();
    scene.write("out/thesis.tex", "years of work");
    scene.run("build inventory.yaml -o out --in-place").expect(0);
    assert_eq!(scene.read("out/thesis.tex"), "years of work");
    scene.run("secrets new inventory.yaml -o other.yaml").expect(0);
    scene.run("build inventory.yaml --secrets other.yaml -o out --other-bundle").expect(0);
    assert_eq!(scene.read("out/thesis.tex"), "years of work");
    scene.run("build inventory.yaml --secrets other.yaml -o out --check").expect(0);
}

#[test]
fn nothing_of_the_user_s_is_overwritten() {
    let scene = Scene::demo();
    let (inventory, bundle) = (scene.read("inventory.yaml"), scene.read("inventory.secrets.yaml"));
    scene.run("secrets new inventory.yaml").expect(2).says("is there already");
    scene.run("init inventory.yaml").expect(2).says("is there already");
    scene.run("init").expect(2).says("is there already");
    std::fs::remove_file(scene.path("inventory.secrets.yaml")).unwrap();
    scene.run("init").expect(2).says("`inventory.yaml` is there already");
    assert!(!scene.path("inventory.secrets.yaml").exists(), "no bundle without an inventory");
    scene.write("inventory.secrets.yaml", &bundle);
    std::fs::remove_file(scene.path("inventory.yaml")).unwrap();
    scene.run("init").expect(2).says("`inventory.secrets.yaml` is there already");
    assert!(!scene.path("inventory.yaml").exists());
    assert_eq!(scene.read("inventory.secrets.yaml"), bundle);
    scene.write("inventory.yaml", inventory);
    scene.run("build inventory.yaml -o out").expect(0);
}

#[test]
fn a_bundle_is_renewed_and_rotated_as_a_reviewed_change() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let certificate = "out/nodes/cp1/rootfs/etc/kubernetes/pki/apiserver.crt";
    let authority = "out/steps/shared/etc/kubernetes/pki/ca.crt";
    let (leaf, ca) = (scene.read(certificate), scene.read(authority));

    scene.run("secrets rotate inventory.yaml leaves").expect(0).says("generation 2");
    scene.run("build inventory.yaml -o out").expect(0);
    assert_ne!(scene.read(certificate), leaf);
    assert_eq!(scene.read(authority), ca, "the authorities stay");

    scene.run("secrets renew inventory.yaml --issued-at 2031-05-01T00:00:00Z").expect(0);
    let shown = scene.run("secrets show inventory.yaml").expect(0).out;
    assert!(shown.contains("issuedAt: 2031-05-01T00:00:00Z\n"), "{shown}");
    assert!(shown.contains("  2032-04-30: "), "{shown}");
    assert!(shown.contains("leaves: 2\n"), "{shown}");
    let mode = std::fs::metadata(scene.path("inventory.secrets.yaml")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o7777, 0o600);
    assert_eq!(scene.files(".").keys().filter(|path| path.contains(".new")).count(), 0);
}

#[test]
fn certificates_out_of_their_time_are_told_of_and_made() {
    for (date, word) in [
        ("2020-01-01T00:00:00Z", "expired"),
        ("2199-01-01T00:00:00Z", "are valid from 2199-01-01 on"),
    ] {
        let scene = Scene::demo();
        let new = format!("secrets new inventory.yaml -o dated.yaml --issued-at {date}");
        scene.run(&new).expect(0);
        let build = "build inventory.yaml --secrets dated.yaml -o out";
        scene.run(build).expect(0).says(word);
        scene.run(&format!("{build} --check")).expect(0).says(word);
    }
}

#[test]
fn keys_of_an_existing_cluster_and_rsa_keys_are_kept_in_the_bundle() {
    let scene = Scene::demo();
    scene.run("secrets new inventory.yaml -o rsa.yaml --rsa 2048").expect(0);
    let shown = scene.run("secrets show inventory.yaml --secrets rsa.yaml").expect(0).out;
    assert!(shown.contains("stored:\n  - ca/etcd\n"), "{shown}");
    scene.run("build inventory.yaml --secrets rsa.yaml -o old").expect(0);
    let authority = "nodes/cp1/rootfs/etc/kubernetes/pki/ca";
    let key = format!("old/{authority}.key");
    assert!(scene.read(&key).starts_with("-----BEGIN RSA PRIVATE KEY-----"));

    scene.run(&format!("secrets import inventory.yaml ca/kubernetes {key}")).expect(0);
    scene.run("build inventory.yaml -o out").expect(0);
    assert_eq!(scene.read(&format!("out/{authority}.key")), scene.read(&key));
    scene.run("secrets import inventory.yaml ca/kubernetes inventory.yaml").expect(1).says("P-256");
    scene.run("secrets import inventory.yaml ca/other old/hagen.json").expect(2);
}

/// The key of encryption at rest.
const PRIVATE_FILE: &str = "privateFiles: [{path: /etc/kubernetes/encryption.yaml, secret: \
                            encryption, nodes: {roles: [control-plane]}}]\n";

#[test]
fn a_private_file_goes_from_the_bundle_to_its_nodes_and_nowhere_else() {
    let scene = Scene::demo();
    scene.edit("inventory.yaml", "nodes:\n", &format!("{PRIVATE_FILE}nodes:\n"));
    scene.run("check inventory.yaml").expect(0);
    scene.write("encryption.yaml", "secret: hunter2\n");
    scene.run("secrets put inventory.yaml encryption encryption.yaml").expect(0);
    scene.run("build inventory.yaml -o out").expect(0);
    let path = "rootfs/etc/kubernetes/encryption.yaml";
    assert_eq!(scene.read(&format!("out/nodes/cp1/{path}")), "secret: hunter2\n");
    assert!(!scene.path("out/nodes/w1").join(path).exists());
    assert!(scene.read("out/.gitignore").contains(&format!("/nodes/cp1/{path}\n")));
    assert!(!scene.read("out/hagen.json").contains("hunter2"));
    let shown = scene.run("secrets show inventory.yaml").expect(0).out;
    assert!(shown.contains("files:\n  - encryption\n") && !shown.contains("hunter2"), "{shown}");

    scene.write("encryption.yaml", "secret: hunter3\n");
    scene.run("secrets put inventory.yaml encryption encryption.yaml").expect(0);
    let compared = scene.run("diff inventory.yaml -o out").expect(1);
    assert!(compared.out.contains(path), "{}", compared.out);
    assert!(!compared.out.contains("hunter"), "{}", compared.out);
    scene.run("secrets drop inventory.yaml encryption").expect(0);
    scene
        .run("secrets drop inventory.yaml encryption")
        .expect(2)
        .says("holds no file `encryption`");
    scene.run("build inventory.yaml -o out").expect(1).says("secrets/no-file");
}

#[test]
fn a_rotation_that_would_leave_keys_in_place_is_refused() {
    let scene = Scene::demo();
    let key = root().join("src/secrets/testdata/rsa-2048.pem");
    scene.run(&format!("secrets import inventory.yaml ca/etcd {}", key.display())).expect(0);
    let before = scene.read("inventory.secrets.yaml");
    scene
        .run("secrets rotate inventory.yaml ca")
        .expect(2)
        .says("the bundle stores ca/etcd, which a new generation would not replace")
        .says("`hagen secrets import inventory.yaml ca/etcd new.key`");
    assert_eq!(scene.read("inventory.secrets.yaml"), before, "not by half either");
    scene.run("secrets rotate inventory.yaml service-account").expect(0);

    scene.run("secrets new inventory.yaml -o rsa.yaml --rsa 2048").expect(0);
    for area in ["ca", "service-account"] {
        scene
            .run(&format!("secrets rotate inventory.yaml {area} --secrets rsa.yaml"))
            .expect(2)
            .says("new.key --secrets rsa.yaml`");
    }
    scene.run("secrets rotate inventory.yaml leaves --secrets rsa.yaml").expect(0);

    scene.edit("inventory.secrets.yaml", "leaves: 1", "leaves: 4294967295");
    scene.run("secrets rotate inventory.yaml leaves").expect(2).says("last generation");
}

#[test]
fn a_date_that_no_certificate_can_have_is_refused() {
    let scene = Scene::demo();
    for date in ["0000-06-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"] {
        for verb in ["new inventory.yaml -o other.yaml", "renew inventory.yaml"] {
            scene.run(&format!("secrets {verb} --issued-at {date}")).expect(2).says("from 1970 on");
        }
    }
    for date in ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        scene.run(&format!("secrets renew inventory.yaml --issued-at {date}")).expect(0);
        scene.run(BUILD).expect(0);
        scene.run("secrets show inventory.yaml").expect(0);
    }
}

#[test]
fn an_old_kubeadm_gets_an_rsa_key_for_service_accounts_or_nothing_to_join() {
    let scene = Scene::demo();
    release(&scene, "1.21.14");
    scene.run("check inventory.yaml").expect(0);
    let refused = scene.run(BUILD).expect(1).says("[kubeadm/service-account-key]");
    for place in ["kubernetes: 1.21.14", "{name: cp2, "] {
        assert!(refused.err.contains(place), "no {place}:\n{}", refused.err);
    }
    std::fs::remove_file(scene.path("inventory.secrets.yaml")).unwrap();
    scene.run("secrets new --rsa 2048 inventory.yaml").expect(0);
    scene.run(BUILD).expect(0);
    let key = scene.read("out/nodes/cp2/rootfs/etc/kubernetes/pki/sa.key");
    assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----"));

    // Any bundle will do for a mended patch release, and for a control plane that nothing joins.
    let scene = Scene::demo();
    release(&scene, "1.24.6");
    scene.run(BUILD).expect(0);
    scene.edit("inventory.yaml", "1.24.6", "1.24.5");
    for joining in ["cp2", "cp3"] {
        let text = scene.read("inventory.yaml");
        let others = text.lines().filter(|line| !line.contains(&format!("{{name: {joining},")));
        scene.write("inventory.yaml", others.map(|line| format!("{line}\n")).collect::<String>());
    }
    scene.run("build inventory.yaml -o single").expect(0);

    // A running cluster keeps its bundle, and may exchange this one key.
    let scene = Scene::demo();
    release(&scene, "1.21.14");
    let key = root().join("src/secrets/testdata/rsa-2048.pem");
    let import = format!("secrets import inventory.yaml serviceAccount/key {}", key.display());
    scene.run(&import).expect(0);
    scene.run(BUILD).expect(0);
}

/// Writes what the help says behind the nodes' names: "write `podRange: R` at NODE, …".
fn pin(scene: &Scene, ran: &Ran) {
    let help = ran.err.split_once("help: write ").expect("a help").1;
    let help = help.lines().next().unwrap_or_default();
    for pin in help.split(", ") {
        let (key, node) = pin.split_once(" at ").expect("a node");
        let key = key.trim_matches('`');
        scene.edit(
            "inventory.yaml",
            &format!("{{name: {node},"),
            &format!("{{name: {node}, {key},"),
        );
    }
}

#[test]
fn ranges_of_pods_stay_with_their_nodes_where_the_help_is_followed() {
    type Change = (fn(&Scene), bool);
    let changes: [Change; 4] = [
        (swap, true),
        // One in front of others, and one that leaves.
        (|scene| scene.edit("inventory.yaml", CP2, &format!("{W0}{CP2}")), true),
        (|scene| scene.edit("inventory.yaml", CP2, ""), true),
        // Both at once: the others keep their places.
        (|scene| scene.edit("inventory.yaml", CP2, W0), false),
    ];
    for (change, moves) in changes {
        let scene = Scene::demo();
        bridge(&scene);
        scene.run(BUILD).expect(0);
        let before = scene.files("out");
        change(&scene);
        if moves {
            let refused = scene.run(BUILD).expect(1).says("[cluster/pod-range-moved]");
            pin(&scene, &refused);
        }
        scene.run(BUILD).expect(0);
        let after = scene.files("out");
        for node in ["cp1", "cp2", "cp3", "w1"] {
            let path = format!("nodes/{node}/rootfs/etc/cni/net.d/10-hagen.conflist");
            assert!(after.get(&path).is_none_or(|file| *file == before[&path]), "{node}");
        }
        // Elsewhere nothing stands that could move.
        scene.run("build inventory.yaml -o anew").expect(0);
    }
}
