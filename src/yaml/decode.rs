use std::ops::Range;

use super::codes;
use super::fault::Fault;
use super::hidden::{hides, named};
use crate::report::{Finding, Path};

/// The longest text, in bytes. An inventory of 100,000 nodes, which has to be told that it has
/// too many nodes, takes about 10 MiB.
pub const MAX_BYTES: usize = 64 << 20;

/// The bytes as text that a person could have typed, without a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_BYTES {
        let message =
            format!("the text has {} bytes, more than the {MAX_BYTES} that are read", bytes.len());
        return Err(Finding::new(&codes::BUDGET, Path::root(), message).into());
    }
    let encoding = |message: String, span: Range<usize>| {
        Finding::new(&codes::ENCODING, Path::root(), message)
            .span(span)
            .help("save the file as UTF-8 text")
    };
    // Windows' "Unicode" is UTF-16, which would otherwise be blamed for its NUL bytes.
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(encoding("the text is UTF-16, not UTF-8".to_owned(), 0..1).into());
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        encoding(format!("byte 0x{:02x} at offset {at} is not UTF-8", bytes[at]), at..at + 1)
    })?;
    if let Some((at, character)) = text.char_indices().find(|(_, character)| hides(*character)) {
        let message = format!("{}, stands in the text", named(character));
        return Err(encoding(message, at..at + character.len_utf8())
            .help("delete it; the `content` of one of `files` may have it as an escape in double quotes")
            .into());
    }
    Ok(text)
}
