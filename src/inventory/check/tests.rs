use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::Deserialize;

use super::*;
use crate::yaml;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema and whether it can be read matter")]
struct Example {
    name: Name,
    #[schemars(extend("examples" = ["1.37.1"]))]
    kubernetes: Version,
    endpoint: Option<Endpoint>,
    #[serde(default)]
    nodes: Nodes,
    #[serde(default = "eight")]
    #[schemars(range(min = 1, max = 9))]
    workers: u8,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    patch: serde_json::Value,
    etcd: Option<Etcd>,
    balancer: Option<Balancer>,
    text: Option<Text>,
    debug: Option<bool>,
    ratio: Option<f64>,
    big: Option<u64>,
}

fn eight() -> u8 {
    8
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "see above")]
struct Endpoint {
    vip: String,
    port: u16,
    pod_subnet: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "see above")]
struct Nodes(#[schemars(length(max = 3))] Vec<Member>);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "see above")]
struct Member {
    name: Name,
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    roles: Vec<Role>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Role {
    /// Documented variants become `oneOf` of `const`s.
    ControlPlane,
    /// The other.
    Worker,
    /// The last.
    Etcd,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "topology", rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "see above")]
enum Etcd {
    Stacked { heartbeat: Option<u32> },
    External { members: Vec<Name> },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "see above")]
enum Balancer {
    Haproxy { port: u16 },
    Nginx(Endpoint),
    None,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "see above")]
enum Text {
    One(Name),
    Many(Vec<Name>),
}

#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl JsonSchema for Name {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "hagen-name"})
    }
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "see above")]
struct Version(String);

impl JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "hagen-version"})
    }
}

#[derive(Debug, Default, Deserialize)]
#[expect(dead_code, reason = "see above")]
struct Labels(BTreeMap<Name, String>);

impl JsonSchema for Labels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Labels".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = generator.subschema_for::<Name>();
        json_schema!({
            "type": "object",
            "propertyNames": name,
            "additionalProperties": {"type": "string"},
        })
    }
}

fn name(text: &str) -> Result<(), String> {
    let valid =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    valid.then_some(()).ok_or_else(|| "a name such as cp1".to_owned())
}

fn version(text: &str) -> Result<(), String> {
    let valid = text.split('.').count() == 3;
    valid.then_some(()).ok_or_else(|| "a version such as 1.37.1".to_owned())
}

/// Line, path, code, message, label and help of each finding.
fn findings(text: &str) -> String {
    let mut report = Report::new();
    let document = yaml::read("test", text.as_bytes(), &mut report).expect("it is YAML");
    let schema = schema_for!(Example).to_value();
    let formats = Formats::from([("hagen-name", name as Format), ("hagen-version", version)]);
    check(&document, &schema, &formats, &mut report);
    let read = serde_json::from_value::<Example>(document.to_json());
    if !report.has_errors() {
        read.expect("what passes the check can be read");
    }
    let lines = report.findings().iter().map(|finding| {
        let (span, _) = document.span(&finding.at);
        let (line, column) = document.line_column(finding.span.clone().unwrap_or(span).start);
        let label = finding.label.as_deref().unwrap_or("-");
        let help = finding.help.as_deref().unwrap_or("-");
        let at = &finding.at;
        format!("{line}:{column} {at} {} {} | {label} | {help}\n", finding.code.id, finding.message)
    });
    lines.collect()
}

#[test]
fn a_good_document_has_no_findings() {
    assert_eq!(findings("name: demo\nkubernetes: 1.37.1\n"), "");
    assert_eq!(
        findings(
            "name: demo
kubernetes: 1.37.1
endpoint: {vip: 10.0.0.1, port: 8443}
nodes:
  - {name: cp1, roles: [control-plane, etcd]}
workers: 9
labels: {a: b}
patch: {anything: [1, {deep: ~}]}
etcd: {topology: external, members: [a]}
balancer: none
text: [a, b]
debug: true
ratio: 1
big: 18446744073709551615
"
        ),
        ""
    );
    assert_eq!(
        findings(
            "name: demo
kubernetes: 1.37.1
endpoint: ~
etcd:
balancer: {haproxy: {port: 1}}
text: a
ratio: 0.5
"
        ),
        ""
    );
}

#[test]
fn keys() {
    insta::assert_snapshot!(findings(""), @"
    1:1 name inventory/missing-key the inventory lacks `name` | `name` is missing here | add `name: …`
    1:1 kubernetes inventory/missing-key the inventory lacks `kubernetes` | `kubernetes` is missing here | add `kubernetes: 1.37.1`
    ");
    insta::assert_snapshot!(findings("nam: demo
kubernets: 1.37.1
extra: 1
endpoint:
  pod_subnet: x
  podSubnet: y
nodes:
  - rols: [worker]
  - {}
"), @"
    1:1 nam inventory/unknown-key the inventory has no key `nam` | unknown key | did you mean `name`?
    2:1 kubernets inventory/unknown-key the inventory has no key `kubernets` | unknown key | did you mean `kubernetes`?
    3:1 extra inventory/unknown-key the inventory has no key `extra` | unknown key | the keys known here are `name`, `kubernetes`, `endpoint`, `nodes`, `workers`, `labels`, `patch`, `etcd`, `balancer`, `text`, `debug`, `ratio`, `big`
    5:3 endpoint.pod_subnet inventory/unknown-key `endpoint` has no key `pod_subnet` | unknown key | the keys known here are `vip`, `port`, `podSubnet`
    4:1 endpoint.vip inventory/missing-key `endpoint` lacks `vip` | `vip` is missing here | add `vip: …`
    4:1 endpoint.port inventory/missing-key `endpoint` lacks `port` | `port` is missing here | add `port: …`
    8:5 nodes[0].rols inventory/unknown-key `nodes[0]` has no key `rols` | unknown key | did you mean `roles`?
    8:5 nodes[0].name inventory/missing-key `nodes[0]` lacks `name` | `name` is missing here | add `name: …`
    9:5 nodes[1].name inventory/missing-key `nodes[1]` lacks `name` | `name` is missing here | add `name: …`
    9:5 nodes[1].roles inventory/missing-key `nodes[1]` lacks `roles` | `roles` is missing here | add `roles: […]`
    ");
}

#[test]
fn types() {
    insta::assert_snapshot!(findings("name: 12
kubernetes: 1.30
endpoint: here
nodes: cp1
workers: '7'
labels:
  a: 1
  b: yes
  c: true
  d:
text: {a: b}
debug: yes
ratio: half
big: 1.5
"), @r#"
    1:7 name inventory/type expected a name such as cp1, found the number 12 | a number | quote it: "12"
    2:13 kubernetes inventory/type expected a version such as 1.37.1, found the number 1.30 | a number | -
    3:11 endpoint inventory/type expected a map, found the text `here` | text | -
    4:8 nodes inventory/type expected a list, found the text `cp1` | text | write a list: `[cp1]`
    5:10 workers inventory/type expected a whole number from 1 to 9, found the text `7` | text | write it without quotes: 7
    7:6 labels.a inventory/type expected text, found the number 1 | a number | quote it: "1"
    9:6 labels.c inventory/type expected text, found `true` | a truth value | quote it: "true"
    10:3 labels.d inventory/type expected text, found nothing | nothing | -
    11:7 text inventory/type expected a name such as cp1 or a list, found a map | a map | -
    12:8 debug inventory/type expected `true` or `false`, found the text `yes` | text | write `true`
    13:8 ratio inventory/type expected a number, found the text `half` | text | -
    14:6 big inventory/type expected a whole number, 0 or more, found the number 1.5 | a number | -
    "#);
    insta::assert_snapshot!(findings("name: [a]
kubernetes: 1.2.3
nodes:
  cp1: {}
workers:
text: 5
debug: 'true'
endpoint: [1]
etcd: external
balancer: 3
"), @r#"
    1:7 name inventory/type expected a name such as cp1, found a list | a list | -
    4:3 nodes inventory/type expected a list, found a map | a map | -
    5:1 workers inventory/type expected a whole number from 1 to 9, found nothing | nothing | -
    6:7 text inventory/type expected a name such as cp1 or a list, found the number 5 | a number | quote it: "5"
    7:8 debug inventory/type expected `true` or `false`, found the text `true` | text | write it without quotes: true
    8:11 endpoint inventory/type expected a map, found a list | a list | -
    9:7 etcd inventory/type expected a map, found the text `external` | text | -
    10:11 balancer inventory/type expected `none` or a map, found the number 3 | a number | -
    "#);
    insta::assert_snapshot!(findings("- a\n"), @"1:1  inventory/type expected a map, found a list | a list | -");
}

#[test]
fn forms_and_bounds() {
    insta::assert_snapshot!(findings("name: CP1
kubernetes: '1.30'
workers: 10
big: -1
endpoint: {vip: a, port: 65536}
labels: {a: b, A: b}
nodes:
  - {name: cp1, roles: []}
  - {name: cp2, roles: [worker, control_plane, master, worker]}
text: [a, B]
"), @"
    1:7 name inventory/type expected a name such as cp1, found `CP1` | - | write `cp1`
    2:13 kubernetes inventory/type expected a version such as 1.37.1, found `1.30` | - | -
    3:10 workers inventory/type expected a whole number from 1 to 9, found 10 | out of range | -
    4:6 big inventory/type expected a whole number, 0 or more, found -1 | out of range | -
    5:26 endpoint.port inventory/type expected a whole number from 0 to 65535, found 65536 | out of range | -
    6:16 labels.A inventory/type expected a name such as cp1, found `A` | this key | write `a`
    8:24 nodes[0].roles inventory/type expected at least 1 item, found 0 | - | -
    9:56 nodes[1].roles[3] inventory/type the text `worker` stands here twice | - | -
    9:33 nodes[1].roles[1] inventory/type expected one of `control-plane`, `worker`, `etcd`, found `control_plane` | - | did you mean `control-plane`?
    9:48 nodes[1].roles[2] inventory/type expected one of `control-plane`, `worker`, `etcd`, found `master` | - | -
    10:11 text[1] inventory/type expected a name such as cp1, found `B` | - | write `b`
    ");
    insta::assert_snapshot!(findings("name: a\nkubernetes: 1.2.3\nnodes: [1, 2, 3, 4]\n"), @"3:8 nodes inventory/too-many-nodes expected at most 3 items, found 4 | Kubernetes supports no more in one cluster | split the machines over several clusters, one inventory each");
}

#[test]
fn variants() {
    let base = "name: a\nkubernetes: 1.2.3\n";
    let all: String = [
        "etcd: {members: [a]}",
        "etcd: {topology: extrenal, members: [a]}",
        "etcd: {topology: 1}",
        "etcd: {topology: external}",
        "etcd: {topology: stacked, members: [a]}",
        "etcd: {topology: stacked, heartbeat: fast}",
        "balancer: hapoxy",
        "balancer: haproxy",
        "balancer: {}",
        "balancer: {apache: {}}",
        "balancer: {haproxy: {prt: 1}}",
        "balancer: {nginx: {vip: x, port: 1}, haproxy: {port: 1}}",
        "text: A",
    ]
    .iter()
    .map(|text| format!("{text}\n    {}", findings(&format!("{base}{text}\n"))))
    .collect();
    insta::assert_snapshot!(all, @"
    etcd: {members: [a]}
        3:7 etcd.topology inventory/missing-key `etcd` lacks `topology` | - | add `topology:` with one of `stacked`, `external`
    etcd: {topology: extrenal, members: [a]}
        3:18 etcd.topology inventory/type expected one of `stacked`, `external`, found the text `extrenal` | - | did you mean `external`?
    etcd: {topology: 1}
        3:18 etcd.topology inventory/type expected one of `stacked`, `external`, found the number 1 | - | -
    etcd: {topology: external}
        3:7 etcd.members inventory/missing-key `etcd` lacks `members` | `members` is missing here | add `members: […]`
    etcd: {topology: stacked, members: [a]}
        3:27 etcd.members inventory/unknown-key `etcd` has no key `members` | unknown key | the keys known here are `topology`, `heartbeat`
    etcd: {topology: stacked, heartbeat: fast}
        3:38 etcd.heartbeat inventory/type expected a whole number, 0 or more, found the text `fast` | text | -
    balancer: hapoxy
        3:11 balancer inventory/type expected `none`, found `hapoxy` | - | -
    balancer: haproxy
        3:11 balancer inventory/type expected `none`, found `haproxy` | - | -
    balancer: {}
        3:11 balancer inventory/missing-key expected one of `haproxy`, `nginx` as a key | - | -
    balancer: {apache: {}}
        3:11 balancer inventory/missing-key expected one of `haproxy`, `nginx` as a key | - | -
    balancer: {haproxy: {prt: 1}}
        3:22 balancer.haproxy.prt inventory/unknown-key `balancer.haproxy` has no key `prt` | unknown key | did you mean `port`?
    balancer: {nginx: {vip: x, port: 1}, haproxy: {port: 1}}
        3:12 balancer.nginx inventory/unknown-key `balancer` has no key `nginx` | unknown key | the keys known here are `haproxy`
    text: A
        3:7 text inventory/type expected a name such as cp1, found `A` | - | write `a`
    ");
}
