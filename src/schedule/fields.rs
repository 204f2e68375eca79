//! The fields of a cron pattern.

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};

/// The fields in order: name, range, and a valid example.
pub(super) const FIELDS: [(&str, &str, &str); 6] = [
    ("second", "0-59", "0"),
    ("minute", "0-59", "*/15"),
    ("hour", "0-23", "9-18"),
    ("day of the month", "1-31, L", "1,15"),
    ("month", "1-12, JAN-DEC", "1-6"),
    ("weekday", "0-7, SUN-SAT", "MON-FRI"),
];

/// Whether fields are a pattern.
pub(super) fn is_valid(fields: &str) -> bool {
    parse(fields).is_ok()
}

/// Parses the fields of a pattern.
///
/// # Errors
/// What croner says, which names no field.
pub(super) fn parse(fields: &str) -> Result<Cron, CronError> {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(fields)
}
