use super::*;
use crate::report::{Code, Severity};
use crate::yaml;

static OUTSIDE: Code = Code {
    id: "endpoint/vip-outside-subnet",
    severity: Severity::Error,
    page: "# endpoint/vip-outside-subnet\n\nThe VIP is not\nin the subnet.\n\n## Why it matters\n",
};
static EVEN: Code = Code {
    id: "etcd/even-members",
    severity: Severity::Warning,
    page: "# etcd/even-members\n\nTwo.\n",
};

const TEXT: &str = "apiVersion: hagen/v1
endpoint:
  vip: 192.168.1.33/24
  port: 8443
nodes:
  - {name: cp1, address: 192.168.1.11}
  - name: cp2 # é
    address: 10.0.0.2
";

fn document(name: &str, text: &str) -> Document {
    let mut report = Report::new();
    let document = yaml::read(name, text.as_bytes(), &mut report);
    assert!(report.findings().is_empty(), "{report:?}");
    document.expect("it can be read")
}

fn report(findings: Vec<Finding>) -> Report {
    let mut report = Report::new();
    findings.into_iter().for_each(|finding| report.push(finding));
    report
}

fn example() -> Report {
    let nodes = Path::of(&["nodes"]);
    report(vec![
        Finding::new(&EVEN, nodes.clone(), "two members survive no more faults than one")
            .help("add a third, or\nremove one"),
        Finding::new(&OUTSIDE, nodes.index(1).key("address"), "10.0.0.2 is not in 192.168.1.0/24")
            .label("another network")
            .because(Path::of(&["endpoint", "vip"]), "the VIP's network"),
        Finding::new(&OUTSIDE, nodes.index(0).key("interface"), "no interface"),
        Finding::new(&EVEN, Path::root(), "about the whole file").because(Path::root(), "why"),
    ])
}

#[test]
fn text_shape() {
    let document = document("dir/inventory.yaml", TEXT);
    let report = example();
    let judged = [Judged { source: Source::read(&document), report: &report }];
    insta::assert_snapshot!(text(&judged, false, false), @"
    warning[etcd/even-members]: about the whole file
    --> dir/inventory.yaml
     = note: why
     = note: hagen explain etcd/even-members

    warning[etcd/even-members]: two members survive no more faults than one
     --> dir/inventory.yaml:5:1
      |
    5 | nodes:
      | ^^^^^
      |
      = help: add a third, or
              remove one

    error[endpoint/vip-outside-subnet]: no interface
     --> dir/inventory.yaml:6:5
      |
    6 |   - {name: cp1, address: 192.168.1.11}
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: hagen explain endpoint/vip-outside-subnet

    error[endpoint/vip-outside-subnet]: 10.0.0.2 is not in 192.168.1.0/24
     --> dir/inventory.yaml:8:14
      |
    3 |   vip: 192.168.1.33/24
      |        --------------- the VIP's network
    ...
    8 |     address: 10.0.0.2
      |              ^^^^^^^^ another network
    ");
    assert_eq!(summary(&judged, false), "2 errors, 2 warnings");
    assert_eq!(summary(&judged, true), "4 errors");
    assert!(text(&judged, true, false).contains("error[etcd/even-members]"));
    assert!(text(&judged, false, true).contains("\u{1b}["));
}

#[test]
fn json_shape() {
    let document = document("inventory.yaml", TEXT);
    let report = example();
    let judged = [Judged { source: Source::read(&document), report: &report }];
    insta::assert_snapshot!(json(&judged, false), @r#"
    [
    {"code":"etcd/even-members","severity":"warning","message":"about the whole file","file":"inventory.yaml","path":"","label":null,"related":[{"path":"","label":"why"}],"help":null},
    {"code":"etcd/even-members","severity":"warning","message":"two members survive no more faults than one","file":"inventory.yaml","line":5,"column":1,"endLine":5,"endColumn":6,"path":"nodes","label":null,"related":[],"help":"add a third, or\nremove one"},
    {"code":"endpoint/vip-outside-subnet","severity":"error","message":"no interface","file":"inventory.yaml","line":6,"column":5,"endLine":6,"endColumn":39,"path":"nodes[0].interface","label":null,"related":[],"help":null},
    {"code":"endpoint/vip-outside-subnet","severity":"error","message":"10.0.0.2 is not in 192.168.1.0/24","file":"inventory.yaml","line":8,"column":14,"endLine":8,"endColumn":22,"path":"nodes[1].address","label":"another network","related":[{"path":"endpoint.vip","label":"the VIP's network","line":3,"column":8,"endLine":3,"endColumn":23}],"help":null}
    ]
    "#);
    assert_eq!(json(&[], false), "[]\n");
}

#[test]
fn sarif_shape() {
    let document = document("my inventory.yaml", TEXT);
    let mut report = example();
    report.retain(|finding| !finding.related.is_empty());
    let judged = [Judged { source: Source::read(&document), report: &report }];
    insta::assert_snapshot!(sarif(&judged, true), @r##"
    {
      "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json",
      "version": "2.1.0",
      "runs": [
        {
          "tool": {
            "driver": {
              "name": "hagen",
              "version": "0.1.0",
              "rules": [
                {
                  "id": "endpoint/vip-outside-subnet",
                  "shortDescription": {
                    "text": "The VIP is not in the subnet."
                  },
                  "help": {
                    "text": "# endpoint/vip-outside-subnet\n\nThe VIP is not\nin the subnet.\n\n## Why it matters\n",
                    "markdown": "# endpoint/vip-outside-subnet\n\nThe VIP is not\nin the subnet.\n\n## Why it matters\n"
                  },
                  "defaultConfiguration": {
                    "level": "error"
                  }
                },
                {
                  "id": "etcd/even-members",
                  "shortDescription": {
                    "text": "Two."
                  },
                  "help": {
                    "text": "# etcd/even-members\n\nTwo.\n",
                    "markdown": "# etcd/even-members\n\nTwo.\n"
                  },
                  "defaultConfiguration": {
                    "level": "warning"
                  }
                }
              ]
            }
          },
          "columnKind": "unicodeCodePoints",
          "results": [
            {
              "ruleId": "etcd/even-members",
              "level": "error",
              "message": {
                "text": "about the whole file"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "my%20inventory.yaml"
                    }
                  }
                }
              ],
              "relatedLocations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "my%20inventory.yaml"
                    }
                  },
                  "message": {
                    "text": "why"
                  }
                }
              ]
            },
            {
              "ruleId": "endpoint/vip-outside-subnet",
              "level": "error",
              "message": {
                "text": "10.0.0.2 is not in 192.168.1.0/24"
              },
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "my%20inventory.yaml"
                    },
                    "region": {
                      "startLine": 8,
                      "startColumn": 14,
                      "endLine": 8,
                      "endColumn": 22
                    }
                  },
                  "message": {
                    "text": "another network"
                  },
                  "logicalLocations": [
                    {
                      "fullyQualifiedName": "nodes[1].address"
                    }
                  ]
                }
              ],
              "relatedLocations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "my%20inventory.yaml"
                    },
                    "region": {
                      "startLine": 3,
                      "startColumn": 8,
                      "endLine": 3,
                      "endColumn": 23
                    }
                  },
                  "message": {
                    "text": "the VIP's network"
                  },
                  "logicalLocations": [
                    {
                      "fullyQualifiedName": "endpoint.vip"
                    }
                  ]
                }
              ]
            }
          ]
        }
      ]
    }
    "##);
}

#[test]
fn a_text_that_cannot_be_read() {
    let mut all = String::new();
    for bytes in [
        &b"a: 1\nb: \xff\xfe \xc3\n"[..],
        b"\xef\xbb\xbfa: 1\n\tb: 2\n",
        b"a: \"\x1b[31m\xc2\x9b31m\"\n",
        b"a: [1,\n",
    ] {
        let mut report = Report::new();
        assert!(yaml::read("inventory.yaml", bytes, &mut report).is_none());
        let judged = [Judged { source: Source::unread("inventory.yaml", bytes), report: &report }];
        all += &text(&judged, false, false);
    }
    insta::assert_snapshot!(all, @r#"
    error[yaml/encoding]: byte 0xff at offset 8 is not UTF-8
     --> inventory.yaml:2:4
      |
    2 | b: �� �
      |    ^
      |
      = help: save the file as UTF-8 text
      = note: hagen explain yaml/encoding

    error[yaml/syntax]: a tab indents this line
     --> inventory.yaml:2:1
      |
    2 |     b: 2
      | ^^^^ a tab
      |
      = help: indent with spaces: YAML forbids tabs there
      = note: hagen explain yaml/syntax

    error[yaml/encoding]: a control character, U+001B, stands in the text
     --> inventory.yaml:1:5
      |
    1 | a: "␛[31m·31m"
      |     ^
      |
      = help: delete it; the `content` of one of `files` may have it as an escape in double quotes
      = note: hagen explain yaml/encoding

    error[yaml/syntax]: a value is missing here
     --> inventory.yaml:2:1
      |
    2 |
      | ^
      |
      = note: hagen explain yaml/syntax
    "#);
}

#[test]
fn several_inventories_and_distant_places() {
    let mut long = "first: 1\n".to_owned();
    (0..1000).for_each(|n| long += &format!("k{n}: {n}\n"));
    long += "last: 1\n";
    let wide = format!("{{\"a\": \"{}\", \"b\": 1}}", "x".repeat(5000));
    let trimmed = format!("a: {}\nb: 1 # {}\n", "y".repeat(300), "z".repeat(300));
    let documents = [
        document("long.yaml", &long),
        document("wide.json", &wide),
        document("trimmed.yaml", &trimmed),
    ];
    let reports = [
        report(vec![
            Finding::new(&OUTSIDE, Path::of(&["last"]), "far")
                .label("here")
                .because(Path::of(&["first"]), "there"),
        ]),
        report(vec![Finding::new(&OUTSIDE, Path::of(&["b"]), "wide").label("a label")]),
        report(vec![Finding::new(&OUTSIDE, Path::of(&["b"]), "trimmed").label("a label")]),
    ];
    let judged: Vec<_> = documents
        .iter()
        .zip(&reports)
        .map(|(document, report)| Judged { source: Source::read(document), report })
        .collect();
    insta::assert_snapshot!(text(&judged, false, false), @"
    error[endpoint/vip-outside-subnet]: far
        --> long.yaml:1002:7
         |
    1002 | last: 1
         |       ^ here
         |
        ::: long.yaml:1:8
         |
       1 | first: 1
         |        - there
         |
         = note: hagen explain endpoint/vip-outside-subnet

    error[endpoint/vip-outside-subnet]: wide
    --> wide.json:1:5016
     = note: a label

    error[endpoint/vip-outside-subnet]: trimmed
     --> trimmed.yaml:2:4
      |
    2 | b: 1 # zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz...
      |    ^ a label
    ");
}

#[test]
fn the_users_words_do_not_steer_the_terminal() {
    // As it stands in a file that could not be read, in each of the lengths that UTF-8 has.
    let text_with_controls =
        "a: \"\\e[31m\"\nb: \u{9b}\u{61c}\u{202e}\u{200f}\u{2028}\u{feff}\u{e0041}x\n";
    let source = Source::unread("na\u{1b}me\u{202e}.yaml", text_with_controls.as_bytes());
    let value = "\u{1b}[31m\u{9b}1m\u{202e}\u{200b}\u{e0041}";
    let last = text_with_controls.len() - 2;
    let report = report(vec![
        Finding::new(&OUTSIDE, Path::of(&["b"]), value)
            .span(last..last + 1)
            .label(value)
            .help(format!("{value}\n{value}"))
            .because(Path::of(&["a"]), value),
        Finding::new(&EVEN, Path::root(), "whole").label(value).because(Path::root(), value),
    ]);
    let judged = [Judged { source, report: &report }];
    for printed in [text(&judged, false, false), json(&judged, false), sarif(&judged, false)] {
        let steers = |c: char| c != '\n' && (c.is_control() || hides(c));
        assert!(!printed.contains(steers), "{printed}");
    }
    // The pictures keep the mark under the `x`.
    let printed = text(&judged, false, false);
    let lines: Vec<&str> = printed.lines().collect();
    let line = lines.iter().position(|line| line.starts_with("2 |")).expect("the snippet");
    let column = |line: &str, of: char| line.chars().position(|c| c == of);
    assert_eq!(column(lines[line + 1], '^'), column(lines[line], 'x'), "{printed}");
    let read: serde_json::Value = serde_json::from_str(&json(&judged, false)).unwrap();
    assert!(read.as_array().unwrap().iter().any(|entry| entry["message"] == value), "{read}");
}
