//! Words in a line of any format.

/// `line` with `with` in place of each `word` that is no part of a longer number, address or version.
pub(super) fn replace_word(line: &str, word: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let longer = before.ends_with(|c: char| c.is_ascii_digit() || c == '.')
            || after.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit());
        out.push_str(before);
        out.push_str(if longer { word } else { with });
        rest = after;
    }
    out + rest
}
