//! What the proving ground measured: a table to read, the same as JSON, and README's summary of
//! it. Only measured figures, no dates.
//!
//! README shows `tests/real/report.json`: after `cargo test --locked --test ground -- --due` a person
//! takes its runs over from `target/real/report.json`, and `HAGEN_BLESS=1 cargo test --locked`
//! rewrites README's table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::outage::{Outage, QUIET};

/// Everything that was measured on one machine.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report {
    pub(crate) host: Host,
    pub(crate) runs: Vec<Run>,
}

/// Where it was measured, and how.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Host {
    /// `uname -r`.
    pub(crate) kernel: String,
    /// 1 or 2.
    pub(crate) cgroup: u8,
    pub(crate) cores: usize,
    /// Whole gibibytes.
    pub(crate) memory: u64,
    /// Seconds between two probes of a kind.
    pub(crate) interval: f64,
    /// Seconds after which a probe has failed.
    pub(crate) deadline: f64,
    /// For how long each loss was watched before it was healed.
    pub(crate) watched: String,
}

/// One cluster, from its bring-up to its last scenario.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// `stacked etcd, nginx`.
    pub(crate) topology: String,
    /// Of the tree and the harness that were measured; empty where a part of it was.
    pub(crate) digest: String,
    /// Program to version.
    pub(crate) programs: BTreeMap<String, String>,
    /// Seconds from the first boot to a cluster that 60-verify.sh accepts on every node.
    pub(crate) bring_up: f64,
    pub(crate) events: Vec<Event>,
}

/// One scenario on one node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Event {
    /// `powered off`; the same words in every run.
    pub(crate) what: String,
    /// To whom it happened, and what that node was: `cp1 (VIP)`.
    pub(crate) node: String,
    /// From the event to the beginning of the repair.
    pub(crate) lost: Outage,
    /// From the beginning of the repair to a healthy cluster.
    pub(crate) healed: Outage,
    /// Names of acknowledged writes that were gone afterwards.
    pub(crate) lost_writes: Vec<String>,
    /// Who held the VIP when the watch was over, before the repair.
    pub(crate) holders: Vec<String>,
    /// The same once the cluster was healthy.
    pub(crate) holders_healed: Vec<String>,
    /// Seconds from the beginning of the repair to a healthy cluster.
    pub(crate) heal: f64,
}

impl Report {
    /// Reads a report's JSON.
    pub(crate) fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("no report: {error}"))
    }

    /// What an earlier run left in `folder`, if this host took it with the same settings.
    pub(crate) fn resumed(folder: &Path, host: Host) -> Self {
        let earlier = fs::read_to_string(folder.join("report.json")).ok();
        let earlier = earlier.and_then(|json| serde_json::from_str::<Self>(&json).ok());
        earlier.filter(|report| report.host == host).unwrap_or(Self { host, runs: Vec::new() })
    }

    /// Adds a run, in place of an earlier one of the same topology.
    pub(crate) fn put(&mut self, run: Run) {
        match self.runs.iter_mut().find(|earlier| earlier.topology == run.topology) {
            Some(earlier) => *earlier = run,
            None => self.runs.push(run),
        }
    }

    /// Writes `report.json` and `report.md`.
    pub(crate) fn write(&self, folder: &Path) {
        let json = serde_json::to_string_pretty(self).expect("a report is plain data") + "\n";
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("report.json"), json).unwrap();
        fs::write(folder.join("report.md"), self.markdown()).unwrap();
    }

    /// Every event, for a person.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("# Proving ground\n\n{}\n", self.host);
        for run in &self.runs {
            run.markdown(&mut text);
        }
        text
    }

    /// The worst of each event over its nodes, one column for each topology: README's table.
    pub(crate) fn summary(&self) -> String {
        if self.runs.is_empty() {
            return "No whole cluster has been measured yet.\n".to_owned();
        }
        let mut events: Vec<&str> = Vec::new();
        for event in self.runs.iter().flat_map(|run| &run.events) {
            if !events.contains(&event.what.as_str()) {
                events.push(&event.what);
            }
        }
        let header: Vec<&str> = self.runs.iter().map(|run| run.topology.as_str()).collect();
        let mut text = table_head("what happened", &header);
        for event in &events {
            let cells: Vec<String> = self.runs.iter().map(|run| run.api(event)).collect();
            row(&mut text, event, &cells);
        }
        let came_up: Vec<String> =
            self.runs.iter().map(|run| format!("{:.0} s", run.bring_up)).collect();
        row(&mut text, "cold start to a verified cluster", &came_up);
        self.pods(&mut text, &events);
        let events = || self.runs.iter().flat_map(|run| &run.events);
        let lost: usize = events().map(|event| event.lost_writes.len()).sum();
        let double =
            events().filter(|event| event.holders.len() > 1 || event.holders_healed.len() > 1);
        text += &format!(
            "\nAcknowledged writes lost: {lost}. Events with two holders of the VIP after \
             convergence: {}.\n\n{}\n\n",
            double.count(),
            self.host
        );
        for run in &self.runs {
            text += &format!("- {}: {}\n", run.topology, programs(&run.programs));
        }
        text
    }

    /// What pods felt, in the runs that asked them.
    fn pods(&self, text: &mut String, events: &[&str]) {
        let runs: Vec<&Run> = self.runs.iter().filter(|run| run.asked_pods()).collect();
        if runs.is_empty() {
            return;
        }
        *text += "\nFrom a pod on a worker, as often and at the same time: for how long names were \
                  not all resolved / a service not always reached, up to the repair, and in \
                  brackets the longest time without any answer.\n\n";
        let header: Vec<&str> = runs.iter().map(|run| run.topology.as_str()).collect();
        text.push_str(&table_head("what happened", &header));
        for event in events {
            let cells: Vec<String> = runs.iter().map(|run| run.pods(event)).collect();
            row(text, event, &cells);
        }
    }
}

impl Run {
    fn markdown(&self, text: &mut String) {
        let Self { topology, digest: _, programs: versions, bring_up, events } = self;
        *text += &format!(
            "\n## {topology}\n\n{}.\n\nUp and verified {bring_up:.0} s after the first boot.\n\n",
            programs(versions)
        );
        let columns = [
            "node",
            "reads out (s)",
            "writes out (s)",
            "both (s)",
            "failed probes",
            "longest gap (s)",
            "VIP held by",
            "writes lost",
            "names out (s)",
            "no name (s)",
            "service out (s)",
            "no service (s)",
            "repair (s)",
            "out during repair (s)",
            "VIP then",
            "what failed",
        ];
        text.push_str(&table_head("event", &columns));
        for event in events {
            row(text, &event.what, &event.cells());
        }
    }

    /// Whether pods were asked as well.
    fn asked_pods(&self) -> bool {
        self.events.iter().any(|event| event.lost.names.probes > 0)
    }

    /// Seconds without reads and writes, the worst over the nodes to whom it happened.
    fn api(&self, what: &str) -> String {
        self.worst(what, [|lost| lost.reads.outage, |lost| lost.writes.outage])
            .map_or_else(nothing, |[reads, writes]| format!("{reads:.1} / {writes:.1} s"))
    }

    /// Seconds in which names and services failed and, in brackets, without any of them.
    fn pods(&self, what: &str) -> String {
        let figures: [fn(&Outage) -> f64; 4] = [
            |lost| lost.names.outage,
            |lost| lost.names.gap,
            |lost| lost.services.outage,
            |lost| lost.services.gap,
        ];
        self.worst(what, figures).map_or_else(nothing, |[names, no_name, services, no_service]| {
            format!("{names:.1} ({no_name:.1}) / {services:.1} ({no_service:.1}) s")
        })
    }

    /// The worst of some figures over the nodes to whom it happened, after the loss or during the
    /// repair.
    fn worst<const N: usize>(
        &self,
        what: &str,
        figures: [fn(&Outage) -> f64; N],
    ) -> Option<[f64; N]> {
        let events = || self.events.iter().filter(|event| event.what == what);
        let outages = || events().flat_map(|event| [&event.lost, &event.healed]);
        events().next()?;
        Some(figures.map(|figure| outages().map(figure).fold(0.0, f64::max)))
    }
}

impl Event {
    /// The longer outage: after the loss or during its repair.
    pub(crate) fn seconds(&self) -> f64 {
        self.lost.seconds().max(self.healed.seconds())
    }

    /// The longer time without a name or a service.
    pub(crate) fn silence(&self) -> f64 {
        self.lost.silence().max(self.healed.silence())
    }

    fn cells(&self) -> Vec<String> {
        let Self { what: _, node, lost, healed, lost_writes, holders, holders_healed, heal } = self;
        let seconds = |seconds: f64| format!("{seconds:.1}");
        let Outage { reads, writes, .. } = lost;
        let longest = |figure: fn(&Outage) -> f64| seconds(figure(lost).max(figure(healed)));
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for (kind, measured) in lost.kinds().into_iter().chain(healed.kinds()) {
            for (reason, count) in &measured.reasons {
                *reasons.entry(format!("{kind}: {reason}")).or_default() += count;
            }
        }
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
        vec![
            node.clone(),
            seconds(reads.outage),
            seconds(writes.outage),
            seconds(lost.seconds()),
            format!("{} of {}", reads.failed + writes.failed, reads.probes + writes.probes),
            seconds(reads.gap.max(writes.gap)),
            holders.join(", "),
            lost_writes.len().to_string(),
            longest(|outage| outage.names.outage),
            longest(|outage| outage.names.gap),
            longest(|outage| outage.services.outage),
            longest(|outage| outage.services.gap),
            format!("{heal:.0}"),
            seconds(healed.seconds()),
            holders_healed.join(", "),
            reasons.join("; "),
        ]
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kernel, cgroup, cores, memory, interval, deadline, watched } = self;
        write!(
            f,
            "Measured on one machine with {cores} cores and {memory} GiB, Linux {kernel}, cgroup \
             v{cgroup}. One read and one write through the VIP every {interval} s, each on a new \
             connection; a probe without a whole answer after {deadline} s has failed. An outage \
             is the time from the first failed probe to the first one after the last failed \
             probe; failures with {QUIET} s of success between them are two outages, and their \
             times are added. Each loss was watched {watched}."
        )
    }
}

/// The cell of what has not happened.
fn nothing() -> String {
    "–".to_owned()
}

fn programs(versions: &BTreeMap<String, String>) -> String {
    let named: Vec<String> =
        versions.iter().map(|(program, version)| format!("{program} {version}")).collect();
    named.join(", ")
}

fn table_head(first: &str, columns: &[&str]) -> String {
    let mut text = String::new();
    row(&mut text, first, columns);
    row(&mut text, "---", &vec!["---"; columns.len()]);
    text
}

fn row<C: AsRef<str>>(text: &mut String, first: &str, cells: &[C]) {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    *text += &format!("| {first} | {} |\n", cells.join(" | "));
}
