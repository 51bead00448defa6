//! Quantities as Kubernetes reads them
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).

/// Whether Kubernetes reads this as a quantity: `500Mi`, `1e3`, `0.5`.
pub fn is_quantity(text: &str) -> bool {
    const SUFFIXES: [&str; 16] =
        ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let is_number =
        number.contains(|c: char| c.is_ascii_digit()) && number.matches('.').count() < 2;
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|digits| {
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_number && (SUFFIXES.contains(&suffix) || exponent)
}

#[cfg(test)]
mod tests {
    use super::is_quantity;

    #[test]
    fn units_are_kubernetes_own() {
        for text in ["500Mi", "10M", "1", "0.5", "1e3", "1E", "100m", "1.", "-1Gi"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["", "500Mib", "10MB", "5%", "Mi", "1.2.3", "1 Gi", "1e"] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}
