//! What a user's value says in the fields of a configuration document: each field is one that the
//! release has, and what stands in it has the field's type. The programs decode these documents
//! strictly: what is reported here stops them, or is ignored by the oldest in silence.

use serde_json::{Map, Value};

use super::{Cluster, codes, duration, said_flags};
use crate::catalog::VersionPart;
use crate::catalog::fields::{self, Document, Kind};
use crate::catalog::flags::Status;
use crate::report::{Finding, Path, Report, closest};

/// Every document whose fields the catalog knows, by the name that patches use.
static DOCUMENTS: [&str; 5] = [
    "kubelet/KubeletConfiguration",
    "kubeproxy/KubeProxyConfiguration",
    "kubeadm/ClusterConfiguration",
    "kubeadm/InitConfiguration",
    "kubeadm/JoinConfiguration",
];

/// Judges `value`, which stands at `at` and is laid over the document `name`. A document that the
/// catalog does not know is not judged.
pub fn lint(cluster: &Cluster<'_>, name: &str, value: &Value, at: &Path, report: &mut Report) {
    let Some(known) = DOCUMENTS.iter().find(|known| **known == name) else { return };
    let kind = kind_of(known);
    if let (Some(document), Some(said)) = (fields::document(kind), value.as_object()) {
        Judge { cluster, document, kind, report }.fields("", said, at);
    }
}

/// What follows the room in a document's name.
fn kind_of(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, kind)| kind)
}

struct Judge<'a> {
    cluster: &'a Cluster<'a>,
    document: &'static Document,
    kind: &'static str,
    report: &'a mut Report,
}

impl Judge<'_> {
    fn fields(&mut self, path: &str, said: &Map<String, Value>, at: &Path) {
        for (key, value) in said {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let at = at.key(key);
            match self.document.field(&below, self.cluster.version.minor) {
                Ok(kind) => self.value(kind, &below, value, &at),
                Err(status) => self.absent(status, path, key, at),
            }
        }
    }

    fn absent(&mut self, status: Status, path: &str, key: &str, at: Path) {
        let minor = self.cluster.version.minor;
        let dot = if path.is_empty() { "" } else { "." };
        let what = format!("{} has no field {path}{dot}{key}", self.kind);
        let near = || {
            let elsewhere = || path.is_empty().then(|| elsewhere(key, minor)).flatten();
            closest(key, self.document.below(path, minor)).map(str::to_owned).or_else(elsewhere)
        };
        said_flags::report_absent(self.cluster, &what, status, near, at, self.report);
    }

    fn value(&mut self, kind: &Kind, path: &str, value: &Value, at: &Path) {
        match (kind, value) {
            // Removes the field.
            (_, Value::Null)
            | (Kind::Any, _)
            | (Kind::Bool, Value::Bool(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Text, Value::String(_)) => {}
            (Kind::Integer, Value::Number(number)) if !number.is_f64() => {}
            (Kind::Duration, Value::String(text)) if duration::is_duration(text) => {}
            (Kind::Object, Value::Object(said)) => self.fields(path, said, at),
            (Kind::List(of), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(of, &format!("{path}[]"), item, &at.index(index));
                }
            }
            (Kind::Map(of), Value::Object(said)) => {
                for (key, value) in said {
                    self.value(of, path, value, &at.key(key));
                }
            }
            _ => self.report.push(wrong(self.kind, path, kind, value, at)),
        }
    }
}

/// Which document of hagen's has a field of this name.
fn elsewhere(key: &str, minor: VersionPart) -> Option<String> {
    let has = |name: &&&str| {
        let document = fields::document(kind_of(name));
        document.is_some_and(|document| document.field(key, minor).is_ok())
    };
    DOCUMENTS.iter().find(has).map(|name| format!("`{key}` of {name}"))
}

fn wrong(document: &str, path: &str, kind: &Kind, value: &Value, at: &Path) -> Finding {
    let is = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    let (must, help) = match kind {
        Kind::Any => ("anything", String::new()),
        Kind::Bool => ("a boolean", "write `true` or `false`, without quotes".to_owned()),
        Kind::Integer => ("a whole number", number(value, "a whole number")),
        Kind::Number => ("a number", number(value, "a number")),
        Kind::Text => ("a text", text(value)),
        Kind::Duration => ("a duration", duration(value)),
        Kind::List(_) if value.is_object() => {
            ("a list", "write a list: each entry after a `-`".into())
        }
        Kind::List(_) => ("a list", format!("write `[{value}]`")),
        Kind::Object | Kind::Map(_) => ("a map", "write a map: names and values".to_owned()),
    };
    let message = format!("{path} of {document} takes {must}, and this is {is}");
    Finding::new(&codes::FIELD_TYPE, at.clone(), message)
        .label(format!("must be {must}"))
        .help(help)
}

fn number(value: &Value, must: &str) -> String {
    match value.as_str().map(str::parse::<i64>) {
        Some(Ok(number)) => format!("write `{number}`, without quotes"),
        _ => format!("write {must}"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(_) | Value::Number(_) => format!("write it in quotes: `\"{value}\"`"),
        _ => "write a text".to_owned(),
    }
}

fn duration(value: &Value) -> String {
    let bare = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => String::new(),
    };
    match bare.parse::<u64>() {
        Ok(number) => format!("write its unit as well, such as `{number}s`"),
        Err(_) => "write numbers with their units, such as `30s` or `1h30m`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::rooms::overlaid::outcome;

    /// What is said of a patch, as `code at place: help`.
    fn said(kubernetes: &str, document: &str, patch: &str) -> Vec<String> {
        let outcome = outcome(&format!(
            "{{cluster: {{kubernetes: {kubernetes}}}, patches: [{{document: {document}, patch: {patch}}}]}}"
        ));
        let found = outcome.report.findings().iter();
        found
            .filter(|finding| finding.at.to_string().starts_with("patches"))
            .map(|finding| {
                let help = finding.help.clone().unwrap_or_default();
                format!("{} at {}: {help}", finding.code.id, finding.at)
            })
            .collect()
    }

    #[test]
    fn a_field_belongs_to_its_document() {
        assert_eq!(
            said("1.37.1", "kubeadm/ClusterConfiguration", "{maxPods: 64}"),
            [
                "cluster/extra-arg-removed at patches[0].patch.maxPods: did you mean `maxPods` of kubelet/KubeletConfiguration?"
            ]
        );
        assert_eq!(
            said("1.37.1", "kubeproxy/KubeProxyConfiguration", "{iptables: {minSyncPeriods: 1s}}"),
            [
                "cluster/extra-arg-removed at patches[0].patch.iptables.minSyncPeriods: did you mean minSyncPeriod?"
            ]
        );
        let timeouts = "{timeouts: {discovery: 5m}}";
        assert!(said("1.37.1", "kubeadm/JoinConfiguration", timeouts).is_empty());
        assert_eq!(
            said("1.30.4", "kubeadm/JoinConfiguration", timeouts),
            [
                "cluster/extra-arg-removed at patches[0].patch.timeouts: remove it, or use Kubernetes 1.31 or newer"
            ]
        );
    }

    #[test]
    fn a_value_has_the_type_of_its_field() {
        let kubelet = |patch: &str| said("1.37.1", "kubelet/KubeletConfiguration", patch);
        let wrong = |place: &str, help: &str| {
            vec![format!("cluster/field-type at patches[0].patch.{place}: {help}")]
        };
        assert_eq!(
            kubelet("{imageMaximumGCAge: 720}"),
            wrong("imageMaximumGCAge", "write its unit as well, such as `720s`")
        );
        assert_eq!(
            kubelet("{podPidsLimit: '4096'}"),
            wrong("podPidsLimit", "write `4096`, without quotes")
        );
        assert_eq!(
            kubelet("{evictionHard: {pid.available: 100}}"),
            wrong("evictionHard.pid.available", "write it in quotes: `\"100\"`")
        );
        assert_eq!(
            kubelet("{failSwapOn: 'no'}"),
            wrong("failSwapOn", "write `true` or `false`, without quotes")
        );
        assert_eq!(
            kubelet("{allowedUnsafeSysctls: net.core.somaxconn}"),
            wrong("allowedUnsafeSysctls", "write `[\"net.core.somaxconn\"]`")
        );
        assert_eq!(
            kubelet("{shutdownGracePeriodByPodPriority: [{priority: high}]}"),
            wrong("shutdownGracePeriodByPodPriority[0].priority", "write a whole number")
        );
        assert_eq!(kubelet("{podPidsLimit: 4.5}"), wrong("podPidsLimit", "write a whole number"));
        assert_eq!(
            kubelet("{imageMaximumGCAge: '720'}"),
            wrong("imageMaximumGCAge", "write its unit as well, such as `720s`")
        );
        assert_eq!(
            kubelet("{allowedUnsafeSysctls: {net.core.somaxconn: 1}}"),
            wrong("allowedUnsafeSysctls", "write a list: each entry after a `-`")
        );
        // The envelope is hagen's own, and no field that the release lacks.
        assert_eq!(
            kubelet("{kind: Kubelet}"),
            [
                "cluster/patch-target at patches[0].patch.kind: change the inventory's own setting instead"
            ]
        );
        for right in [
            "{imageMaximumGCAge: 720h}",
            "{evictionHard: {memory.available: 5%}, podPidsLimit: 4096}",
            "{logging: {format: json, verbosity: 2}}",
            "{featureGates: {NodeSwap: true}}",
        ] {
            assert!(kubelet(right).is_empty(), "{right}: {:?}", kubelet(right));
        }
    }
}
