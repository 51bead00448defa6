//! Single files outside any tree: the inventory and the bundle that a user starts with.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::regular::regular;

/// Creates the file `path` with permission bits `mode`, which hold from its first byte on.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where there is something, a dangling link included; and
/// whatever the operating system refuses. A file that could not be filled is removed again.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let filled = fill(file, bytes);
    if filled.is_err() {
        // What is reported is why it was not filled.
        let _ = fs::remove_file(path);
    }
    filled
}

/// Replaces the file `path` in one step: afterwards it holds its old bytes or all the new ones.
///
/// # Errors
/// Whatever the operating system refuses; the old file is still there then.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // A link stays a link: the file that it leads to is replaced.
    let path = fs::canonicalize(path)?;
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    create(&beside, bytes, mode)?;
    let renamed = fs::rename(&beside, &path);
    if renamed.is_err() {
        // What is reported is why it was not renamed.
        let _ = fs::remove_file(&beside);
    }
    renamed
}

/// Adds lines to the end of the text file `path`, which is made where there is none. A link is not
/// followed.
///
/// # Errors
/// Whatever the operating system refuses.
pub fn append(path: &Path, lines: &str) -> io::Result<()> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).create(true).custom_flags(no_link);
    let mut file = options.open(path)?;
    regular(&file)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let end = if text.is_empty() || text.ends_with(b"\n") { "" } else { "\n" };
    fill(file, format!("{end}{lines}").as_bytes())
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes the file `path`.
///
/// # Errors
/// Whatever the operating system refuses.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}
