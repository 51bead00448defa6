use crate::report::Path;
use crate::site::Program;

/// The release of a program that files of the tree are written for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenFor {
    /// `2.6`, or a whole version.
    pub release: String,
    /// The key of the inventory that would change it.
    pub key: &'static [&'static str],
    /// Where it was decided.
    pub at: Path,
}

/// Which repository a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repository {
    /// The distribution's own.
    Distribution,
    /// pkgs.k8s.io, or the mirror that the inventory names.
    Kubernetes,
    /// download.docker.com, or the mirror that the inventory names.
    Runtime,
}

/// One package that a node needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name in the node's package manager.
    pub name: String,
    /// The version as the package manager writes it, or a pattern; `None` takes the repository's.
    pub version: Option<String>,
    /// What files of the tree are written for; a pinned version has to be of it.
    pub written_for: Option<WrittenFor>,
    /// Where it comes from.
    pub repository: Repository,
    /// Whether upgrades are held back.
    pub hold: bool,
    /// A program that the package brings: what a script looks for where packages are preinstalled.
    pub program: Option<String>,
    /// Whether the services of the room that needs it run it: they are restarted where it is
    /// replaced, and upgrades, which would do so on all nodes in one night, are held back.
    pub serves: bool,
}

impl Package {
    /// One that the distribution has, in the version that it has.
    pub fn of_distribution(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: None,
            written_for: None,
            repository: Repository::Distribution,
            hold: false,
            program: None,
            serves: false,
        }
    }

    /// The one that brings a program whose files are in the tree.
    pub fn of<Facts>(program: &Program<Facts>) -> Self {
        Self {
            version: program.wanted.clone(),
            written_for: Some(WrittenFor {
                release: program.version.series(),
                key: program.key,
                at: program.at.clone(),
            }),
            program: Some(program.name.to_owned()),
            serves: true,
            ..Self::of_distribution(program.name)
        }
    }
}

/// Programs that come as an archive of upstream's and not as a package. `10-prepare.sh` skips it
/// where [`Archive::version`] already prints [`Archive::prints`], and refuses an archive that is
/// another than its digest says; where packages are preinstalled it only checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// What it holds, in a word: `etcd`.
    pub name: &'static str,
    /// Where upstream keeps its releases; a mirror has the same paths below it.
    pub base: &'static str,
    /// One `.tar.gz` per kind of machine; none of a kind whose archive cannot be verified.
    pub sources: Vec<ArchiveSource>,
    /// The programs, at the top of the archive's folder.
    pub programs: Vec<&'static str>,
    /// Where they are installed, 0755 root:root.
    pub directory: &'static str,
    /// The command that prints the version, as words.
    pub version: Vec<String>,
    /// A whole line of what that command prints for the wanted release.
    pub prints: String,
}

/// An archive for one kind of machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSource {
    /// The machine as `uname -m` names it: `x86_64`, `aarch64`.
    pub machine: &'static str,
    /// The path below [`Archive::base`].
    pub path: String,
    /// The archive's SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The archive's one folder.
    pub folder: String,
}

/// A version of a package that the inventory pins.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The package.
    pub package: String,
    /// The version or pattern, as the package manager writes it.
    pub version: String,
    /// The system whose nodes take it, as the catalog calls it; `None` for all that have no pin of
    /// their own.
    pub system: Option<String>,
    /// Where it is said.
    pub at: Path,
}
