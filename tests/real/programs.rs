//! Starting real programs and judging how they end.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// How a program ended.
pub(crate) struct Ran {
    command: String,
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Everything the program said.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Whether it exited with 0.
    pub(crate) fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Fails the test, showing the program's words, unless it exited with 0.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert!(self.ok(), "{self}");
        self
    }

    /// Fails the test unless the program exited with 0 and had nothing to say on standard error.
    #[track_caller]
    pub(crate) fn silently(self) -> Self {
        assert!(self.ok() && self.stderr.trim().is_empty(), "{self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "{command}\nexit: {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a command to its end, without standard input.
pub(crate) fn run(command: &mut Command) -> Ran {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
    Ran {
        command: shown,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a program of the machine, which must have it.
pub(crate) fn run_installed<A: AsRef<OsStr>>(
    program: &str,
    package: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Ran {
    run(Command::new(installed(program, package)).args(arguments))
}

/// The path of a program that comes from a Debian package.
pub(crate) fn installed(program: &str, package: &str) -> PathBuf {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} is missing: apt-get install {package}"))
}

/// The path of a program that one of the modules under `tests/real/go` builds; see `build` there.
pub(crate) fn built(module: &'static str, program: &str) -> PathBuf {
    // Finding out that nothing is to be built takes Go a second.
    static FOLDERS: Mutex<BTreeMap<&str, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folders.entry(module).or_insert_with(|| {
        let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/go/build");
        run(Command::new(build).arg(module)).succeeded().stdout.trim().into()
    });
    folder.join(program)
}
