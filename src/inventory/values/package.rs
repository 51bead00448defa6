use super::value;

fn made_of(text: &str, special: &[u8]) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || special.contains(&b);
    !text.is_empty() && text.len() <= 256 && text.bytes().all(plain)
}

value! {
    /// A package's name in the node's package manager.
    PackageName, "hagen-package-name", ["haproxy"], |text| {
        if made_of(text, b"+._-") && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Ok(text.to_owned())
        } else {
            Err("a package's name such as haproxy".into())
        }
    }
}

value! {
    /// A package's version as its package manager writes it; `*` stands for anything.
    PackageVersion, "hagen-package-version", ["2.6.*", "1.37.1-1.1"], |text| {
        if made_of(text, b".+~:^_*-") && !text.starts_with('-') {
            Ok(text.to_owned())
        } else {
            Err("a package's version in quotes, such as \"1.37.1-1.1\" or \"2.6.*\"".into())
        }
    }
}

value! {
    /// A suite of an apt repository: a codename, or a folder that ends in `/`.
    AptSuite, "hagen-apt-suite", ["bookworm", "./"], |text| {
        if made_of(text, b".+~/_-") && !text.starts_with('-') {
            Ok(text.to_owned())
        } else {
            Err("a suite such as bookworm, or a folder that ends in `/`".into())
        }
    }
}

value! {
    /// A component of a suite.
    AptComponent, "hagen-apt-component", ["main"], |text| {
        if made_of(text, b".+/_-") && !text.starts_with('-') {
            Ok(text.to_owned())
        } else {
            Err("a component such as main".into())
        }
    }
}

value! {
    /// An OpenPGP public key, ASCII-armoured (RFC 9580, section 6.2).
    ArmoredKey, "hagen-armored-key", ["-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n"], |text| {
        let text = text.trim();
        let whole = text.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
            && text.ends_with("\n-----END PGP PUBLIC KEY BLOCK-----");
        let printable = text.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b));
        if whole && printable && !text.contains("PRIVATE KEY") {
            Ok(text.to_owned())
        } else {
            Err("a whole block from `-----BEGIN PGP PUBLIC KEY BLOCK-----` to its end".into())
        }
    }
}
