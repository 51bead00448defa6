//! The output as a value: a map from paths to [`Artifact`]s. Rooms fill it, [`crate::disk`]
//! writes it, and until then it can be compared, listed and audited without any file.

mod artifact;
mod leftover;
mod listings;
mod path;
mod refused;
mod shared;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use artifact::{Apply, Artifact, Destination, Issue, Kind, Origin};
pub use leftover::leftovers;
pub(crate) use listings::sha256;
pub use path::TreePath;
pub use refused::{Refused, Taken};

crate::codes! { "internal":
    LEFTOVER = Error "leftover",
    TREE_PATH = Error "tree-path",
}

/// The one path that no artifact may have: the manifest is made from all of them.
pub const MANIFEST_PATH: &str = "hagen.json";

/// A whole output tree, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Artifact>,
    /// Files and folders whose paths have capitals, by the path without them: macOS and Windows
    /// hold `A` and `a` for one. A spelling stays when its last file has gone: it counts only
    /// while one is there.
    capitals: BTreeMap<String, String>,
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file at `path`, relative to the output folder.
    ///
    /// # Errors
    /// [`Refused::Path`] for a path that is no [`TreePath`]; [`Refused::Taken`] for one that
    /// another file holds, that differs from another only in case, or that needs a folder
    /// where a file is (or the other way round). Both origins are named.
    pub fn insert(&mut self, path: impl Into<String>, artifact: Artifact) -> Result<(), Refused> {
        let path = path.into();
        let valid = match TreePath::new(path.as_str()) {
            Ok(_) if path == MANIFEST_PATH => Err("that is the manifest's place"),
            checked => checked.map(drop),
        };
        if let Err(reason) = valid {
            return Err(Refused::Path { path, reason, origin: artifact.origin });
        }
        if let Some(holder) = self.in_the_way(&path) {
            let holder = holder.to_owned();
            let first = self.files[&holder].origin.clone();
            return Err(Taken { path, holder, first, second: artifact.origin }.into());
        }
        for part in TreePath::folders(&path).chain([path.as_str()]) {
            if let Cow::Owned(plain) = plain(part) {
                self.capitals.insert(plain, part.to_owned());
            }
        }
        self.files.insert(path, artifact);
        Ok(())
    }

    /// The file that leaves no room for another one at `path`.
    fn in_the_way(&self, path: &str) -> Option<&str> {
        let file = |path: &str| self.files.get_key_value(path).map(|(path, _)| path.as_str());
        let at_or_below = |path: &str| file(path).or_else(|| self.first_below(path));
        let spelt_otherwise = |part: &str| {
            let plain = plain(part);
            let capitals = self.capitals.get(&*plain).filter(|written| *written != part);
            let found = capitals.and_then(|written| at_or_below(written));
            found.or_else(|| (plain != part).then(|| at_or_below(&plain)).flatten())
        };
        TreePath::folders(path)
            .find_map(|folder| file(folder).or_else(|| spelt_otherwise(folder)))
            .or_else(|| at_or_below(path))
            .or_else(|| spelt_otherwise(path))
    }

    /// The first file below this folder.
    fn first_below(&self, folder: &str) -> Option<&str> {
        let below = format!("{folder}/");
        let (path, _) = self.files.range(below.clone()..).next()?;
        path.starts_with(&below).then_some(path)
    }

    /// Moves what several hosts have alike to `steps/shared/<path>`, then adds the files that follow
    /// from all others: `nodes/<node>/files.tsv`, `.gitignore` and `.gitattributes`. To be called
    /// once, when all rooms have rendered; nothing but `hagen.json` comes after it.
    #[must_use]
    pub fn finish(&mut self) -> Vec<Refused> {
        let mut refused = shared::share(self);
        refused.extend(listings::add(self));
        refused
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&Artifact> {
        self.files.get(path)
    }

    /// The file that is installed at the absolute `path` of this node.
    pub fn on(&self, node: &str, path: &str) -> Option<&Artifact> {
        let own = Destination::new(node, path).tree_path();
        self.get(&own).or_else(|| {
            let shared = self.get(&format!("{}{path}", shared::FOLDER))?;
            let nodes = &shared.destination.as_ref()?.nodes;
            nodes.iter().any(|other| other == node).then_some(shared)
        })
    }

    /// Whether some file lies below this folder.
    pub fn has_folder(&self, folder: &str) -> bool {
        self.first_below(folder).is_some()
    }

    /// Every file, sorted by path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Artifact)> + Clone {
        self.files.iter().map(|(path, artifact)| (path.as_str(), artifact))
    }
}

/// The path without capitals; borrowed where it has none.
fn plain(path: &str) -> Cow<'_, str> {
    if path.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return path.into();
    }
    let plain = path.to_lowercase();
    if plain == path { path.into() } else { plain.into() }
}

#[cfg(test)]
mod tests {
    use super::{Artifact, Origin, Refused, Tree};

    fn file(room: &'static str) -> Artifact {
        Artifact::public("x\n", Origin::room(room))
    }

    fn clash(first: &str, second: &str) -> String {
        let mut tree = Tree::new();
        tree.insert(first, file("haproxy")).unwrap();
        let refused = tree.insert(second, file("nginx")).unwrap_err();
        assert_eq!(tree.iter().len(), 1);
        refused.to_string()
    }

    #[test]
    fn a_taken_path_names_both_origins() {
        assert_eq!(clash("a/b", "a/b"), "rooms `haproxy` and `nginx` both make `a/b`");
    }

    #[test]
    fn names_that_differ_only_in_case_clash() {
        let message = clash("nodes/a/x", "Nodes/b/x");
        assert_eq!(
            message,
            "`nodes/a/x` of room `haproxy` and `Nodes/b/x` of room `nginx` cannot stand side by side"
        );
        clash("A", "a");
        clash("a", "A");
        clash("x/A/y", "x/a/z");
        clash("x/a/y", "x/A");
        clash("x/A", "x/a/y");
        clash("ä", "Ä");
    }

    #[test]
    fn files_of_one_folder_share_its_capitals() {
        let mut tree = Tree::new();
        for path in ["etc/NetworkManager/a", "etc/NetworkManager/B", "etc/networkd/a"] {
            tree.insert(path, file("host")).unwrap();
        }
        assert!(tree.insert("etc/NetworkManager/b", file("files")).is_err());
    }

    #[test]
    fn a_file_is_never_a_folder_too() {
        clash("a", "a/b");
        clash("a/b", "a");
        clash("a/b/c", "a/b");
    }

    #[test]
    fn a_refused_file_leaves_no_folder_behind() {
        let mut tree = Tree::new();
        tree.insert("a", file("one")).unwrap();
        tree.insert("b/A", file("two")).unwrap();
        assert!(tree.insert("c/../d", file("three")).is_err());
        assert!(tree.insert("b/a/d", file("three")).is_err());
        assert!(tree.insert("B2", file("four")).is_ok());
    }

    #[test]
    fn bad_paths_are_refused_with_their_origin() {
        let refused = Tree::new().insert("../x", file("files")).unwrap_err();
        let Refused::Path { path, reason, origin } = refused else { panic!("{refused}") };
        assert_eq!((path.as_str(), origin.room), ("../x", "files"));
        assert!(reason.contains(".."));
    }

    #[test]
    fn content_never_reaches_a_debug_print() {
        let artifact = Artifact::public("hunter2", Origin::room("keepalived")).secret();
        assert!(!format!("{artifact:?}").contains("hunter2"));
        assert_eq!(artifact.stored_mode(), 0o600);
    }
}
