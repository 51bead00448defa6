//! What is no regular file, or is another user's: it holds nothing up and decides nothing.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::scene::{Ran, Scene, finished};

/// A pipe into which nobody writes, in place of what is at `path`.
fn pipe(path: &Path) {
    let _ = std::fs::remove_file(path);
    let _ = std::fs::remove_dir_all(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs `hagen`, which has to end by itself.
fn ends(scene: &Scene, arguments: &str) -> Ran {
    let hagen = scene.hagen(arguments);
    let mut command = Command::new("timeout");
    command.arg("30").arg(hagen.get_program()).args(hagen.get_args());
    let ran = finished(command.current_dir(scene.folder()).stdin(Stdio::null()));
    assert_ne!(ran.code, 124, "`hagen {arguments}` waits: {}", ran.err);
    ran
}

fn checkout() -> Scene {
    let scene = Scene::demo();
    let mut git = Command::new("git");
    finished(git.args(["init", "--quiet"]).current_dir(scene.folder())).expect(0);
    scene
}

#[test]
fn an_input_that_is_a_pipe_is_refused() {
    for (name, verb) in [
        ("inventory.yaml", "check inventory.yaml"),
        ("inventory.secrets.yaml", "build inventory.yaml -o out"),
        ("mine/x.j2", "build inventory.yaml -o out --templates mine"),
        ("key", "secrets put inventory.yaml site key"),
    ] {
        let scene = checkout();
        scene.write("mine/y.j2", "");
        pipe(&scene.path(name));
        ends(&scene, verb).expect(2).says(&format!("`{name}`")).says("it is a pipe").says("help:");
    }
    // A shell's own pipe is standard input by another name.
    let scene = Scene::demo();
    let mut shell = Command::new("bash");
    let hagen = env!("CARGO_BIN_EXE_hagen");
    let line = format!("{hagen} check <(sleep 0.2; cat inventory.yaml)");
    finished(shell.args(["-c", &line]).current_dir(scene.folder())).expect(0);
}

#[test]
fn a_pipe_among_what_git_has_is_believed_nothing() {
    for (name, says) in [
        (".gitignore", "[secrets/not-ignored]"),
        (".git/index", "its index cannot be read: it is a pipe"),
        (".git", "[secrets/index-unknown]"),
    ] {
        let scene = checkout();
        pipe(&scene.path(name));
        for verb in ["check inventory.yaml", "build inventory.yaml -o out --check"] {
            ends(&scene, verb).says(says);
        }
    }
    let scene = checkout();
    pipe(&scene.path(".git/info/exclude"));
    ends(&scene, "check inventory.yaml").expect(0);
    pipe(&scene.path(".gitignore"));
    ends(&scene, "secrets new inventory.yaml -o other.yaml").expect(2).says("it is a pipe");
}

#[test]
fn a_pipe_in_a_tree_holds_up_nobody() {
    let scene = Scene::demo();
    scene.edit("inventory.yaml", "nodes:\n", "cni: {plugin: bridge}\nnodes:\n");
    scene.run("build inventory.yaml -o out").expect(0);
    for file in scene.files("out").into_keys().filter(|file| file != "hagen.json") {
        let _ = std::fs::remove_file(scene.path(&format!("out/{file}")));
        pipe(&scene.path(&format!("out/{file}")));
    }
    ends(&scene, "build inventory.yaml -o out --check");
    ends(&scene, "build inventory.yaml -o out --in-place");
    pipe(&scene.path("out/hagen.json"));
    ends(&scene, "build inventory.yaml -o out --check");
}

/// Only root can give a file away.
#[test]
fn a_checkout_of_another_user_silences_nothing() {
    const NOBODY: Option<u32> = Some(65_534);
    for foreign in [".git", "."] {
        let scene = checkout();
        scene.write(".git/info/exclude", "*\n");
        std::fs::remove_file(scene.path(".gitignore")).unwrap();
        let said = scene.run("check inventory.yaml").expect(0).err;
        assert!(said.contains("nothing found"), "{said}");
        if chown(scene.path(foreign), NOBODY, NOBODY).is_err() {
            return;
        }
        let ran = scene.run("check inventory.yaml").expect(0);
        ran.says("[secrets/not-ignored]")
            .says("belongs to another user")
            .says("help: run hagen as");
        // Nor is its list of patterns, where it stands among the files.
        scene.write(".gitignore", "*\n");
        chown(scene.path(".gitignore"), NOBODY, NOBODY).unwrap();
        scene.run("check inventory.yaml").expect(0).says("[secrets/not-ignored]");
        chown(scene.path(".gitignore"), Some(0), None).unwrap();
        let said = scene.run("check inventory.yaml").expect(0).err;
        assert!(!said.contains("not-ignored") && said.contains("index-unknown"), "{said}");
    }
}
