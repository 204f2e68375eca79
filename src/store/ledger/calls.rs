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

/// A call whose row is not its own: the database has lost it.
#[derive(sqlx::FromRow)]
struct Lost {
    call_id: i64,
    /// Another call has the number by now.
    is_taken: bool,
}

/// What the row of a call has besides when it is written anew.
#[derive(Serialize)]
struct Anew {
    call_id: i64,
    reinserted_at: Time,
}

const OPEN_CALL: &str = "call_id int, endpoint text, target_id int, due_at time, page int, \
    attempt int, owner int, opened_at time, price_micros int, reinserted_at time";

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
             opened_at time, price_micros int",
            calls,
        )?;
        let opened: Vec<OpenedRow> = self
            .fetch_over(
                &rows,
                "insert into calls (endpoint, target_id, due_at, page, attempt, owner, opened_at,
                                billed, price_micros)
             select endpoint, target_id, due_at, page, attempt, owner, opened_at,
                    'unknown', price_micros
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
    /// crashed without what it had committed, or a replica that was behind. Returns the new numbers
    /// of calls whose numbers others have by now.
    pub(in crate::store) async fn reopen_lost(
        &mut self,
        calls: &[(i64, &CallStart)],
        now: Time,
    ) -> Result<HashMap<i64, i64>> {
        let rows = |is_wanted: &dyn Fn(i64) -> bool| {
            let mut rows = Rows::new(&[OPEN_CALL]);
            for (call_id, start) in calls.iter().filter(|(call_id, _)| is_wanted(*call_id)) {
                let anew = Anew { call_id: *call_id, reinserted_at: now };
                rows.push(rows.row(start, &anew)?);
            }
            anyhow::Ok(rows)
        };
        let lost: Vec<Lost> = self
            .fetch_over(
                &rows(&|_| true)?,
                "select r.call_id as call_id, c.call_id is not null as is_taken
                 from {rows} left join calls c on c.call_id = r.call_id
                 where c.call_id is null or c.target_id is distinct from r.target_id
                    or c.due_at is distinct from r.due_at",
            )
            .await?;
        if lost.is_empty() {
            return Ok(HashMap::new());
        }
        tracing::error!(
            calls = lost.len(),
            "the database has lost ledger rows of open calls: written anew with their answers"
        );
        let free: BTreeSet<_> =
            lost.iter().filter(|it| !it.is_taken).map(|it| it.call_id).collect();
        self.insert_rows_of_calls("call_id, ", &rows(&|it| free.contains(&it))?).await?;
        if let Some(last) = free.last() {
            self.number_calls_after(*last).await?;
        }
        let mut renumbered = HashMap::new();
        for it in lost.iter().filter(|it| it.is_taken) {
            let new =
                self.insert_rows_of_calls("", &rows(&|call_id| call_id == it.call_id)?).await?;
            renumbered.extend(new.first().map(|new| (it.call_id, new.id)));
        }
        Ok(renumbered)
    }

    /// Inserts rows of open calls; `number` names the column of their numbers, if they have them.
    async fn insert_rows_of_calls(&mut self, number: &str, rows: &Rows) -> Result<Vec<Id>> {
        let columns = "endpoint, target_id, due_at, page, attempt, owner, opened_at, price_micros, \
                       reinserted_at";
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
