//! Signs of Chinese keyboards and word processors that TOML does not know.

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
