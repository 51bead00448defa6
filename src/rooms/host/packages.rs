//! Where a host gets packages from, and in which versions.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::HostPlan;
use super::repositories::{self, Repository};
use super::section_of_packages;
use crate::catalog::PackageManager;
use crate::claims::{AllOnNode, Archive, Of, Package};
use crate::document::Assignments;
use crate::rooms::output::File;
use crate::rooms::{OfCluster, Output};
use crate::site::Host;

/// What `10-prepare.sh` installs.
pub(super) struct Packages<'a> {
    planned: &'a HostPlan,
    with: &'a OfCluster<'a>,
    node: &'a Host,
    /// One for each name.
    wanted: BTreeMap<&'a str, &'a Of<Package>>,
    repositories: Vec<Repository>,
}

impl<'a> Packages<'a> {
    pub(super) fn new(planned: &'a HostPlan, node: &'a Host, with: &'a OfCluster<'_>) -> Self {
        // One room may ask for what another asks for more exactly.
        let mut wanted: BTreeMap<&str, &Of<Package>> = BTreeMap::new();
        for package in &with.claims.of(node.index).packages {
            let known = wanted.entry(&package.name).or_insert(package);
            if known.version.is_none() {
                *known = package;
            }
        }
        let used: BTreeSet<_> = wanted.values().map(|package| package.repository).collect();
        let repositories = match planned.preinstalled {
            true => Vec::new(),
            false => repositories::of(&used, planned.mirrors(node.os), &with.cluster, node.os),
        };
        Self { planned, with, node, wanted, repositories }
    }

    /// The keys of repositories that the inventory has, each at the path of its keyring.
    pub(super) fn render_keys(&self, out: &mut Output<'_>) {
        for Repository { keyring, armored, .. } in &self.repositories {
            if let Some(text) = armored {
                let file = File::on(self.node, keyring).reads([section_of_packages()]);
                out.bytes(file, format!("{}\n", text.trim_end()));
            }
        }
    }

    pub(super) fn say(&self, words: &mut Assignments) {
        let claims = self.with.claims.of(self.node.index);
        let manager = self.node.os.package_manager;
        let [family, manager] = match manager {
            PackageManager::Apt => ["apt", "apt-get"],
            PackageManager::Dnf => ["rpm", "dnf"],
            PackageManager::Yum => ["rpm", "yum"],
        };
        let preinstalled = self.planned.preinstalled;
        words
            .word("packages_from", if preinstalled { "preinstalled" } else { "repositories" })
            .word("package_family", family)
            .word("manager", manager);
        if preinstalled {
            // What is looked for.
            let programs: BTreeSet<&str> =
                claims.packages.iter().filter_map(|package| package.program.as_deref()).collect();
            words.list("programs", programs);
        } else {
            self.say_sources(words);
            self.say_packages(claims, words);
        }
        self.say_archives(&claims.archives, words);
    }

    /// `ID SOURCE KEYRING`, and where keys that are fetched come from: `ID URL FINGERPRINTS`.
    fn say_sources(&self, words: &mut Assignments) {
        // All keys of a file, in one word: what is fetched holds these and no other.
        let keys = self.repositories.iter().flat_map(|repository| {
            repository
                .keys
                .iter()
                .map(|key| [repository.id.clone(), key.url.clone(), key.fingerprints.join(",")])
        });
        words
            // Whether these are all; otherwise the host's own serve as well.
            .flag("only_named", !self.planned.mirrors(self.node.os).distribution.is_empty())
            .rows(
                "repositories",
                self.repositories.iter().map(|Repository { id, source, keyring, .. }| {
                    [id.as_str(), source.as_str(), keyring.as_str()]
                }),
            )
            .rows("keys", keys);
    }

    /// `NAME VERSION HOLD`, and what runs on as it was until it is restarted: `NAME UNIT`.
    fn say_packages(&self, claims: &AllOnNode, words: &mut Assignments) {
        let pinned = |name: &str| self.with.claims.pin(name, self.node.os);
        let restarts = self
            .wanted
            .keys()
            .flat_map(|name| services(name, claims).into_iter().map(move |unit| [*name, unit]));
        let archives = claims
            .archives
            .iter()
            .flat_map(|archive| of_room(archive.room, claims).map(|unit| [archive.name, unit]));
        words
            .rows(
                "packages",
                self.wanted.values().map(|package| {
                    // What the inventory pins comes first.
                    let pin = pinned(&package.name).map(|pin| &pin.version);
                    let version = pin.or(package.version.as_ref());
                    let version = version.map_or("-", String::as_str);
                    // An upgrade restarts what it replaces, on all nodes in the same night.
                    let hold = package.hold || !services(&package.name, claims).is_empty();
                    [package.name.as_str(), version, if hold { "yes" } else { "no" }]
                }),
            )
            .rows("restarts", restarts.chain(archives));
    }

    /// `NAME DIRECTORY PRINTS PROGRAM`, where its archives are, `NAME MACHINE URL SUM FOLDER`, and
    /// what is in them, the program that is asked for its version last.
    fn say_archives(&self, archives: &[Of<Archive>], words: &mut Assignments) {
        let mirror = self.planned.archives.as_deref();
        let below = |base: &str, path: &str| format!("{}/{path}", mirror.unwrap_or(base));
        words.rows(
            "archives",
            archives.iter().map(|archive| {
                let program = archive.programs.first().copied().unwrap_or_default();
                [archive.name, archive.directory, archive.prints.as_str(), program]
            }),
        );
        if archives.is_empty() || self.planned.preinstalled {
            return;
        }
        words
            .rows(
                "archive_sources",
                archives.iter().flat_map(|archive| {
                    archive.sources.iter().map(move |source| {
                        [
                            archive.name.to_owned(),
                            source.machine.to_owned(),
                            below(archive.base, &source.path),
                            source.sha256.clone(),
                            source.folder.clone(),
                        ]
                    })
                }),
            )
            .rows(
                "archive_programs",
                archives.iter().flat_map(|archive| {
                    archive.programs.iter().rev().map(|program| [archive.name, program])
                }),
            );
    }
}

/// The services that run a package, whichever rooms need it.
fn services<'a>(package: &str, claims: &'a AllOnNode) -> BTreeSet<&'a str> {
    let needed = claims.packages.iter().filter(|own| own.name == package && own.serves);
    needed.flat_map(|own| of_room(own.room, claims)).collect()
}

/// The services of a room.
fn of_room<'a>(
    room: &'static str,
    claims: &'a AllOnNode,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let units = claims.units.iter().filter(move |unit| unit.room == room);
    units.map(|unit| unit.name.as_str()).filter(|name| name.ends_with(".service"))
}
