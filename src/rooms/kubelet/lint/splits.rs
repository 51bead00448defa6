//! Flags that would become two. kubeadm joins the kubelet's flags with blanks into one variable of
//! `/var/lib/kubelet/kubeadm-flags.env`, and systemd splits it there again
//! (<https://github.com/kubernetes/kubernetes/blob/v1.30.4/cmd/kubeadm/app/phases/kubelet/flags.go>,
//! systemd.exec(5) on `$FOO`).

use crate::inventory::values::{FlagName, FlagValue};
use crate::report::{Finding, Path, Report};
use crate::rooms::kubelet::VALUE_SPLITS;
use crate::rooms::kubelet::fields::Fields;

pub(super) fn lint(fields: &Fields<'_>, report: &mut Report) {
    for (name, value, at) in fields.flags() {
        report_split(name, value, at, report);
    }
}

pub(super) fn report_split(name: &str, value: &str, at: Path, report: &mut Report) {
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
    use crate::rooms::overlaid::complaints;

    #[test]
    fn a_value_stays_one_value() {
        for good in ["2", "cpu=100m,memory=1Gi", ""] {
            let overlay = json!({"extraArgs": {"kubelet": {"kube-reserved": good}}});
            assert_eq!(complaints(&Kubelet, &overlay), [""; 0], "{good}");
        }
        for bad in ["2 --anonymous-auth=true", "2\u{a0}3"] {
            let overlay = json!({"extraArgs": {"kubelet": {"v": bad}}});
            let expected = ["kubelet/value-splits at extraArgs.kubelet.v"];
            assert_eq!(complaints(&Kubelet, &overlay), expected, "{bad}");
        }
    }
}
