//! What people mean by patterns that are none: other dialects of cron, and words.

use std::time::Duration;

use super::fields::{FIELDS, is_valid};

/// Values of the fields from the lowest to the highest, in the order of [`FIELDS`].
const BOUNDS: [(u32, u32); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];

/// Patterns for words.
const WORDS: [(&str, &str); 6] = [
    ("每分钟", "* * * * *"),
    ("每小时", "0 * * * *"),
    ("每天", "0 9 * * *"),
    ("每日", "0 9 * * *"),
    ("每周", "0 9 * * MON"),
    ("每月", "0 9 1 * *"),
];

/// What to write instead of a pattern as a whole; `None` if its fields are to be judged.
pub(super) fn instead_of(pattern: &str) -> Option<String> {
    let half: String = pattern.chars().map(half_width).collect();
    if half != pattern && is_valid(&half) {
        return Some(format!("it has full-width signs: write `{half}`"));
    }
    if let Some((zone, rest)) = zoned(&half) {
        return Some(format!(
            "a zone has a key of its own: timezone = \"{zone}\" and schedule = \"{rest}\""
        ));
    }
    if let Some(pattern) = spoken(&half) {
        return Some(format!("it is not cron: write `{pattern}`"));
    }
    let fields: Vec<&str> = half.split_whitespace().collect();
    match fields.as_slice() {
        [before @ .., year] if fields.len() == 7 => {
            let every = if *year == "*" { "" } else { ", which fires in every year" };
            Some(format!("there is no field for the year: write `{}`{every}", before.join(" ")))
                .filter(|_| is_valid(&before.join(" ")))
        }
        [before @ .., user] if fields.len() == 6 && is_user(user) => {
            Some(format!("`{user}` is no part of it: write `{}`", before.join(" ")))
                .filter(|_| is_valid(&before.join(" ")))
        }
        _ => None,
    }
}

/// The pattern with `*` in the fields that are missing, if that is valid.
pub(super) fn completed(pattern: &str) -> Option<String> {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    let missing = 5_usize.checked_sub(fields.len())?;
    let whole = [fields, vec!["*"; missing]].concat().join(" ");
    is_valid(&whole).then_some(whole)
}

/// A field as it was meant: `0/30` is `*/30` in Quartz, `0~30` any one minute in OpenBSD, hours end
/// with 23, and ranges do not go over midnight. `nth` counts from the field of seconds.
pub(super) fn repaired(field: &str, nth: usize) -> Option<String> {
    let (least, most) = *BOUNDS.get(nth)?;
    let field: String = field.chars().map(half_width).collect();
    let number = |text: &str| text.parse::<u32>().ok().filter(|it| *it <= most + 1);
    if let Some((begin, step)) = field.split_once('/') {
        return match (begin, number(begin)) {
            ("H", _) => Some(format!("*/{step}")),
            (_, Some(begin)) if begin == least => Some(format!("*/{step}")),
            (_, Some(begin)) if begin <= most => Some(format!("{begin}-{most}/{step}")),
            _ => None,
        };
    }
    if let Some((from, _)) = field.split_once('~') {
        return Some(number(from).unwrap_or(least).to_string());
    }
    // 24:00 is the 0:00 of the next day.
    let wrapped = |value: u32| if value > most { least } else { value };
    if let Some((from, to)) = field.split_once('-') {
        let (from, to) = (wrapped(number(from)?), number(to)?);
        return Some(match to {
            to if to > most => format!("{from}-{most}"),
            to if from == most => format!("{from},{least}-{to}"),
            to if from > to => format!("{from}-{most},{least}-{to}"),
            to => format!("{from}-{to}"),
        });
    }
    number(&field)
        .filter(|value| *value > most && least == 0)
        .map(|_| least.to_string())
        .or(Some(field))
}

/// A field such as `*/45`, whose steps do not fill the hour or the day, and what follows.
pub(super) fn uneven(pattern: &str) -> Option<String> {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    let skip = FIELDS.len().checked_sub(fields.len())?;
    let wholes = [(60, "second", "minute"), (60, "minute", "hour"), (24, "hour", "day")];
    fields.iter().zip(wholes.iter().skip(skip)).find_map(|(field, (whole, unit, larger))| {
        let step = field.strip_prefix("*/")?.parse().ok().filter(|step: &u32| *step > 0)?;
        let rest = whole % step;
        (rest != 0).then(|| {
            format!("`{field}` begins anew with each {larger}: its last gap has {rest} {unit}s instead of {step}")
        })
    })
}

fn zoned(pattern: &str) -> Option<(&str, &str)> {
    let (zone, rest) = pattern.split_once(char::is_whitespace)?;
    let zone = zone.strip_prefix("CRON_TZ=").or_else(|| zone.strip_prefix("TZ="))?;
    Some((zone, rest.trim()))
}

/// A pattern for `@every 30m`, `every 30 minutes`, and words.
fn spoken(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    if let Some((_, pattern)) = WORDS.iter().find(|(word, _)| text == *word) {
        return Some((*pattern).to_owned());
    }
    let span = text.strip_prefix("@every").or_else(|| text.strip_prefix("every"))?;
    let span: String = span.chars().filter(|c| !matches!(c, ' ' | '_')).collect();
    let span =
        if span.starts_with(|c: char| c.is_ascii_digit()) { span } else { format!("1{span}") };
    let every = humantime::parse_duration(&span).ok()?;
    let minutes = every.as_secs() / 60;
    let pattern = match minutes {
        1 => "* * * * *".to_owned(),
        2..60 if 60 % minutes == 0 => format!("*/{minutes} * * * *"),
        60 => "0 * * * *".to_owned(),
        61.. if minutes % 60 == 0 && 24 % (minutes / 60) == 0 && minutes < 24 * 60 => {
            format!("0 */{} * * *", minutes / 60)
        }
        1440 => "0 9 * * *".to_owned(),
        _ => return None,
    };
    (every == Duration::from_secs(minutes * 60)).then_some(pattern)
}

/// Whether a sixth field is the user of a system's crontab.
fn is_user(field: &str) -> bool {
    field.len() > 3 && field.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
        }
        _ => c,
    }
}
