//! Bad input: a clear error or a correct build, never a panic, never a part of a tree.

use std::time::{Duration, Instant};

use crate::scene::Scene;

/// Longer than any of these takes even on a slow machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that look random and are the same in every run (Knuth's MMIX generator).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(length)
    .collect()
}

/// Builds a text; nothing may be written where anything is wrong with it.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, code: &str) {
    let scene = Scene::demo();
    scene.write("inventory.yaml", text);
    let begun = Instant::now();
    let ran = scene.run("build inventory.yaml -o out").expect(1);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert!(ran.err.contains(&format!("error[{code}]")), "{}", &ran.err[..ran.err.len().min(2000)]);
    assert!(ran.err.len() < 200_000, "{} bytes of complaints", ran.err.len());
    assert!(!scene.path("out").exists());
}

/// The demo inventory with one text in place of another.
fn demo(from: &str, to: &str) -> String {
    let text = Scene::demo().read("inventory.yaml");
    assert!(text.contains(from));
    text.replace(from, to)
}

#[test]
fn noise_is_refused() {
    refused(noise(1, 1 << 20), "yaml/encoding");
    let printable: Vec<u8> = noise(2, 1 << 20).iter().map(|byte| b' ' + byte % 95).collect();
    refused(printable, "yaml/syntax");
}

#[test]
fn bombs_are_defused() {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let previous = format!("*a{}", level - 1);
        aliases += &format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 9].join(", "));
    }
    refused(aliases, "yaml/budget");
    refused("[".repeat(1_000_000), "yaml/budget");
    refused("- ".repeat(100_000), "yaml/budget");
    refused("{a: ".repeat(100_000), "yaml/budget");
}

#[test]
fn what_is_no_utf_8_is_named() {
    refused(b"apiVersion: hagen/v1\ncluster: {name: caf\xe9}\n", "yaml/encoding");
    refused(b"\xff\xfea\0p\0i\0", "yaml/encoding");
    refused(b"apiVersion: hagen/v1\0\n", "yaml/encoding");
}

#[test]
fn an_empty_text_lacks_everything() {
    for text in ["", "\n", "# nothing\n", "---\n", "\u{feff}", "{}"] {
        refused(text, "inventory/missing-key");
    }
    for text in ["[]", "42", "hello"] {
        refused(text, "inventory/type");
    }
}

#[test]
fn tabs_are_refused_where_yaml_forbids_them() {
    refused(demo("  name: demo", "\tname: demo"), "yaml/syntax");
}

/// Line ends and a byte order mark are the editor's choice.
#[test]
fn windows_line_ends_build_the_same_tree() {
    let scene = Scene::demo();
    let text = scene.read("inventory.yaml");
    scene.run("build inventory.yaml -o out").expect(0);
    scene.write("inventory.yaml", text.replace('\n', "\r\n"));
    scene.run("build inventory.yaml -o out --check").expect(0);
    scene.write("inventory.yaml", format!("\u{feff}{text}"));
    scene.run("build inventory.yaml -o out --check").expect(0);
}

#[test]
fn more_nodes_than_kubernetes_has_are_refused_at_once() {
    let nodes: String = (0..100_000_u32)
        .map(|n| {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + n);
            format!("  - {{name: n{n}, address: {address}, roles: [worker]}}\n")
        })
        .collect();
    let text = demo("nodes:\n", &format!("nodes:\n{nodes}"));
    refused(text, "inventory/too-many-nodes");
}

/// What would mean something to a shell, a template or a configuration file.
#[test]
fn no_name_breaks_out_of_any_syntax() {
    for name in [
        r#""$(touch owned)""#,
        r#""a\nb""#,
        r#""{{ 1 }}""#,
        r#""{% raw %}""#,
        r#"'"; rm -rf /'"#,
        r#"'a`id`'"#,
        "../../etc/passwd",
        "'/'",
        "'.'",
        "''",
        "a b",
        "CP1",
        "ä",
    ] {
        refused(demo("name: cp1", &format!("name: {name}")), "inventory/type");
        refused(demo("name: demo", &format!("name: {name}")), "inventory/type");
    }
}

/// Free text that the inventory may hold is taken as it is.
#[test]
fn free_text_is_quoted_wherever_it_goes() {
    let scene = Scene::demo();
    let content = "$(touch owned) `id` '\\\" {{ x }} <placeholder>\n";
    scene.write(
        "inventory.yaml",
        scene.read("inventory.yaml")
            + &format!(
                "files:\n  - {{path: /etc/motd, content: {content:?}, nodes: {{names: [w1]}}}}\n"
            ),
    );
    let ran = scene.run("build inventory.yaml -o out").expect(0);
    assert_eq!(ran.out, "");
    if let Some(bytes) = scene.files("out").get("nodes/w1/rootfs/etc/motd") {
        assert_eq!(String::from_utf8_lossy(bytes), content);
    }
}

#[test]
fn folders_devices_and_absent_files_are_told_apart() {
    let scene = Scene::demo();
    std::fs::create_dir(scene.path("folder.yaml")).unwrap();
    scene.run("check folder.yaml").expect(2).says("cannot read `folder.yaml`");
    scene.run("check absent.yaml").expect(2).says("cannot read `absent.yaml`");
    scene.run("check /dev/null").expect(1).says("inventory/missing-key");
    scene.run("build inventory.yaml --secrets folder.yaml -o out").expect(2);
    scene.run("build inventory.yaml --templates absent -o out").expect(2).says("`absent`");
    assert!(!scene.path("out").exists());
}

#[test]
fn one_run_reports_unknown_keys_and_contradictions_alike() {
    let overlay = "cluster: {podSubnets: 10.0.0.0/8}\nendpoint: {port: 6443}";
    let outcome = crate::compiled::check(&crate::compiled::overlaid(overlay));
    let found: Vec<&str> = outcome.report.findings().iter().map(|found| found.code.id).collect();
    assert_eq!(found, ["inventory/unknown-key", "endpoint/port-taken"]);
}
