//! What people paste into TOML: signs of Chinese keyboards and word processors that it does not know,
//! and texts of several lines.

use std::ops::Range;

use super::problems::Problem;

/// The sign that makes a line no TOML, and what to write; `at` is where reading failed.
pub(super) fn foreign_sign(text: &str, at: usize) -> Option<(Range<usize>, Problem)> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.split('\n').next()?;
    let (place, sign) = outside_texts(line)?;
    let from = start + place;
    Some((from..from + sign.len_utf8(), problem(sign)))
}

/// The quotation mark of a text that does not end on its line, at or before `at`; not where a foreign
/// sign is meant to end it.
pub(super) fn open_text(text: &str, at: usize) -> Option<(Range<usize>, Problem)> {
    let mut place = 0;
    while place <= at {
        let rest = text.get(place..)?;
        // Not for each sign: a line may be as long as the file.
        let line = || rest.split('\n').next().unwrap_or_default();
        let length = match rest.chars().next()? {
            '#' => line().len(),
            quote @ ('"' | '\'') => {
                let triple = quote.to_string().repeat(3);
                match rest.strip_prefix(&triple) {
                    Some(inside) => inside.find(&triple)? + 2 * triple.len(),
                    None => match text_length(line(), quote) {
                        Some(length) => length,
                        None if outside_texts(line()).is_some() => return None,
                        None => {
                            let title = "a text begins here and does not end on its line";
                            let help = "a text of several lines, such as share text, stands between \
                                        \"\"\" and \"\"\"; or its last quotation mark is missing";
                            return Some((place..place + 1, Problem::new(title, help)));
                        }
                    },
                }
            }
            other => other.len_utf8(),
        };
        place += length;
    }
    None
}

/// Length of the text that a line begins with, quotation marks included; `None` if it does not end.
fn text_length(line: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    line.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = quote == '"' && c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// The first foreign sign outside of texts and comments; if a text does not end, the first quotation
/// mark that may be meant to end it.
fn outside_texts(line: &str) -> Option<(usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        match quote {
            Some('"') if c == '\\' && !escaped => {
                escaped = true;
                continue;
            }
            Some(open) if c == open && !escaped => quote = None,
            Some(_) => {}
            None if c == '#' => return None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if meant(c).is_some() => return Some((at, c)),
            None => {}
        }
        escaped = false;
    }
    quote?;
    line.char_indices().find(|(_, c)| matches!(meant(*c), Some("\"" | "'")))
}

/// What a foreign sign is meant to be; empty for invisible ones.
fn meant(sign: char) -> Option<&'static str> {
    Some(match sign {
        '“' | '”' | '„' | '＂' | '「' | '」' => "\"",
        '‘' | '’' | '＇' => "'",
        '，' | '、' => ",",
        '＝' | '：' => "=",
        '［' | '【' => "[",
        '］' | '】' => "]",
        '｛' => "{",
        '｝' => "}",
        '＃' => "#",
        '．' | '。' => ".",
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' => " ",
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => "",
        _ => return None,
    })
}

fn problem(sign: char) -> Problem {
    let code = u32::from(sign);
    match meant(sign).unwrap_or_default() {
        "" => Problem::new(
            format!("there is an invisible sign (U+{code:04X})"),
            "remove it, or type the line anew",
        ),
        " " => Problem::new(
            format!("this is not a common space (U+{code:04X})"),
            "replace it by a common space",
        ),
        right => Problem::new(
            format!("`{sign}` is not a sign of TOML"),
            format!("write `{right}`: switch the keyboard to half-width and English signs"),
        ),
    }
}
