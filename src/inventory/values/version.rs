use super::value;

/// Dotted numbers, between `least` and `most` of them, each without leading zeros.
fn dotted(text: &str, least: usize, most: usize) -> bool {
    let part_ok = |part: &str| {
        !part.is_empty()
            && part.len() <= 4
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let count = text.split('.').count();
    (least..=most).contains(&count) && text.split('.').all(part_ok)
}

value! {
    /// An exact Kubernetes release, `1.30.4`.
    KubernetesRelease, "hagen-kubernetes-release", ["1.37.1"], |text| {
        if dotted(text, 3, 3) && text.starts_with("1.") {
            Ok(text.to_owned())
        } else {
            Err("an exact release in quotes, such as \"1.30.4\"".into())
        }
    }
}

value! {
    /// An exact etcd release, `3.5.21`.
    EtcdRelease, "hagen-etcd-release", ["3.5.21"], |text| {
        if dotted(text, 3, 3) && text.starts_with("3.") {
            Ok(text.to_owned())
        } else {
            Err("an exact release in quotes, such as \"3.5.21\"".into())
        }
    }
}

value! {
    /// A program's version: two or three numbers, `2.6` or `18.09.7`.
    ProgramVersion, "hagen-program-version", ["2.6"], |text| {
        // Docker numbers its months with a leading zero (18.09).
        let numbers = text.split('.').count();
        let digits = text.split('.').all(|part| {
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())
        });
        if digits && (2..=3).contains(&numbers) {
            Ok(text.to_owned())
        } else {
            Err("two or three numbers in quotes, such as \"2.6\"".into())
        }
    }
}

impl ProgramVersion {
    /// Whether it names one release, not a series of them.
    pub fn is_exact(&self) -> bool {
        self.as_str().matches('.').count() == 2
    }
}

value! {
    /// A distribution's release: `12`, `24.04`, `7`.
    Release, "hagen-os-release", ["12"], |text| {
        let digits = text.split('.').all(|part| {
            !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())
        });
        if digits && text.split('.').count() <= 2 {
            Ok(text.to_owned())
        } else {
            Err("a release in quotes, such as \"12\" or \"24.04\"".into())
        }
    }
}
