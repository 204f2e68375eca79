//! Statements about the ledger of calls: a row before each call, closed after it.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::model::{Billed, Outcome};
use crate::store::db::{Tx, execute};
use crate::store::sql::{Rows, array};
use crate::time::Time;

/// The intent to make a call, written before it is sent.
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
    /// Which try at this page in this slot, from 1.
    pub attempt: i64,
    /// The process.
    pub owner: i64,
    /// Now.
    pub opened_at: Time,
    /// What it costs if it is billed, in millionths of the account's currency, if that is known.
    pub price_micros: Option<i64>,
}

/// How a call ended.
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
    /// The upstream's own code.
    pub code: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it was paid for.
    pub billed: Billed,
    /// Of the decoded body.
    pub bytes: i64,
    /// From sending to the end, in milliseconds.
    pub duration_ms: i64,
    /// What upstream or the network said.
    pub message: Option<String>,
}

#[derive(sqlx::FromRow)]
struct OpenedRow {
    call_id: i64,
    target_id: i64,
    due_at: Time,
}

impl Tx {
    /// Writes the intents of calls to the ledger; their numbers, in the order given. Each slot may
    /// stand there once.
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

    /// Closes calls on the ledger.
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

    /// Gives back what `owner` has claimed and never sent: every open call of its own that is not
    /// one of these. They stand on the ledger as unsent, and cost nothing. How many they were.
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
