//! What is not of the tree, and what a tree's own listing may claim.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{FIRST, SECOND, Scratch, Sketch, mac, manifest, names, snapshot, tree};
use crate::disk::{
    Comparison, DiskError, Mode, Options, Verification, Written, compare, read_manifest, verify,
    write,
};
use crate::manifest::{self, About, Manifest};
use crate::tree::sha256;

const ROLLED_OUT: &Sketch<'_> = &[
    ("README.md", "one\n", false),
    ("cluster/admin.conf", "k\n", true),
    ("nodes/cp1/key", "k\n", true),
    ("steps/lib.sh", "x\n", false),
];

fn compared(scratch: &Scratch, files: &Sketch<'_>) -> Comparison {
    let tree = tree(files);
    compare(&tree, &manifest(&tree, "b1"), Some(&mac), &scratch.out(), false).unwrap()
}

fn verified(scratch: &Scratch) -> Verification {
    let manifest = read_manifest(&scratch.out()).unwrap().unwrap();
    verify(&scratch.out(), &manifest, Some(&mac)).unwrap()
}

/// Builds with a bundle that has another id and other keys.
fn build_anew(scratch: &Scratch, files: &Sketch<'_>, mode: Mode) -> Result<Written, DiskError> {
    let other = |bytes: &[u8]| format!("b2{:062x}", bytes.len());
    let tree = tree(files);
    let (cluster, bundle) = ("lab".to_owned(), "b2".to_owned());
    let about = About { cluster, bundle, certificates: Vec::new() };
    let manifest = Manifest::from_tree(&tree, about, &other);
    let options = Options { other_bundle_ok: true };
    write(&tree, &manifest, Some(&other), &scratch.out(), mode, options)
}

/// Has `hagen.json` list one more public file.
fn list(scratch: &Scratch, path: &str, text: &str) {
    let mut manifest = read_manifest(&scratch.out()).unwrap().unwrap();
    let mut entry = manifest.files[0].clone();
    entry.path = path.to_owned();
    entry.fingerprint = format!("sha256:{}", sha256(text.as_bytes()));
    manifest.files.push(entry);
    fs::write(scratch.at(manifest::PATH), manifest.to_bytes()).unwrap();
}

#[test]
fn nothing_foreign_is_among_what_is_rolled_out() {
    type Plant = fn(&Scratch, &str);
    let file: Plant = |scratch, path| scratch.put(path, "mine");
    let link: Plant = |scratch, path| symlink("/etc", scratch.at(path)).unwrap();
    let folder: Plant = |scratch, path| fs::create_dir(scratch.at(path)).unwrap();
    let pipe: Plant = |scratch, path| {
        let (folder, mode) = (rustix::fs::CWD, rustix::fs::Mode::RUSR);
        rustix::fs::mkfifoat(folder, scratch.at(path), mode).unwrap();
    };
    for (path, plant) in [
        ("steps/node.sh", file),
        ("steps/rootfs", folder),
        ("nodes/cp1/x", file),
        ("nodes/link", link),
        ("nodes/cp1/pipe", pipe),
        ("cluster/x", file),
    ] {
        let scratch = Scratch::new();
        scratch.build(ROLLED_OUT, Mode::Atomic).unwrap();
        assert!(verified(&scratch).is_whole() && compared(&scratch, ROLLED_OUT).is_same());
        plant(&scratch, path);
        assert_eq!(verified(&scratch).foreign, [path]);
        assert!(!verified(&scratch).is_whole(), "{path}");
        assert_eq!(compared(&scratch, ROLLED_OUT).foreign, [path]);
        assert!(!compared(&scratch, ROLLED_OUT).is_same(), "{path}");
        for mode in [Mode::Atomic, Mode::InPlace] {
            let error = scratch.refusal(ROLLED_OUT, mode);
            assert_eq!(error.code.id, "disk/foreign-content");
            assert!(error.message.contains(&format!("`{path}`")), "{error}");
            assert!(!error.help.contains("--in-place"), "that would not help: {}", error.help);
        }
        fs::rename(scratch.at(path), scratch.0.path().join("moved")).unwrap();
        scratch.build(ROLLED_OUT, Mode::InPlace).unwrap();
        scratch.build(ROLLED_OUT, Mode::Atomic).unwrap();
    }
}

#[test]
fn foreign_files_elsewhere_are_no_difference() {
    let scratch = Scratch::new();
    scratch.build(ROLLED_OUT, Mode::Atomic).unwrap();
    scratch.put("notes.md", "mine");
    scratch.put("stepson/notes.md", "mine");
    assert_eq!(verified(&scratch).foreign, ["notes.md", "stepson"]);
    assert!(verified(&scratch).is_whole() && compared(&scratch, ROLLED_OUT).is_same());
    scratch.build(ROLLED_OUT, Mode::InPlace).unwrap();
    assert!(scratch.at("notes.md").exists() && scratch.at("stepson/notes.md").exists());
}

#[test]
fn an_edited_manifest_gives_no_file_of_the_user_s_away() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        scratch.put("notes.md", "mine");
        scratch.put("other.md", "mine");
        list(&scratch, "notes.md", "mine");
        list(&scratch, "other.md", "another text");
        assert_eq!(compared(&scratch, SECOND).removed, ["nodes/cp1/key"]);
        scratch.build(SECOND, mode).unwrap();
        let left = ["README.md", "hagen.json", "nodes/cp1/a.conf", "nodes/cp2/key"];
        assert_eq!(names(&scratch.out()), [&left[..], &["notes.md", "other.md"]].concat());
        assert!(compared(&scratch, SECOND).is_same());
    }
}

#[test]
fn what_a_manifest_of_the_same_bundle_lists_is_hagen_s() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        let more = [FIRST, &[("notes.md", "hagen's", false)]].concat();
        scratch.build(&more, mode).unwrap();
        scratch.put("notes.md", "edited");
        scratch.put("nodes/cp1/key", "edited");
        scratch.build(SECOND, mode).unwrap();
        assert!(!scratch.at("notes.md").exists() && !scratch.at("nodes/cp1/key").exists());
    }
}

#[test]
fn an_edited_manifest_still_tells_what_left_the_tree() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        let more = [FIRST, &[("nodes/cp3/b.conf", "b\n", false)]].concat();
        scratch.build(&more, mode).unwrap();
        list(&scratch, "steps/none", "");
        // As hagen made it, private or not, it goes; edited, it may be somebody's.
        scratch.put("nodes/cp3/b.conf", "edited\n");
        assert_eq!(compared(&scratch, SECOND).foreign, ["nodes/cp3/b.conf"]);
        let error = scratch.refusal(SECOND, mode);
        assert!(error.message.contains("`nodes/cp3/b.conf`, a file that hagen.json"), "{error}");
        scratch.put("nodes/cp3/b.conf", "b\n");
        assert_eq!(scratch.build(SECOND, mode).unwrap().removed, 2);
    }
}

#[test]
fn no_private_file_of_another_bundle_is_left_unsaid() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        let more = [FIRST, &[("nodes/cp3/b.conf", "b\n", false)]].concat();
        scratch.build(&more, mode).unwrap();
        let before = snapshot(scratch.0.path());
        let error = build_anew(&scratch, SECOND, mode).unwrap_err();
        assert!(error.message.contains("`nodes/cp1/key`, a file that hagen.json"), "{error}");
        assert_eq!(snapshot(scratch.0.path()), before, "a refusal changed something");
        fs::remove_file(scratch.at("nodes/cp1/key")).unwrap();
        build_anew(&scratch, SECOND, mode).unwrap();
        let left = ["README.md", "hagen.json", "nodes/cp1/a.conf", "nodes/cp2/key"];
        assert_eq!(names(&scratch.out()), left, "what fits its fingerprint goes");
        assert_eq!(verified(&scratch).missing, [""; 0]);
    }
}

#[test]
fn a_private_file_that_others_may_read_is_named() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        for open in [0o644, 0o640, 0o602] {
            let open = Permissions::from_mode(open);
            fs::set_permissions(scratch.at("nodes/cp1/key"), open.clone()).unwrap();
            fs::set_permissions(scratch.at("README.md"), open).unwrap();
            assert_eq!(verified(&scratch).readable, ["nodes/cp1/key"]);
            assert!(!verified(&scratch).is_whole());
            assert_eq!(compared(&scratch, FIRST).readable, ["nodes/cp1/key"]);
            assert!(!compared(&scratch, FIRST).is_same());
            scratch.build(FIRST, mode).unwrap();
            assert_eq!(scratch.permissions("nodes/cp1/key"), 0o600);
            assert!(verified(&scratch).is_whole() && compared(&scratch, FIRST).is_same());
        }
    }
}
