//! One cluster that can be brought up, and its inventory.

use crate::release::{Release, System};
use crate::scripts::StartOver;
use crate::topologies::{RELEASES, SYSTEMS};

/// What every topology says: offline, on this kind of host.
const COMMON: &str = include_str!("inventory.yaml");

/// The balancer that checks by itself that an API server is ready.
pub(crate) const HAPROXY: &str = "haproxy.service";

/// One cluster.
pub(crate) struct Topology {
    pub(crate) name: &'static str,
    /// The words of the report.
    pub(crate) what: &'static str,
    /// Whether it is brought up only when it is named; it has no record then.
    pub(crate) on_request: bool,
    /// The losses that it has to survive, by words that their names have; none are all of them. One
    /// topology shows them all, the others what differs: which store, which system and release, who
    /// notices a loss.
    pub(crate) scenarios: &'static [&'static str],
    /// Who starts over where scripts are judged.
    pub(crate) starts_over: StartOver,
    /// How its API is reached.
    pub(crate) endpoint: &'static str,
    pub(crate) nodes: &'static str,
    /// What its inventory says beside these, release and site.
    pub(crate) more: &'static str,
    /// The balancer's unit, wherever one runs.
    pub(crate) balancer: &'static str,
}

/// What only the site of one ground knows.
pub(crate) struct Site<'a> {
    /// The armoured key of its repositories.
    pub(crate) key: &'a str,
    /// The digest of etcd's archive, which is built here, as a line of `packages.digests`.
    pub(crate) etcd: &'a str,
    /// The exact version of Kubernetes.
    pub(crate) version: &'a str,
}

impl Topology {
    /// How the report calls it.
    pub(crate) fn what(&self, release: &Release) -> String {
        match release.minor == RELEASES[0].minor {
            true => self.what.to_owned(),
            false => format!("{}, Kubernetes {}", self.what, release.minor),
        }
    }

    /// The release that it gets: the one that is asked for, unless its systems run another alone.
    pub(crate) fn release(
        &self,
        system: &'static System,
        asked: Option<&'static Release>,
    ) -> Result<&'static Release, String> {
        let only =
            self.systems(system).find_map(|system| Some((system, Release::of(system.only?))));
        match (only, asked) {
            (Some((system, only)), Some(asked)) if only.minor != asked.minor => Err(format!(
                "{}: {} runs Kubernetes {} alone, and not {}",
                self.name, system.name, only.minor, asked.minor
            )),
            (Some((_, only)), _) => Ok(only),
            (None, asked) => Ok(asked.unwrap_or(&RELEASES[0])),
        }
    }

    /// The release that it has where none is asked for.
    pub(crate) fn own_release(&self) -> &'static Release {
        self.release(&SYSTEMS[0], None).expect("none is asked for")
    }

    /// The systems of its nodes: this one where they say no other.
    pub(crate) fn systems(&self, system: &'static System) -> impl Iterator<Item = &'static System> {
        let others = SYSTEMS.iter().filter(|other| self.nodes.contains(&other.said()));
        std::iter::once(system).chain(others)
    }

    /// Whether systemd runs etcd, and not kubeadm.
    pub(crate) fn external_etcd(&self) -> bool {
        let more: serde_json::Value = serde_yaml::from_str(self.more).unwrap();
        more.pointer("/etcd/mode").is_some_and(|mode| mode == "external")
    }

    /// The inventory.
    pub(crate) fn inventory(
        &self,
        release: &Release,
        system: &'static System,
        site: &Site<'_>,
    ) -> String {
        let Site { key, etcd, version } = site;
        let digests = match self.external_etcd() {
            true => format!("digests: {{{etcd}}}\n  "),
            false => String::new(),
        };
        format!("{COMMON}{}\n{}{}", system.said(), release.more, self.more)
            .replace("ENDPOINT\n", self.endpoint)
            .replace("NODES\n", self.nodes)
            .replace("REPOSITORY", system.repository)
            .replace("KUBERNETES", version)
            .replace("KEY", &key.trim_end().replace('\n', "\n        "))
            .replace("archives: http", &format!("{digests}archives: http"))
            // Last: it has the key, too.
            .replace("SYSTEMS\n", &self.mirrors(system, key))
    }

    /// What nodes ask whose system is none that the site's repository serves.
    fn mirrors(&self, system: &'static System, key: &str) -> String {
        let mut mirrors = String::new();
        for other in self.systems(system).filter(|other| other.repository != system.repository) {
            let mirror = format!(
                "{{url: http://10.0.0.1/{}, key: {}}}",
                other.repository,
                serde_json::to_string(key).unwrap()
            );
            if mirrors.is_empty() {
                mirrors += "  systems:\n";
            }
            mirrors += &format!("    - {}\n      repositories:\n", other.said());
            for kind in ["distribution", "runtime", "kubernetes"] {
                mirrors += &format!("        {kind}: {mirror}\n");
            }
        }
        mirrors
    }
}
