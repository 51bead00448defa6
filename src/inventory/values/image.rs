use super::text::{is_dns_1123_subdomain, is_port};
use super::value;

value! {
    /// A registry path without tag: `registry.k8s.io` or `mirror.example.com:5000/k8s`.
    ImageRepository, "hagen-image-repository", ["registry.example.com/k8s"], |text| {
        if is_repository(text) {
            Ok(text.to_owned())
        } else {
            Err("a registry path without tag, such as registry.example.com/k8s".into())
        }
    }
}

value! {
    /// A registry as images name it: a host, and its port where it is not 443.
    RegistryHost, "hagen-registry", ["registry.k8s.io", "registry.example.com:5000"], |text| {
        // A folder has this name.
        if is_repository(text) && !text.contains('/') && text.len() <= 253 {
            Ok(text.to_owned())
        } else {
            Err("a registry's host without scheme and path, such as registry.k8s.io".into())
        }
    }
}

value! {
    /// An image with a tag, a digest or both.
    ImageReference, "hagen-image", ["ghcr.io/flannel-io/flannel:v0.27.4"], |text| {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let digest_ok = digest.is_none_or(|digest| {
            digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        });
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let tag_ok = tag.is_none_or(|tag| {
            !tag.is_empty() && tag.len() <= 128 && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        });
        if is_repository(repository) && tag_ok && digest_ok && (tag.is_some() || digest.is_some()) {
            Ok(text.to_owned())
        } else {
            Err("an image with tag or digest, such as registry.example.com/flannel:v0.28.9".into())
        }
    }
}

fn is_repository(text: &str) -> bool {
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let part_ok = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-', '_'])
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    is_dns_1123_subdomain(name)
        && is_port(port)
        && text.len() <= 1024
        && (path.is_empty() || path.split('/').all(part_ok))
        && (!text.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::RegistryHost;

    #[test]
    fn a_registry_is_a_host_and_nothing_else() {
        for good in ["registry.k8s.io", "10.0.0.1:5000", "localhost:5000"] {
            assert!(good.parse::<RegistryHost>().is_ok(), "{good}");
        }
        for bad in ["", "https://a.example.com", "a.example.com/k8s", "..", "_default", "a:0", "A"]
        {
            assert!(bad.parse::<RegistryHost>().is_err(), "{bad}");
        }
    }
}
