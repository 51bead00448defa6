//! Flags that would become two. kubeadm joins the kubelet's flags with blanks into one variable of
//! `/var/lib/kubelet/kubeadm-flags.env`, and systemd splits it there again
//! (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/phases/kubelet/flags.go>,
//! systemd.exec(5) on `$FOO`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::VALUE_SPLITS;
use crate::cluster::Cluster;
use crate::inventory::values::{FlagName, FlagValue};
use crate::report::{Finding, Path, Report};

/// The documents of kubeadm that have flags of the kubelet.
const DOCUMENTS: [&str; 2] = ["kubeadm/InitConfiguration", "kubeadm/JoinConfiguration"];

pub(super) fn lint(said: &BTreeMap<FlagName, FlagValue>, cluster: &Cluster, report: &mut Report) {
    let at = Path::of(&["extraArgs", "kubelet"]);
    for (name, value) in said {
        report_split(name.as_str(), value.as_str(), at.key(name.as_str()), report);
    }
    for patch in cluster.patches.iter().filter(|patch| DOCUMENTS.contains(&&*patch.document)) {
        let at = Path::of(&["patches"]).index(patch.index).key("patch");
        let at = at.key("nodeRegistration").key("kubeletExtraArgs");
        match &patch.patch["nodeRegistration"]["kubeletExtraArgs"] {
            // Up to v1beta3.
            Value::Object(flags) => {
                for (name, value) in flags {
                    report_split(name, value.as_str().unwrap_or_default(), at.key(name), report);
                }
            }
            // From v1beta4 on.
            Value::Array(flags) => {
                for (index, flag) in flags.iter().enumerate() {
                    let word = |key: &str| flag[key].as_str().unwrap_or_default();
                    report_split(word("name"), word("value"), at.index(index).key("value"), report);
                }
            }
            _ => {}
        }
    }
}

fn report_split(name: &str, value: &str, at: Path, report: &mut Report) {
    let whole = value.parse::<FlagValue>().is_ok() && !value.contains(char::is_whitespace);
    if !whole || name.parse::<FlagName>().is_err() {
        report.push(
            Finding::new(
                &VALUE_SPLITS,
                at,
                format!("the kubelet would not read this as the one value of --{name}"),
            )
            .label("what follows a blank is a flag of its own")
            .help("write one word without blanks, quotes, backslashes and `$`, and each flag as a key of its own"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::rooms::kubelet::Kubelet;
    use crate::rooms::trial::complaints;

    #[test]
    fn a_value_stays_one_value() {
        for good in ["2", "cpu=100m,memory=1Gi", ""] {
            let overlay = json!({"extraArgs": {"kubelet": {"v": good}}});
            assert_eq!(complaints(&Kubelet, &overlay), [""; 0], "{good}");
        }
        for bad in ["2 --anonymous-auth=true", "2\u{a0}3"] {
            let overlay = json!({"extraArgs": {"kubelet": {"v": bad}}});
            let expected = ["kubelet/value-splits at extraArgs.kubelet.v"];
            assert_eq!(complaints(&Kubelet, &overlay), expected, "{bad}");
        }
    }

    #[test]
    fn a_patch_is_no_way_around() {
        let patched = |document: &str, flags: serde_json::Value| {
            let patch = json!({"nodeRegistration": {"kubeletExtraArgs": flags}});
            let overlay = json!({"patches": [{"document": document, "patch": patch}]});
            let all = complaints(&Kubelet, &overlay);
            all.into_iter()
                .filter(|found| found.starts_with("kubelet/value-splits"))
                .collect::<Vec<_>>()
        };
        let at = "kubelet/value-splits at patches[0].patch.nodeRegistration.kubeletExtraArgs";
        for document in super::DOCUMENTS {
            let two = json!([{"name": "v", "value": "2"}, {"name": "v", "value": "2 --x=y"}]);
            assert_eq!(patched(document, two), [format!("{at}[1].value")]);
            assert_eq!(patched(document, json!({"v": "2\n--x"})), [format!("{at}.v")]);
            assert_eq!(patched(document, json!({"v --x": "2"})), [format!("{at}.v --x")]);
            assert!(patched(document, json!({"v": "2"})).is_empty());
        }
    }
}
