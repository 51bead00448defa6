//! What the proving ground concludes from logs that were recorded, and README's table of it. The
//! machines themselves are in `tests/real/ground`.

#[path = "real/ground/outage.rs"]
mod outage;
#[path = "real/ground/report.rs"]
mod report;

use self::outage::{Log, Outage, Window};
use self::report::{Event, Host, Report, Run};
use crate::compiled::{blessing, reviewed, root};

/// A log of ten seconds: `answer` gives, for the time of a probe's start, its latency and what
/// went wrong.
fn log(answer: impl Fn(&str, f64) -> (f64, Option<&'static str>)) -> String {
    log_of(&["read", "write"], answer)
}

/// The same of other kinds.
fn log_of(kinds: &[&str], answer: impl Fn(&str, f64) -> (f64, Option<&'static str>)) -> String {
    let settings = serde_json::json!({
        "run": "a", "kinds": kinds, "interval": 0.1, "deadline": 1.0,
    });
    let mut text = format!("{settings}\n");
    let probes = (0..100_u32).flat_map(|n| kinds.iter().map(move |kind| (kind, n)));
    let mut lines: Vec<(f64, String)> = probes
        .map(|(kind, n)| {
            let start = 100.0 + f64::from(n) / 10.0;
            let (latency, reason) = answer(kind, start);
            let line = serde_json::json!({
                "kind": kind, "n": n, "start": start, "wall": 0, "latency": latency,
                "reason": reason,
            });
            (start + latency, format!("{line}\n"))
        })
        .collect();
    // As probe.py writes it: in the order of the ends.
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    text.extend(lines.into_iter().map(|(_, line)| line));
    text
}

/// What went wrong between 102 and 110.
fn outage(answer: impl Fn(&str, f64) -> (f64, Option<&'static str>)) -> Outage {
    Log::parse(&log(answer)).unwrap().outage(Window { from: 102.0, to: 110.0 })
}

fn about(seconds: f64, wanted: f64) -> bool {
    (seconds - wanted).abs() < 0.001
}

const WELL: (f64, Option<&str>) = (0.01, None);

#[test]
fn no_failed_probe_is_no_outage() {
    let found = outage(|_, _| WELL);
    assert_eq!((found.reads.failed, found.reads.probes), (0, 80));
    assert_eq!(format!("{:.1}", found.seconds()), "0.0");
    assert!(about(found.reads.gap, 0.1) && about(found.reads.stall, 0.1), "{found:?}");
}

#[test]
fn an_outage_lasts_until_the_first_probe_after_the_last_failed_one() {
    let refused = |_: &str, start| match start {
        103.05..104.95 => (0.0, Some("connect: Connection refused")),
        _ => WELL,
    };
    let found = outage(refused);
    assert!(about(found.reads.outage, 1.9) && about(found.seconds(), 1.9), "{found:?}");
    assert_eq!(found.reads.failed, 19);
    assert_eq!(found.reads.reasons["connect: Connection refused"], 19);
    assert!(about(found.reads.gap, 2.0), "{found:?}");
}

#[test]
fn successes_within_a_tail_of_failures_do_not_shorten_it() {
    let found = outage(|kind, start| match start {
        103.05..103.15 => (1.0, Some("answer: deadline")),
        107.95..108.05 if kind == "read" => (1.0, Some("answer: deadline")),
        _ => WELL,
    });
    assert!(about(found.reads.outage, 5.0), "{found:?}");
    assert!(about(found.writes.outage, 0.1), "{found:?}");
    assert!(about(found.seconds(), 5.0), "{found:?}");
    assert_eq!((found.reads.failed, found.writes.failed), (2, 1));
}

#[test]
fn what_fails_long_after_everything_has_succeeded_is_another_outage() {
    let failing = |kind: &str, start: f64| match start {
        100.05..100.95 if kind == "read" => (0.0, Some("http 500")),
        109.05..109.95 if kind == "write" => (0.0, Some("http 500")),
        _ => WELL,
    };
    let apart = Log::parse(&log(failing)).unwrap().outage(Window { from: 100.0, to: 110.0 });
    assert_eq!((apart.reads.failed, apart.writes.failed), (9, 9));
    assert!(about(apart.seconds(), 1.8), "{apart:?}");
}

#[test]
fn reads_and_writes_one_after_the_other_are_one_outage() {
    let found = outage(|kind, start| match start {
        103.05..103.95 if kind == "read" => (0.0, Some("http 500")),
        104.95..105.45 if kind == "write" => (0.0, Some("http 500")),
        _ => WELL,
    });
    assert!(about(found.seconds(), 2.4), "{found:?}");
}

#[test]
fn a_probe_under_way_when_it_happens_belongs_to_it() {
    let found = outage(|_, start| match start {
        101.85..102.55 => (1.0, Some("answer: deadline")),
        _ => WELL,
    });
    // The outage begins with the event, not before it.
    assert!(about(found.reads.outage, 0.6), "{found:?}");
    assert_eq!(found.reads.failed, 7);
}

#[test]
fn an_outage_that_never_ends_lasts_as_long_as_it_was_watched() {
    let found = outage(|_, start| match start {
        107.95.. => (1.0, Some("tls: deadline")),
        _ => WELL,
    });
    assert!(about(found.reads.outage, 2.0), "{found:?}");
}

#[test]
fn slow_answers_are_a_gap_though_no_outage() {
    let slow = |_: &str, start| match start {
        103.05..104.05 => (105.0 - start, None),
        _ => WELL,
    };
    let found = outage(slow);
    assert_eq!(found.seconds(), 0.0);
    assert!(found.reads.gap > 0.9, "{found:?}");
}

#[test]
fn names_of_which_half_are_lost_are_out_but_never_long_without_an_answer() {
    let half = |kind: &str, start: f64| match start {
        103.05..105.05 if kind == "name" && (start * 10.0).round() % 2.0 == 0.0 => {
            (1.0, Some("answer: deadline"))
        }
        _ => WELL,
    };
    let found = Log::parse(&log_of(&["name", "service"], half)).unwrap();
    assert!(found.complete_until() > 109.0, "nothing else is waited for");
    let found = found.outage(Window { from: 102.0, to: 110.0 });
    assert_eq!((found.names.failed, found.services.failed, found.reads.probes), (10, 0, 0));
    assert!(about(found.names.outage, 1.9) && about(found.services.outage, 0.0), "{found:?}");
    assert!(about(found.silence(), 0.2), "{found:?}");
    assert_eq!(found.seconds(), 0.0, "the API answered");
}

#[test]
fn the_log_is_complete_only_up_to_the_first_probe_under_way() {
    let hanging = log(|_, start| match start {
        105.95..106.05 => (3.0, Some("connect: deadline")),
        _ => WELL,
    });
    let cut = hanging.find("connect: deadline").unwrap();
    // Half a line at the end is a line that is being written.
    let growing = Log::parse(&hanging[..cut]).unwrap();
    assert!(about(growing.complete_until(), 105.9), "{}", growing.complete_until());
    assert!(Log::parse(&hanging).unwrap().complete_until() > 109.0);
    assert!(Log::parse("{\"run\": ").is_none());
}

#[test]
fn two_probes_that_start_in_the_other_order_hold_nothing_up() {
    let whole = log(|_, _| WELL);
    // The second read starts a moment before the first one.
    let [first, second] = [r#""kind":"read","n":0,"#, r#""kind":"read","n":1,"#];
    let lines = whole.lines().map(|line| match line.contains(first) {
        true => line.replace(first, second),
        false => line.replace(second, first),
    });
    let text: String = lines.map(|line| line + "\n").collect();
    assert_ne!(text, whole);
    let found = Log::parse(&text).unwrap();
    assert!(found.complete_until() > 109.0, "{}", found.complete_until());
}

#[test]
fn steady_is_without_failures_for_long_enough_until_now() {
    let failing_until = |until: f64| {
        let text = log(|_, start| if start < until { (0.0, Some("http 503")) } else { WELL });
        Log::parse(&text).unwrap()
    };
    assert!(failing_until(107.0).steady(110.0, 2.0));
    assert!(!failing_until(109.0).steady(110.0, 2.0));
    assert!(!failing_until(0.0).steady(110.0, 20.0), "not yet probed for so long");
    assert!(!failing_until(0.0).steady(115.0, 2.0), "the prober says nothing any more");
}

/// A report as a run makes it, of two topologies.
fn report() -> Report {
    let settings = Log::parse(&log(|_, _| WELL)).unwrap().settings;
    let host = Host {
        kernel: "6.1.0".to_owned(),
        cgroup: 2,
        cores: 4,
        memory: 16,
        interval: settings.interval,
        deadline: settings.deadline,
        watched: "for 15 s".to_owned(),
    };
    let refused = outage(|kind, start| match start {
        103.05..104.65 if kind == "read" => (0.0, Some("connect: Connection refused")),
        103.05..104.75 if kind == "write" => (0.0, Some("connect: No route to host")),
        _ => WELL,
    });
    let event = |what: &str, node: &str, lost: &Outage| Event {
        what: what.to_owned(),
        node: node.to_owned(),
        lost: lost.clone(),
        healed: outage(|_, _| WELL),
        lost_writes: Vec::new(),
        holders: vec!["cp2".to_owned()],
        holders_healed: vec!["cp2".to_owned()],
        heal: 21.4,
    };
    let run = |topology: &str, events| Run {
        topology: topology.to_owned(),
        digest: "sha256:00".to_owned(),
        programs: [("etcd", "3.6.8"), ("kubeadm", "1.37.1")]
            .map(|(program, version)| (program.to_owned(), version.to_owned()))
            .into(),
        bring_up: 71.2,
        events,
    };
    let pods = |kind: &str, start: f64| match start {
        103.05..105.15 if kind == "name" => (1.0, Some("answer: deadline")),
        _ => WELL,
    };
    let pods = Log::parse(&log_of(&["name", "service"], pods)).unwrap();
    let pods = pods.outage(Window { from: 102.0, to: 110.0 });
    let refused = Outage { names: pods.names, services: pods.services, ..refused };
    let quiet = outage(|_, _| WELL);
    let stacked = vec![
        event("powered off", "cp1 (VIP)", &refused),
        event("powered off", "cp2", &quiet),
        event("keepalived killed", "cp2 (VIP)", &quiet),
    ];
    let external = vec![event("powered off", "cp1", &quiet)];
    let runs = vec![run("stacked etcd, nginx", stacked), run("external etcd, haproxy", external)];
    Report { host, runs }
}

#[test]
fn a_report_is_a_table_of_events_and_a_summary_of_the_worst() {
    let worst = report().runs[0].events.iter().map(Event::seconds).fold(0.0, f64::max);
    assert!(about(worst, 1.7), "{worst}");
    let silence = report().runs[0].events.iter().map(Event::silence).fold(0.0, f64::max);
    assert!(about(silence, 2.2), "{silence}");
    reviewed("ground", "report", &report().markdown());
    reviewed("ground", "summary", &report().summary());
}

#[test]
fn a_report_is_taken_up_again_where_host_and_settings_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let earlier = report();
    earlier.write(folder.path());
    let mut resumed = Report::resumed(folder.path(), earlier.host.clone());
    assert_eq!(resumed, earlier);
    let again = Run { bring_up: 60.0, ..earlier.runs[0].clone() };
    resumed.put(again.clone());
    assert_eq!(resumed.runs, [again, earlier.runs[1].clone()]);
    let other = Host { deadline: 2.0, ..earlier.host };
    assert!(Report::resumed(folder.path(), other).runs.is_empty());
}

#[test]
fn readme_shows_what_was_measured() {
    let [begin, end] = ["<!-- report -->\n", "<!-- end of report -->\n"];
    let json = std::fs::read_to_string(root().join("tests/real/report.json")).unwrap();
    let summary = Report::parse(&json).summary();
    let file = root().join("README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(begin).expect("README marks where the table begins");
    let (shown, after) = rest.split_once(end).expect("README marks where the table ends");
    let wanted = format!("\n{summary}\n");
    if blessing() {
        std::fs::write(&file, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert!(
            shown == wanted,
            "README.md does not show tests/real/report.json: HAGEN_BLESS=1 cargo test rewrites it"
        );
    }
}
