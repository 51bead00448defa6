/// The candidate that was probably meant, for "did you mean". Case and separators count little:
/// `pod_subnet` and `podsubnet` are near `podSubnet`. One edit in three characters is the
/// most that is bridged, as in rustc.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let limit = (folded.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= limit + 2)
        .map(|candidate| {
            let exact = strsim::damerau_levenshtein(word, candidate);
            (strsim::damerau_levenshtein(&folded, &fold(candidate)), exact, candidate)
        })
        .filter(|(distance, ..)| *distance <= limit)
        // The name itself breaks ties, so that the order of the candidates does not matter.
        .min()
        .map(|(.., candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let keys = ["address", "podSubnet", "roles", "role", "vip"];
        for (word, expected) in [
            ("adress", Some("address")),
            ("pod_subnet", Some("podSubnet")),
            ("podsubnets", Some("podSubnet")),
            ("Roles", Some("roles")),
            ("rols", Some("role")),
            ("vpi", Some("vip")),
            ("ip", Some("vip")),
            ("interface", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(closest(word, keys), expected, "{word}");
        }
    }

    #[test]
    fn a_huge_word_costs_nothing() {
        assert_eq!(closest(&"a".repeat(1 << 20), ["address"]), None);
    }
}
