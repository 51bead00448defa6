use base64ct::{Base64, Encoding};

use super::value;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";
const END: &str = "\n-----END PGP PUBLIC KEY BLOCK-----";

/// The longest line of base64: RFC 9580, section 6.
const LINE: usize = 76;

value! {
    /// OpenPGP public keys, ASCII-armoured (RFC 9580, section 6.2), one block or more, as
    /// `gpg --armor --export` writes them.
    ArmoredKey, "hagen-armored-key", [include_str!("armor.asc")], |text| {
        let text = text.trim();
        // A private key, or anything else, between two blocks is no part of one.
        let blocks = text.strip_suffix(END).ok_or_else(expected)?;
        for (number, block) in (1..).zip(blocks.split(&format!("{END}\n"))) {
            let body = block.trim_start_matches('\n').strip_prefix(BEGIN).ok_or_else(expected)?;
            armored(body)
                .and_then(|packets| public_key(&packets))
                .map_err(|fault| format!("{}; in block {number} {fault}", expected()))?;
        }
        Ok(text.to_owned())
    }
}

fn expected() -> String {
    "a whole block from `-----BEGIN PGP PUBLIC KEY BLOCK-----` to its end".into()
}

/// What stands between the lines of dashes: headers, an empty line, base64, a checksum that may be
/// absent. Nothing else is let through, so that no line means anything to whoever reads the file.
fn armored(body: &str) -> Result<Vec<u8>, String> {
    let mut lines = body.lines();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        if !is_header(line) {
            return Err("a line in front of the empty one is no header such as `Comment: …`".into());
        }
    }
    let lines: Vec<&str> = lines.collect();
    let (sum, data) = match lines.split_last() {
        Some((last, data)) if last.starts_with('=') => (Some(&last[1..]), data),
        _ => (None, lines.as_slice()),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    if data.iter().any(|line| line.is_empty() || line.len() > LINE || !line.bytes().all(plain)) {
        return Err("a line below the headers is no base64".into());
    }
    let packets = Base64::decode_vec(&data.concat()).map_err(|_| "the base64 is cut short")?;
    let right = match sum.map(Base64::decode_vec) {
        None => true,
        Some(sum) => sum.is_ok_and(|sum| sum == crc24(&packets).to_be_bytes()[1..]),
    };
    if right { Ok(packets) } else { Err("the checksum is not that of the lines".into()) }
}

/// `Version: GnuPG v2`, `Comment: https://example.com`: a name, and words without quotes, brackets
/// and whatever else means something to a shell or a template.
fn is_header(line: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b" .,:/@()_+-".contains(&b);
    line.split_once(": ").is_some_and(|(name, words)| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
            && words.len() <= LINE
            && words.bytes().all(plain)
    })
}

/// RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    const START: u32 = 0x00b7_04ce;
    const POLYNOMIAL: u32 = 0x0186_4cfb;
    let step = |crc: u32| if crc & 0x80_0000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL };
    let crc = bytes
        .iter()
        .fold(START, |crc, byte| (0..8).fold(crc ^ (u32::from(*byte) << 16), |crc, _| step(crc)));
    crc & 0x00ff_ffff
}

/// Types of packets (RFC 9580, section 5): a public key, and what may follow it.
const PUBLIC_KEY: u8 = 6;
const SECRET: [u8; 2] = [5, 7];
const FOLLOWING: [u8; 6] = [2, PUBLIC_KEY, 12, 13, 14, 17];

/// Whether the packets are whole, the first a public key, and none a secret one.
fn public_key(mut packets: &[u8]) -> Result<(), String> {
    let mut first = true;
    while !packets.is_empty() {
        let (kind, rest) = packet(packets).ok_or("a packet of the key is cut short")?;
        if SECRET.contains(&kind) {
            return Err("there is a private key, which belongs nowhere but to who signs".into());
        }
        if (first && kind != PUBLIC_KEY) || !FOLLOWING.contains(&kind) {
            return Err("there is something else than a public key".into());
        }
        (first, packets) = (false, rest);
    }
    if first { Err("there is nothing".into()) } else { Ok(()) }
}

/// The type of the first packet, and what follows it (RFC 9580, section 4.2). Keys have no
/// packets of unknown length.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let (kind, length, rest) = if tag & 0xc0 == 0xc0 {
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..192 => (usize::from(*first), rest),
            192..224 => {
                let (second, rest) = rest.split_first()?;
                (((usize::from(*first) - 192) << 8) + usize::from(*second) + 192, rest)
            }
            255 => rest.split_at_checked(4).map(|(length, rest)| (number(length), rest))?,
            _ => return None,
        };
        (tag & 0x3f, length, rest)
    } else if tag & 0x80 != 0 && tag & 3 != 3 {
        let (length, rest) = rest.split_at_checked(1 << (tag & 3))?;
        ((tag >> 2) & 0xf, number(length), rest)
    } else {
        return None;
    };
    Some((kind, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::{ArmoredKey, crc24};

    const KEY: &str = include_str!("armor.asc");

    fn refusal(text: &str) -> Option<String> {
        text.parse::<ArmoredKey>().err()
    }

    #[test]
    fn keys_are_taken_as_programs_write_them() {
        let commented = KEY.replacen("\n\n", "\nComment: Key of (the) site, https://x/\n\n", 1);
        let unsummed = KEY.replace("=XLJ9\n", "");
        for good in [KEY, &KEY.repeat(2), &format!("{KEY}\n{KEY}"), &commented, &unsummed] {
            assert_eq!(refusal(good), None, "{good}");
        }
    }

    /// The first of these ran a command as root.
    #[test]
    fn nothing_but_a_key_is_let_through() {
        let lines = |lines: &str| KEY.replace("\n\n", &format!("\n{lines}\n"));
        for bad in [
            lines("KEY\n)\"\ntouch /owned\n: \"$(cat <<'KEY'\n"),
            lines("\nKEY"),
            lines("Comment: $(id)\n"),
            lines("Comment: <your-key>\n"),
            lines("Comment: {{ key }}\n"),
            lines("Comment: `id`\n"),
            lines(" \n"),
            KEY.replace("XLJ9", "XLJ8"),
            KEY.replace("=XLJ9", "id"),
            KEY.replace("mDME", "mDM\u{202e}"),
            format!("{KEY}KEY\nid\n{KEY}"),
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----".into(),
        ] {
            assert!(refusal(&bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn what_a_paste_has_cut_is_found() {
        let lines: Vec<&str> = KEY.lines().collect();
        for cut in 0..lines.len() {
            let mut rest = lines.clone();
            let gone = rest.remove(cut);
            // The checksum alone may be absent.
            assert_eq!(refusal(&rest.join("\n")).is_none(), gone == "=XLJ9", "without {gone:?}");
        }
        let unsummed = KEY.replace("7DMPDDsEcZoV0vIJ4k3+9mFgaHJhxlbhM8nZZZKCpgE=\n=XLJ9\n", "");
        assert!(
            refusal(&unsummed).unwrap().contains("in block 1 a packet of the key is cut short")
        );
    }

    /// Under whatever heading: the first byte says what the rest is.
    #[test]
    fn a_private_key_is_none() {
        assert!(refusal(&KEY.replace("PUBLIC", "PRIVATE")).is_some());
        let secret = KEY.replace("\nmDME", "\nlDME").replace("=XLJ9\n", "");
        assert!(refusal(&secret).unwrap().contains("private key"), "{:?}", refusal(&secret));
        assert!(refusal(&format!("{KEY}{secret}{KEY}")).unwrap().contains("in block 2"));
    }

    #[test]
    fn the_checksum_is_upstreams() {
        assert_eq!(crc24(b""), 0x00b7_04ce);
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }
}
