//! Shared by the verbs that print rows: time spans, Ctrl-C, and errors in queries.

use std::io::{self, Write as _};
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use anyhow::{Result, anyhow, ensure};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use clap::Args;
use tokio_util::sync::CancellationToken;

use super::SOME_FAILED;
use super::format::safe;
use super::signals::Signals;
use crate::store::{QueryError, Span, Tx};
use crate::time::Time;

/// A time span.
#[derive(Args, Debug)]
pub(super) struct Between {
    /// Start: 2026-03-02, '2026-03-02 14:00' (in the archive's zone), an RFC 3339 time, or '7d ago'
    #[arg(long, global = true, value_name = "TIME")]
    since: Option<String>,
    /// End, exclusive
    #[arg(long, global = true, value_name = "TIME")]
    until: Option<String>,
}

impl Between {
    /// Whether either end is given.
    pub(super) fn is_set(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// The span; open ends stay open.
    pub(super) fn span(&self, zone: Tz, now: Time) -> Result<Span> {
        let read =
            |text: &Option<String>| text.as_ref().map(|text| instant(text, zone, now)).transpose();
        let span = Span { since: read(&self.since)?, until: read(&self.until)?, zone };
        if let (Some(since), Some(until)) = (span.since, span.until) {
            ensure!(
                since < until,
                "empty span from --since {} to --until {} ({zone}): the start must be before the end",
                moment(since, zone),
                moment(until, zone)
            );
        }
        Ok(span)
    }
}

/// A time as typed; without a zone it is in `zone`.
pub(super) fn instant(text: &str, zone: Tz, now: Time) -> Result<Time> {
    if let Ok(span) = humantime::parse_duration(text.strip_suffix(" ago").unwrap_or(text)) {
        return Ok(now.minus(span));
    }
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Time::new(at.to_utc()));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    let formats =
        ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let mut local = formats.iter().map(|format| NaiveDateTime::parse_from_str(text, format));
    day.ok()
        .or_else(|| local.find_map(Result::ok))
        // A local time in a skipped hour does not exist.
        .and_then(|local| local.and_local_timezone(zone).earliest())
        .map(|local| Time::new(local.to_utc()))
        .ok_or_else(|| {
            let text = safe(text, 40);
            anyhow!("invalid time {text}: write 2026-03-02, '2026-03-02 14:00', or '7d ago'")
        })
}

/// Reports that nothing matched; with a time span also the archive's own span.
pub(super) async fn say_empty(tx: &mut Tx, of_a_span: bool) -> Result<()> {
    let (zone, reach) = (tx.zone().await?, tx.reach().await?);
    match reach.filter(|_| of_a_span) {
        Some((from, to)) => {
            let [from, to] = [from, to].map(|at| moment(at, zone));
            tracing::info!("no row matched: the archive has calls from {from} to {to} ({zone})");
        }
        None => tracing::info!("no row matched"),
    }
    Ok(())
}

/// A time in a zone, to the minute.
pub(super) fn moment(at: Time, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// A token that SIGTERM and Ctrl-C cancel.
pub(super) fn stop_at_signals() -> Result<CancellationToken> {
    let (mut signals, stop) = (Signals::new()?, CancellationToken::new());
    let cancelled = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        cancelled.cancel();
    });
    Ok(stop)
}

/// The exit code for an error of the query `sql`, shown with its position. A closed reader is
/// success; other errors are returned.
pub(super) fn ended(error: anyhow::Error, sql: &str) -> Result<ExitCode> {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().any(|cause| broken_pipe(cause, closed)) {
        return Ok(ExitCode::SUCCESS);
    }
    let Some(wrong) = error.downcast_ref::<QueryError>() else { return Err(error) };
    let _ = writeln!(io::stderr(), "{}", explained(wrong, sql));
    Ok(ExitCode::from(SOME_FAILED))
}

fn broken_pipe(
    cause: &(dyn std::error::Error + 'static),
    closed: impl Fn(&io::Error) -> bool,
) -> bool {
    if let Some(csv::ErrorKind::Io(error)) = cause.downcast_ref().map(csv::Error::kind) {
        return closed(error);
    }
    let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    json == Some(io::ErrorKind::BrokenPipe) || cause.downcast_ref().is_some_and(closed)
}

/// A query error with its position.
fn explained(wrong: &QueryError, sql: &str) -> String {
    let title = safe(&wrong.message, usize::MAX);
    let mut group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
    if let Some(at) = wrong.at.clone().filter(|at| sql.get(at.clone()).is_some()) {
        let place = AnnotationKind::Primary.span(at);
        group = group.element(Snippet::source(sql).path("query").annotation(place));
    }
    if let Some(hint) = &wrong.hint {
        group = group.element(Level::HELP.message(safe(hint, usize::MAX)));
    }
    Renderer::plain().render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_zone_is_in_the_archives_zone() {
        let now = "2026-03-09 00:00:00".parse().expect("a time");
        let read =
            |text: &str| instant(text, Tz::Asia__Shanghai, now).map(|at| at.to_string()).ok();
        assert_eq!(read("2026-03-02").as_deref(), Some("2026-03-01 16:00:00"));
        assert_eq!(read("2026-03-02 14:00").as_deref(), Some("2026-03-02 06:00:00"));
        assert_eq!(read("2026-03-02T14:00:00Z").as_deref(), Some("2026-03-02 14:00:00"));
        assert_eq!(read("7d").as_deref(), Some("2026-03-02 00:00:00"));
        assert_eq!(read("7d ago").as_deref(), Some("2026-03-02 00:00:00"));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn query_error_shows_its_position() {
        let wrong = QueryError {
            message: "no such column: lieks".into(),
            hint: Some("look".into()),
            at: Some(7..12),
        };
        let text = explained(&wrong, "select lieks\nfrom engagement");
        assert!(text.contains("error: no such column: lieks"), "{text}");
        assert!(text.contains("query:1:8") && text.contains("^^^^^"), "{text}");
        assert!(text.contains("help: look"), "{text}");
    }
}
