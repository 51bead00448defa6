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
        // apt-get takes a sign at the end for the order to remove it, or to install it.
        if made_of(text, b".+~:^_*-") && !text.starts_with('-') && !text.ends_with(['-', '+']) {
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
    /// The file name of a release archive.
    ArchiveName, "hagen-archive-name", ["etcd-v3.7.0-linux-amd64.tar.gz"], |text| {
        if made_of(text, b"+._-") && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.ends_with(".tar.gz") {
            Ok(text.to_owned())
        } else {
            Err("an archive's file name such as etcd-v3.7.0-linux-amd64.tar.gz".into())
        }
    }
}

value! {
    /// A SHA-256 digest in hexadecimal, as `sha256sum` prints it.
    Sha256, "hagen-sha256", ["e8cd3fa8064c98137c5dbd78b76f969417ace84efb83c481041d7a52ffdd8fb9"], |text| {
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(text.to_owned())
        } else {
            Err("a SHA-256 digest: 64 lower-case hexadecimal digits".into())
        }
    }
}

value! {
    /// The fingerprint of an OpenPGP key, as `gpg --show-keys --fingerprint` prints it, with its
    /// blanks or without: 40 hexadecimal digits (version 4), or 64 (version 6).
    Fingerprint, "hagen-fingerprint", ["DE15B14486CD377B9E876E1A234654DA9A296436"], |text| {
        let digits: String = text.split(' ').collect::<String>().to_ascii_uppercase();
        if matches!(digits.len(), 40 | 64) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(digits)
        } else {
            Err("the fingerprint of a key: 40 hexadecimal digits, in quotes".into())
        }
    }
}
