//! Builds that meet each other, and builds that are stopped.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::scene::{Files, Scene, finished};

/// Two inventories of one cluster whose trees differ in nearly every file; large enough that a
/// build is met while it writes.
fn workshop() -> Scene {
    let scene = Scene::demo();
    let node =
        |n: u32| format!("  - {{name: x{n}, address: 192.168.1.{}, roles: [worker]}}\n", 100 + n);
    let workers = |count: u32| -> String { (0..count).map(node).collect() };
    let base = scene.read("inventory.yaml");
    let at = base.find("nodes:\n").unwrap() + "nodes:\n".len();
    let with = |count: u32| format!("{}{}{}", &base[..at], workers(count), &base[at..]);
    scene.write("one.yaml", with(12));
    scene.write("two.yaml", with(9).replace("port: 8443", "port: 9443"));
    scene.run("build one.yaml --secrets inventory.secrets.yaml -o one").expect(0);
    scene.run("build two.yaml --secrets inventory.secrets.yaml -o two").expect(0);
    scene
}

fn start(scene: &Scene, inventory: &str, how: &str) -> Child {
    let arguments = format!("build {inventory} --secrets inventory.secrets.yaml -o at/out {how}");
    scene.hagen(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Everything below `at/out` but nothing of a stage.
fn out(scene: &Scene) -> Files {
    scene.files("at/out").into_iter().filter(|(path, _)| !path.starts_with(".hagen-")).collect()
}

/// Whether a build is making its new files.
fn is_writing(scene: &Scene) -> bool {
    ["at", "at/out"].iter().any(|folder| {
        let entries = fs::read_dir(scene.path(folder)).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("hagen-"))
    })
}

/// Waits for that, or for the end.
fn wait_for_writing(scene: &Scene, child: &mut Child) {
    while !is_writing(scene) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(300));
    }
}

#[test]
fn two_builds_at_once_leave_one_tree() {
    let scene = workshop();
    let (one, two) = (scene.files("one"), scene.files("two"));
    let mut stopped = 0;
    for round in 0..8 {
        let how = if round % 2 == 0 { "--in-place" } else { "" };
        if round % 4 < 2 {
            let _ = fs::remove_dir_all(scene.path("at"));
        }
        fs::create_dir_all(scene.path("at")).unwrap();
        let first = start(&scene, "one.yaml", how);
        let second = start(&scene, "two.yaml", how);
        for child in [first, second] {
            let ended = child.wait_with_output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            if !ended.status.success() {
                assert_eq!(ended.status.code(), Some(2), "{said}");
                assert!(said.contains("[disk/busy]"), "{said}");
                stopped += 1;
            }
        }
        let left = scene.files("at/out");
        assert!(left == one || left == two, "{how}: a mix, {} files", left.len());
        assert_eq!(fs::read_dir(scene.path("at")).unwrap().count(), 1, "something is left beside");
    }
    eprintln!("8 rounds, {stopped} builds stopped");
}

#[test]
fn a_folder_that_another_build_holds_is_left_alone() {
    for how in ["", "--in-place"] {
        let scene = Scene::demo();
        scene.run("build inventory.yaml -o out").expect(0);
        let before = scene.files(".");
        scene.edit("inventory.yaml", "port: 8443", "port: 9443");
        let held = File::open(scene.path("out")).unwrap();
        held.lock().unwrap();
        let build = format!("build inventory.yaml -o out {how}");
        scene.run(&build).expect(2).says("[disk/busy]").says("wait until it has ended");
        scene.edit("inventory.yaml", "port: 9443", "port: 8443");
        assert_eq!(scene.files("."), before);
        // Whoever only looks need not wait.
        scene.run("diff inventory.yaml -o out").expect(0);
        scene.run("build inventory.yaml -o out --check").expect(0);
        drop(held);
        scene.run(&build).expect(0);
    }
}

#[test]
fn a_build_that_is_asked_to_end_removes_what_it_began() {
    let scene = workshop();
    let (one, two) = (scene.files("one"), scene.files("two"));
    let mut turned_back = 0;
    for round in 0..8 {
        let how = if round % 2 == 0 { "--in-place" } else { "" };
        let (signal, number) = if round % 4 < 2 { (Signal::INT, 2) } else { (Signal::TERM, 15) };
        let _ = fs::remove_dir_all(scene.path("at"));
        fs::create_dir(scene.path("at")).unwrap();
        assert!(start(&scene, "one.yaml", how).wait().unwrap().success());
        let mut child = start(&scene, "two.yaml", how);
        wait_for_writing(&scene, &mut child);
        let _ = kill_process(Pid::from_child(&child), signal);
        let ended = child.wait_with_output().unwrap();
        let left = scene.files("at/out");
        assert!(left == one || left == two, "{how}: a mix, {} files", left.len());
        assert_eq!(fs::read_dir(scene.path("at")).unwrap().count(), 1, "something is left beside");
        if left == one {
            turned_back += 1;
            assert_eq!(ended.status.signal(), Some(number), "{:?}", ended.status);
            let said = String::from_utf8(ended.stderr).unwrap();
            assert!(said.contains("a signal ended the build"), "{said}");
        }
    }
    assert!(turned_back > 0, "no build was met while it wrote");
}

/// What `git add .` would take, by path.
fn taken_by_git(scene: &Scene) -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--others", "--exclude-standard", "-z"]).current_dir(scene.path("at"));
    let ran = finished(git.env("GIT_CONFIG_GLOBAL", "/dev/null")).expect(0);
    ran.out.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn git_takes_no_key_of_a_build_that_was_killed() {
    let scene = workshop();
    let mut staged = 0;
    for round in 0..12 {
        let how = if round % 2 == 0 { "--in-place" } else { "" };
        let _ = fs::remove_dir_all(scene.path("at"));
        fs::create_dir(scene.path("at")).unwrap();
        finished(Command::new("git").args(["init", "--quiet"]).current_dir(scene.path("at")));
        if round % 4 < 2 {
            assert!(start(&scene, "one.yaml", how).wait().unwrap().success());
        }
        let mut child = start(&scene, "two.yaml", how);
        wait_for_writing(&scene, &mut child);
        std::thread::sleep(Duration::from_millis(round * 2));
        child.kill().unwrap();
        child.wait().unwrap();
        staged += u32::from(is_writing(&scene));
        for path in taken_by_git(&scene) {
            let bytes = fs::read(scene.path("at").join(&path)).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let key = text.contains(" PRIVATE KEY-----") || text.contains("client-key-data:");
            // The first file of a stage, which hides all others, has been given its name last.
            let first = path.ends_with("/.waiting.gitignore");
            // From its last step but one on, a stage has the finished tree's own, which names keys.
            let stage = scene.path("at").join(path.split('/').next().unwrap());
            let finished = fs::read(stage.join(".gitignore")).is_ok_and(|text| text != b"*\n");
            let of_stage = path.contains(".hagen-") && !first && !finished;
            assert!(!key && !of_stage, "{how}, round {round}: Git takes {path}");
        }
        let again = start(&scene, "two.yaml", how).wait_with_output().unwrap();
        assert!(again.status.success(), "round {round} {}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(out(&scene), scene.files("two"), "{how}");
        assert!(!is_writing(&scene), "the next build leaves what the killed one left");
    }
    assert!(staged > 0, "no build was killed while it wrote");
}
