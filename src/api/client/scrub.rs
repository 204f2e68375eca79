//! Takes the token out of whatever upstream or the HTTP library repeats.
//!
//! One search finds where a form of the token may begin; from there its letters are compared, each
//! as itself or in any escape, so that an echo is found as a reader of the answer would see it.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// What stands in its place.
const MASK: &str = "***";

/// A token shorter than this is not looked for in bodies: it would be found by chance, in
/// numbers and names, and change them. Of a longer one a beginning of this length is masked where
/// a text was cut inside it.
const SHORTEST_IN_BODIES: usize = 8;

/// Letters of a form without escapes by which it is found.
const START: usize = 6;

/// Named entities of HTML.
const ENTITIES: [(&[u8], char); 4] =
    [(b"&amp;", '&'), (b"&lt;", '<'), (b"&gt;", '>'), (b"&quot;", '"')];

/// Knows the tokens in every form in which they could come back.
pub(crate) struct Scrubber {
    forms: Vec<Form>,
    /// Finds where a form may begin; `None` without a token.
    finder: Option<AhoCorasick>,
}

/// A text whose echo is masked.
struct Form {
    text: Vec<u8>,
    /// Bytes that are masked where the rest of it was cut off.
    shortest: usize,
    /// Whether it is looked for in bodies.
    in_bodies: bool,
    /// How a letter is compared.
    fold: fn(u8) -> u8,
    /// How an echo of it may begin.
    starts: Vec<Vec<u8>>,
}

impl Scrubber {
    /// The tokens themselves, in hexadecimal, and in base64 with 0, 1 or 2 bytes in front.
    pub(crate) fn of<'t>(tokens: impl IntoIterator<Item = &'t str>) -> Self {
        let forms: Vec<_> = tokens.into_iter().flat_map(forms).collect();
        let starts: BTreeSet<_> = forms.iter().flat_map(|form| &form.starts).collect();
        // Letters stand there in both cases: the search with vector instructions knows none.
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(starts);
        let finder = (!forms.is_empty()).then(|| build().ok()).flatten();
        Self { forms, finder }
    }

    /// A body without the token.
    pub(super) fn body(&self, body: Vec<u8>) -> Vec<u8> {
        self.masked(&body, |form| form.in_bodies).unwrap_or(body)
    }

    /// The same of a body that is at hand as text.
    pub(crate) fn body_text(&self, body: String) -> String {
        let bytes = self.body(body.into_bytes());
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// A text for people without the token.
    pub(crate) fn text(&self, text: &str) -> String {
        let masked = self.masked(text.as_bytes(), |_| true);
        masked.map_or_else(|| text.to_owned(), |it| String::from_utf8_lossy(&it).into_owned())
    }

    /// The bytes with every echo of these forms masked; `None` where there is none.
    fn masked(&self, bytes: &[u8], is_masked: impl Fn(&Form) -> bool) -> Option<Vec<u8>> {
        let finder = self.finder.as_ref()?;
        let mut kept = Vec::new();
        let (mut rest, mut from) = (0, 0);
        while let Some(found) = finder.find(Input::new(bytes).span(from..bytes.len())) {
            let start = found.start();
            from = start + 1;
            let forms = self.forms.iter().filter(|form| is_masked(form));
            let Some(end) = forms.filter_map(|form| form.end(bytes, start)).max() else { continue };
            // An escape is masked as a whole: half of one is no JSON.
            let before = bytes.get(rest..start)?;
            let slashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            kept.extend_from_slice(before.get(..before.len() - slashes)?);
            kept.extend_from_slice(MASK.as_bytes());
            (rest, from) = (end, end);
        }
        if rest == 0 {
            return None;
        }
        kept.extend_from_slice(bytes.get(rest..)?);
        Some(kept)
    }
}

impl Form {
    /// A form that is not escaped.
    fn plain(text: Vec<u8>, shortest: usize, fold: fn(u8) -> u8) -> Self {
        let start: Vec<_> = text.iter().take(START).copied().collect();
        let starts = vec![start.to_ascii_uppercase(), start];
        Self { text, shortest, in_bodies: true, fold, starts }
    }

    /// Where its echo ends that begins at `start`: as a whole, or cut off.
    fn end(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let mut longest = (0, start);
        let mut open = vec![longest];
        while let Some((matched, at)) = open.pop() {
            longest = longest.max((matched, at));
            let (left, text) = (self.text.get(matched..)?, bytes.get(at..)?);
            for (letter, len) in letters(text).into_iter().flatten() {
                let mut utf8 = [0; 4];
                let letter = letter.bytes(&mut utf8);
                let is_next = left.len() >= letter.len()
                    && letter.iter().zip(left).all(|(a, b)| (self.fold)(*a) == (self.fold)(*b));
                if is_next {
                    open.push((matched + letter.len(), at + len));
                }
            }
        }
        let (matched, end) = longest;
        let goes_on = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
        let is_cut = matched >= self.shortest && !goes_on;
        (matched == self.text.len() || is_cut).then_some(end)
    }
}

/// A letter of the text that an answer stands for.
#[derive(Clone, Copy)]
enum Letter {
    Byte(u8),
    Char(char),
}

impl Letter {
    fn bytes(self, utf8: &mut [u8; 4]) -> &[u8] {
        match self {
            Self::Byte(byte) => {
                utf8[0] = byte;
                &utf8[..1]
            }
            Self::Char(letter) => letter.encode_utf8(utf8).as_bytes(),
        }
    }
}

/// What a text may begin with, and the bytes that are taken up by it: a byte as it is, and an
/// escape of JSON (also within a string of JSON), of a URL, or of HTML.
fn letters(text: &[u8]) -> [Option<(Letter, usize)>; 3] {
    let raw = text.first().map(|byte| (Letter::Byte(*byte), 1));
    let byte = |digits: &[u8]| Some(Letter::Byte(u8::try_from(number(digits, 16)?).ok()?));
    match text {
        [b'+', ..] => [raw, Some((Letter::Byte(b' '), 1)), None],
        [b'%', b'2', b'5', a, b, ..] => {
            let twice = byte(&[*a, *b]).map(|it| (it, 5));
            [raw, Some((Letter::Byte(b'%'), 3)), twice]
        }
        [b'%', a, b, ..] => [raw, byte(&[*a, *b]).map(|it| (it, 3)), None],
        [b'\\', ..] => [raw, unescaped(text), None],
        [b'&', ..] => [raw, entity(text), None],
        _ => [raw, None, None],
    }
}

/// `\u0043`, `\x43` or `\/`, with any number of backslashes.
fn unescaped(text: &[u8]) -> Option<(Letter, usize)> {
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let (sign, digits) = text.get(slashes..)?.split_first()?;
    let code = |len: usize| {
        let letter = char::from_u32(number(digits.get(..len)?, 16)?)?;
        Some((Letter::Char(letter), slashes + 1 + len))
    };
    let coded = match sign {
        b'u' => code(4),
        b'x' => code(2),
        _ => None,
    };
    coded.or(Some((Letter::Byte(*sign), slashes + 1)))
}

/// `&amp;`, `&#67;` or `&#x43;`.
fn entity(text: &[u8]) -> Option<(Letter, usize)> {
    let named = ENTITIES.iter().find(|(name, _)| text.starts_with(name));
    if let Some((name, letter)) = named {
        return Some((Letter::Char(*letter), name.len()));
    }
    let end = text.iter().take(10).position(|byte| *byte == b';')?;
    let code = text.get(..end)?.strip_prefix(b"&#")?;
    let code = match code {
        [b'x' | b'X', digits @ ..] => number(digits, 16)?,
        digits => number(digits, 10)?,
    };
    Some((Letter::Char(char::from_u32(code)?), end + 1))
}

fn lower_case(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// Every form of a token.
fn forms(token: &str) -> Vec<Form> {
    let token = token.as_bytes();
    let in_bodies = token.len() >= SHORTEST_IN_BODIES;
    if token.is_empty() {
        return Vec::new();
    }
    let itself = Form {
        text: token.to_vec(),
        shortest: token.len().min(SHORTEST_IN_BODIES),
        in_bodies,
        fold: lower_case,
        starts: starts(token),
    };
    let hexadecimal = token.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
    let hexadecimal = Form::plain(hexadecimal, 2 * SHORTEST_IN_BODIES, lower_case);
    let in_base64 = (0..3).map(|before| in_base64(token, before));
    let others = [hexadecimal].into_iter().chain(in_base64).filter(|_| in_bodies);
    [itself].into_iter().chain(others).collect()
}

/// The token within a text in base64, of either alphabet, as far as the bytes around it do not
/// change its letters.
fn in_base64(token: &[u8], before: usize) -> Form {
    let bytes = [&vec![0; before], token].concat();
    let bits = bytes.len() * 8;
    let mut text = BASE64_STANDARD_NO_PAD.encode(&bytes).into_bytes();
    text.truncate(bits / 6);
    text.drain(..(before * 8).div_ceil(6));
    Form::plain(text, (SHORTEST_IN_BODIES * 8).div_ceil(6), |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    })
}

/// How an echo of a token in any escape may begin: by its first letter, and a second one or the
/// sign of an escape.
fn starts(token: &[u8]) -> Vec<Vec<u8>> {
    let Some(first) = token.first() else { return Vec::new() };
    let cases = |byte: &u8| [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()];
    let escapes: [&[u8]; 6] = [br"\u00", br"\x", b"%25", b"&#", b"&", b"\\"];
    let mut starts: Vec<Vec<u8>> = match first.is_ascii_alphanumeric() {
        true => escapes[..4].iter().map(|it| it.to_vec()).collect(),
        false => escapes.iter().map(|it| it.to_vec()).collect(),
    };
    for first in cases(first) {
        starts.extend([format!("%{first:02x}"), format!("%{first:02X}")].map(String::into_bytes));
        match token.get(1) {
            Some(second) => starts.extend(cases(second).map(|second| vec![first, second])),
            None => starts.push(vec![first]),
        }
        starts.extend([b'\\', b'%', b'&'].map(|escape| vec![first, escape]));
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(token: &str, body: &str) -> String {
        let bytes = Scrubber::of(Some(token)).body(body.as_bytes().to_vec());
        String::from_utf8(bytes).unwrap()
    }

    /// Every letter as this makes it.
    fn each(token: &str, write: impl Fn(u32) -> String) -> String {
        token.chars().map(|letter| write(u32::from(letter))).collect()
    }

    #[test]
    fn a_token_is_masked_in_every_form() {
        let token = "CANARY/q1 z?é";
        for form in [
            "CANARY/q1 z?é",
            "canary/Q1 Z?é",
            "CANARY%2Fq1+z%3F%C3%A9",
            "CANARY%2fq1+z%3f%c3%a9",
            "CANARY%2Fq1%20z%3F%C3%A9",
            "CANARY%252Fq1%2520z%253F%25C3%25A9",
            "CANARY\\/q1 z?é",
            "CANARY\\\\\\/q1 z?\\u00e9",
            "CANARY&#x2F;q1 z?&#233;",
            &each(token, |code| format!("\\u{code:04x}")),
            &each(token, |code| format!("\\u{code:04X}")),
            &each(token, |code| format!("\\\\u{code:04x}")),
            &each("canary/q1 z?é", |code| format!("\\u{code:04x}")),
            &each("CANARY", |code| format!("%{code:02x}")).replace("%59", "Y%2Fq1+z%3F%C3%A9"),
            &token.bytes().map(|byte| format!("{byte:02X}")).collect::<String>(),
        ] {
            let echoed = format!("{{\"path\":\"/x?token={form}&a={form}\"}}");
            let masked = "{\"path\":\"/x?token=***&a=***\"}";
            assert_eq!(body(token, &echoed), masked, "{form}");
        }
        assert_eq!(body("%9c=&~-_+", "?token=%259c%3D%26~-_%2B&b"), "?token=***&b");
        assert_eq!(body("nine-nine", r#"{"a":"\nine-nine"}"#), r#"{"a":"***"}"#);
    }

    #[test]
    fn a_token_within_a_text_in_base64_is_masked() {
        for before in ["", "u", "u:", "u:p", "https://api.example.com/x?token="] {
            for after in ["", "&", "&page=1"] {
                let text =
                    BASE64_STANDARD_NO_PAD.encode(format!("{before}CANARY>>>???91f2{after}"));
                for text in [text.replace('+', "-").replace('/', "_"), text.replace('/', "\\/")] {
                    let left = body("CANARY>>>???91f2", &format!("\"{text}\""));
                    let rest = left.replace("***", "").len();
                    assert!(left.contains("***") && rest < text.len() - 14, "{left}");
                }
            }
        }
    }

    #[test]
    fn a_token_that_was_cut_is_masked_from_eight_letters_on() {
        for (text, left) in [
            ("?token=CANARY-0", "?token=***"),
            ("\"?token=CANARY-000\"", "\"?token=***\""),
            ("CANARY-0…", "***…"),
            ("CANARY\\u002d0\\u00", "***\\u00"),
            ("?token=CANARY-", "?token=CANARY-"),
            ("CANARY-0x", "CANARY-0x"),
        ] {
            assert_eq!(body("CANARY-0001", text), left);
        }
    }

    #[test]
    fn a_body_without_the_token_is_left_as_it_is() {
        let other = r#"{"a":"CANARY-1000","b":"\u0043\u0041%43%2541C\\&#x43;&amp;"}"#;
        assert_eq!(body("CANARY-0001", other), other);
        assert_eq!(Scrubber::of(None).body(b"\xff\x00".to_vec()), b"\xff\x00");
    }

    #[test]
    fn a_short_token_changes_no_number_in_a_body_but_is_masked_for_people() {
        assert_eq!(body("123", "{\"liked_count\":12345}"), "{\"liked_count\":12345}");
        assert_eq!(Scrubber::of(Some("123")).text("at ?token=123"), "at ?token=***");
        assert_eq!(Scrubber::of(Some("")).text("untouched"), "untouched");
    }
}
