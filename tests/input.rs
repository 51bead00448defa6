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

/// A reviewer, a terminal and a program have to read the same.
#[test]
fn nothing_hides_in_a_key_a_value_or_a_comment() {
    let hidden = [
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\u{61c}",
        "\u{200b}",
        "\u{200d}",
        "\u{ad}",
        "\u{2028}",
        "\u{85}",
        "\u{7f}",
        "\u{1b}",
        "\u{e0041}",
    ];
    for hidden in hidden {
        for to in [
            format!("name: demo # {hidden}"),
            format!("name: 'demo{hidden}'"),
            format!("'na{hidden}me': demo"),
        ] {
            refused(demo("name: demo", &to), "yaml/encoding");
        }
        refused(demo("nodes:", &format!("\u{feff}# {hidden}\nnodes:")), "yaml/encoding");
        let escape = format!("\\U{:08x}", u32::from(hidden.chars().next().unwrap()));
        for more in [
            format!("kubelet: {{config: {{clusterDomain: \"a{escape}b\"}}}}"),
            format!("kubelet: {{config: {{\"a{escape}b\": 1}}}}"),
            format!("allow: [{{code: a/b, reason: \"x{escape}\"}}]"),
            format!(
                "patches: [{{document: runtime/ContainerdConfig, patch: {{a: [\"{escape}\"]}}}}]"
            ),
        ] {
            refused(Scene::demo().read("inventory.yaml") + &more, "inventory/hidden-character");
        }
    }
}

/// What is found is printed; what is printed steers no terminal and hides nothing, either.
#[test]
fn complaints_show_what_is_hidden() {
    let scene = Scene::demo();
    scene.write(
        "inventory.yaml",
        demo("name: demo", "name: 'demo\u{202e}\u{200f}\u{feff}\u{9b}31m'"),
    );
    for format in ["text", "json", "sarif"] {
        let ran = scene.run(&format!("check inventory.yaml --format {format}")).expect(1);
        let printed = ran.out.clone() + &ran.err;
        let steers = |c: char| c != '\n' && (c.is_control() || hagen::yaml::hides(c));
        assert!(!printed.contains(steers), "{printed:?}");
    }
}

/// A file's content may be meant for a terminal, or be in a language that needs such characters.
#[test]
fn the_content_of_a_file_is_the_users() {
    let scene = Scene::demo();
    let more = r#"files: [{path: /etc/motd, content: "\e[1mdemo\u200d\e[0m\n"}]"#;
    scene.write("inventory.yaml", scene.read("inventory.yaml") + more);
    scene.run("build inventory.yaml -o out").expect(0);
    let motd = scene.files("out")["steps/shared/etc/motd"].clone();
    assert_eq!(String::from_utf8_lossy(&motd), "\u{1b}[1mdemo\u{200d}\u{1b}[0m\n");
}

/// In 10-prepare.sh the body of such a key ran as root.
#[test]
fn a_repositorys_key_is_a_key_and_nothing_else() {
    let key = include_str!("../src/inventory/values/armor.asc");
    let with = |key: &str| {
        let key: String = key.lines().map(|line| format!("        {line}\n")).collect();
        let at = "packages:\n  repositories:\n    kubernetes:\n      url: https://mirror.example.com/apt/\n      key: |\n";
        Scene::demo().read("inventory.yaml") + at + &key
    };
    let scene = Scene::demo();
    scene.write("inventory.yaml", with(key));
    scene.run("check inventory.yaml").expect(0);
    let command = key.replace("\n\n", "\n\nKEY\n)\"\ntouch /owned\n: \"$(cat <<'KEY'\n");
    for bad in [
        command,
        key.replace("\n\n", "\nComment: $(id)\n\n"),
        key.replace("XLJ9", "XLJ8"),
        key.replace("PUBLIC", "PRIVATE"),
        key.replace("\nmDME", "\nlDME").replace("=XLJ9\n", ""),
    ] {
        refused(with(&bad), "inventory/type");
    }
}

/// kubeadm writes the kubelet's flags where blanks part them.
#[test]
fn a_flag_of_the_kubelet_smuggles_no_other() {
    let with = |more: &str| Scene::demo().read("inventory.yaml") + more;
    refused(with("extraArgs: {kubelet: {v: '2 --anonymous-auth=true'}}"), "kubelet/value-splits");
    let patch =
        "{nodeRegistration: {kubeletExtraArgs: [{name: v, value: '2 --anonymous-auth=true'}]}}";
    for document in ["kubeadm/InitConfiguration", "kubeadm/JoinConfiguration"] {
        refused(
            with(&format!("patches: [{{document: {document}, patch: {patch}}}]")),
            "kubelet/value-splits",
        );
    }
}

/// These ended in `internal/leftover` and `internal/tree-path`, as if hagen were to blame.
#[test]
fn what_the_user_says_is_no_defect_of_hagen() {
    let with = |more: &str| Scene::demo().read("inventory.yaml") + more;
    for bad in [
        "host: {sysctls: {kernel.core_pattern: '{{ x }}'}}".to_owned(),
        "host: {sysctls: {kernel.core_pattern: '<your-pattern>'}}".to_owned(),
        "extraArgs: {apiServer: {service-account-issuer: '<your-issuer>'}}".to_owned(),
        "extraArgs: {apiServer: {service-account-issuer: '{% x %}'}}".to_owned(),
        format!("files: [{{path: /srv/{}, content: x}}]", "x".repeat(256)),
        format!(
            "images: {{mirrors: [{{registry: '{}:5000', endpoints: ['https://a.example.com']}}]}}",
            ["a".repeat(49).as_str(); 5].join(".")
        ),
    ] {
        refused(with(&bad), "inventory/type");
    }
    let scene = Scene::demo();
    for good in [
        r#"patches: [{document: runtime/ContainerdConfig, patch: {debug: {address: "{{.Name}} <x>"}}}]"#,
        r#"patches: [{document: kubeadm/ClusterConfiguration, patch: {apiServer: {extraArgs: [{name: vmodule, value: "a \n\tb\n"}]}}}]"#,
        r#"host: {sysctls: {kernel.core_pattern: "|/usr/lib/systemd/systemd-coredump %P %u"}}"#,
    ] {
        scene.write("inventory.yaml", with(good));
        scene.run("build inventory.yaml -o out").expect(0);
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
    let files = scene.files("out");
    assert_eq!(String::from_utf8_lossy(&files["nodes/w1/rootfs/etc/motd"]), content);
}

#[test]
fn folders_devices_and_absent_files_are_told_apart() {
    let scene = Scene::demo();
    std::fs::create_dir(scene.path("folder.yaml")).unwrap();
    scene.run("check folder.yaml").expect(2).says("cannot read `folder.yaml`");
    scene.run("check absent.yaml").expect(2).says("cannot read `absent.yaml`");
    scene.run("check /dev/null").expect(2).says("`/dev/null`: it is a device, no regular file");
    scene.run("build inventory.yaml --secrets folder.yaml -o out").expect(2);
    scene.run("build inventory.yaml --templates absent -o out").expect(2).says("`absent`");
    assert!(!scene.path("out").exists());
}

#[test]
fn one_run_reports_unknown_keys_and_contradictions_alike() {
    let found = |overlay: &str| -> Vec<&'static str> {
        let outcome = crate::compiled::check(&crate::compiled::overlaid(overlay));
        outcome.report.findings().iter().map(|found| found.code.id).collect()
    };
    let port = "endpoint: {port: 6443}";
    let (unknown, taken) = ("inventory/unknown-key", "endpoint/port-taken");
    assert_eq!(found(&format!("cluster: {{pods: 10.0.0.0/8}}\n{port}")), [unknown, taken]);
    // What was meant is judged as well.
    let overlap = "cluster/networks-overlap";
    let overlay = format!("cluster: {{podSubnets: 10.0.0.0/8}}\n{port}");
    assert_eq!(found(&overlay), [unknown, overlap, taken]);
}

#[test]
fn a_misspelt_key_is_one_mistake() {
    let base = std::fs::read_to_string(crate::compiled::root().join("golden/base.yaml")).unwrap();
    for (right, wrong) in [
        ("  interface: ", "  iface: "),
        ("  vip: ", "  vpi: "),
        ("  port: ", "  prot: "),
        ("endpoint:", "endpiont:"),
        ("nodes:", "nods:"),
        ("name: w1", "nmae: w1"),
    ] {
        assert!(base.contains(right), "{right}");
        let outcome = crate::compiled::check(&base.replacen(right, wrong, 1));
        let found = outcome.report.findings().iter();
        let found: Vec<&str> = found.map(|found| found.code.id).collect();
        assert_eq!(found, ["inventory/unknown-key"], "{wrong}");
        let meant = right.trim().split(':').next().unwrap();
        let help = outcome.report.findings()[0].help.clone();
        assert_eq!(help, Some(format!("did you mean `{meant}`?")));
    }
}
