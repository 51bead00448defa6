use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::stage::discard;
use super::{BUSY, DiskError, Mode, Options, Written, compare, read_manifest, verify, write};
use crate::manifest::{About, Manifest};
use crate::tree::{Artifact, Origin, Tree};

mod foreign;

/// A scratch folder with the output folder `out` in it.
struct Scratch(tempfile::TempDir);

/// Name, bytes, private.
type Sketch<'a> = [(&'a str, &'a str, bool)];

const FIRST: &Sketch<'_> = &[
    ("README.md", "one\n", false),
    ("nodes/cp1/a.conf", "a\n", false),
    ("nodes/cp1/key", "k\n", true),
];
const SECOND: &Sketch<'_> = &[
    ("README.md", "two\n", false),
    ("nodes/cp1/a.conf", "a\n", false),
    ("nodes/cp2/key", "k\n", true),
];

const DOCS: &Sketch<'_> = &[("docs/a.md", "a\n", false)];

fn tree(files: &Sketch<'_>) -> Tree {
    let mut tree = Tree::new();
    for (path, text, secret) in files {
        let artifact = Artifact::public(*text, Origin::room("test"));
        tree.insert(*path, if *secret { artifact.secret() } else { artifact }).unwrap();
    }
    tree
}

fn mac(bytes: &[u8]) -> String {
    format!("{:064x}", bytes.len())
}

fn manifest(tree: &Tree, bundle: &str) -> Manifest {
    let about =
        About { cluster: "lab".to_owned(), bundle: bundle.to_owned(), certificates: Vec::new() };
    Manifest::from_tree(tree, about, &mac)
}

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.out().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn build(&self, files: &Sketch<'_>, mode: Mode) -> Result<Written, DiskError> {
        let tree = tree(files);
        loop {
            let manifest = manifest(&tree, "b1");
            let options = Options::default();
            match write(&tree, &manifest, Some(&mac), &self.out(), mode, options) {
                // A child that another test has just forked has the lock, until it is a program.
                Err(error) if error.code.id == BUSY.id => std::thread::yield_now(),
                written => return written,
            }
        }
    }

    fn refusal(&self, files: &Sketch<'_>, mode: Mode) -> DiskError {
        let before = snapshot(self.0.path());
        let error = self.build(files, mode).unwrap_err();
        assert_eq!(snapshot(self.0.path()), before, "a refusal changed something");
        error
    }

    fn inode(&self, path: &str) -> u64 {
        fs::metadata(self.at(path)).unwrap().ino()
    }

    fn permissions(&self, path: &str) -> u32 {
        fs::metadata(self.at(path)).unwrap().permissions().mode() & 0o7777
    }
}

/// Everything below `root`, with the content of files.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .map(|path| (path.clone(), path.is_file().then(|| fs::read(&path).unwrap())))
        .collect()
}

fn names(root: &Path) -> Vec<String> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    walk.map(|entry| entry.unwrap())
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(root).unwrap().display().to_string())
        .collect()
}

#[test]
fn a_first_build_makes_the_folder_and_those_above() {
    let scratch = Scratch::new();
    let out = scratch.0.path().join("a/b/out");
    let tree = tree(FIRST);
    let written =
        write(&tree, &manifest(&tree, "b1"), None, &out, Mode::Atomic, Options::default()).unwrap();
    assert_eq!((written.files, written.unchanged, written.removed), (4, 0, 0));
    assert_eq!(names(&out), ["README.md", "hagen.json", "nodes/cp1/a.conf", "nodes/cp1/key"]);
    assert_eq!(names(scratch.0.path()).len(), 4, "nothing is left beside it");
}

#[test]
fn private_files_are_closed_and_the_rest_is_open() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    assert_eq!(scratch.permissions("README.md"), 0o644);
    assert_eq!(scratch.permissions("nodes/cp1/key"), 0o600);
    assert_eq!(scratch.permissions("nodes/cp1"), 0o755);
    assert_eq!(scratch.permissions(""), 0o755);
}

#[test]
fn the_output_folder_keeps_its_own_mode() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        fs::create_dir(scratch.out()).unwrap();
        fs::set_permissions(scratch.out(), Permissions::from_mode(0o700)).unwrap();
        scratch.build(FIRST, mode).unwrap();
        scratch.build(SECOND, mode).unwrap();
        assert_eq!(scratch.permissions(""), 0o700);
    }
}

#[test]
fn an_unmodified_rebuild_touches_nothing() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        let inode = scratch.inode("");
        let written = scratch.build(FIRST, mode).unwrap();
        assert_eq!(written, Written { unchanged: 4, ..Written::default() });
        assert_eq!(scratch.inode(""), inode, "the folder was exchanged");
    }
}

#[test]
fn a_rebuild_keeps_unchanged_files_and_replaces_the_rest() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options()
            .write(true)
            .open(scratch.at("nodes/cp1/a.conf"))
            .unwrap()
            .set_modified(old)
            .unwrap();
        let readme = scratch.inode("README.md");
        let written = scratch.build(SECOND, mode).unwrap();
        assert_eq!((written.files, written.unchanged, written.removed), (3, 1, 1));
        assert_eq!(fs::metadata(scratch.at("nodes/cp1/a.conf")).unwrap().modified().unwrap(), old);
        assert_ne!(scratch.inode("README.md"), readme, "a file was written over in place");
        let expected = ["README.md", "hagen.json", "nodes/cp1/a.conf", "nodes/cp2/key"];
        assert_eq!(names(&scratch.out()), expected);
        assert_eq!(names(scratch.0.path()).len(), 4, "nothing is left beside it");
    }
}

#[test]
fn a_hard_linked_copy_of_the_old_tree_stays_as_it_was() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    let copy = scratch.0.path().join("copy");
    fs::hard_link(scratch.at("README.md"), &copy).unwrap();
    scratch.build(SECOND, Mode::Atomic).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), b"one\n");
}

#[test]
fn edited_loosened_and_lost_files_are_restored() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    scratch.put("README.md", "edited\n");
    fs::set_permissions(scratch.at("nodes/cp1/key"), Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(scratch.at("nodes/cp1/a.conf")).unwrap();
    assert_eq!(scratch.build(FIRST, Mode::Atomic).unwrap().files, 3);
    assert_eq!(scratch.permissions("nodes/cp1/key"), 0o600);
    assert_eq!(fs::read(scratch.at("README.md")).unwrap(), b"one\n");
}

#[test]
fn foreign_files_stay_the_very_same_files() {
    let scratch = Scratch::new();
    scratch.build(&[FIRST, DOCS].concat(), Mode::Atomic).unwrap();
    scratch.put("notes.txt", "mine\n");
    scratch.put("docs/notes.txt", "mine too\n");
    let inodes = [scratch.inode("notes.txt"), scratch.inode("docs/notes.txt")];
    scratch.build(&[SECOND, DOCS].concat(), Mode::Atomic).unwrap();
    assert_eq!(inodes, [scratch.inode("notes.txt"), scratch.inode("docs/notes.txt")]);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let scratch = Scratch::new();
    scratch.put("thesis.tex", "x");
    assert_eq!(scratch.refusal(FIRST, Mode::Atomic).code.id, "disk/foreign-folder");
    scratch.put("hagen.json", "{}");
    assert_eq!(scratch.refusal(FIRST, Mode::Atomic).code.id, "disk/foreign-folder");
    fs::remove_file(scratch.at("hagen.json")).unwrap();
    scratch.build(FIRST, Mode::InPlace).unwrap();
    assert_eq!(fs::read(scratch.at("thesis.tex")).unwrap(), b"x");
}

#[test]
fn foreign_content_is_refused_by_name() {
    let refused = |prepare: &dyn Fn(&Scratch), named: &str| {
        let scratch = Scratch::new();
        scratch.build(FIRST, Mode::Atomic).unwrap();
        prepare(&scratch);
        let error = scratch.refusal(SECOND, Mode::Atomic);
        assert_eq!(error.code.id, "disk/foreign-content");
        assert!(error.message.contains(named), "{error}");
        scratch.build(SECOND, Mode::InPlace).map(|_| scratch)
    };
    let scratch = refused(&|s| s.put(".git/HEAD", "x"), "`.git`, a Git repository").unwrap();
    assert!(scratch.at(".git/HEAD").exists());
    refused(&|s| s.put("mine/x", "x"), "`mine`, a folder that hagen did not make").unwrap();
    refused(&|s| symlink("/etc", s.at("etc")).unwrap(), "`etc`, a symbolic link").unwrap();
    let pipe = |s: &Scratch| {
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, s.at("p"), mode).unwrap();
    };
    refused(&pipe, "`p`, neither a file nor a folder").unwrap();
    // These are in the way in either mode.
    assert!(refused(&|s| s.put("nodes/cp2/key", "mine"), "`nodes/cp2/key`").is_err());
    assert!(refused(&|s| s.put("nodes/cp2/key/x", "mine"), "`nodes/cp2/key`").is_err());
}

#[test]
fn a_foreign_file_whose_folder_goes_is_refused() {
    let scratch = Scratch::new();
    scratch.build(DOCS, Mode::Atomic).unwrap();
    scratch.put("docs/notes.txt", "mine");
    let error = scratch.refusal(&[("README.md", "x\n", false)], Mode::Atomic);
    assert_eq!(error.code.id, "disk/foreign-content");
    scratch.build(&[("README.md", "x\n", false)], Mode::InPlace).unwrap();
    assert_eq!(names(&scratch.out()), ["README.md", "docs/notes.txt", "hagen.json"]);
}

#[test]
fn nothing_is_written_or_removed_through_a_symbolic_link() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        let elsewhere = scratch.0.path().join("elsewhere");
        fs::rename(scratch.at("nodes"), &elsewhere).unwrap();
        symlink(&elsewhere, scratch.at("nodes")).unwrap();
        let error = scratch.refusal(SECOND, mode);
        assert_eq!(error.code.id, "disk/foreign-content");
    }
}

#[test]
fn an_output_folder_that_is_a_symbolic_link_is_resolved_once() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.0.path().join("real")).unwrap();
    symlink("real", scratch.out()).unwrap();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    scratch.build(SECOND, Mode::Atomic).unwrap();
    assert!(fs::symlink_metadata(scratch.out()).unwrap().is_symlink());
    assert_eq!(fs::read(scratch.0.path().join("real/README.md")).unwrap(), b"two\n");
}

#[test]
fn a_tree_of_another_bundle_is_refused_unless_meant() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    let tree = tree(SECOND);
    let manifest = manifest(&tree, "b2");
    for mode in [Mode::Atomic, Mode::InPlace] {
        let out = scratch.out();
        let written = write(&tree, &manifest, Some(&mac), &out, mode, Options::default());
        let error = written.unwrap_err();
        assert_eq!(error.code.id, "disk/other-bundle");
    }
    let options = Options { other_bundle_ok: true };
    write(&tree, &manifest, Some(&mac), &scratch.out(), Mode::Atomic, options).unwrap();
    assert_eq!(read_manifest(&scratch.out()).unwrap().unwrap().bundle, "b2");
}

#[test]
fn what_is_no_folder_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.out(), "x").unwrap();
    assert_eq!(scratch.refusal(FIRST, Mode::Atomic).code.id, "disk/unwritable");
    fs::remove_file(scratch.out()).unwrap();
    symlink("nowhere", scratch.out()).unwrap();
    assert_eq!(scratch.refusal(FIRST, Mode::Atomic).code.id, "disk/unwritable");
}

#[test]
fn a_build_that_fails_half_way_leaves_the_old_tree_and_no_litter() {
    // Longer than PATH_MAX (4096): the operating system refuses it after other files are there.
    let long = vec!["x".repeat(250); 20].join("/");
    let broken: &Sketch<'_> = &[("README.md", "two\n", false), (&long, "x\n", false)];
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        assert_eq!(scratch.refusal(broken, mode).code.id, "disk/unwritable");
    }
}

#[test]
fn abandoned_work_is_cleared_and_living_work_is_not() {
    let scratch = Scratch::new();
    let beside = |name: &str| scratch.0.path().join(name);
    for name in [".out.hagen-4194305", ".out.hagen-4194306", ".out.hagen-x", ".other.hagen-1"] {
        fs::create_dir(beside(name)).unwrap();
        fs::write(beside(name).join("half"), "x").unwrap();
    }
    let living = File::open(beside(".out.hagen-4194306")).unwrap();
    living.try_lock().unwrap();
    scratch.put(".hagen-4194305/half", "x");
    scratch.build(FIRST, Mode::Atomic).unwrap();
    assert!(!beside(".out.hagen-4194305").exists() && !scratch.at(".hagen-4194305").exists());
    assert!(beside(".out.hagen-4194306").exists());
    assert!(beside(".out.hagen-x").exists() && beside(".other.hagen-1").exists());
}

#[test]
fn what_another_user_plants_beside_the_target_is_left_alone() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        fs::create_dir(scratch.out()).unwrap();
        let [planted, inside] =
            [scratch.0.path().join(".out.hagen-4194305"), scratch.at(".hagen-4194305")];
        for folder in [&planted, &inside] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("half"), "x").unwrap();
            std::os::unix::fs::chown(folder, Some(1234), Some(1234)).unwrap();
        }
        let built = scratch.build(FIRST, mode);
        assert!(planted.join("half").exists() && inside.join("half").exists());
        assert_eq!(built.is_ok(), mode == Mode::InPlace, "no exchange may lose what is inside");
    }
}

#[test]
fn abandoned_work_is_cleared_in_its_own_folder_whatever_its_path_leads_to() {
    let scratch = Scratch::new();
    let [stage, away, mine] = ["stage", "away", "mine"].map(|name| scratch.0.path().join(name));
    for folder in [&stage, &mine] {
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(folder.join("a/file"), "x").unwrap();
    }
    symlink(&mine, stage.join("link")).unwrap();
    let folder = Folder::open(&stage).unwrap();
    fs::rename(&stage, &away).unwrap();
    symlink(&mine, &stage).unwrap();
    discard(&folder, &stage);
    assert_eq!(names(&mine), ["a/file"]);
    assert_eq!(fs::read_dir(&away).unwrap().count(), 0, "it is what was opened that is cleared");
    assert!(Folder::open(&stage).is_err(), "a link is no stage");
}

#[test]
fn abandoned_work_is_cleared_where_nothing_else_is_to_be_done() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    // Killed between the exchange and the removal of the old tree.
    fs::create_dir(scratch.0.path().join(".out.hagen-4194305")).unwrap();
    assert_eq!(scratch.build(FIRST, Mode::Atomic).unwrap().files, 0);
    assert!(!scratch.0.path().join(".out.hagen-4194305").exists());
}

#[test]
fn an_interrupted_in_place_build_can_be_finished() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::InPlace).unwrap();
    // Everything but the manifest, which is renamed last.
    scratch.put("nodes/cp2/key", "k\n");
    fs::remove_file(scratch.at("nodes/cp1/key")).unwrap();
    scratch.build(SECOND, Mode::InPlace).unwrap();
    assert_eq!(scratch.permissions("nodes/cp2/key"), 0o600);
}

#[test]
fn a_file_may_take_the_place_of_a_folder() {
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(&[("a/b/c", "x\n", false)], mode).unwrap();
        scratch.build(&[("a", "x\n", false)], mode).unwrap();
        scratch.build(&[("a/b/c", "x\n", false)], mode).unwrap();
        assert_eq!(names(&scratch.out()), ["a/b/c", "hagen.json"]);
    }
}

/// Only root can give files away, so nobody else can be tricked like this.
#[test]
fn no_file_of_another_user_s_stays_in_the_tree() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        scratch.build(FIRST, mode).unwrap();
        let files = ["README.md", "nodes/cp1/a.conf", "nodes/cp1/key", "hagen.json"];
        for path in files {
            std::os::unix::fs::chown(scratch.at(path), Some(1234), Some(1234)).unwrap();
        }
        let theirs = files.map(|path| scratch.inode(path));
        let tree = tree(FIRST);
        let found = compare(&tree, &manifest(&tree, "b1"), None, &scratch.out(), false).unwrap();
        assert!(found.is_same() && found.mode_changed.len() == 4, "{found:?}");
        assert_eq!(scratch.build(FIRST, mode).unwrap().files, 4);
        for (path, inode) in files.iter().zip(theirs) {
            let metadata = fs::metadata(scratch.at(path)).unwrap();
            assert!(metadata.uid() == 0 && metadata.gid() == 0, "{path}");
            assert_ne!(metadata.ino(), inode, "{path}: who had it open can still write to it");
        }
    }
}

#[test]
fn nothing_is_linked_from_a_folder_of_another_user_s() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    std::os::unix::fs::chown(scratch.out(), Some(1234), Some(1234)).unwrap();
    let kept = scratch.inode("nodes/cp1/a.conf");
    scratch.build(SECOND, Mode::Atomic).unwrap();
    assert_ne!(
        scratch.inode("nodes/cp1/a.conf"),
        kept,
        "it could be exchanged before it is linked"
    );
    assert_eq!(fs::metadata(scratch.out()).unwrap().uid(), 0);
}

#[test]
fn the_tree_s_own_gitignore_takes_the_place_of_the_stage_s() {
    let ignoring: &Sketch<'_> =
        &[("README.md", "x\n", false), (".gitignore", "/nodes/cp1/key\n", false)];
    for mode in [Mode::Atomic, Mode::InPlace] {
        let scratch = Scratch::new();
        for files in [ignoring, FIRST, ignoring] {
            scratch.build(files, mode).unwrap();
            let own = fs::read(scratch.at(".gitignore")).ok();
            let wanted = (files == ignoring).then(|| b"/nodes/cp1/key\n".to_vec());
            assert_eq!(own, wanted, "{mode:?}");
        }
        assert_eq!(names(&scratch.out()), [".gitignore", "README.md", "hagen.json"]);
        let before = scratch.inode(".gitignore");
        scratch.build(&[ignoring[0], ignoring[1], FIRST[1]], mode).unwrap();
        assert_eq!(scratch.inode(".gitignore"), before, "it is unchanged");
    }
}

#[test]
fn many_files_in_many_folders_are_written() {
    let scratch = Scratch::new();
    let paths: Vec<String> = (0..400).map(|n| format!("nodes/n{}/f{n}", n % 7)).collect();
    let files: Vec<_> = paths.iter().map(|path| (path.as_str(), "x\n", false)).collect();
    assert_eq!(scratch.build(&files, Mode::Atomic).unwrap().files, 401);
    assert_eq!(names(&scratch.out()).len(), 401);
}

#[test]
fn a_comparison_lists_what_a_build_would_change() {
    let scratch = Scratch::new();
    let compared = |files: &Sketch<'_>, public_only| {
        let tree = tree(files);
        compare(&tree, &manifest(&tree, "b1"), Some(&mac), &scratch.out(), public_only).unwrap()
    };
    assert_eq!(compared(FIRST, false).added.len(), 4);
    scratch.build(FIRST, Mode::Atomic).unwrap();
    assert!(compared(FIRST, false).is_same());
    let comparison = compared(SECOND, false);
    assert_eq!(comparison.added, ["nodes/cp2/key"]);
    assert_eq!(comparison.removed, ["nodes/cp1/key"]);
    let changed: Vec<_> = comparison.changed.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["README.md", "hagen.json"]);
    assert_eq!(comparison.changed[0].old.as_deref(), Some(&b"one\n"[..]));

    fs::set_permissions(scratch.at("README.md"), Permissions::from_mode(0o664)).unwrap();
    assert_eq!(compared(FIRST, false).mode_changed, ["README.md"]);
    assert!(compared(FIRST, false).is_same());

    fs::write(scratch.at("nodes/cp1/key"), "other\n").unwrap();
    let changed = compared(FIRST, true).changed;
    assert_eq!((changed.len(), changed[0].old.as_ref()), (1, None), "a private file is shown");
    fs::remove_file(scratch.at("nodes/cp1/key")).unwrap();
    assert!(compared(FIRST, true).is_same());
    assert!(!compared(FIRST, false).is_same());
}

#[test]
fn a_folder_is_verified_against_its_own_manifest() {
    let scratch = Scratch::new();
    scratch.build(FIRST, Mode::Atomic).unwrap();
    let manifest = read_manifest(&scratch.out()).unwrap().unwrap();
    let verified =
        |mac: Option<&crate::manifest::Mac<'_>>| verify(&scratch.out(), &manifest, mac).unwrap();
    assert_eq!(verified(Some(&mac)), super::Verification::default());
    assert_eq!(verified(None).unchecked, ["nodes/cp1/key"]);
    scratch.put("README.md", "edited\n");
    scratch.put("nodes/cp1/key", "longer\n");
    scratch.put("mine/x", "x");
    fs::remove_file(scratch.at("nodes/cp1/a.conf")).unwrap();
    let verification = verified(Some(&mac));
    assert_eq!(verification.changed, ["README.md", "nodes/cp1/key"]);
    assert_eq!(verification.missing, ["nodes/cp1/a.conf"]);
    assert_eq!(verification.foreign, ["mine"]);
}
