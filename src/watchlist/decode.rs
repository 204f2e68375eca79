//! Bytes of a list as text: UTF-8, UTF-16 and GB18030, as Windows and spreadsheets write them.

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes searched for the signs of UTF-16.
const SEARCHED: usize = 1024;

/// Beginnings of files that are no text, and what to do about them.
const NO_TEXTS: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "it is an Excel workbook (.xlsx): save it as \"CSV UTF-8\" and use that file"),
    (
        b"\xd0\xcf\x11\xe0",
        "it is an Excel workbook (.xls): save it as \"CSV UTF-8\" and use that file",
    ),
    (b"%PDF", "it is a PDF: copy the list into a text file"),
    (b"\x1f\x8b", "it is compressed (gzip): unpack it first"),
    (b"{\\rtf", "it is a rich text document: save it as plain text"),
];

/// What to do about a text in an unknown encoding.
const SAVE: &str = "save it as UTF-8 (Excel: \"CSV UTF-8\"; Notepad: Save as, Encoding)";

/// A decoded text with `\n` as line break.
#[derive(Debug)]
pub struct Decoded {
    /// The text, without byte order mark.
    pub text: String,
    /// Its encoding, if it is not UTF-8.
    pub encoding: Option<&'static str>,
}

/// Decodes a text. The error says what the bytes are instead, and what to do.
pub fn decode(bytes: Vec<u8>) -> Result<Decoded, String> {
    if let Some((_, what)) = NO_TEXTS.iter().find(|(begin, _)| bytes.starts_with(begin)) {
        return Err((*what).to_owned());
    }
    let encoding = encoding_of(&bytes)?;
    let text = if encoding == UTF_8 {
        String::from_utf8(bytes).map_err(|_| unknown())?
    } else {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
        text.ok_or_else(unknown)?.into_owned()
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let begin: String = text.trim_start().chars().take(15).flat_map(char::to_lowercase).collect();
    if ["<html", "<!doctype", "<table", "<?xml"].iter().any(|tag| begin.starts_with(tag)) {
        return Err(
            "it is a web page, whatever its name: open it in Excel and save it as \"CSV UTF-8\""
                .to_owned(),
        );
    }
    // Windows ends lines with two characters, old programs for the Mac with the first of them.
    let text =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text };
    Ok(Decoded { text, encoding: (encoding != UTF_8).then(|| encoding.name()) })
}

/// The encoding of a text. The error says why it is none that can be read.
pub(crate) fn encoding_of(bytes: &[u8]) -> Result<&'static Encoding, String> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return Ok(encoding);
    }
    if bytes.contains(&0) {
        let begin = bytes.get(..SEARCHED).unwrap_or(bytes);
        let zeros = |at: usize| begin.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
        // A few Chinese characters have a zero on the other side.
        return match (zeros(0), zeros(1)) {
            (first, second) if second > 4 * first => Ok(UTF_16LE),
            (first, second) if first > 4 * second => Ok(UTF_16BE),
            _ => Err("it is not a text".to_owned()),
        };
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Ok(UTF_8);
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    if text.is_some() && is_chinese(bytes) { Ok(GB18030) } else { Err(unknown()) }
}

fn unknown() -> String {
    format!("its encoding is none of UTF-8, UTF-16 and GB18030 (GBK): {SAVE}")
}

/// Whether most characters are those of everyday Chinese (GB2312). Other encodings, such as Big5, give
/// rare ones when they are read as GB18030.
fn is_chinese(bytes: &[u8]) -> bool {
    let (mut common, mut all, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(first) = bytes.get(at) {
        if first.is_ascii() {
            at += 1;
            continue;
        }
        let second = bytes.get(at + 1).copied().unwrap_or(0);
        let is_common = matches!(first, 0xa1..=0xa3 | 0xb0..=0xf7) && second >= 0xa1;
        (common, all) = (common + usize::from(is_common), all + 1);
        at += if second.is_ascii_digit() { 4 } else { 2 };
    }
    common * 4 >= all * 3
}

#[cfg(test)]
mod tests;
