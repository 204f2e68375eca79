//! Takes the token out of whatever upstream or the HTTP library repeats.

use memchr::memmem;

/// What stands in its place.
const MASK: &str = "***";

/// A token shorter than this is not looked for in bodies: it would be found by chance, in
/// numbers and names, and change them.
const SHORTEST_IN_BODIES: usize = 8;

/// Knows the tokens in every form in which they could come back.
pub(crate) struct Scrubber {
    forms: Vec<Vec<u8>>,
}

impl Scrubber {
    /// The tokens themselves, and as they are written in a query and in JSON.
    pub(crate) fn of<'t>(tokens: impl IntoIterator<Item = &'t str>) -> Self {
        let tokens = tokens.into_iter().filter(|token| !token.is_empty());
        Self { forms: tokens.flat_map(Self::forms).collect() }
    }

    fn forms(token: &str) -> Vec<Vec<u8>> {
        let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let in_json = token.replace('\\', "\\\\").replace('"', "\\\"");
        let mut forms = vec![
            in_json.replace('/', "\\/"),
            html_safe(&in_json),
            in_json,
            token.to_owned(),
            encoded.replace('+', "%20"),
            lower_case_escapes(&encoded),
            encoded,
        ];
        forms.sort();
        forms.dedup();
        forms.into_iter().map(String::into_bytes).collect()
    }

    /// A body without the token.
    pub(super) fn body(&self, body: Vec<u8>) -> Vec<u8> {
        let forms = self.forms.iter().filter(|form| form.len() >= SHORTEST_IN_BODIES);
        forms.fold(body, |body, form| masked(&body, form).unwrap_or(body))
    }

    /// The same of a body that is at hand as text.
    pub(crate) fn body_text(&self, body: String) -> String {
        let bytes = self.body(body.into_bytes());
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// A text for people without the token.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for form in &self.forms {
            bytes = masked(&bytes, form).unwrap_or(bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// As JSON has it that may stand in a page.
fn html_safe(json: &str) -> String {
    let escaped = |letter: char| match letter {
        '=' | '&' | '<' | '>' | '\'' => format!("\\u{:04x}", u32::from(letter)),
        _ => letter.to_string(),
    };
    json.chars().map(escaped).collect()
}

/// `%2F` as `%2f`, the letters around it as they are.
fn lower_case_escapes(encoded: &str) -> String {
    let mut escaped = 0_u8;
    let lower = |letter: char| {
        let inside = escaped > 0;
        escaped = if letter == '%' { 2 } else { escaped.saturating_sub(1) };
        if inside { letter.to_ascii_lowercase() } else { letter }
    };
    encoded.chars().map(lower).collect()
}

/// The bytes with every `secret` masked; `None` where there is none.
fn masked(bytes: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut rest = 0;
    for found in memmem::find_iter(bytes, secret) {
        kept.extend_from_slice(bytes.get(rest..found)?);
        kept.extend_from_slice(MASK.as_bytes());
        rest = found + secret.len();
    }
    if rest == 0 {
        return None;
    }
    kept.extend_from_slice(bytes.get(rest..)?);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(token: &str, body: &str) -> String {
        let bytes = Scrubber::of(Some(token)).body(body.as_bytes().to_vec());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_token_is_masked_in_every_form() {
        let token = "CANARY/q1 z?é";
        for form in [
            "CANARY/q1 z?é",
            "CANARY%2Fq1+z%3F%C3%A9",
            "CANARY%2fq1+z%3f%c3%a9",
            "CANARY%2Fq1%20z%3F%C3%A9",
            "CANARY\\/q1 z?é",
        ] {
            let echoed = format!("{{\"path\":\"/x?token={form}&a={form}\"}}");
            let masked = "{\"path\":\"/x?token=***&a=***\"}";
            assert_eq!(body(token, &echoed), masked, "{form}");
        }
    }

    #[test]
    fn a_body_without_the_token_is_left_as_it_is() {
        let other = "{\"a\":\"CANARY-000\"}";
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
