//! A build that is killed, or has no room, leaves the old tree or the new one, never a mix; and
//! the next build gives the new one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::cluster::{MINIMAL, Sources, build, files_under, prepare};
use crate::machine::Machine;
use crate::programs::{Ran, run};

/// Builds that are killed, spread over a whole build.
const KILLS: u32 = 100;
/// As many again, spread over the part of it that writes, which is short.
const KILLS_WHILE_WRITING: u32 = 100;
/// How often a build may end by itself before its moment to be killed comes, for each that is.
const TRIES: usize = 4;

/// What a folder holds, by path, with its permission bits; empty where it is not there.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

fn tree(folder: &Path) -> Tree {
    if !folder.exists() {
        return Tree::new();
    }
    let read = |file: &PathBuf| {
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o7777;
        (file.strip_prefix(folder).unwrap().to_owned(), (mode, fs::read(file).unwrap()))
    };
    files_under(folder).iter().map(read).collect()
}

/// The files that hold a private key, whole or begun, and may be read by others than their owner.
fn open(tree: &Tree) -> Vec<&Path> {
    let holds_key = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.contains(" PRIVATE KEY-----") || text.contains("client-key-data:")
    };
    let open = tree.iter().filter(|(_, (mode, bytes))| *mode != 0o600 && holds_key(bytes));
    open.map(|(path, _)| path.as_path()).collect()
}

/// Two clusters with one bundle that differ in nearly every file, and what they are built into.
struct Workshop {
    folder: TempDir,
    old: Sources,
    new: Sources,
}

impl Workshop {
    fn open() -> Self {
        // Not /tmp, of which a machine has its own.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let old = prepare(&MINIMAL, folder.path());
        let inventory = folder.path().join("new.yaml");
        let changed = MINIMAL.inventory().replace("port: 8443", "port: 9443").replace("w2", "w3");
        let more = "loadBalancer: {kind: nginx}\netcd: {mode: external}\n";
        fs::write(&inventory, changed + more).unwrap();
        let new = Sources { inventory, bundle: old.bundle.clone() };
        Self { folder, old, new }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A whole tree, to begin with or to compare with.
    fn built(&self, sources: &Sources, name: &str) -> Tree {
        run(&mut build(sources, &self.path(name))).succeeded();
        tree(&self.path(name))
    }
}

/// Removes the tree, and puts a copy of another one in its place.
fn restore(from: Option<&Path>, out: &Path) {
    if out.exists() {
        fs::remove_dir_all(out).unwrap();
    }
    for file in from.map(files_under).unwrap_or_default() {
        let to = out.join(file.strip_prefix(from.unwrap()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
}

/// Numbers from 0 to 1 that look random and are the same in every run (Knuth's MMIX generator).
fn moments(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// The folder in which a build makes the new tree.
fn stage(beside: &Path) -> bool {
    let entries = fs::read_dir(beside).unwrap().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".out.hagen-"))
}

/// What killed builds have left.
#[derive(Debug, Default)]
struct Left {
    /// The old tree, and a new one that is not whole beside it.
    writing: u32,
    /// The old tree.
    old: u32,
    /// The new tree.
    new: u32,
}

/// From which moment on a build is timed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Start,
    /// The first sight of [`stage`].
    Writing,
}

/// Builds of the new tree, in a folder of their own, that are killed.
struct Killer<'a> {
    workshop: &'a Workshop,
    beside: PathBuf,
}

impl<'a> Killer<'a> {
    fn new(workshop: &'a Workshop) -> Self {
        let beside = workshop.path("beside");
        fs::create_dir(&beside).unwrap();
        Self { workshop, beside }
    }

    fn out(&self) -> PathBuf {
        self.beside.join("out")
    }

    /// Starts a build, and kills it after a time; `None` lets it end. Returns how long it ran, and
    /// whether the signal ended it.
    fn build(&self, from: From, after: Option<Duration>) -> (Duration, bool) {
        let mut command = build(&self.workshop.new, &self.out());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ended = |child: &mut std::process::Child| child.try_wait().unwrap().is_some();
        while from == From::Writing && !stage(&self.beside) && !ended(&mut child) {
            std::thread::sleep(Duration::from_micros(200));
        }
        let begun = Instant::now();
        match after {
            Some(delay) => std::thread::sleep(delay),
            None => drop(child.wait().unwrap()),
        }
        child.kill().ok();
        let status = child.wait().unwrap();
        (begun.elapsed(), status.signal() == Some(9))
    }

    /// Kills so many builds of the new tree over an old one, or over nothing.
    fn kill(&self, from: From, kills: u32, seed: u64, saved: Option<&Path>) -> Left {
        let old = saved.map(tree).unwrap_or_default();
        let new = tree(&self.workshop.path("new"));
        let whole = |_| {
            restore(saved, &self.out());
            self.build(from, None).0
        };
        // What else the machine does only makes a build longer.
        let whole = (0..3).map(whole).min().unwrap();
        let (mut killed, mut left) = (0, Left::default());
        for moment in moments(seed).take(kills as usize * TRIES) {
            restore(saved, &self.out());
            let (_, by_signal) = self.build(from, Some(whole.mul_f64(moment * 1.1)));
            let out = tree(&self.out());
            let at = format!("seed {seed}, {from:?}, at {moment:.3} of {whole:?}");
            assert!(out == old || out == new, "{at}: a mix, {} files", out.len());
            let all = tree(&self.beside);
            assert!(open(&all).is_empty(), "{at}: others may read {:?}", open(&all));
            if by_signal {
                killed += 1;
                left.writing += u32::from(out == old && stage(&self.beside));
                left.old += u32::from(out == old);
                left.new += u32::from(out == new);
            }
            run(&mut build(&self.workshop.new, &self.out())).succeeded();
            assert!(tree(&self.out()) == new, "{at}: the next build gives another tree");
            let beside = fs::read_dir(&self.beside).unwrap().count();
            assert_eq!(beside, 1, "{at}: the next build leaves what the killed one left");
            if killed == kills {
                break;
            }
        }
        eprintln!("{killed} killed, seed {seed}, times from {from:?} on, {whole:?} long: {left:?}");
        assert_eq!(killed, kills, "most builds ended before their moment came");
        left
    }
}

#[test]
fn a_killed_build_leaves_the_old_tree_or_the_new_one() {
    let workshop = Workshop::open();
    let old = workshop.built(&workshop.old, "old");
    let new = workshop.built(&workshop.new, "new");
    assert!(open(&new).is_empty(), "others may read {:?}", open(&new));
    let shared = old.iter().filter(|(path, bytes)| new.get(*path) == Some(bytes)).count();
    // The steps are the same in every tree.
    assert!(shared * 5 < new.len() * 3, "{shared} of {} files are the same", new.len());
    let killer = Killer::new(&workshop);
    let saved = workshop.path("old");
    let any = killer.kill(From::Start, KILLS, 1, Some(&saved));
    let writing = killer.kill(From::Writing, KILLS_WHILE_WRITING, 2, Some(&saved));
    let first = killer.kill(From::Writing, KILLS / 5, 3, None);
    // Else they were no random moments of a build, and of its writing.
    assert!(any.old > 0 && writing.old > 0 && any.new + writing.new > 0, "{any:?} {writing:?}");
    assert!(writing.writing > 0 && first.writing > 0, "{writing:?} {first:?}");
}

/// A file system of its own for each build.
struct Disk<'a> {
    workshop: &'a Workshop,
    machine: Machine,
}

impl<'a> Disk<'a> {
    fn new(workshop: &'a Workshop) -> Self {
        let machine = Machine::start("disk");
        fs::create_dir(machine.path("/disk")).unwrap();
        Self { workshop, machine }
    }

    /// Builds the new tree over an old one, or over nothing, on a disk that is mounted with these
    /// options, and with others once the old tree is there. Returns what is there then.
    fn build(&self, saved: Option<&Path>, options: [&str; 2]) -> (Ran, Tree) {
        self.machine.run("mount", &["-t", "tmpfs", "-o", options[0], "tmpfs", "/disk"]).succeeded();
        let disk = self.machine.path("/disk");
        restore(saved, &disk.join("out"));
        let again = format!("remount,{}", options[1]);
        self.machine.run("mount", &["-o", &again, "/disk"]).succeeded();
        let Sources { inventory, bundle } = &self.workshop.new;
        let [inventory, bundle] = [inventory, bundle].map(|path| path.to_str().unwrap());
        let arguments = ["build", inventory, "--secrets", bundle, "-o", "/disk/out"];
        let ran = self.machine.run(env!("CARGO_BIN_EXE_hagen"), &arguments);
        let left = tree(&disk.join("out"));
        let beside = fs::read_dir(&disk).unwrap().count();
        assert!(beside <= 1, "something is left beside the tree: {ran}");
        self.machine.run("umount", &["/disk"]).succeeded();
        (ran, left)
    }

    /// The same with every size from `least` to `most`: first too small, then large enough.
    fn sizes(&self, saved: Option<&Path>, sizes: &[usize], option: &dyn Fn(usize) -> String) {
        let old = saved.map(tree).unwrap_or_default();
        let new = tree(&self.workshop.path("new"));
        let (mut full, mut fits) = (0, 0);
        for size in sizes {
            let limit = option(*size);
            let (ran, left) = self.build(saved, ["size=64m", &limit]);
            if ran.ok() {
                fits += 1;
                assert!(left == new, "{limit}: not the new tree\n{ran}");
            } else {
                full += 1;
                assert_eq!(ran.code, Some(2), "{limit}: {ran}");
                let said = ["disk/unwritable", "No space left on device"];
                assert!(said.iter().all(|words| ran.stderr.contains(words)), "{limit}: {ran}");
                assert!(left == old, "{limit}: not the old tree, {} files\n{ran}", left.len());
            }
        }
        eprintln!("{full} disks too small, {fits} large enough, from {sizes:?}");
        assert!(full > 2 && fits > 0, "{full} too small, {fits} large enough");
    }
}

/// Steps from `least` to `most`, both included.
fn steps(least: usize, most: usize, count: usize) -> Vec<usize> {
    (0..=count).map(|step| least + (most - least) * step / count).collect()
}

/// KiB that a tmpfs needs for a tree: whole pages.
fn pages(tree: &Tree) -> usize {
    tree.values().map(|(_, bytes)| bytes.len().div_ceil(4096) * 4).sum()
}

#[test]
fn a_full_disk_keeps_the_old_tree() {
    let workshop = Workshop::open();
    let old = workshop.built(&workshop.old, "old");
    let new = workshop.built(&workshop.new, "new");
    let disk = Disk::new(&workshop);
    let saved = workshop.path("old");
    let kib = |size| format!("size={size}k");
    let most = pages(&old) + pages(&new) + 64;
    disk.sizes(Some(&saved), &steps(pages(&old), most, 12), &kib);
    disk.sizes(None, &steps(4, pages(&new) + 64, 12), &kib);
    // No room for more files and folders, however small.
    let inodes = |count| format!("nr_inodes={count}");
    let least = 2 * old.len();
    disk.sizes(Some(&saved), &steps(least, least + 2 * new.len(), 8), &inodes);
}

#[test]
fn a_read_only_disk_keeps_the_old_tree() {
    let workshop = Workshop::open();
    let old = workshop.built(&workshop.old, "old");
    let disk = Disk::new(&workshop);
    let (ran, left) = disk.build(Some(&workshop.path("old")), ["size=64m", "ro"]);
    assert_eq!(ran.code, Some(2), "{ran}");
    let said = ["disk/unwritable", "Read-only file system"];
    assert!(said.iter().all(|words| ran.stderr.contains(words)), "{ran}");
    assert!(left == old, "{ran}");
}
