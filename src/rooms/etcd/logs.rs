//! Where etcd writes its log, and whether a file of it is kept small: etcd checks it at its start
//! (`setupLogging` in `server/embed/config_logging.go`).

use std::path::Path as FilePath;

use super::codes::{LOG_OUTPUT, LOG_ROTATION};
use super::lint::section;
use crate::cluster::{Cluster, EtcdMode};
use crate::report::{Finding, Path, closest};

const OUTPUTS: &str = "log-outputs";
const ROTATION: &str = "enable-log-rotation";
const ROTATION_CONFIG: &str = "log-rotation-config-json";

/// The folder that hagen makes for the log of members that systemd runs, where a file is named.
pub(super) const FOLDER: &str = "/var/log/etcd";

/// Words that are no files. The first and the last stand alone.
const WORDS: [&str; 4] = ["default", "stderr", "stdout", "systemd/journal"];
const ALONE: [&str; 2] = [WORDS[0], WORDS[3]];

fn setting(name: &str) -> Path {
    section().key("settings").key(name)
}

fn said<'a>(cluster: &'a Cluster, name: &str) -> Option<&'a str> {
    cluster.etcd.settings.get(name).map(String::as_str)
}

fn outputs(cluster: &Cluster) -> Vec<&str> {
    said(cluster, OUTPUTS).map(|outputs| outputs.split(',').collect()).unwrap_or_default()
}

/// Whether a file of the log is in hagen's folder for it.
pub(super) fn in_folder(cluster: &Cluster) -> bool {
    outputs(cluster).iter().any(|output| FilePath::new(output).starts_with(FOLDER))
}

/// Outputs that etcd does not know, cannot write to, or not together. `data` is what its account
/// owns; `older` says that this release has an older logger unless it is told otherwise.
pub(super) fn output(cluster: &Cluster, data: &[String], older: bool) -> Option<Finding> {
    let stacked = cluster.etcd.mode == EtcdMode::Stacked;
    let all = outputs(cluster);
    let finding = |message: String| Finding::new(&LOG_OUTPUT, setting(OUTPUTS), message);
    for output in &all {
        let word = WORDS.contains(output);
        if !word && !output.starts_with('/') {
            let finding = finding(format!("etcd knows no output {output}")).label("no place");
            return Some(match closest(output, WORDS) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("write one of {}, or a path", WORDS.join(", "))),
            });
        }
        if stacked && *output == WORDS[3] {
            return Some(
                finding("a static pod reaches no journal".to_owned())
                    .because(section().key("mode"), "members are pods")
                    .help("remove it: the kubelet keeps what pods write"),
            );
        }
        let own = |folder: &str| FilePath::new(output).starts_with(folder);
        if !stacked && !word && !own(FOLDER) && !data.iter().any(|folder| own(folder)) {
            return Some(
                finding(format!("etcd runs as a user of its own, who may not write {output}"))
                    .help(format!("write it below {FOLDER}, such as `{FOLDER}/etcd.log`")),
            );
        }
        if all.len() > 1 && ALONE.contains(output) {
            return Some(
                finding(format!("etcd takes no other output beside {output}"))
                    .help("remove it, or the others"),
            );
        }
    }
    let older = older
        && match said(cluster, "logger") {
            Some(logger) => logger != "zap",
            // hagen's own members are told.
            None => stacked,
        };
    let needs_zap = all.len() > 1 || all.iter().any(|output| output.contains('/'));
    // A file that a pod does not see is another finding.
    let seen = |output: &str| FilePath::new(output).starts_with(&cluster.etcd.data_dir);
    let unseen = all.iter().any(|output| output.starts_with('/') && !seen(output));
    (older && needs_zap && !(stacked && unseen)).then(|| {
        finding("this etcd's older form of log knows one output, and no file".to_owned())
            .help("set as well: `logger: zap`")
    })
}

/// What rotates has to be one file.
pub(super) fn rotation(cluster: &Cluster) -> Option<Finding> {
    let on = said(cluster, ROTATION) == Some("true");
    let files = outputs(cluster).into_iter().filter(|output| !WORDS.contains(output)).count();
    if on && files != 1 {
        let message = format!("etcd rotates exactly one file, and `{OUTPUTS}` names {files}");
        return Some(
            Finding::new(&LOG_ROTATION, setting(ROTATION), message)
                .because(setting(OUTPUTS), "where the log goes")
                .help("remove it: the journal and the kubelet keep logs small by themselves"),
        );
    }
    said(cluster, ROTATION_CONFIG)?;
    let message = "etcd reads an object in JSON here, and a setting has no quotes".to_owned();
    Some(
        Finding::new(&LOG_ROTATION, setting(ROTATION_CONFIG), message)
            .help("remove it: a file has 100 MB then, and all are kept"),
    )
}
