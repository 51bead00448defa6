//! The paths that Git tracks, read from the index of a checkout in any form that Git writes:
//! versions 2 to 4, split in two files, of a sparse checkout, with SHA-1 or SHA-256.
//! Source: <https://git-scm.com/docs/index-format>.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use base16ct::lower::encode_string as hex;

use crate::disk::{MOST, read_regular};

/// Why it cannot be told what Git tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is there, and cannot be read.
    Unreadable(String),
    /// It is no regular file, or far too long for one.
    Odd(String),
    /// Another user owns the checkout, and decides what is in its index.
    Foreign,
    /// It is cut short, or no index.
    Damaged,
    /// A version that did not exist yet.
    Version(u32),
    /// Something in it that changes what all else means.
    Extension(String),
    /// The file that holds most of its entries is not there.
    Shared(String),
}

impl Unknown {
    /// The command that writes it anew in a form that is read here.
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "let hagen read it: `chmod u+r` it, or run hagen as its owner",
            Self::Version(_) => {
                "`git update-index --index-version 2` writes it in a form that hagen reads"
            }
            Self::Foreign => "run hagen as its owner, or make the checkout your own: `chown -R`",
            Self::Odd(_) | Self::Damaged | Self::Extension(_) | Self::Shared(_) => {
                "`rm \"$(git rev-parse --git-path index)\" && git reset` makes it anew from the last commit, without what was added since"
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) | Self::Odd(error) => {
                write!(f, "its index cannot be read: {error}")
            }
            Self::Foreign => f.write_str("the checkout belongs to another user"),
            Self::Damaged => f.write_str("its index is damaged"),
            Self::Version(version) => write!(f, "its index has version {version}"),
            Self::Extension(name) => write!(f, "its index has the extension `{name}`"),
            Self::Shared(name) => write!(f, "the file {name} of its index is missing"),
        }
    }
}

/// What Git tracks.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    paths: BTreeSet<Vec<u8>>,
}

impl Tracked {
    /// Reads the index in a folder such as `.git`; where there is none, nothing is tracked.
    pub(super) fn read(git: &Path) -> Result<Self, Unknown> {
        let bytes = match read_regular(&git.join("index"), MOST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(Unknown::Odd(error.to_string()));
            }
            Err(error) => return Err(Unknown::Unreadable(error.to_string())),
        };
        let Index { entries, link } = Index::of(&bytes)?;
        let mut paths: BTreeSet<Vec<u8>> = BTreeSet::new();
        if let Some(link) = link {
            let name = format!("sharedindex.{}", link.shared);
            let shared = read_regular(&git.join(&name), MOST).map_err(|_| Unknown::Shared(name))?;
            let shared = Index::of(&shared)?.entries.into_iter().enumerate();
            paths.extend(shared.filter(|(at, _)| !link.deleted.contains(at)).map(|(_, path)| path));
        }
        // An entry that takes the place of a shared one has no name of its own.
        paths.extend(entries.into_iter().filter(|path| !path.is_empty()));
        Ok(Self { paths })
    }

    /// Whether Git tracks this path. A sparse checkout lists folders that it leaves out as one, with
    /// a slash at the end.
    pub(super) fn has(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..=at]);
        above.chain([path]).any(|path| self.paths.contains(path.as_bytes()))
    }
}

/// One file of an index.
struct Index {
    /// The paths of its entries, in its order.
    entries: Vec<Vec<u8>>,
    link: Option<Link>,
}

/// The other file that a split index goes with.
struct Link {
    /// In hexadecimal.
    shared: String,
    /// Which of its entries are no longer there.
    deleted: BTreeSet<usize>,
}

impl Index {
    /// Nothing says beforehand how long a hash is; an index fits one length only.
    fn of(bytes: &[u8]) -> Result<Self, Unknown> {
        Self::with_hashes(bytes, 20).or_else(|fault| {
            Self::with_hashes(bytes, 32).map_err(|other| match fault {
                Unknown::Damaged => other,
                fault => fault,
            })
        })
    }

    fn with_hashes(bytes: &[u8], hash: usize) -> Result<Self, Unknown> {
        let body = bytes.len().checked_sub(hash).ok_or(Unknown::Damaged)?;
        let mut rest = Bytes { all: &bytes[..body], at: 0 };
        if rest.take(4)? != b"DIRC" {
            return Err(Unknown::Damaged);
        }
        let version = rest.number()?;
        if !(2..=4).contains(&version) {
            return Err(Unknown::Version(version));
        }
        let count = rest.number()?;
        let mut entries: Vec<Vec<u8>> = Vec::new();
        for _ in 0..count {
            let last = entries.last().map(Vec::as_slice).unwrap_or_default();
            let path = entry(&mut rest, version, hash, last)?;
            entries.push(path);
        }
        let mut link = None;
        while rest.at < body {
            let name = rest.take(4)?;
            let length = rest.number()?;
            let data = rest.take(length as usize)?;
            match name {
                b"link" => link = Some(Link::of(data, hash)?),
                // Its entries with a slash at the end are all that it means.
                b"sdir" => {}
                // Git itself passes over those with a capital letter that it does not know.
                [b'A'..=b'Z', ..] => {}
                name => return Err(Unknown::Extension(String::from_utf8_lossy(name).into_owned())),
            }
        }
        Ok(Self { entries, link })
    }
}

/// One entry: what `stat` said, the hash, flags, the path.
fn entry(rest: &mut Bytes<'_>, version: u32, hash: usize, last: &[u8]) -> Result<Vec<u8>, Unknown> {
    const STAT: usize = 40;
    const EXTENDED: u8 = 0x40;
    let start = rest.at;
    rest.take(STAT + hash)?;
    let extended = rest.take(2)?[0] & EXTENDED != 0;
    if extended {
        rest.take(2)?;
    }
    if version == 4 {
        // What to take off the end of the path before, and what to add.
        let kept = last.len().checked_sub(rest.offset()?).ok_or(Unknown::Damaged)?;
        return Ok([&last[..kept], rest.until_nul()?].concat());
    }
    let path = rest.until_nul()?.to_vec();
    // One NUL at least, up to a multiple of eight; one was taken.
    let length = rest.at - start;
    let padding = rest.take(length.next_multiple_of(8) - length)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Unknown::Damaged);
    }
    Ok(path)
}

impl Link {
    fn of(data: &[u8], hash: usize) -> Result<Self, Unknown> {
        let mut rest = Bytes { all: data, at: 0 };
        let shared = hex(rest.take(hash)?);
        let deleted = if rest.at == data.len() { BTreeSet::new() } else { bitmap(&mut rest)? };
        Ok(Self { shared, deleted })
    }
}

/// The bits that are set in a bitmap of EWAH: words that say how many words of zeros or ones there
/// are, and how many words follow as they are.
/// Source: <https://git-scm.com/docs/bitmap-format>, appendix A.
fn bitmap(rest: &mut Bytes<'_>) -> Result<BTreeSet<usize>, Unknown> {
    let bits = rest.number()? as usize;
    let words = rest.number()? as usize;
    let mut left = Bytes { all: rest.take(words.checked_mul(8).ok_or(Unknown::Damaged)?)?, at: 0 };
    // Where the last of those words is, for who adds to it.
    rest.number()?;
    let mut set = BTreeSet::new();
    let mut at: usize = 0;
    while left.at < left.all.len() {
        let word = left.word()?;
        let (ones, run, literals) = (word & 1 == 1, word >> 1 & 0xffff_ffff, word >> 33);
        let run = usize::try_from(run).ok().and_then(|run| run.checked_mul(64));
        let end = run.and_then(|run| at.checked_add(run)).ok_or(Unknown::Damaged)?;
        if ones {
            set.extend(at..end.min(bits));
        }
        at = end;
        for _ in 0..literals {
            let word = left.word()?;
            set.extend((0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| at + bit));
            at = at.checked_add(64).ok_or(Unknown::Damaged)?;
        }
    }
    Ok(set)
}

/// Bytes, and how many of them have been read.
struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unknown> {
        let end = self.at.checked_add(count).ok_or(Unknown::Damaged)?;
        let taken = self.all.get(self.at..end).ok_or(Unknown::Damaged)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Unknown> {
        let bytes = self.take(4)?.iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn word(&mut self) -> Result<u64, Unknown> {
        let bytes = self.take(8)?.iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A number as in packs: seven bits a byte, and each that is followed by another counts for
    /// one more.
    fn offset(&mut self) -> Result<usize, Unknown> {
        let mut number: usize = 0;
        loop {
            let byte = self.take(1)?[0];
            number = number << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
            // No path is as long.
            if number >= 1 << 32 {
                return Err(Unknown::Damaged);
            }
            number += 1;
        }
    }

    fn until_nul(&mut self) -> Result<&'a [u8], Unknown> {
        let rest = &self.all[self.at..];
        let length = rest.iter().position(|byte| *byte == 0).ok_or(Unknown::Damaged)?;
        self.at += length + 1;
        Ok(&rest[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_index_is_never_taken_for_an_empty_one() {
        let header = |version: u8, count: u8| {
            [b"DIRC\0\0\0".as_slice(), &[version, 0, 0, 0, count]].concat()
        };
        let hash = [7; 20];
        let of = |bytes: &[u8]| Index::of(bytes).map(|index| index.entries.len());
        assert_eq!(of(&[header(2, 0), hash.into()].concat()), Ok(0));
        assert_eq!(of(&[header(5, 0), hash.into()].concat()), Err(Unknown::Version(5)));
        for damaged in [
            Vec::new(),
            b"DIRC".to_vec(),
            header(2, 0),
            [header(2, 1), hash.into()].concat(),
            [header(4, 200), vec![0xff; 400]].concat(),
            [header(2, 0), b"TREE\0\0\0\xff".to_vec(), hash.into()].concat(),
            [header(2, 0), b"link\0\0\0\x02ab".to_vec(), hash.into()].concat(),
        ] {
            assert_eq!(of(&damaged), Err(Unknown::Damaged), "{damaged:?}");
        }
        let named = [header(2, 0), b"next\0\0\0\0".to_vec(), hash.into()].concat();
        assert_eq!(of(&named), Err(Unknown::Extension("next".to_owned())));
    }

    #[test]
    fn a_bitmap_has_runs_and_words() {
        // 64 ones, then the words 0b101 and 0: bits 0..64, 64 and 66.
        let words = [1 | 1 << 1 | 2 << 33, 0b101, 0_u64];
        let words: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let bytes = [&[0, 0, 0, 192, 0, 0, 0, 3][..], &words, &[0; 4]].concat();
        let set = bitmap(&mut Bytes { all: &bytes, at: 0 }).unwrap();
        assert_eq!(set, (0..65).chain([66]).collect());
        // A run beyond all memory sets no more bits than there are.
        let word = (1 | 0xffff_ffff_u64 << 1).to_be_bytes();
        let bytes = [&[0, 0, 0, 3, 0, 0, 0, 1][..], &word, &[0; 4]].concat();
        assert_eq!(bitmap(&mut Bytes { all: &bytes, at: 0 }).unwrap().len(), 3);
    }
}
