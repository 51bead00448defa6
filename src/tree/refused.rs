use std::fmt;

use super::{Origin, TREE_PATH};
use crate::report::{Finding, Path, Step};
use crate::site::codes::FILE_CLASH;

/// Two files that cannot both be in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The path that was refused.
    pub path: String,
    /// The path that stands in its way: the same, one that differs in case, or one that is a
    /// file where this needs a folder.
    pub holder: String,
    /// Who made `holder`.
    pub first: Origin,
    /// Who asked for `path`.
    pub second: Origin,
}

/// Why a file was not added to the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The path is not a [`super::TreePath`].
    Path {
        /// As it was asked for.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
        /// Who asked for it.
        origin: Origin,
    },
    /// Another file is in the way.
    Taken(Box<Taken>),
}

impl From<Taken> for Refused {
    fn from(taken: Taken) -> Self {
        Self::Taken(Box::new(taken))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, reason, origin } => {
                write!(f, "room `{}` asks for the path {path:?}, but {reason}", origin.room)
            }
            Self::Taken(taken) => taken.fmt(f),
        }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, holder, first, second } = self;
        let (first, second) = (first.room, second.room);
        if path == holder {
            return write!(f, "rooms `{first}` and `{second}` both make `{path}`");
        }
        write!(
            f,
            "`{holder}` of room `{first}` and `{path}` of room `{second}` cannot stand side by side"
        )
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for Finding {
    /// Blames the first place in the inventory that the refused file was made from.
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        let (blamed, related) = match refused {
            Refused::Path { origin, .. } => (origin, Vec::new()),
            Refused::Taken(taken) => (taken.second, taken.first.reads),
        };
        let at = blamed.reads.into_iter().next().unwrap_or_else(Path::root);
        // Only a path that the inventory names can be changed there.
        let named = matches!(at.steps().last(), Some(Step::Key(key)) if key == "path");
        let code = if named { &FILE_CLASH } else { &TREE_PATH };
        let mut finding = Self::new(code, at, message);
        if let Some(place) = related.into_iter().next() {
            finding = finding.because(place, "the other file comes from here");
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_s_own_file_is_the_user_s_to_move_and_any_other_clash_is_a_defect() {
        let origin = |room, at: Path| Origin { reads: vec![at], ..Origin::room(room) };
        let taken = |second| {
            let path = || "nodes/cp1/rootfs/etc/x".to_owned();
            let first = origin("haproxy", Path::of(&["loadBalancer"]));
            let taken = Taken { path: path(), holder: path(), first, second };
            Finding::from(Refused::from(taken))
        };
        let own = taken(origin("files", Path::of(&["files"]).index(0).key("path")));
        assert_eq!((own.code, own.at.to_string().as_str()), (&FILE_CLASH, "files[0].path"));
        assert_eq!(own.related[0].0.to_string(), "loadBalancer");
        let defect = taken(origin("nginx", Path::of(&["endpoint"])));
        assert_eq!((defect.code, defect.at.to_string().as_str()), (&TREE_PATH, "endpoint"));
    }
}
