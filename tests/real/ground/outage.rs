//! What a log of `probe.py` says about a stretch of time. Times are seconds since boot, as
//! `/proc/uptime` counts them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An outage has ended once everything has succeeded for this long, in seconds: longer than any
/// timeout that a balancer, etcd or keepalived has, so that a tail of sporadic failures belongs to
/// it. What fails later is another one.
pub(crate) const QUIET: f64 = 8.0;

/// What a probe did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Fetched a namespace through the endpoint.
    Read,
    /// Created a ConfigMap through the endpoint.
    Write,
    /// Resolved a service's name in a pod.
    Name,
    /// Fetched something from a service in a pod.
    Service,
}

/// One line of the log.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Probe {
    kind: Kind,
    /// Counts the probes of a kind, from 0, without a gap.
    n: usize,
    start: f64,
    /// Seconds until the answer, or until the probe was given up.
    latency: f64,
    /// What went wrong; `None` for a whole, successful answer within the deadline.
    reason: Option<String>,
}

impl Probe {
    fn end(&self) -> f64 {
        self.start + self.latency
    }
}

/// The log's first line.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Settings {
    /// What is probed.
    kinds: Vec<Kind>,
    /// Seconds between the starts of two probes of a kind.
    pub(crate) interval: f64,
    /// Seconds after which a probe has failed.
    pub(crate) deadline: f64,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// What the probes of one kind met with in a window.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    /// Seconds of all outages: each from the first failed probe to the first one after the last
    /// failed probe. Whatever succeeded in between does not shorten it. 0 where none failed.
    pub(crate) outage: f64,
    pub(crate) probes: usize,
    pub(crate) failed: usize,
    /// The longest time without a successful answer, in seconds.
    pub(crate) gap: f64,
    /// The longest time in which no probe started, in seconds: how far the prober itself fell behind
    /// on a busy host.
    pub(crate) stall: f64,
    /// What went wrong, and how often.
    pub(crate) reasons: BTreeMap<String, usize>,
    /// The first and last moment of each outage, in seconds after the window's start.
    pub(crate) spans: Vec<(f64, f64)>,
}

/// Every kind in one window.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outage {
    pub(crate) reads: Measured,
    pub(crate) writes: Measured,
    /// Records that were taken before pods were asked lack both.
    #[serde(default)]
    pub(crate) names: Measured,
    #[serde(default)]
    pub(crate) services: Measured,
}

impl Outage {
    /// Each with its name.
    pub(crate) fn kinds(&self) -> [(&'static str, &Measured); 4] {
        let Self { reads, writes, names, services } = self;
        [("reads", reads), ("writes", writes), ("names", names), ("services", services)]
    }

    /// The longest time in which no name was resolved, or no service reached: of a pod's requests
    /// a part may fail and be made again, which is slow, and not an outage.
    pub(crate) fn silence(&self) -> f64 {
        self.names.gap.max(self.services.gap)
    }

    /// Seconds without the API: outages of reads and writes that overlap or follow each other are
    /// one.
    pub(crate) fn seconds(&self) -> f64 {
        total(&joined([&self.reads.spans[..], &self.writes.spans].concat()))
    }
}

/// A log, perhaps still growing.
pub(crate) struct Log {
    pub(crate) settings: Settings,
    /// Of every kind, in the order of their start.
    probes: Vec<Probe>,
}

impl Log {
    /// Reads the whole lines of a log; `None` before the first.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let whole = &text[..text.rfind('\n')?];
        let mut lines = whole.lines();
        let first = lines.next()?;
        let settings = serde_json::from_str(first).expect("the log's first line is its settings");
        let mut probes: Vec<Probe> = lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect();
        probes.sort_by(|one, other| one.start.total_cmp(&other.start));
        Some(Self { settings, probes })
    }

    fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Probe> {
        self.probes.iter().filter(move |probe| probe.kind == kind)
    }

    /// Up to when every probe has ended: the log is written in the order of the ends.
    pub(crate) fn complete_until(&self) -> f64 {
        let until = |kind| {
            // On a busy host one may start before the one whose number comes first.
            let mut ended: Vec<&Probe> = self.of(kind).collect();
            ended.sort_by_key(|probe| probe.n);
            let known = ended.iter().enumerate().take_while(|(index, probe)| *index == probe.n);
            known.last().map_or(0.0, |(_, probe)| probe.start)
        };
        self.settings.kinds.iter().map(|kind| until(*kind)).fold(f64::INFINITY, f64::min)
    }

    /// Whether all went well for the latest `seconds` before `now`, and no probe is late.
    pub(crate) fn steady(&self, now: f64, seconds: f64) -> bool {
        let until = self.complete_until();
        let from = until - seconds;
        let began_before = self.probes.first().is_some_and(|first| first.start <= from);
        let well = |probe: &Probe| probe.reason.is_none() || probe.start < from;
        until > now - self.settings.deadline / 2.0 && began_before && self.probes.iter().all(well)
    }

    /// What happened in a window. A probe that was under way when it began belongs to it.
    pub(crate) fn outage(&self, window: Window) -> Outage {
        let [reads, writes, names, services] = [Kind::Read, Kind::Write, Kind::Name, Kind::Service]
            .map(|kind| self.measured(kind, window));
        Outage { reads, writes, names, services }
    }

    fn measured(&self, kind: Kind, window: Window) -> Measured {
        if !self.settings.kinds.contains(&kind) {
            return Measured::default();
        }
        let Window { from, to } = window;
        let of_window = |probe: &&Probe| probe.end() > from && probe.start < to;
        let probes: Vec<&Probe> = self.of(kind).filter(of_window).collect();
        let failed: Vec<&&Probe> = probes.iter().filter(|probe| probe.reason.is_some()).collect();

        let spans = joined(
            failed
                .iter()
                .map(|failed| {
                    let next = probes.iter().find(|probe| probe.start > failed.start);
                    let end = next.map_or(to, |probe| probe.start.max(from));
                    (rounded(failed.start.max(from) - from), rounded(end - from))
                })
                .collect(),
        );
        let mut answers: Vec<f64> = probes
            .iter()
            .filter(|probe| probe.reason.is_none())
            .map(|probe| probe.end().min(to))
            .chain([from, to])
            .collect();
        answers.sort_by(f64::total_cmp);
        let mut starts: Vec<f64> =
            probes.iter().map(|probe| probe.start.max(from)).chain([from, to]).collect();
        starts.sort_by(f64::total_cmp);
        let mut reasons = BTreeMap::new();
        for reason in failed.iter().filter_map(|probe| probe.reason.clone()) {
            *reasons.entry(reason).or_default() += 1;
        }
        Measured {
            outage: total(&spans),
            probes: probes.len(),
            failed: failed.len(),
            gap: longest(&answers),
            stall: longest(&starts),
            reasons,
            spans,
        }
    }
}

/// Stretches of time, those that are less than [`QUIET`] apart made one.
fn joined(mut spans: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    spans.into_iter().fold(Vec::new(), |mut joined: Vec<(f64, f64)>, (from, to)| {
        match joined.last_mut() {
            Some(last) if from - last.1 < QUIET => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
        joined
    })
}

/// The length of them all.
fn total(spans: &[(f64, f64)]) -> f64 {
    // An empty sum of floats is -0.
    rounded(spans.iter().fold(0.0, |sum, (from, to)| sum + (to - from)))
}

/// The longest of the steps between sorted times.
fn longest(times: &[f64]) -> f64 {
    rounded(times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max))
}

/// To milliseconds: probes are started every hundred.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
