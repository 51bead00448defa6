use proptest::prelude::*;

use super::*;
use crate::report::{Path, Report};

fn document(text: &str) -> Document {
    let mut report = Report::new();
    let document = read("test.yaml", text.as_bytes(), &mut report);
    assert!(report.findings().is_empty(), "{:?}", report.findings());
    document.expect("the text is a document")
}

/// Code, line:column, message and help of each finding.
fn findings(bytes: &[u8]) -> Vec<String> {
    let mut report = Report::new();
    read("test.yaml", bytes, &mut report);
    let text = String::from_utf8_lossy(bytes);
    let positions = Positions::new(&text);
    report
        .findings()
        .iter()
        .map(|finding| {
            let (line, column) = finding
                .span
                .as_ref()
                .map_or((0, 0), |span| positions.line_column(&text, span.start));
            let help = finding.help.as_deref().unwrap_or("-");
            format!("{} {line}:{column} {} | {help}", finding.code.id, finding.message)
        })
        .collect()
}

fn finding(text: &str) -> String {
    findings(text.as_bytes()).join("\n")
}

fn shown<'a>(document: &'a Document, path: &Path) -> (&'a str, bool) {
    let (span, exact) = document.span(path);
    (&document.text()[span], exact)
}

#[test]
fn values_and_quoting() {
    let document = document("a: 1.30\nb: '1.30'\nc: [x, 2, ~]\nd: {e: \"f\\n\"}\ng: |\n  h\n");
    assert_eq!(
        document.to_json().to_string(),
        r#"{"a":1.3,"b":"1.30","c":["x",2,null],"d":{"e":"f\n"},"g":"h\n"}"#
    );
    let plain = |key: &str| document.root().get(key).and_then(|node| document.plain(node));
    assert_eq!(plain("a"), Some("1.30"));
    assert_eq!(plain("b"), None);
    assert_eq!(plain("c"), None);
}

#[test]
fn an_empty_text_is_an_empty_map() {
    for text in ["", "\n", "# nothing\n", "---\n", "\u{feff}", "---\n...\n"] {
        assert_eq!(document(text).to_json().to_string(), "{}", "{text:?}");
    }
}

#[test]
fn byte_order_mark_and_carriage_returns() {
    let document = document("\u{feff}a: 1\r\nb:\r\n  - 2\r\n");
    assert_eq!(document.to_json().to_string(), r#"{"a":1,"b":[2]}"#);
    assert_eq!(shown(&document, &Path::of(&["b"]).index(0)), ("2", true));
}

#[test]
fn spans_are_the_values_own_text() {
    let document = document(
        "é: ü # ö\nnodes:\n  - name: cp1\n    roles: [a, b]\n  - &x {name: cp2,\n     v: 1}\n  - *x\nnone:\ntext: \"q\"\n",
    );
    let nodes = Path::of(&["nodes"]);
    assert_eq!(shown(&document, &Path::of(&["é"])), ("ü", true));
    assert_eq!(shown(&document, &nodes), ("nodes", true));
    assert_eq!(shown(&document, &nodes.index(0)), ("name: cp1", true));
    assert_eq!(shown(&document, &nodes.index(0).key("name")), ("cp1", true));
    assert_eq!(shown(&document, &nodes.index(0).key("roles")), ("[a, b]", true));
    assert_eq!(shown(&document, &nodes.index(0).key("address")), ("name: cp1", false));
    assert_eq!(shown(&document, &nodes.index(1)), ("{name: cp2,", true));
    assert_eq!(shown(&document, &nodes.index(2)), ("*x", true));
    assert_eq!(shown(&document, &nodes.index(2).key("name")), ("cp2", true));
    assert_eq!(shown(&document, &nodes.index(3)), ("nodes", false));
    assert_eq!(shown(&document, &Path::of(&["none"])), ("none", true));
    assert_eq!(shown(&document, &Path::of(&["none", "more"])), ("none", false));
    assert_eq!(shown(&document, &Path::of(&["text"])), ("\"q\"", true));
    assert_eq!(shown(&document, &Path::of(&["missing"])), ("é: ü # ö", false));
    assert_eq!(document.line_column(document.span(&Path::of(&["é"])).0.start), (1, 4));
}

#[test]
fn aliases_are_expanded() {
    let document = document("a: &l {x: 1.30}\nb: *l\nc: &s 2.0\nd: [*s, *s]\n");
    assert_eq!(
        document.to_json().to_string(),
        r#"{"a":{"x":1.3},"b":{"x":1.3},"c":2.0,"d":[2.0,2.0]}"#
    );
    let plain = |path: Path| document.get(&path).and_then(|node| document.plain(node));
    assert_eq!(plain(Path::of(&["b", "x"])), Some("1.30"));
    assert_eq!(plain(Path::of(&["c"])), Some("2.0"));
    assert_eq!(plain(Path::of(&["d"]).index(0)), None);
}

#[test]
fn tags() {
    assert_eq!(
        document("a: !!str 1.30\nb: ! 2\nc: !!map {}\nd: !!seq []\n").to_json().to_string(),
        r#"{"a":"1.30","b":"2","c":{},"d":[]}"#
    );
    insta::assert_snapshot!(finding("a: !secret b\n"), @"yaml/syntax 1:4 the tag `!secret` means nothing here | delete the tag; quote the value where text is meant");
    insta::assert_snapshot!(finding("a: !!int '1'\n"), @"yaml/syntax 1:4 the tag `!!int` means nothing here | delete the tag; quote the value where text is meant");
    insta::assert_snapshot!(finding("a: !!str [1]\n"), @"yaml/syntax 1:4 the tag `!!str` means nothing here | delete the tag; quote the value where text is meant");
}

#[test]
fn syntax() {
    let mut all = String::new();
    for text in [
        "a:\n\tb: 1\n",
        "a: 1\n\tb: 2\n",
        "a:\n  -\tb\n  - c: 1\n\t  d: 2\n",
        "a: b: c\n",
        "a\nb: 1\n",
        "a: [1, 2\nb: 1\n",
        "a: {b: 1\n",
        "a: \"b\nc: 1\n",
        "a: \"C:\\dir\"\n",
        "a:\n  - 1\n  b: 2\n",
        "a:\n    b: 1\n  c: 2\n",
        "a: *b\n",
        "a: &b [*b]\n",
        "a: @b\n",
        "a: %b\n",
        "a: 'it's'\n",
        "? [a]\n: b\n",
        ": b\n",
        "<<: {a: 1}\n",
        "a: &b {c: 1}\nd:\n  <<: *b\n",
        "&k a: 1\n*k : 2\n",
        "a: ]\n",
        "a: 1\n}\n",
        "a: - b\n",
        "- a\nb: c\n",
        "a: |\n b\n  c\nd\n",
    ] {
        all += &format!("{text:?}\n    {}\n", finding(text));
    }
    insta::assert_snapshot!(all, @r#"
    "a:\n\tb: 1\n"
        yaml/syntax 2:1 a tab indents this line | indent with spaces: YAML forbids tabs there
    "a: 1\n\tb: 2\n"
        yaml/syntax 2:1 a tab indents this line | indent with spaces: YAML forbids tabs there
    "a:\n  -\tb\n  - c: 1\n\t  d: 2\n"
        yaml/syntax 2:4 a tab indents this line | indent with spaces: YAML forbids tabs there
    "a: b: c\n"
        yaml/syntax 1:5 this `:` stands where no key can be | put each key on a line of its own, or quote a value that contains `: `
    "a\nb: 1\n"
        yaml/syntax 2:2 this `:` stands where no key can be | put each key on a line of its own, or quote a value that contains `: `
    "a: [1, 2\nb: 1\n"
        yaml/syntax 2:2 a `,` or the closing bracket is missing before this | -
    "a: {b: 1\n"
        yaml/syntax 2:1 a `,` or the closing bracket is missing before this | -
    "a: \"b\nc: 1\n"
        yaml/syntax 1:4 these quotes are not closed | close them on the same line
    "a: \"C:\\dir\"\n"
        yaml/syntax 1:4 double quotes do not know this escape | write `\\` for a backslash, or use single quotes
    "a:\n  - 1\n  b: 2\n"
        yaml/syntax 3:3 this line belongs to a list but does not start with `-` | give the items of one list the same indentation, each with its `- `
    "a:\n    b: 1\n  c: 2\n"
        yaml/syntax 3:3 this line's indentation fits nothing above it | give the keys of one map the same indentation
    "a: *b\n"
        yaml/syntax 1:4 this alias repeats an anchor that is not defined above it | quote the value if it only starts with `*`
    "a: &b [*b]\n"
        yaml/syntax 1:8 an alias stands inside the value that it repeats | -
    "a: @b\n"
        yaml/syntax 1:4 unexpected character: `@' | quote a value that starts with this character
    "a: %b\n"
        yaml/syntax 1:4 unexpected character: `%' | quote a value that starts with this character
    "a: 'it's'\n"
        yaml/syntax 1:8 more text follows the closing quote | write a quote inside single quotes twice: `'it''s'`
    "? [a]\n: b\n"
        yaml/syntax 1:3 a key must be a word | -
    ": b\n"
        yaml/syntax 1:2 a key must be a word | -
    "<<: {a: 1}\n"
        yaml/syntax 1:1 merge keys (`<<`) are not part of YAML 1.2 | write the entries out, or use an alias for a whole value: `labels: *common`
    "a: &b {c: 1}\nd:\n  <<: *b\n"
        yaml/syntax 3:3 merge keys (`<<`) are not part of YAML 1.2 | write the entries out, or use an alias for a whole value: `labels: *common`
    "&k a: 1\n*k : 2\n"
        yaml/syntax 2:1 a key must be a word | -
    "a: ]\n"
        yaml/syntax 1:4 this bracket closes nothing | -
    "a: 1\n}\n"
        yaml/syntax 2:1 this bracket closes nothing | -
    "a: - b\n"
        yaml/syntax 1:4 a list cannot start on the line of its key | put each `- item` on a line of its own, or write `[item, item]`
    "- a\nb: c\n"
        yaml/syntax 2:1 this line belongs to a list but does not start with `-` | give the items of one list the same indentation, each with its `- `
    "a: |\n b\n  c\nd\n"
        yaml/syntax 4:1 this line has no `:` after its key | write `key: value`, with a space after the colon
    "#);
}

#[test]
fn encoding() {
    let all = [
        findings(b"a: \xff\n"),
        findings(b"a: 1\nb: \0\n"),
        findings(b"\xff\xfea\0"),
        findings(b"a: \"\x1b[31m\"\n"),
        findings("a: \u{85}\n".as_bytes()),
        findings("# \u{202e}\n".as_bytes()),
        findings("a: \u{feff}b\n".as_bytes()),
    ];
    insta::assert_snapshot!(all.concat().join("\n"), @r#"
    yaml/encoding 1:4 byte 0xff at offset 3 is not UTF-8 | save the file as UTF-8 text
    yaml/encoding 2:4 a control character, U+0000, stands in the text | delete it; the `content` of one of `files` may have it as an escape in double quotes
    yaml/encoding 1:1 the text is UTF-16, not UTF-8 | save the file as UTF-8 text
    yaml/encoding 1:5 a control character, U+001B, stands in the text | delete it; the `content` of one of `files` may have it as an escape in double quotes
    yaml/encoding 1:4 a control character, U+0085, stands in the text | delete it; the `content` of one of `files` may have it as an escape in double quotes
    yaml/encoding 1:3 a character that turns the direction of writing, U+202E, stands in the text | delete it; the `content` of one of `files` may have it as an escape in double quotes
    yaml/encoding 1:4 a character that nobody sees, U+FEFF, stands in the text | delete it; the `content` of one of `files` may have it as an escape in double quotes
    "#);
}

#[test]
fn budgets() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(findings(deep(MAX_DEPTH).as_bytes()).is_empty());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(1000));
    let mut nested = "a0: &a0 [x]\n".to_owned();
    for level in 1..80 {
        nested += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    let all = [
        finding(&deep(MAX_DEPTH + 1)),
        finding(&deep(300)),
        finding(&(0..100).map(|n| " ".repeat(n) + "a:\n").collect::<String>()),
        finding(&"- ".repeat(100)),
        finding(&bomb),
        finding(&long),
        finding(&nested),
        finding("a: 1\n---\nb: 1\n"),
        finding("a: 1\n...\nb: 1\n"),
        findings(&vec![b' '; MAX_BYTES + 1]).join("\n"),
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    yaml/budget 1:65 lists and maps nest deeper than 64 levels | -
    yaml/budget 1:256 lists and maps nest deeper than 64 levels | -
    yaml/budget 65:65 lists and maps nest deeper than 64 levels | -
    yaml/budget 1:129 lists and maps nest deeper than 64 levels | -
    yaml/budget 7:15 the document has more than 4194304 values, aliases expanded | -
    yaml/budget 2:380 the document has more than 4194304 values, aliases expanded | -
    yaml/budget 64:12 lists and maps nest deeper than 64 levels | -
    yaml/budget 2:1 a second document starts here | keep one document per file; several files can be given in one call
    yaml/budget 3:1 a second document starts here | keep one document per file; several files can be given in one call
    yaml/budget 0:0 the text has 67108865 bytes, more than the 67108864 that are read | -
    ");
}

#[test]
fn duplicate_keys_are_all_reported_and_the_first_stays() {
    let mut report = Report::new();
    let text = "a: 1\nb:\n  - c: 1\n    d: 2\n    c: 3\n    c: 4\n\"a\": 5\n";
    let document = read("test.yaml", text.as_bytes(), &mut report).expect("it can be read");
    assert_eq!(document.to_json().to_string(), r#"{"a":1,"b":[{"c":1,"d":2}]}"#);
    let places: Vec<_> = report
        .findings()
        .iter()
        .map(|finding| {
            let (first, _) = document.span(&finding.related[0].0);
            let again = finding.span.clone().expect("the second key is known").start;
            (finding.at.to_string(), document.line_column(again), document.line_column(first.start))
        })
        .collect();
    assert_eq!(
        places,
        [
            ("b[0].c".to_owned(), (5, 5), (3, 8)),
            ("b[0].c".to_owned(), (6, 5), (3, 8)),
            ("a".to_owned(), (7, 1), (1, 4)),
        ]
    );
}

/// The pages' examples that are whole texts do what their pages say.
#[test]
fn pages() {
    for code in codes::CODES {
        let blocks: Vec<&str> = code.page.split("```").collect();
        let [_, failing, _, fix, _] = blocks[..] else { panic!("{} has two examples", code.id) };
        let text = |block: &str| block.split_once('\n').expect("an info string").1.to_owned();
        assert_eq!(finding(&text(fix)), "", "{}", code.id);
        if !failing.starts_with("yaml generated-by-test") {
            assert!(finding(&text(failing)).starts_with(code.id), "{}", code.id);
        }
    }
}

/// Everything that the printer may ask of a document.
fn examine(document: &Document) {
    fn visit(document: &Document, node: &Node, path: &Path) {
        assert_eq!(document.get(path), Some(node));
        let (span, exact) = document.span(path);
        assert!(exact && document.text().is_char_boundary(span.end));
        let (line, _) = document.line_column(span.start);
        assert!(document.positions().line(document.text(), line).start <= span.start);
        document.plain(node);
        match &node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    visit(document, item, &path.index(index));
                }
            }
            Value::Map(entries) => {
                for (key, item) in entries {
                    assert!(document.text().get(key.span()).is_some());
                    visit(document, item, &path.key(key.name.as_str()));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    visit(document, document.root(), &Path::root());
    document.to_json();
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut report = Report::new();
        match read("random", &bytes, &mut report) {
            Some(document) => examine(&document),
            None => prop_assert!(report.has_errors()),
        }
    }

    #[test]
    fn no_text_makes_it_panic(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            "a", "b: ", "- ", "\n", "\n  ", "\n    ", " ", "\t", "[", "]", "{", "}", ",", ": ", ":",
            "? ", "&x ", "*x", "\"", "'", "|\n", ">-\n", "#", "!t ", "!!str ", "---\n", "...\n",
            "%YAML 1.2\n", "%TAG ! x\n", "é", "\r\n", "\r", "1.30", "~", "<<", "\\", "\u{feff}", "\u{2028}", "@",
        ]), 0..60)) {
        let mut report = Report::new();
        match read("random", parts.concat().as_bytes(), &mut report) {
            Some(document) => examine(&document),
            None => prop_assert!(report.has_errors()),
        }
    }

    #[test]
    fn what_is_written_as_json_is_read_back(text in "[ -~éü\u{1F600}]{0,40}", number in any::<i64>()) {
        let json = serde_json::json!({"key": text, "list": [number, {"deep": [text]}], "t": true});
        prop_assert_eq!(document(&json.to_string()).to_json(), json.clone());
        prop_assert_eq!(document(&serde_json::to_string_pretty(&json).expect("it is JSON")).to_json(), json);
    }
}
