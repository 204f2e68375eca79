//! Pauses: what is not called for a while, why, and until when.

use anyhow::Result;

use crate::model::{Pause, PauseReason, PauseScope, ResumedBy};
use crate::store::db::{Tx, execute, fetch_all};
use crate::time::Time;

type PauseFields = (
    PauseScope,
    String,
    PauseReason,
    Option<String>,
    Time,
    Option<Time>,
    Option<Time>,
    i64,
    Option<i64>,
);

impl Tx {
    /// The pauses in force, oldest first.
    pub async fn pauses(&mut self, now: Time) -> Result<Vec<Pause>> {
        let rows = fetch_all!(
            self,
            PauseFields,
            "select scope, name, reason, note, since, until, probe_at, failures, call_id
             from pauses where ended_at is null and (until is null or until > $1)
             order by since, scope, name, reason",
            now
        );
        let pause = |(scope, name, reason, note, since, until, probe_at, failures, call_id)| {
            Pause { scope, name, reason, note, since, until, probe_at, failures, call_id }
        };
        Ok(rows.into_iter().map(pause).collect())
    }

    /// Puts a pause on record. One that lasts already for the same reason is prolonged, never
    /// cut short; but by hand it ends when the last word says.
    pub async fn pause(&mut self, pause: &Pause) -> Result<()> {
        self.end_expired(pause.since).await?;
        execute!(
            self,
            "insert into pauses (scope, name, reason, note, since, until, probe_at, failures, call_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict (scope, name, reason) where ended_at is null do update set
                 note = excluded.note,
                 until = case when excluded.reason = 'by_hand' then excluded.until
                              when excluded.until > pauses.until or excluded.until is null
                              then excluded.until else pauses.until end,
                 probe_at = case when excluded.probe_at > pauses.probe_at
                                 then excluded.probe_at else pauses.probe_at end,
                 failures = case when excluded.failures > pauses.failures
                                 then excluded.failures else pauses.failures end",
            pause.scope,
            pause.name.as_str(),
            pause.reason,
            pause.note.as_deref(),
            pause.since,
            pause.until,
            pause.probe_at,
            pause.failures,
            pause.call_id
        );
        Ok(())
    }

    /// Ends the pauses whose time is over.
    pub async fn end_expired(&mut self, now: Time) -> Result<()> {
        execute!(
            self,
            "update pauses set ended_at = until, ended_by = 'time'
             where ended_at is null and until <= $1",
            now
        );
        Ok(())
    }

    /// Ends the pauses of a name that began at `before` or earlier, for `reason` or for any.
    /// Returns how many. An exhausted budget cannot be resumed by hand: the ledger decides.
    pub async fn resume(
        &mut self,
        scope: PauseScope,
        name: &str,
        reason: Option<PauseReason>,
        before: Time,
        now: Time,
        by: ResumedBy,
    ) -> Result<u64> {
        self.end_expired(now).await?;
        Ok(execute!(
            self,
            "update pauses set ended_at = $5, ended_by = $6
             where scope = $1 and name = $2 and ($3 = '' or reason = $3) and since <= $4
               and ended_at is null and ($6 <> 'hand' or reason <> 'budget')",
            scope,
            name,
            reason.map_or("", PauseReason::as_str),
            before,
            now,
            by
        ))
    }

    /// Adds a note to the pauses that were ended by hand at `ended_at`. Returns how many.
    pub async fn note_resume(
        &mut self,
        scope: PauseScope,
        name: &str,
        ended_at: Time,
        note: &str,
    ) -> Result<u64> {
        Ok(execute!(
            self,
            "update pauses set ended_note = $4
             where scope = $1 and name = $2 and ended_at = $3 and ended_by = 'hand'",
            scope,
            name,
            ended_at,
            note
        ))
    }

    /// Blocks further probes until `next`, while one is in flight.
    pub async fn probe(
        &mut self,
        scope: PauseScope,
        name: &str,
        now: Time,
        next: Time,
    ) -> Result<u64> {
        Ok(execute!(
            self,
            "update pauses set probe_at = $4
             where scope = $1 and name = $2 and ended_at is null and probe_at <= $3",
            scope,
            name,
            now,
            next
        ))
    }

    /// Repairs times that a fast clock has set: ends non-manual pauses that began after `soon`,
    /// moves probes after `latest` to `now`, and resets rate limits and slow-downs after `soon`.
    pub async fn clamp_future_pauses(&mut self, now: Time, soon: Time, latest: Time) -> Result<()> {
        execute!(
            self,
            "update pauses set ended_at = $1, ended_by = 'clock'
             where ended_at is null and since > $2 and reason <> 'by_hand'",
            now,
            soon
        );
        execute!(
            self,
            "update pauses set probe_at = $1 where ended_at is null and probe_at > $2",
            now,
            latest
        );
        execute!(
            self,
            "update rate_limits set
                 slowed_at = case when slowed_at > $2 then $1 else slowed_at end,
                 paid_through = case when paid_through > $2 then $1 else paid_through end
             where slowed_at > $2 or paid_through > $2",
            now,
            soon
        );
        Ok(())
    }
}
