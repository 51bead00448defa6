use x509_parser::parse_x509_certificate;
use x509_parser::pem::Pem;

use super::value;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "\n-----END CERTIFICATE-----";

value! {
    /// X.509 certificates in PEM (RFC 7468), one or more.
    Certificates, "hagen-certificates", [include_str!("certificates.pem")], |text| {
        let text = text.trim();
        // A private key, or anything else, between two certificates is no block of theirs.
        let blocks = text.strip_suffix(END).ok_or("whole blocks from `-----BEGIN CERTIFICATE-----` to their end")?;
        for (number, block) in (1..).zip(blocks.split(&format!("{END}\n"))) {
            let body = block.trim().strip_prefix(BEGIN);
            if !body.is_some_and(is_certificate) {
                return Err(format!("certificates in PEM; block {number} is none, or not all of one"));
            }
        }
        Ok(text.to_owned())
    }
}

/// Whether this is the body of a PEM block, and one whole certificate.
fn is_certificate(body: &str) -> bool {
    // The reader looks for its block between other text.
    let whole = body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=\n".contains(&b));
    let text = format!("{BEGIN}{body}{END}\n");
    whole
        && Pem::iter_from_buffer(text.as_bytes()).next().and_then(Result::ok).is_some_and(|pem| {
            parse_x509_certificate(&pem.contents).is_ok_and(|(rest, _)| rest.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::Certificates;

    const CERTIFICATE: &str = include_str!("certificates.pem");

    fn refusal(text: &str) -> Option<String> {
        text.parse::<Certificates>().err()
    }

    #[test]
    fn one_certificate_or_several_are_taken() {
        assert_eq!(refusal(CERTIFICATE), None);
        assert_eq!(refusal(&CERTIFICATE.repeat(2)), None);
        assert_eq!(refusal(&format!("{CERTIFICATE}\n{CERTIFICATE}")), None);
    }

    #[test]
    fn a_private_key_is_none() {
        let key = CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY");
        for bad in [
            format!("{key}{CERTIFICATE}"),
            format!("{CERTIFICATE}{key}{CERTIFICATE}"),
            format!("{CERTIFICATE}{key}"),
            key,
        ] {
            assert!(refusal(&bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn what_a_paste_has_cut_is_found_and_counted() {
        let lines: Vec<&str> = CERTIFICATE.lines().collect();
        let without = |line: usize| {
            let mut lines = lines.clone();
            lines.remove(line);
            lines.join("\n")
        };
        let last = lines.len() - 1;
        for line in 0..=last {
            assert!(refusal(&without(line)).is_some(), "without line {line}");
        }
        let second = refusal(&format!("{CERTIFICATE}{}", without(last - 1))).unwrap();
        assert!(second.contains("block 2"), "{second}");
    }
}
