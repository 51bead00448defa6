use std::fmt;

/// The longest name that ext4, XFS, APFS and NTFS all take, in bytes.
/// Source: `NAME_MAX` in `linux/limits.h`.
const LONGEST_NAME: usize = 255;

/// The path of a file inside the output tree: relative, `/`-separated, without empty parts,
/// `.`, `..`, backslashes or control characters. It can neither leave the output folder nor
/// break a line-oriented file that lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreePath(String);

impl TreePath {
    /// Checks `text`; the error says what is wrong with it, in a few words.
    pub fn new(text: impl Into<String>) -> Result<Self, &'static str> {
        let text = text.into();
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.starts_with('/') {
            return Err("it is absolute");
        }
        if text.chars().any(char::is_control) {
            return Err("it holds a control character");
        }
        if text.contains('\\') {
            return Err("it holds a backslash");
        }
        for part in text.split('/') {
            match part {
                "" => return Err("it has an empty part"),
                "." | ".." => return Err("it has a part that is `.` or `..`"),
                _ if part.len() > LONGEST_NAME => return Err("it has a part of over 255 bytes"),
                _ => {}
            }
        }
        Ok(Self(text))
    }

    /// The folders that hold `path`, outermost first: `a/b/c` is in `a` and `a/b`.
    pub fn folders(path: &str) -> impl Iterator<Item = &str> {
        path.match_indices('/').map(|(end, _)| &path[..end])
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TreePath;

    #[test]
    fn only_paths_that_stay_inside_are_taken() {
        for good in
            ["a", "a/b.c", "nodes/cp1/rootfs/etc/kubernetes/pki/ca.crt", ".gitignore", "a b"]
        {
            assert!(TreePath::new(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a\nb", "a\tb", "a\\b", "a/./b"] {
            assert!(TreePath::new(bad).is_err(), "{bad:?}");
        }
        assert!(TreePath::new("x".repeat(256)).is_err());
    }

    #[test]
    fn folders_are_listed_outermost_first() {
        assert_eq!(TreePath::folders("a/b/c").collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(TreePath::folders("a").count(), 0);
    }
}
