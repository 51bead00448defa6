//! Machines for one test: the host's file system copy on write, with network, host name and
//! processes of their own. They and all that runs in them end when the value is dropped, even
//! when the test is killed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::cluster::{FileRow, Node};
use crate::programs::{Ran, run};

/// Longest time that one program may take in a machine, in seconds.
const PATIENCE: &str = "180";

/// A program that runs in the background: its process group, as `kill` takes it.
pub(crate) struct Background(String);

/// A running machine.
pub(crate) struct Machine {
    outside: Child,
    /// The machine's first process, as the host numbers it.
    pub(crate) init: u32,
}

impl Machine {
    /// Starts a machine without any network but the loopback.
    pub(crate) fn start(hostname: &str) -> Self {
        let mut outside = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--net", "--uts", "--ipc"])
            .args(["--pid", "--fork", "--kill-child=KILL"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/machine.sh"))
            .arg(hostname)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux has setpriv and unshare");
        let mut line = String::new();
        BufReader::new(outside.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "up\n", "a machine needs root and mount, network and PID namespaces");
        let pid = outside.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let init = children.trim().parse().expect("unshare has one child, the first process");
        Self { outside, init }
    }

    /// Where the host sees one of the machine's absolute paths.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{absolute}", self.init))
    }

    /// Copies a program of the host into the machine.
    pub(crate) fn place(&self, program: &Path, absolute: &str) {
        let destination = self.path(absolute);
        fs::create_dir_all(destination.parent().unwrap()).unwrap();
        fs::copy(program, destination).unwrap();
    }

    /// Puts a script in the place of whatever the machine has there.
    pub(crate) fn place_script(&self, absolute: &str, text: &str) {
        let path = self.path(absolute);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Removed first: the host's program may be a link to another one.
        fs::remove_file(&path).ok();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command that will run in the machine, with the host's environment left out.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.init.to_string()])
            .args(["--mount", "--net", "--uts", "--ipc", "--pid", "--root", "--wd"])
            .args(["env", "-i", "HOME=/root", "LANG=C.UTF-8"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .args(["timeout", "--kill-after=5", PATIENCE, program]);
        command
    }

    /// Runs a program in the machine to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        run(self.command(program).args(arguments))
    }

    /// Starts a program in the machine and leaves it running, its output in a log file there.
    pub(crate) fn background(&self, log: &str, words: &[&str]) -> Background {
        let start = r#"log=$1; shift; setsid "$@" >"$log" 2>&1 & echo $!"#;
        let ran = self.run("bash", &[&["-c", start, "bash", log], words].concat()).succeeded();
        Background(format!("-{}", ran.stdout.trim()))
    }

    /// Ends a program and all that it has started, at once.
    pub(crate) fn kill(&self, Background(group): &Background) {
        self.run("kill", &["-KILL", "--", group]).succeeded();
    }

    /// Lets a program and all that it has started hang, or go on.
    pub(crate) fn hang(&self, Background(group): &Background, hangs: bool) {
        let signal = if hangs { "-STOP" } else { "-CONT" };
        self.run("kill", &[signal, "--", group]).succeeded();
    }

    /// Places a node's files as its `files.tsv` says: by owner, group and mode, parents root's.
    pub(crate) fn install(&self, node: &Node) {
        let mut script = "set -e\n".to_owned();
        for FileRow { path, mode, owner, group, .. } in node.files() {
            let source = format!("/tmp/hagen-install{path}");
            self.place(&node.rootfs.join(&path[1..]), &source);
            // No path of an inventory has a character that means something to a shell.
            script += &format!("install -D -o {owner} -g {group} -m {mode} {source} {path}\n");
        }
        self.run("bash", &["-c", &script]).succeeded();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.outside.kill().ok();
        self.outside.wait().ok();
    }
}
