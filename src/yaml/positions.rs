use std::ops::Range;

/// Characters between two remembered offsets: an array of 8 bytes per 64 characters, and a
/// look-up never walks further than that, however long the line.
const STRIDE: usize = 64;

/// Lines and characters of a text, as byte offsets. Built once, in linear time.
#[derive(Clone, Debug)]
pub struct Positions {
    length: usize,
    lines: Vec<usize>,
    /// The byte offset of every 64th character; empty for ASCII, where the two are the same.
    strides: Vec<usize>,
}

impl Positions {
    /// The positions of a text.
    pub fn new(text: &str) -> Self {
        let lines = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
            .collect();
        let strides = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(at, _)| at).collect()
        };
        Self { length: text.len(), lines, strides }
    }

    /// The byte offset of a character, or the end of the text.
    pub(super) fn byte(&self, text: &str, character: usize) -> usize {
        if self.strides.is_empty() {
            return character.min(self.length);
        }
        let Some(&start) = self.strides.get(character / STRIDE) else { return self.length };
        text[start..]
            .char_indices()
            .nth(character % STRIDE)
            .map_or(self.length, |(at, _)| start + at)
    }

    fn character(&self, text: &str, offset: usize) -> usize {
        if self.strides.is_empty() {
            return offset;
        }
        let stride = self.strides.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.strides[stride];
        stride * STRIDE
            + text[start..].char_indices().take_while(|(at, _)| start + at < offset).count()
    }

    /// Line and column of a byte offset, both from one, columns in characters. An offset past
    /// the end counts as the end.
    pub fn line_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.length);
        let line = self.lines.partition_point(|start| *start <= offset);
        let column = self.character(text, offset) - self.character(text, self.lines[line - 1]);
        (line, column + 1)
    }

    /// The byte range of a line, from one, without its line break.
    pub fn line(&self, text: &str, line: usize) -> Range<usize> {
        let Some(&start) = self.lines.get(line.saturating_sub(1)) else {
            return self.length..self.length;
        };
        let end = self.lines.get(line).copied().unwrap_or(self.length);
        start..start + text[start..end].trim_end_matches(['\n', '\r']).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_beyond_the_first_stride() {
        let text = format!("a: {}x\nb: ü!", "é".repeat(200));
        let positions = Positions::new(&text);
        let x = text.find('x').expect("it is there");
        assert_eq!(positions.line_column(&text, x), (1, 204));
        assert_eq!(positions.byte(&text, 203), x);
        let bang = text.find('!').expect("it is there");
        assert_eq!(positions.line_column(&text, bang), (2, 5));
        assert_eq!(positions.line_column(&text, usize::MAX), (2, 6));
        assert_eq!(positions.byte(&text, usize::MAX), text.len());
    }

    #[test]
    fn a_line_ends_before_its_break() {
        let text = "one\r\ntwo\n";
        let positions = Positions::new(text);
        assert_eq!(&text[positions.line(text, 1)], "one");
        assert_eq!(&text[positions.line(text, 2)], "two");
        assert_eq!(&text[positions.line(text, 3)], "");
        assert_eq!(&text[positions.line(text, 4)], "");
    }

    #[test]
    fn an_empty_text_has_one_line() {
        assert_eq!(Positions::new("").line_column("", 0), (1, 1));
    }
}
