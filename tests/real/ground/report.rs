//! What the proving ground measured: a table to read, the same as JSON, and README's summary of
//! it. Only measured figures, no dates.
//!
//! README shows `tests/real/report.json`, which a person copies from `target/real/report.json`
//! after a whole run: `HAGEN_BLESS=1 cargo test --locked` then rewrites README's table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::outage::Outage;

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
    /// Seconds between two reads, and between two writes.
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
        for event in events {
            let cells: Vec<String> = self.runs.iter().map(|run| run.worst(event)).collect();
            row(&mut text, event, &cells);
        }
        let came_up: Vec<String> =
            self.runs.iter().map(|run| format!("{:.0} s", run.bring_up)).collect();
        row(&mut text, "cold start to a verified cluster", &came_up);
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
}

impl Run {
    fn markdown(&self, text: &mut String) {
        let Self { topology, programs: versions, bring_up, events } = self;
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

    /// Seconds without reads and writes, the worst over the nodes to whom it happened.
    fn worst(&self, what: &str) -> String {
        let events = || self.events.iter().filter(|event| event.what == what);
        if events().next().is_none() {
            return "–".to_owned();
        }
        let worst = |outage: fn(&Event) -> f64| events().map(outage).fold(0.0, f64::max);
        let [reads, writes] = [
            worst(|event| event.lost.reads.outage.max(event.healed.reads.outage)),
            worst(|event| event.lost.writes.outage.max(event.healed.writes.outage)),
        ];
        format!("{reads:.1} / {writes:.1} s")
    }
}

impl Event {
    /// The longer outage: after the loss or during its repair.
    pub(crate) fn seconds(&self) -> f64 {
        self.lost.seconds().max(self.healed.seconds())
    }

    fn cells(&self) -> Vec<String> {
        let Self { what: _, node, lost, healed, lost_writes, holders, holders_healed, heal } = self;
        let seconds = |seconds: f64| format!("{seconds:.1}");
        let Outage { reads, writes } = lost;
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for measured in [reads, writes, &healed.reads, &healed.writes] {
            for (reason, count) in &measured.reasons {
                *reasons.entry(reason.clone()).or_default() += count;
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
             probe; each loss was watched {watched}."
        )
    }
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
