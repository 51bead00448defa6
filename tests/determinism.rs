//! The promise: same inventory, same bundle, same bytes, whatever the machine is like.

use crate::scene::{Scene, finished};

#[test]
fn the_machine_leaves_no_trace_in_the_tree() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let out = scene.files("out");
    assert!(out.len() > 50);

    let elsewhere = Scene::new();
    let absolute = scene.path("inventory.yaml");
    let variations: [&[(&str, &str)]; 4] = [
        &[],
        &[("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")],
        &[("HOME", "/nonexistent"), ("USER", "nobody"), ("PWD", "/"), ("COLUMNS", "20")],
        &[("RAYON_NUM_THREADS", "1"), ("SOURCE_DATE_EPOCH", "1"), ("HAGEN_OUT", "x")],
    ];
    for (number, variables) in variations.iter().enumerate() {
        let folder = format!("out{number}");
        let mut command = elsewhere.hagen("build");
        command.arg(&absolute).args(["-o", &folder]);
        for (name, value) in *variables {
            command.env(name, value);
        }
        finished(&mut command).expect(0);
        assert_eq!(elsewhere.files(&folder), out, "{variables:?}");
    }
    // Nothing at all but the paths.
    let mut command = elsewhere.hagen("build");
    command.env_clear().arg(&absolute).args(["-o", "bare"]);
    finished(&mut command).expect(0);
    assert_eq!(elsewhere.files("bare"), out);
}

#[test]
fn many_threads_write_what_one_writes_and_a_worker_is_four_files() {
    let scene = Scene::demo();
    let workers: String = (1..=60)
        .map(|number| {
            format!(
                "  - {{name: x{number}, address: 192.168.1.{}, roles: [worker]}}\n",
                100 + number
            )
        })
        .collect();
    scene.write("inventory.yaml", scene.read("inventory.yaml") + &workers);
    for (folder, threads) in [("one", "1"), ("many", "16")] {
        let mut command = scene.hagen(&format!("build inventory.yaml -o {folder}"));
        finished(command.env("RAYON_NUM_THREADS", threads)).expect(0);
    }
    assert_eq!(scene.files("one"), scene.files("many"));
    // All else that a worker gets is what the others have.
    let mut own: Vec<_> =
        scene.files("one").into_keys().filter(|path| path.starts_with("nodes/x7/")).collect();
    own.sort_unstable();
    let expected = [
        "files.tsv",
        "node.sh",
        "rootfs/etc/kubernetes/discovery.conf",
        "rootfs/etc/kubernetes/kubeadm-join.yaml",
    ];
    assert_eq!(own, expected.map(|path| format!("nodes/x7/{path}")));
}

#[test]
fn a_lost_tree_is_built_again_and_an_unchanged_file_keeps_its_date() {
    let scene = Scene::demo();
    scene.run("build inventory.yaml -o out").expect(0);
    let before = scene.files("out");
    let date = |path: &str| std::fs::metadata(scene.path(path)).unwrap().modified().unwrap();
    let kept = "out/steps/shared/etc/kubernetes/pki/ca.crt";
    let first = date(kept);
    scene.edit("inventory.yaml", "port: 8443", "port: 9443");
    scene.run("build inventory.yaml -o out").expect(0);
    assert_ne!(scene.files("out"), before);
    assert_eq!(date(kept), first);
    std::fs::remove_dir_all(scene.path("out")).unwrap();
    scene.edit("inventory.yaml", "port: 9443", "port: 8443");
    scene.run("build inventory.yaml -o out").expect(0);
    assert_eq!(scene.files("out"), before);
}
