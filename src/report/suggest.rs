/// The candidate that was probably meant, for "did you mean". Case and separators count little:
/// `pod_subnet` and `podsubnet` are near `podSubnet`. One edit in three characters is the
/// most that is bridged, as in rustc; or letters are left out, as in `iface` for `interface`.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let limit = (folded.chars().count() / 3).max(1);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let near = candidates
        .iter()
        .copied()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= limit + 2)
        .map(|candidate| {
            let exact = strsim::damerau_levenshtein(word, candidate);
            (strsim::damerau_levenshtein(&folded, &fold(candidate)), exact, candidate)
        })
        .filter(|(distance, ..)| *distance <= limit)
        // The name itself breaks ties, so that the order of the candidates does not matter.
        .min()
        .map(|(.., candidate)| candidate);
    near.or_else(|| {
        let short = |candidate: &&str| abbreviates(&folded, &fold(candidate));
        candidates
            .iter()
            .copied()
            .filter(short)
            .min_by_key(|candidate| (candidate.len(), *candidate))
    })
}

/// Whether a word has some of another's letters in their order: the first and at least half.
fn abbreviates(short: &str, long: &str) -> bool {
    let count = short.chars().count();
    let mut letters = long.chars();
    count >= 3
        && 2 * count >= long.chars().count()
        && short.chars().next() == long.chars().next()
        && short.chars().all(|letter| letters.any(|other| other == letter))
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
            ("addr", Some("address")),
            ("podnet", Some("podSubnet")),
            ("add", None),
            ("dress", None),
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
