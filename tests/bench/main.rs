//! What a build costs: `cargo bench`, or `cargo bench --bench build -- 10 1000` for these numbers
//! of nodes only. Prints one line per inventory, the best of several runs in each column:
//!
//! * *compile*: text to tree in this process;
//! * *build*: `hagen build` into a new folder, from start to exit, synced to disk;
//! * *again*: the same build over its own output, where nothing changes;
//! * *copy*: `cp -r` of that output and `sync -f`, what writing the same bytes costs;
//! * *memory*: the most that the build had resident.
//!
//! Where tests/real has built a kubeadm, its own issuing of one control plane's certificates
//! stands beside them.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark reads the clock, starts programs and prints"
)]

mod inventory;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hagen::compile::{Inputs, Outcome, compile};
use hagen::report::Report;
use hagen::secrets::Bundle;
use tempfile::TempDir;

/// Builds and copies of each inventory; the fastest of each counts.
const RUNS: u32 = 5;

fn main() {
    // Cargo passes `--bench`.
    let asked: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    // Nothing is removed before the end: for a minute an ext4 without a journal looks at each inode
    // that was freed before it takes another (`find_inode_bit` in fs/ext4/ialloc.c), and a build
    // takes up to ten times as long. So does the next benchmark within that minute.
    let mut folders = Vec::new();
    println!(
        "{:>22} {:>6} {:>9} {:>6} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9}",
        "inventory",
        "files",
        "size",
        "certs",
        "compile",
        "build",
        "again",
        "copy",
        "ratio",
        "memory"
    );
    if asked.is_empty() {
        let guide = root().join("golden/clusters/haproxy-keepalived");
        let read = |name: &str| std::fs::read_to_string(guide.join(name)).unwrap();
        let (inventory, secrets) = (read("inventory.yaml"), read("inventory.secrets.yaml"));
        let bundle = Bundle::read("guide", secrets.as_bytes(), &mut Report::new()).unwrap();
        folders.push(line("haproxy-keepalived", &inventory, &bundle));
    }
    let counts = if asked.is_empty() { vec![10, 100, 1000] } else { asked };
    let date = time::OffsetDateTime::from_unix_timestamp(1_793_491_200).unwrap();
    let bundle = Bundle::new("bench", [7; 32], date);
    for count in counts {
        folders.push(line(&format!("{count} nodes"), &inventory::of(count), &bundle));
    }
    kubeadm();
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Prints a line and gives the folder with all that was built for it.
fn line(name: &str, inventory: &str, bundle: &Bundle) -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("inventory.yaml");
    std::fs::write(&file, inventory).unwrap();
    let (compiled, outcome) = compiled(inventory, bundle);
    let tree = outcome.tree.unwrap_or_else(|| panic!("{name}: {:#?}", outcome.report.findings()));
    let bytes: usize = tree.iter().map(|(_, artifact)| artifact.bytes.len()).sum();
    let certificates = outcome.manifest.map_or(0, |manifest| manifest.certificates.len());

    let secrets = folder.path().join("inventory.secrets.yaml");
    std::fs::write(&secrets, bundle.to_yaml().as_bytes()).unwrap();
    let run = |number: u32| {
        let out = folder.path().join(format!("out{number}"));
        let (built, memory) = build(&file, &out);
        let (again, _) = build(&file, &out);
        let copy = folder.path().join(format!("copy{number}"));
        let copied = timed(|| {
            ran(Command::new("cp").arg("-r").args([&out, &copy]));
            ran(Command::new("sync").arg("-f").arg(&copy));
        });
        (built, again, copied, memory)
    };
    let runs: Vec<_> = (0..RUNS).map(run).collect();
    let best = |column: fn(&(Duration, Duration, Duration, u64)) -> Duration| {
        runs.iter().map(column).min().unwrap_or_default()
    };
    let (built, again, copied) = (best(|run| run.0), best(|run| run.1), best(|run| run.2));
    let memory = runs.iter().map(|run| run.3).max().unwrap_or_default();
    println!(
        "{name:>22} {:>6} {:>9} {certificates:>6} {:>9} {:>9} {:>9} {:>9} {:>6.2} {:>9}",
        tree.iter().count() + 1,
        size(bytes as u64),
        milliseconds(compiled),
        milliseconds(built),
        milliseconds(again),
        milliseconds(copied),
        built.as_secs_f64() / copied.as_secs_f64(),
        size(memory),
    );
    folder
}

/// The fastest of several compiles, and what came out.
fn compiled(inventory: &str, bundle: &Bundle) -> (Duration, Outcome) {
    let once = || {
        let start = Instant::now();
        let outcome = compile(&Inputs {
            name: "inventory.yaml",
            inventory: inventory.as_bytes(),
            bundle: Some(bundle),
            templates: [].into(),
        });
        (start.elapsed(), outcome)
    };
    (0..RUNS).map(|_| once()).min_by_key(|(elapsed, _)| *elapsed).unwrap()
}

fn hagen() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hagen"))
}

/// `hagen build` as a user runs it: how long, and how much memory at most.
fn build(inventory: &Path, out: &Path) -> (Duration, u64) {
    let mut memory = 0;
    let elapsed = timed(|| {
        let mut command = hagen();
        command.arg("build").arg(inventory).arg("-o").arg(out);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            memory = memory.max(resident(&child).unwrap_or(memory));
            std::thread::sleep(Duration::from_micros(500));
        }
        assert!(child.wait().unwrap().success());
    });
    (elapsed, memory)
}

/// The most that a running program has had in memory so far, in bytes; see proc(5), `VmHWM`.
fn resident(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

/// One control plane's certificates as kubeadm draws and signs them, for comparison.
fn kubeadm() {
    let programs = walkdir::WalkDir::new(root().join("target/real/bin")).sort_by_file_name();
    let found =
        programs.into_iter().flatten().filter(|entry| entry.file_name() == "kubeadm").last();
    let Some(program) = found else { return };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let elapsed = timed(|| {
        let mut command = Command::new(program.path());
        command.args(["init", "phase", "certs", "all", "--apiserver-advertise-address=10.0.0.1"]);
        ran(command.arg("--cert-dir").arg(folder.path()));
    });
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    println!(
        "kubeadm init phase certs all, one control plane: {files} entries, {}",
        milliseconds(elapsed)
    );
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn ran(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn milliseconds(elapsed: Duration) -> String {
    format!("{:.1} ms", elapsed.as_secs_f64() * 1000.0)
}

fn size(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
}
