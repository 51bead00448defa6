//! The build is a function of its inputs: it opens no socket, and time, time zone, locale,
//! environment and working folder leave no trace in the tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::cluster::{MINIMAL, Sources, build, files_under, prepare};
use crate::programs::{installed, run};

/// The minimal cluster, and room for trees beside it.
struct Workshop {
    folder: TempDir,
    sources: Sources,
}

impl Workshop {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = prepare(&MINIMAL, folder.path());
        Self { folder, sources }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn build(&self, out: &str) -> Command {
        build(&self.sources, &self.path(out))
    }
}

/// The same command run by another program.
fn under(wrapper: &Path, arguments: &[&str], command: &Command) -> Command {
    let mut wrapped = Command::new(wrapper);
    wrapped.args(arguments).arg(command.get_program()).args(command.get_args());
    wrapped
}

#[test]
fn no_socket_is_opened() {
    let workshop = Workshop::open();
    let trace = workshop.path("trace");
    let arguments =
        ["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o", trace.to_str().unwrap()];
    let traced = workshop.build("out");
    run(&mut under(&installed("strace", "strace"), &arguments, &traced)).succeeded();
    assert_eq!(fs::read_to_string(&trace).unwrap(), "", "system calls of the network");
}

#[test]
fn a_build_needs_no_network() {
    let workshop = Workshop::open();
    let cut_off = workshop.build("out");
    run(&mut under(&installed("unshare", "util-linux"), &["--net"], &cut_off)).succeeded();
}

#[test]
fn circumstances_leave_no_trace() {
    let workshop = Workshop::open();
    run(&mut workshop.build("plain")).succeeded();
    let faketime = installed("faketime", "faketime");
    // Past the end of every certificate; the build warns and goes on.
    let elsewhere = workshop.build("elsewhere");
    let mut elsewhere = under(&faketime, &["2061-03-04 05:06:07"], &elsewhere);
    elsewhere
        .env_clear()
        .envs([("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")])
        .envs([("HOME", "/nonexistent"), ("USER", "nobody"), ("RAYON_NUM_THREADS", "1")])
        .current_dir("/");
    run(&mut elsewhere).succeeded();

    let [plain, elsewhere] = ["plain", "elsewhere"].map(|out| workshop.path(out));
    let names = |out: &Path| -> Vec<_> {
        let relative = |file: PathBuf| file.strip_prefix(out).unwrap().to_owned();
        files_under(out).into_iter().map(relative).collect()
    };
    assert_eq!(names(&plain), names(&elsewhere));
    for file in names(&plain) {
        let [one, other] = [&plain, &elsewhere].map(|out| fs::read(out.join(&file)).unwrap());
        assert!(one == other, "{} differs", file.display());
    }
}
