//! Reads what has an end. A pipe waits for somebody to write, a device may never stop: whoever can put
//! one in the place of a file would hold up a build.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// The most bytes of a file, where its reader knows no less.
pub const MOST: u64 = 1 << 30;

/// Opens a file, or a folder, which reading itself will refuse.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for anything else, and whatever the operating system refuses.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Opening a pipe waits as well.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    regular(&file)?;
    Ok(file)
}

/// Whether an open file is one that has an end.
pub(super) fn regular(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    let what = if kind.is_fifo() { "a pipe" } else { "a device" };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {what}, no regular file")))
}

/// The bytes of a file, at most so many.
///
/// # Errors
/// As [`open_regular`], and [`ErrorKind::InvalidInput`] where there are more.
pub fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_regular(path)?;
    if file.metadata()?.len() <= most {
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= most {
            return Ok(bytes);
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it has more than {most} bytes")))
}
