//! What the proving ground measured: a table to read, and README's summary of the records. Only
//! measured figures, no dates; nothing is judged here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::outage::{Outage, QUIET};

/// One cluster, from its bring-up to its last scenario.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Run {
    /// `stacked etcd, nginx`.
    pub(crate) topology: String,
    pub(crate) host: Host,
    /// Program to version.
    pub(crate) programs: BTreeMap<String, String>,
    /// Seconds from the first boot to a cluster that 60-verify.sh accepts on every node.
    pub(crate) bring_up: f64,
    pub(crate) events: Vec<Event>,
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

/// Every event, for a person.
pub(crate) fn markdown(runs: &[Run]) -> String {
    let runs: Vec<&Run> = runs.iter().collect();
    let mut text = format!("# Proving ground\n\n{}\n", hosts(&runs));
    for run in runs {
        run.markdown(&mut text);
    }
    text
}

/// The worst of each event over its nodes, one column for each run: README's table.
pub(crate) fn summary(runs: &[&Run]) -> String {
    if runs.is_empty() {
        return "No whole cluster has been measured yet.\n".to_owned();
    }
    let mut events: Vec<&str> = Vec::new();
    for event in runs.iter().flat_map(|run| &run.events) {
        if !events.contains(&event.what.as_str()) {
            events.push(&event.what);
        }
    }
    let header: Vec<&str> = runs.iter().map(|run| run.topology.as_str()).collect();
    let mut text = table_head("what happened", &header);
    for event in &events {
        let cells: Vec<String> = runs.iter().map(|run| run.api(event)).collect();
        row(&mut text, event, &cells);
    }
    let came_up: Vec<String> = runs.iter().map(|run| format!("{:.0} s", run.bring_up)).collect();
    row(&mut text, "cold start to a verified cluster", &came_up);
    pods(runs, &mut text, &events);
    let events = || runs.iter().flat_map(|run| &run.events);
    let lost: usize = events().map(|event| event.lost_writes.len()).sum();
    let double = events().filter(|event| event.holders.len() > 1 || event.holders_healed.len() > 1);
    text += &format!(
        "\nAcknowledged writes lost: {lost}. Events with two holders of the VIP after \
         convergence: {}.\n\n{}\n\n",
        double.count(),
        hosts(runs)
    );
    for run in runs {
        text += &format!("- {}: {}\n", run.topology, programs(&run.programs));
    }
    text
}

/// What pods felt, in the runs that asked them.
fn pods(runs: &[&Run], text: &mut String, events: &[&str]) {
    let runs: Vec<&&Run> = runs.iter().filter(|run| run.asked_pods()).collect();
    if runs.is_empty() {
        return;
    }
    *text += "\nFrom a pod on a worker, as often and at the same time: for how long names were not \
              all resolved / a service not always reached, up to the repair, and in brackets the \
              longest time without any answer.\n\n";
    let header: Vec<&str> = runs.iter().map(|run| run.topology.as_str()).collect();
    text.push_str(&table_head("what happened", &header));
    for event in events {
        let cells: Vec<String> = runs.iter().map(|run| run.pods(event)).collect();
        row(text, event, &cells);
    }
}

/// Where and how runs were measured: once where that is the same for all of them.
fn hosts(runs: &[&Run]) -> String {
    match runs {
        [one, others @ ..] if others.iter().all(|other| other.host == one.host) => {
            one.host.to_string()
        }
        _ => {
            let each = runs.iter().map(|run| format!("{}: {}", run.topology, run.host));
            each.collect::<Vec<_>>().join("\n\n")
        }
    }
}

impl Run {
    fn markdown(&self, text: &mut String) {
        let Self { topology, host: _, programs: versions, bring_up, events } = self;
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
            row(text, &event.what, &cells(event));
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

/// The cells of an event, but for its name.
fn cells(event: &Event) -> Vec<String> {
    let Event { what: _, node, lost, healed, lost_writes, holders, holders_healed, heal } = event;
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

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kernel, cgroup, cores, memory, interval, deadline, watched } = self;
        write!(
            f,
            "Measured on one machine with {cores} cores and {memory} GiB, Linux {kernel}, cgroup \
             v{cgroup}. One read and one write through the endpoint every {interval} s, each on a new \
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
