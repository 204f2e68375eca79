use super::*;

const TEXT: &str = "# 我的清单\n露营装备\n徒步\n";

fn decoded(bytes: &[u8]) -> (String, Option<&'static str>) {
    let Decoded { text, encoding } = decode(bytes.to_vec()).unwrap_or_else(|why| panic!("{why}"));
    (text, encoding)
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn encodings_of_windows_are_decoded() {
    assert_eq!(decoded(TEXT.as_bytes()), (TEXT.into(), None));
    let marked = format!("\u{feff}{TEXT}");
    assert_eq!(decoded(marked.as_bytes()), (TEXT.into(), None));
    let (gbk, _, _) = GB18030.encode(TEXT);
    assert_eq!(decoded(&gbk), (TEXT.into(), Some("gb18030")));
    for text in [&marked, TEXT] {
        assert_eq!(decoded(&utf16(text, u16::to_le_bytes)), (TEXT.into(), Some("UTF-16LE")));
        assert_eq!(decoded(&utf16(text, u16::to_be_bytes)), (TEXT.into(), Some("UTF-16BE")));
    }
}

#[test]
fn other_encodings_are_refused_rather_than_garbled() {
    let (big5, _, _) = encoding_rs::BIG5.encode("露營裝備\n徒步\n");
    for bytes in [&big5[..], b"caf\xe9\n", b"na\xefve", b"\xff\xff\xff"] {
        let why = decode(bytes.to_vec()).expect_err("not decoded");
        assert!(why.contains("save it as UTF-8"), "{why}");
    }
}

#[test]
fn files_that_are_no_text_say_what_to_do() {
    for (bytes, said) in [
        (&b"PK\x03\x04\x14\0"[..], "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "CSV UTF-8"),
        (b"<html><table><tr><td>ID</td></tr></table></html>", "web page"),
        (b"\0\0\0\0\0\0", "not a text"),
        (b"%PDF-1.7", "PDF"),
    ] {
        let why = decode(bytes.to_vec()).expect_err("not decoded");
        assert!(why.contains(said), "{why}");
    }
}

#[test]
fn line_breaks_of_all_systems_are_one() {
    assert_eq!(decoded(b"a\r\nb\rc\nd").0, "a\nb\nc\nd");
}
