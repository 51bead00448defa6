//! Where etcd writes its log, and whether a file of it is kept small: etcd checks it at its start
//! (`setupLogging` in `server/embed/config_logging.go`).

use std::path::{Component, Path as FilePath};

use super::{LOG_OUTPUT, LOG_ROTATION, section};
use crate::catalog::EtcdRelease;
use crate::report::{Finding, Path, closest};
use crate::site::{Cluster, EtcdMode};

const OUTPUTS: &str = "log-outputs";
/// The name of before, which knows one.
const OUTPUT: &str = "log-output";
const ROTATION: &str = "enable-log-rotation";
const ROTATION_CONFIG: &str = "log-rotation-config-json";

/// The folder that hagen makes for the log of members that systemd runs, where a file is named.
pub(super) const FOLDER: &str = "/var/log/etcd";

const JOURNAL: &str = "systemd/journal";
/// Outputs that are no files.
const WORDS: [&str; 5] = ["default", "stderr", "stdout", JOURNAL, "/dev/null"];
/// Of these, what takes no other beside it.
const ALONE: [&str; 2] = ["default", JOURNAL];

fn setting(name: &str) -> Path {
    section().key("settings").key(name)
}

fn said<'a>(cluster: &'a Cluster<'a>, name: &str) -> Option<&'a str> {
    cluster.etcd.settings.get(name).map(String::as_str)
}

fn outputs<'a>(cluster: &'a Cluster<'a>, name: &str) -> Vec<&'a str> {
    said(cluster, name).map(|outputs| outputs.split(',').collect()).unwrap_or_default()
}

/// Whether a file of the log is in hagen's folder for it.
pub(super) fn in_folder(cluster: &Cluster<'_>) -> bool {
    let all = [OUTPUTS, OUTPUT].map(|name| outputs(cluster, name)).concat();
    all.iter().any(|output| FilePath::new(output).starts_with(FOLDER))
}

/// The first output that etcd does not know, cannot write to, or not beside others. `own` are the
/// folders of its account.
pub(super) fn output(cluster: &Cluster<'_>, facts: &EtcdRelease, own: &[&str]) -> Option<Finding> {
    [OUTPUTS, OUTPUT]
        .into_iter()
        .filter(|name| facts.flag_status(name, cluster.etcd.version.patch).is_known())
        .find_map(|name| of_setting(name, cluster, facts, own))
}

fn of_setting(
    name: &str,
    cluster: &Cluster<'_>,
    facts: &EtcdRelease,
    own: &[&str],
) -> Option<Finding> {
    let stacked = cluster.etcd.mode == EtcdMode::Stacked;
    let all = outputs(cluster, name);
    let finding = |message: String| Finding::new(&LOG_OUTPUT, setting(name), message);
    for output in &all {
        let word = WORDS.contains(output);
        if !word && !output.starts_with('/') {
            let finding = finding(format!("etcd knows no output `{output}`")).label("no place");
            return Some(match closest(output, WORDS) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("write one of {}, or a path", WORDS.join(", "))),
            });
        }
        if stacked && *output == JOURNAL {
            return Some(
                finding("a static pod reaches no journal".to_owned())
                    .because(section().key("mode"), "members are pods")
                    .help("remove it: the kubelet keeps what pods write"),
            );
        }
        // What a pod does not see is another finding.
        if !stacked && !word && !own.iter().any(|folder| is_file_in(output, folder)) {
            return Some(
                finding(format!(
                    "etcd runs as a user of its own, who may not make the file {output}"
                ))
                .help(format!("write it in {FOLDER}, such as `{FOLDER}/etcd.log`")),
            );
        }
        if all.len() > 1 && ALONE.contains(output) {
            return Some(
                finding(format!("etcd takes no other output beside {output}"))
                    .help("remove it, or the others"),
            );
        }
    }
    let older = facts.logger_setting
        && !facts.zap_by_default
        && match said(cluster, "logger") {
            Some(logger) => logger != "zap",
            // hagen's own members are told.
            None => stacked,
        };
    let needs_zap = all.len() > 1 || all.iter().any(|output| output.contains('/'));
    (older && needs_zap).then(|| {
        finding("this etcd's older form of log knows one output, and no file".to_owned())
            .help("write `logger: zap` as well")
    })
}

/// Whether a path names a file right in a folder: etcd makes no folders.
fn is_file_in(path: &str, folder: &str) -> bool {
    let rest = FilePath::new(path).strip_prefix(folder).map(|rest| rest.components().collect());
    !path.ends_with('/')
        && rest.is_ok_and(|rest: Vec<_>| matches!(rest[..], [Component::Normal(_)]))
}

/// What rotates has to be one file.
pub(super) fn rotation(cluster: &Cluster<'_>) -> Option<Finding> {
    let on = said(cluster, ROTATION) == Some("true");
    let all = outputs(cluster, OUTPUTS);
    let files = all.iter().filter(|output| !WORDS.contains(output)).count();
    if on && files != 1 {
        let message = format!("etcd rotates one file, and `{OUTPUTS}` names {files}");
        return Some(
            Finding::new(&LOG_ROTATION, setting(ROTATION), message)
                .because(setting(OUTPUTS), "where the log goes")
                .help("remove it: the journal and the kubelet keep logs small by themselves"),
        );
    }
    said(cluster, ROTATION_CONFIG)?;
    let message = "etcd reads an object in JSON here, whose quotes a setting cannot have, and \
                   crashes where it is empty";
    Some(
        Finding::new(&LOG_ROTATION, setting(ROTATION_CONFIG), message)
            .help("remove it: a file has 100 MB then, and all are kept"),
    )
}
