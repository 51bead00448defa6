use crate::claims::{AllOnNode, Of, OwnedPath};
use crate::document::Assignments;

/// What of a node goes at a reset.
pub(super) struct Reset<'a> {
    /// Where the kubelet mounts volumes; empty where there is none.
    kubelet_folder: &'a str,
    paths: Vec<&'a str>,
    /// What stays unless told otherwise.
    staying: Option<Staying<'a>>,
}

struct Staying<'a> {
    /// What the reset is told, and what that means.
    named: [&'static str; 2],
    units: Vec<&'a str>,
    files: Vec<&'a str>,
    paths: Vec<&'a str>,
}

impl<'a> Reset<'a> {
    pub(super) fn new(claims: &'a AllOnNode) -> Self {
        let stays = |room: &str| claims.stays.iter().any(|stays| stays.room == room);
        let paths = |staying: bool| -> Vec<&str> {
            let gone = |path: &&Of<OwnedPath>| stays(path.room) == staying && path.remove_on_reset;
            let paths = claims.paths.iter().filter(gone);
            let mut paths: Vec<&str> = paths.map(|path| path.path.as_str()).collect();
            // State first, then what programs make anew.
            paths.sort_unstable_by_key(|path| (!path.starts_with("/var/lib/"), *path));
            paths
        };
        let units = claims.units.iter().filter(|unit| stays(unit.room));
        let mounts = claims.paths.iter().find(|path| path.mounts);
        Self {
            kubelet_folder: mounts.map_or("", |path| &path.path),
            paths: paths(false),
            staying: claims.stays.first().map(|first| Staying {
                named: [first.name, first.what],
                units: units.map(|unit| unit.name.as_str()).collect(),
                files: claims.stays.iter().flat_map(|stays| stays.files).copied().collect(),
                paths: paths(true),
            }),
        }
    }

    pub(super) fn say(&self, words: &mut Assignments) {
        if !self.kubelet_folder.is_empty() {
            words.word("kubelet_folder", self.kubelet_folder);
        }
        words.list("emptied", &self.paths);
        if let Some(Staying { named: [name, what], units, files, paths }) = &self.staying {
            words
                .word("staying", name)
                .word("staying_as", what)
                .list("staying_units", units)
                .list("staying_files", files)
                .list("staying_emptied", paths);
        }
    }
}
