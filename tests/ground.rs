//! What the proving ground concludes from logs that were recorded, and README's table of it. The
//! machines themselves are in `tests/real/ground`.

#[path = "real/ground/event.rs"]
mod event;
#[path = "real/ground/measured.rs"]
mod measured;
#[path = "real/ground/outage.rs"]
mod outage;
#[path = "real/ground/record.rs"]
mod record;
#[path = "real/ground/report.rs"]
mod report;
#[path = "real/ground/runbook.rs"]
mod runbook;

use self::event::{Bar, Event};
use self::outage::{Log, Outage, Window};
use self::record::{Record, Records};
use self::report::{Host, Run, markdown, summary};
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
fn a_prober_that_asks_nothing_has_stalled() {
    let text = log(|_, _| WELL);
    let stall = |text: &str| {
        let found = Log::parse(text).unwrap().outage(Window { from: 102.0, to: 110.0 });
        found.reads.stall.max(found.writes.stall)
    };
    assert!(about(stall(&text), 0.1));
    let (settings, probes) = text.split_once('\n').unwrap();
    assert!(about(stall(&format!("{settings}\n")), 8.0), "nothing at all was asked");
    let until_105 = probes.lines().take_while(|line| !line.contains(r#""start":105"#));
    let stopped: Vec<&str> = [settings].into_iter().chain(until_105).chain([""]).collect();
    assert!(about(stall(&stopped.join("\n")), 5.1), "until the window's end");
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

/// An event on a node, after which all was well.
fn event(what: &str, node: &str, lost: &Outage) -> Event {
    Event {
        what: what.to_owned(),
        node: node.to_owned(),
        lost: lost.clone(),
        healed: outage(|_, _| WELL),
        lost_writes: Vec::new(),
        holders: vec!["cp2".to_owned()],
        holders_healed: vec!["cp2".to_owned()],
        heal: 21.4,
    }
}

/// Names that failed for about two seconds.
fn without_names() -> Outage {
    let pods = |kind: &str, start: f64| match start {
        103.05..105.15 if kind == "name" => (1.0, Some("answer: deadline")),
        _ => WELL,
    };
    let log = Log::parse(&log_of(&["name", "service"], pods)).unwrap();
    log.outage(Window { from: 102.0, to: 110.0 })
}

/// Runs of two topologies.
fn runs() -> [Run; 2] {
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
    let run = |topology: &str, events| Run {
        topology: topology.to_owned(),
        host: host.clone(),
        programs: [("etcd", "3.6.8"), ("kubeadm", "1.37.1")]
            .map(|(program, version)| (program.to_owned(), version.to_owned()))
            .into(),
        bring_up: 71.2,
        events,
    };
    let Outage { names, services, .. } = without_names();
    let refused = Outage { names, services, ..refused };
    let quiet = outage(|_, _| WELL);
    let stacked = vec![
        event("powered off", "cp1 (VIP)", &refused),
        event("powered off", "cp2", &quiet),
        event("keepalived killed", "cp2 (VIP)", &quiet),
    ];
    let external = vec![event("powered off", "cp1", &quiet)];
    [run("stacked etcd, nginx", stacked), run("external etcd, haproxy", external)]
}

#[test]
fn a_report_is_a_table_of_events_and_a_summary_of_the_worst() {
    let runs = runs();
    reviewed("ground", "report", &markdown(&runs));
    reviewed("ground", "summary", &summary(&[&runs[0], &runs[1]]));
}

#[test]
fn each_run_says_its_host_where_they_had_several() {
    let [one, mut other] = runs();
    other.host.kernel = "6.12.0".to_owned();
    let text = summary(&[&one, &other]);
    let said = |line: &str| text.lines().filter(|said| said.starts_with(line)).count();
    assert_eq!(said("stacked etcd, nginx: Measured on one machine"), 1, "{text}");
    assert_eq!(said("external etcd, haproxy: Measured on one machine"), 1, "{text}");
}

#[test]
fn a_loss_is_within_the_bar_or_says_what_was_too_long() {
    let out = |seconds: f64| {
        outage(move |_, start| match start - 103.0 {
            from if from > 0.05 && from < 0.05 + seconds => (0.0, Some("http 503")),
            _ => WELL,
        })
    };
    let event = |lost: &Outage| event("powered off", "cp1", lost);
    let missed = |bar: Bar, event: &Event| bar.missed(event, true);
    assert_eq!(missed(Bar::Promised(4.0), &event(&out(3.0))), None);
    let long = event(&out(5.0));
    let said = missed(Bar::Promised(4.0), &long).unwrap();
    assert!(said.starts_with("cp1 powered off: 5.0 s without the API"), "{said}");
    assert!(missed(Bar::PromisedByChecks(4.0), &long).is_some());
    assert_eq!(missed(Bar::None, &long), None);
    // A balancer that does not check is not asked how it sees a node come back.
    let back = Event { healed: out(5.0), ..event(&out(0.0)) };
    assert!(Bar::Promised(4.0).missed(&back, true).is_some());
    assert_eq!(Bar::Promised(4.0).missed(&back, false), None);
    assert_eq!(Bar::PromisedByChecks(4.0).missed(&long, false), None);
    // Pods are asked whatever balances.
    let mut silent = without_names();
    assert!(about(event(&silent).silence(), 2.2), "{silent:?}");
    assert_eq!(missed(Bar::Promised(4.0), &event(&silent)), None);
    silent.names.gap = 4.1;
    assert!(Bar::PromisedByChecks(4.0).missed(&event(&silent), false).is_some());
    let mut unseen = out(0.0);
    unseen.writes.stall = 1.5;
    assert!(missed(Bar::Promised(4.0), &event(&unseen)).unwrap().contains("nothing was asked"));
}

#[test]
fn lost_writes_and_two_holders_are_defects_whatever_the_bar() {
    let well = event("powered off", "cp1", &outage(|_, _| WELL));
    assert_eq!(well.defects(1), [""; 0]);
    let without = Event { holders: vec![], holders_healed: vec![], ..well.clone() };
    assert_eq!(without.defects(0), [""; 0], "an API without a VIP");
    let nobody_yet = Event { holders: vec![], ..well.clone() };
    assert_eq!(nobody_yet.defects(1), [""; 0], "all control planes are off");
    let two = || vec!["cp1".to_owned(), "cp2".to_owned()];
    for wrong in [
        Event { lost_writes: vec!["hagen-probe-1".to_owned()], ..well.clone() },
        Event { holders: two(), ..well.clone() },
        Event { holders_healed: two(), ..well.clone() },
        Event { holders_healed: vec![], ..well },
    ] {
        assert_eq!(wrong.defects(1).len(), 1, "{wrong:?}");
    }
}

/// A record of a run that took so long to come up.
fn record(run: &Run, bring_up: f64, digest: &str) -> Record {
    let run = Run { bring_up, ..run.clone() };
    Record::of(run, [digest.to_owned(), digest.to_owned()], vec![]).unwrap()
}

#[test]
fn nothing_but_a_run_without_defects_of_one_tree_is_a_record() {
    let [run, _] = runs();
    let of = |digests: [&str; 2], defects: &[&str]| {
        let defects = defects.iter().map(|defect| (*defect).to_owned()).collect();
        Record::of(run.clone(), digests.map(str::to_owned), defects)
    };
    assert_eq!(of(["a", "a"], &[]), Ok(record(&run, run.bring_up, "a")));
    assert_eq!(of(["a", "a"], &["cp1 is off"]), Err(vec!["cp1 is off".to_owned()]));
    let changed = of(["a", "b"], &["cp1 is off"]).unwrap_err();
    assert!(changed.len() == 2 && changed[1].contains("changed during the run"), "{changed:?}");
}

#[test]
fn a_record_holds_for_its_digest_and_is_replaced_by_one_of_its_topology() {
    let [stacked, external] = &runs();
    let mut records = Records::default();
    assert!(!records.hold(&stacked.topology, "a"), "what was never measured is due");
    records.put(record(stacked, 71.0, "a"));
    records.put(record(external, 72.0, "b"));
    let held = |records: &Records| {
        [(stacked, "a"), (stacked, "b"), (external, "b"), (external, "a")]
            .map(|(run, digest)| records.hold(&run.topology, digest))
    };
    assert_eq!(held(&records), [true, false, true, false]);
    records.put(record(stacked, 60.0, "b"));
    assert_eq!(held(&records), [false, true, true, false]);
    let came_up: Vec<f64> = records.runs().iter().map(|run| run.bring_up).collect();
    assert_eq!(came_up, [60.0, 72.0], "in the place of the earlier one");
    assert_eq!(Records::parse(&records.json()), records);

    assert_eq!(records.retain(&[stacked.topology.clone(), external.topology.clone()]), [""; 0]);
    let gone = records.retain(std::slice::from_ref(&external.topology));
    assert_eq!(gone, [stacked.topology.as_str()]);
    assert_eq!(held(&records), [false, false, true, false]);
}

#[test]
fn a_file_counts_for_the_clusters_that_it_can_change() {
    let modules = ["kubernetes-1.37".to_owned()].into();
    let counts = |path: &str| [false, true].map(|rpms| measured::counts(path, &modules, rpms));
    for always in ["ground/event.rs", "ground/probe.py", "supply/make", "go/build", "programs.rs"] {
        assert_eq!(counts(always), [true, true], "{always}");
    }
    assert_eq!(counts("go/kubernetes-1.37/go.mod"), [true, true]);
    for rpms in ["supply/el", "supply/files/el/chronyd.service"] {
        assert_eq!(counts(rpms), [false, true], "{rpms}");
    }
    for never in
        ["ground/topologies.rs", "ground/.event.rs.swp", "go/kubernetes-1.30/go.mod", "parts.rs"]
    {
        assert_eq!(counts(never), [false, false], "{never}");
    }
}

/// Or a verdict could change, and the record with it would hold.
#[test]
fn what_judges_a_run_rests_on_nothing_outside_of_its_digest() {
    let folder = root().join("tests/real/ground");
    let counts = |file: &str| measured::counts(&format!("ground/{file}"), &[].into(), true);
    let files = std::fs::read_dir(&folder).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut walked = 0;
    for file in files.filter(|file| file.ends_with(".rs") && counts(file)) {
        let text = std::fs::read_to_string(folder.join(&file)).unwrap();
        for used in text.split("crate::").skip(1).chain(text.split("super::").skip(1)) {
            let module = format!("{}.rs", used.split("::").next().unwrap());
            let outside = folder.join(&module).exists() && !counts(&module);
            // What was measured is kept in the one; what is chosen from the other is in the digest.
            let data = used.starts_with("report::Run;") || used.starts_with("topologies::");
            assert!(!outside || data, "{file} uses {module}");
            walked += 1;
        }
    }
    assert!(walked > 50, "{walked}");
}

#[test]
fn a_runbook_is_read_as_its_reader_does() {
    let folder = root().join("golden/clusters/minimal/out");
    let text = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let nodes = ["cp1", "cp2", "cp3", "w1"].map(str::to_owned);
    let steps = runbook::bring_up(&text, &nodes);
    let of = |script: &str| {
        let step = steps.iter().find(|step| step.script.contains(script)).unwrap();
        (step.nodes.join(" "), step.at_once)
    };
    assert_eq!(of("10-prepare.sh"), ("cp1 cp2 cp3 w1".to_owned(), true));
    assert_eq!(of("50-init.sh"), ("cp1".to_owned(), true));
    assert_eq!(of("50-join.sh"), ("cp2 cp3".to_owned(), false));
    assert_eq!(runbook::blocks(&text, "A lost control plane").len(), 3);
    // Prose is not followed, so no run measures it.
    let reworded = text.replace("## A lost control plane", "## A control plane is gone");
    assert_ne!(reworded, text);
    assert_eq!(runbook::followed(&reworded), runbook::followed(&text));
    let other = text.replace("50-join.sh", "51-join.sh");
    assert_ne!(runbook::followed(&other), runbook::followed(&text));
}

#[test]
fn readme_shows_what_was_measured() {
    let [begin, end] = ["<!-- report -->\n", "<!-- end of report -->\n"];
    let json = std::fs::read_to_string(root().join("tests/real/report.json")).unwrap();
    let summary = summary(&Records::parse(&json).runs());
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
