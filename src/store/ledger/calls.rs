//! The ledger: a row is opened before each call and closed after it.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::model::{Billed, Outcome};
use crate::store::db::{Count, Id, Tx, execute, fetch_optional};
use crate::store::sql::{Rows, array};
use crate::time::Time;

/// A call that is about to be sent.
#[derive(Clone, Debug, Serialize)]
pub struct CallStart {
    /// The endpoint's name.
    pub endpoint: &'static str,
    /// With `due_at`: the slot.
    pub target_id: i64,
    /// With `target_id`: the slot.
    pub due_at: Time,
    /// The page, from 1.
    pub page: i64,
    /// The attempt at this page in this slot, from 1.
    pub attempt: i64,
    /// The process that makes it.
    pub owner: i64,
    /// Now.
    pub opened_at: Time,
    /// Its price in millionths of the account's currency, if known.
    pub price_micros: Option<i64>,
    /// The backfill that it is made for.
    pub run_id: Option<i64>,
}

/// The end of a call.
#[derive(Clone, Debug, Serialize)]
pub struct CallEnd {
    /// The call.
    pub call_id: i64,
    /// When it was sent.
    pub sent_at: Time,
    /// When its answer was complete, or it failed.
    pub finished_at: Time,
    /// `None` when no answer came.
    pub http_status: Option<u16>,
    /// Upstream's own code.
    pub code: Option<String>,
    /// Its outcome.
    pub outcome: Outcome,
    /// Whether it was paid for.
    pub billed: Billed,
    /// Size of the decoded body.
    pub bytes: i64,
    /// From sending to the end, in milliseconds.
    pub duration_ms: i64,
    /// The message of upstream or the network.
    pub message: Option<String>,
}

/// A call whose row the database has lost.
#[derive(sqlx::FromRow)]
struct Lost {
    /// Its place among the calls.
    nth: i64,
    /// Another call has its number by now.
    is_taken: bool,
    /// Its number, if it has been written anew with another one before.
    anew: Option<i64>,
}

/// What the row of a call has besides when it is written anew.
#[derive(Serialize)]
struct Anew {
    nth: usize,
    call_id: i64,
    reinserted_at: Time,
}

const OPEN_CALL: &str = "nth int, call_id int, endpoint text, target_id int, due_at time, \
    page int, attempt int, owner int, opened_at time, price_micros int, run_id int, \
    reinserted_at time";

/// Whether a row `c` is that of the call `r`, which its number alone does not say: the database may
/// have lost the number and given it again.
const IS_SAME: &str = "c.target_id = r.target_id and c.due_at = r.due_at and c.page = r.page \
    and c.attempt = r.attempt and c.owner = r.owner and c.opened_at = r.opened_at";

#[derive(sqlx::FromRow)]
struct OpenedRow {
    call_id: i64,
    target_id: i64,
    due_at: Time,
}

impl Tx {
    /// Opens calls, at most one per slot; returns their ids in the order given.
    pub async fn open_calls(&mut self, calls: &[CallStart]) -> Result<Vec<i64>> {
        let rows = Rows::of(
            "endpoint text, target_id int, due_at time, page int, attempt int, owner int,
             opened_at time, price_micros int, run_id int",
            calls,
        )?;
        let opened: Vec<OpenedRow> = self
            .fetch_over(
                &rows,
                "insert into calls (endpoint, target_id, due_at, page, attempt, owner, opened_at,
                                billed, price_micros, run_id)
             select endpoint, target_id, due_at, page, attempt, owner, opened_at,
                    'unknown', price_micros, run_id
             from {rows} where true
             returning call_id, target_id, due_at",
            )
            .await?;
        let opened: HashMap<_, _> =
            opened.iter().map(|row| ((row.target_id, row.due_at), row.call_id)).collect();
        let number = |call: &CallStart| opened.get(&(call.target_id, call.due_at)).copied();
        match calls.iter().map(number).collect() {
            Some(numbers) => Ok(numbers),
            None => bail!("the ledger did not take every call; nothing was sent"),
        }
    }

    /// Closes calls.
    pub async fn close_calls(&mut self, calls: &[CallEnd]) -> Result<u64> {
        let rows = Rows::of(
            "call_id int, sent_at time, finished_at time, http_status int, code text,
             outcome text, billed text, bytes int, duration_ms int, message text",
            calls,
        )?;
        self.execute_over(
            &rows,
            "update calls set
                 sent_at = r.sent_at, finished_at = r.finished_at, http_status = r.http_status,
                 code = r.code, outcome = r.outcome, billed = r.billed, bytes = r.bytes,
                 duration_ms = r.duration_ms, message = r.message
             from {rows} where calls.call_id = r.call_id",
        )
        .await
    }

    /// Writes the rows of open calls anew that the database has lost, marked as such: one that
    /// crashed without what it had committed, or a replica that was behind. Returns the numbers of
    /// these calls by their places, new ones where others have theirs by now. Idempotent.
    pub(in crate::store) async fn reopen_lost(
        &mut self,
        calls: &[(i64, &CallStart)],
        now: Time,
    ) -> Result<HashMap<usize, i64>> {
        let rows = |is_wanted: &dyn Fn(usize) -> bool| {
            let mut rows = Rows::new(&[OPEN_CALL]);
            for (nth, (call_id, start)) in calls.iter().enumerate().filter(|it| is_wanted(it.0)) {
                let anew = Anew { nth, call_id: *call_id, reinserted_at: now };
                rows.push(rows.row(start, &anew)?);
            }
            anyhow::Ok(rows)
        };
        let sql = format!(
            "select r.nth as nth,
                    exists (select 1 from calls c where c.call_id = r.call_id) as is_taken,
                    (select min(c.call_id) from calls c
                     where {IS_SAME} and c.reinserted_at is not null) as anew
             from {{rows}} left join calls c on c.call_id = r.call_id and {IS_SAME}
             where c.call_id is null"
        );
        let lost: Vec<Lost> = self.fetch_over(&rows(&|_| true)?, &sql).await?;
        let mut numbers = HashMap::new();
        let (mut free, mut taken) = (BTreeSet::new(), Vec::new());
        for it in &lost {
            let nth = usize::try_from(it.nth)?;
            numbers.insert(nth, it.anew.unwrap_or(calls[nth].0));
            match it.anew {
                None if it.is_taken => taken.push(nth),
                None => {
                    free.insert(nth);
                }
                Some(_) => {}
            }
        }
        if !free.is_empty() || !taken.is_empty() {
            tracing::error!(
                calls = free.len() + taken.len(),
                "the database has lost ledger rows of open calls: written anew with their answers"
            );
        }
        self.insert_rows_of_calls("call_id, ", &rows(&|nth| free.contains(&nth))?).await?;
        if let Some(last) = free.iter().map(|nth| calls[*nth].0).max() {
            self.number_calls_after(last).await?;
        }
        for nth in taken {
            let new = self.insert_rows_of_calls("", &rows(&|it| it == nth)?).await?;
            numbers.extend(new.first().map(|new| (nth, new.id)));
        }
        Ok(numbers)
    }

    /// Inserts rows of open calls; `number` names the column of their numbers, if they have them.
    async fn insert_rows_of_calls(&mut self, number: &str, rows: &Rows) -> Result<Vec<Id>> {
        let columns = "endpoint, target_id, due_at, page, attempt, owner, opened_at, price_micros, \
                       run_id, reinserted_at";
        let sql = format!(
            "insert into calls ({number}{columns}, billed)
             select {number}{columns}, 'unknown' from {{rows}} where true returning call_id as id"
        );
        self.fetch_over(rows, &sql).await
    }

    /// Makes PostgreSQL give calls numbers after this one: its sequence has lost them, too.
    async fn number_calls_after(&mut self, last: i64) -> Result<()> {
        // Differs by necessity: SQLite numbers after the last row.
        if let Self::Postgres(_) = self {
            let next = "select nextval(pg_get_serial_sequence('calls', 'call_id')) as id";
            let next = fetch_optional!(self, Id, next).map_or(last, |row| row.id);
            execute!(
                self,
                "select nextval(pg_get_serial_sequence('calls', 'call_id'))
                 from generate_series($1::bigint, $2::bigint)",
                next,
                last - 1
            );
        }
        Ok(())
    }

    /// Whether the server may lose rows of the ledger that it has committed, also in a session that
    /// asks for more.
    pub async fn may_lose_commits(&mut self) -> Result<bool> {
        // Differs by necessity: the store opens SQLite so that it loses none.
        let Self::Postgres(_) = self else { return Ok(false) };
        let sql = "select count(*) as count from pg_settings
                   where name = 'synchronous_commit' and setting = 'off'";
        Ok(fetch_optional!(self, Count, sql).is_some_and(|row| row.count > 0))
    }

    /// Releases the slots that `owner` has claimed without sending a call: every open call of
    /// `owner` but those in `in_hand`. They are recorded as unsent and not billed. Returns how
    /// many.
    pub async fn release_unsent(&mut self, owner: i64, in_hand: &BTreeSet<i64>) -> Result<u64> {
        let in_hand: Vec<_> = in_hand.iter().map(ToString::to_string).collect();
        let in_hand = array(&in_hand)?;
        let unsent = format!(
            "c.outcome is null and c.owner = $2 and cast(c.call_id as text) not in {}",
            self.listed(1)
        );
        let sql = format!(
            "update slots set lease_owner = null, lease_until = null, attempts = attempts - 1
             from calls c
             where {unsent} and slots.target_id = c.target_id and slots.due_at = c.due_at
               and slots.outcome is null and slots.lease_owner = $2"
        );
        execute!(self, sqlx::AssertSqlSafe(sql), in_hand.as_str(), owner);
        let sql = format!("update calls as c set outcome = 'unsent', billed = 'no' where {unsent}");
        Ok(execute!(self, sqlx::AssertSqlSafe(sql), in_hand.as_str(), owner))
    }
}
