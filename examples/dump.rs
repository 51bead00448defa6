use hagen::compile::{Inputs, compile};
use hagen::secrets::Bundle;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let name = text
        .lines()
        .find_map(|l| {
            l.trim()
                .strip_prefix("name: ")
                .or(l.split("{name: ").nth(1).and_then(|r| r.split(',').next()))
        })
        .unwrap()
        .to_owned();
    let date = time::OffsetDateTime::from_unix_timestamp(1_793_491_200).unwrap();
    let bundle = Bundle::new(&name, [7; 32], date);
    let outcome = compile(&Inputs {
        name: "i",
        inventory: text.as_bytes(),
        bundle: Some(&bundle),
        templates: Default::default(),
    });
    for f in outcome.report.findings() {
        eprintln!("{} {} at {} | {:?} | {:?}", f.code.id, f.message, f.at, f.related, f.help);
    }
    let Some(tree) = outcome.tree else { std::process::exit(1) };
    let out = std::path::PathBuf::from(&args[2]);
    let _ = std::fs::remove_dir_all(&out);
    for (path, a) in tree.iter() {
        let p = out.join(path);
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
        std::fs::write(&p, &a.bytes).unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&p, std::fs::Permissions::from_mode(a.stored_mode())).unwrap();
    }
}
