//! Parses a cron pattern, and says which field is wrong.

use croner::Cron;
use croner::errors::CronError;

use super::advice;
use super::fields::{FIELDS, is_valid, parse};
use crate::text::things;

/// Most characters of a field in a message.
const MAX_FIELD: usize = 20;

/// Parses a pattern. The error names the wrong fields, their ranges, and a valid pattern.
pub(super) fn read(pattern: &str) -> Result<Cron, String> {
    let fields = match pattern.to_ascii_lowercase().as_str() {
        "@midnight" => "@daily".to_owned(),
        "@reboot" => {
            return Err("`@reboot` is not a time; jobs fire by the clock only".to_owned());
        }
        "@hourly" | "@daily" | "@weekly" | "@monthly" | "@yearly" | "@annually" => {
            pattern.to_owned()
        }
        nickname if nickname.starts_with('@') => {
            if let Some(advice) = advice::instead_of(pattern) {
                return Err(advice);
            }
            return Err("no such nickname: there are `@hourly`, `@daily` (`@midnight`), \
                 `@weekly`, `@monthly` and `@yearly` (`@annually`)"
                .to_owned());
        }
        _ => counted(pattern)?.to_owned(),
    };
    parse(&fields).map_err(|error| wrong_fields(&fields).unwrap_or_else(|| whole(&error)))
}

fn counted(pattern: &str) -> Result<&str, String> {
    if is_valid(pattern) {
        return Ok(pattern);
    }
    if let Some(advice) = advice::instead_of(pattern) {
        return Err(advice);
    }
    match pattern.split_whitespace().count() {
        5 | 6 => Ok(pattern),
        0 => Err("it is empty: `0 * * * *` fires every hour".to_owned()),
        count => Err(format!(
            "it has {}, and cron has 5 (minute hour day month weekday), or 6 with seconds in front{}",
            things(count, "field"),
            advice::completed(pattern).map_or(String::new(), |it| format!(": `{it}`")),
        )),
    }
}

/// The fields that are wrong by themselves, and the pattern with valid ones instead.
fn wrong_fields(pattern: &str) -> Option<String> {
    let fields: Vec<_> = pattern.split_whitespace().collect();
    let known = FIELDS.get(FIELDS.len().checked_sub(fields.len())?..)?;
    let skipped = FIELDS.len() - known.len();
    let (mut wrong, mut works) = (Vec::new(), Vec::new());
    let mut all_repaired = true;
    for (nth, (field, (name, range, example))) in fields.iter().zip(known).enumerate() {
        let is_good = |field: &str| {
            let mut alone = vec!["*"; fields.len()];
            if let Some(it) = alone.get_mut(nth) {
                *it = field;
            }
            is_valid(&alone.join(" "))
        };
        if is_good(field) {
            works.push((*field).to_owned());
            continue;
        }
        let repaired = advice::repaired(field, nth + skipped).filter(|it| is_good(it));
        all_repaired &= repaired.is_some();
        works.push(repaired.unwrap_or_else(|| (*example).to_owned()));
        let field: String = field.chars().take(MAX_FIELD).collect();
        wrong.push(format!("`{field}` is not a valid {name} ({range})"));
    }
    let works = works.join(" ");
    let works = match is_valid(&works) {
        true if all_repaired => format!("; did you mean `{works}`?"),
        true => format!("; `{works}` is valid"),
        false => String::new(),
    };
    (!wrong.is_empty()).then(|| format!("{}{works}", wrong.join(" and ")))
}

/// What is wrong with the pattern as a whole.
fn whole(error: &CronError) -> String {
    // Backticks, as in all messages.
    let message = error.to_string().replace('\'', "`");
    // croner begins with the class of the error, which does not help people.
    message.split_once(": ").map_or(message.clone(), |(_, reason)| reason.to_owned())
}
