//! The ledger: a row is opened before each call and closed after it.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::model::{Billed, Outcome};
use crate::store::db::{Tx, execute};
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
