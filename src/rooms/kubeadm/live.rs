//! What programs of Kubernetes must have found in the configurations that kubeadm carries to them,
//! value by value: 60-verify.sh reads what stands on the host as these say.

use serde_json::Value;

use crate::catalog::VersionPart;
use crate::catalog::fields::{self, Document, Kind};
use crate::claims::Claims;
use crate::document;
use crate::site::{Cluster, duration};

/// `PROGRAM PATH VALUE`: each value of each configuration, as Go's programs write it. One that they
/// leave out is empty.
pub(super) fn settings(cluster: &Cluster<'_>, claims: &Claims) -> Vec<[String; 3]> {
    let Some(first) = cluster.control_planes().next() else { return Vec::new() };
    let mut settings = Vec::new();
    for carried in &claims.carried {
        let mut value = carried.value.clone();
        // They travel in that node's file.
        for patch in cluster.patches_of(carried.document, Some(&first.name)) {
            document::merge(&mut value, &patch.patch);
        }
        let kind = carried.document.rsplit('/').next().unwrap_or_default();
        let reader = Reader {
            program: carried.program,
            kind,
            document: fields::document(kind),
            minor: cluster.version.minor,
        };
        // Which version of its form it has is the release's own matter.
        for key in ["apiVersion", "kind"] {
            if let Some(fields) = value.as_object_mut() {
                fields.shift_remove(key);
            }
        }
        reader.read("", &value, &mut settings);
    }
    settings
}

struct Reader {
    program: &'static str,
    kind: &'static str,
    document: Option<&'static Document>,
    minor: VersionPart,
}

impl Reader {
    fn read(&self, path: &str, value: &Value, settings: &mut Vec<[String; 3]>) {
        let text = match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.read(&format!("{path}{dot}{key}"), value, settings);
                }
                return;
            }
            Value::Array(items) => {
                for item in items.iter().filter(|item| !item.is_object() && !item.is_array()) {
                    self.read(&format!("{path}[]"), item, settings);
                }
                return;
            }
            Value::Null => return,
            Value::String(text) if self.is_duration(path) => duration::canonical(text),
            // What would be quoted or broken into lines is written in more than one way.
            Value::String(text) => text.chars().all(is_plain).then(|| text.clone()),
            Value::Bool(_) => Some(value.to_string()),
            Value::Number(number) => (!number.is_f64()).then(|| number.to_string()),
        };
        if let Some(text) = text {
            let zero = ["", "0", "false"].contains(&text.as_str());
            let left_out = zero && fields::is_left_out_where_zero(self.kind, path);
            let text = if left_out { String::new() } else { text };
            if text.is_empty() && !left_out {
                return;
            }
            settings.push([self.program.to_owned(), path.to_owned(), text]);
        }
    }

    fn is_duration(&self, path: &str) -> bool {
        let field = self.document.map(|document| document.field(path, self.minor));
        matches!(field, Some(Ok(Kind::Duration)))
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_graphic() && !['"', '\'', '\\'].contains(&letter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::settings;
    use crate::rooms::overlaid::claimed;

    #[test]
    fn each_value_is_said_as_go_writes_it_after_patches() {
        let (site, claims) = claimed(&json!({
            "cluster": {"kubernetes": "1.37.1"},
            "kubelet": {"config": {
                "evictionHard": {"memory.available": "5%"},
                "nodeStatusUpdateFrequency": "90s",
                "kernelMemcgNotification": true,
                "allowedUnsafeSysctls": ["net.core.somaxconn"],
                "cpuCFSQuota": false,
                "protectKernelDefaults": false,
            }},
            "patches": [
                {"document": "kubelet/KubeletConfiguration", "patch": {"podPidsLimit": 4096}},
                {"document": "kubeproxy/KubeProxyConfiguration", "patch": {"iptables": {"minSyncPeriod": "2500ms"}}},
            ],
        }));
        let cluster = &site.cluster().unwrap();
        let said = settings(cluster, &claims);
        for setting in [
            ["kubelet", "evictionHard.memory.available", "5%"],
            ["kubelet", "nodeStatusUpdateFrequency", "1m30s"],
            ["kubelet", "kernelMemcgNotification", "true"],
            ["kubelet", "allowedUnsafeSysctls[]", "net.core.somaxconn"],
            ["kubelet", "podPidsLimit", "4096"],
            ["kubelet", "cpuCFSQuota", "false"],
            ["kubelet", "protectKernelDefaults", ""],
            ["kubelet", "cgroupDriver", "systemd"],
            ["kube-proxy", "iptables.minSyncPeriod", "2.5s"],
        ] {
            assert!(said.iter().any(|said| *said == setting), "{setting:?} is not among {said:?}");
        }
    }
}
