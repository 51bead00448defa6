//! The build is a function of its inputs: it opens no socket, and time, time zone, locale,
//! environment and working folder leave no trace in the tree.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::cluster::{MINIMAL, build, files_under, inventory, name, new_bundle};
use crate::documents::read_yaml;
use crate::programs::{installed, run};

/// A bundle for the minimal cluster, and room for trees beside it.
fn workshop() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let said = read_yaml(&inventory(MINIMAL)).remove(0);
    new_bundle(name(&said), &folder.path().join("secrets.yaml"));
    folder
}

fn build_into(folder: &TempDir, out: &str) -> Command {
    build(&inventory(MINIMAL), &folder.path().join("secrets.yaml"), &folder.path().join(out))
}

/// The same command run by another program.
fn under(wrapper: &Path, arguments: &[&str], command: &Command) -> Command {
    let mut wrapped = Command::new(wrapper);
    wrapped.args(arguments).arg(command.get_program()).args(command.get_args());
    wrapped
}

#[test]
fn no_socket_is_opened() {
    let folder = workshop();
    let trace = folder.path().join("trace");
    let arguments =
        ["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o", trace.to_str().unwrap()];
    let traced = build_into(&folder, "out");
    run(&mut under(&installed("strace", "strace"), &arguments, &traced)).succeeded();
    assert_eq!(fs::read_to_string(&trace).unwrap(), "", "system calls of the network");
}

#[test]
fn a_build_needs_no_network() {
    let folder = workshop();
    let cut_off = build_into(&folder, "out");
    run(&mut under(&installed("unshare", "util-linux"), &["--net"], &cut_off)).succeeded();
}

#[test]
fn circumstances_leave_no_trace() {
    let folder = workshop();
    run(&mut build_into(&folder, "plain")).succeeded();
    let faketime = installed("faketime", "faketime");
    // Past the end of every certificate; the build warns and goes on.
    let elsewhere = build_into(&folder, "elsewhere");
    let mut elsewhere = under(&faketime, &["2061-03-04 05:06:07"], &elsewhere);
    elsewhere
        .env_clear()
        .envs([("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")])
        .envs([("HOME", "/nonexistent"), ("USER", "nobody"), ("RAYON_NUM_THREADS", "1")])
        .current_dir("/");
    run(&mut elsewhere).succeeded();

    let [plain, elsewhere] = ["plain", "elsewhere"].map(|out| folder.path().join(out));
    let names = |out: &Path| -> Vec<_> {
        let relative = |file: std::path::PathBuf| file.strip_prefix(out).unwrap().to_owned();
        files_under(out).into_iter().map(relative).collect()
    };
    assert_eq!(names(&plain), names(&elsewhere));
    for file in names(&plain) {
        let [one, other] = [&plain, &elsewhere].map(|out| fs::read(out.join(&file)).unwrap());
        assert!(one == other, "{} differs", file.display());
    }
}
