//! Characters that a reader does not see, or that show him something else than what is there.

/// Whether a text with this character may look like another text, or steer the terminal that shows
/// it. Tabs and line ends do neither.
///
/// Control characters (Unicode's Cc); those that turn the direction of writing
/// (<https://trojansource.codes>); separators that some programs take for a line end; characters
/// without width or picture (Unicode's Default_Ignorable_Code_Point,
/// <https://www.unicode.org/reports/tr44/>), but for the variation selectors of pictures such as
/// U+26A0 U+FE0F.
pub fn hides(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' | ' '..='~' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' => true,
        '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

/// Such a character in the middle of a sentence: `a control character, U+001B`.
pub fn named(character: char) -> String {
    let kind = match character {
        character if character.is_control() => "a control character",
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "a character that turns the direction of writing"
        }
        _ => "a character that nobody sees",
    };
    format!("{kind}, U+{:04X}", u32::from(character))
}
