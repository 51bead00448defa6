//! Runs the binary in a folder of its own, as a user would.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::compiled::root;

/// A scratch folder in which commands are run.
pub struct Scene {
    folder: tempfile::TempDir,
}

/// A finished command.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Every file of a folder by its path.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Scene {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// `golden/base.yaml` as `inventory.yaml`, and a bundle beside it.
    pub fn demo() -> Self {
        let scene = Self::new();
        let base = std::fs::read_to_string(root().join("golden/base.yaml")).unwrap();
        scene.write("inventory.yaml", &base);
        scene.run("secrets new inventory.yaml").expect(0);
        scene
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces text in a file.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replace(from, to));
    }

    /// Every file below a folder.
    pub fn files(&self, name: &str) -> Files {
        let base = self.path(name);
        walkdir::WalkDir::new(&base)
            .into_iter()
            .flatten()
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&base).unwrap();
                (path.to_str().unwrap().to_owned(), std::fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    /// The binary, in this folder, with an environment that says nothing about colour.
    pub fn hagen(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hagen"));
        command.args(arguments.split_whitespace()).current_dir(self.folder());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs `hagen` with arguments separated by blanks.
    pub fn run(&self, arguments: &str) -> Ran {
        finished(self.hagen(arguments).stdin(Stdio::null()))
    }

    /// The same with bytes on standard input.
    pub fn run_with(&self, arguments: &str, input: &[u8]) -> Ran {
        let mut child = self
            .hagen(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its arguments reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap().into()
    }
}

/// Runs a prepared command to its end.
pub fn finished(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The exit code that it must have; nothing may panic in any case.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// A word that standard error must have.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "no {words:?} in:\n{}", self.err);
        self
    }
}
