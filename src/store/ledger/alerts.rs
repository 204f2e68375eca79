//! Alerts: what to send, what was sent, and failures to send it.

use anyhow::Result;
use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::model::Unavailability;
use crate::store::db::{Tx, execute, fetch_all, fetch_optional};
use crate::store::sql::array;
use crate::time::Time;

/// A condition that holds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Finding {
    /// The provider, endpoint, limit and day, job or item.
    pub subject: String,
    /// A reason or a figure; empty if there is none.
    pub detail: String,
    /// When it began.
    pub since: Time,
}

/// A finding and the state of its message.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct AlertRow {
    /// Its number.
    pub alert_id: i64,
    /// The kind of condition: one of `Condition::ALL` of the settings.
    pub condition: String,
    /// The provider, endpoint, limit and day, job or item.
    pub subject: String,
    /// A reason or a figure; empty if there is none.
    pub detail: String,
    /// When it began.
    pub since: Time,
    /// When it ended; `None`: it holds.
    pub resolved_at: Option<Time>,
    /// Attempts to send the message, including this one.
    pub attempts: i64,
}

#[derive(sqlx::FromRow)]
struct Flag {
    flag: bool,
}

#[derive(Serialize)]
struct Number {
    alert_id: i64,
}

impl Tx {
    /// Unresolved findings of an alert, by kind and subject.
    pub async fn lasting_alerts(&mut self, name: &str) -> Result<Vec<AlertRow>> {
        Ok(fetch_all!(
            self,
            AlertRow,
            "select alert_id, condition, subject, detail, since, resolved_at, attempts
             from alerts where name = $1 and resolved_at is null order by condition, subject",
            name
        ))
    }

    /// Records findings of an alert, to be sent from now on. Skips those that another daemon has
    /// recorded.
    pub async fn raise_alerts(
        &mut self,
        name: &str,
        condition: &str,
        findings: &[Finding],
        now: Time,
    ) -> Result<u64> {
        let sql = self.over_rows(
            "subject text, detail text, since time",
            "insert into alerts (name, condition, subject, detail, since, attempts, next_try_at)
             select $2, $3, r.subject, r.detail, r.since, 0, $4 from {rows} where true
             on conflict (name, condition, subject) where resolved_at is null do nothing",
        );
        Ok(execute!(self, sql, array(findings)?, name, condition, now))
    }

    /// Records findings as resolved, to be sent for those that were sent.
    pub async fn resolve_alerts(&mut self, alerts: &[i64], now: Time) -> Result<u64> {
        let sql = self.over_rows(
            "alert_id int",
            "update alerts set resolved_at = $2, attempts = 0, next_try_at = $2, last_error = null
             from {rows} where alerts.alert_id = r.alert_id and alerts.resolved_at is null",
        );
        Ok(execute!(self, sql, numbers(alerts)?, now))
    }

    /// Whether an alert has a message to send now.
    pub async fn has_unsent_alerts(&mut self, name: &str, now: Time) -> Result<bool> {
        let row = fetch_optional!(
            self,
            Flag,
            "select exists (
                 select 1 from alerts where name = $1 and next_try_at <= $2
                    and ((resolved_at is null and sent_at is null)
                         or (resolved_at is not null and sent_at is not null
                             and resolved_sent_at is null))) as flag",
            name,
            now
        );
        Ok(row.is_some_and(|row| row.flag))
    }

    /// Claims the next message of an alert until `until`: every finding of the kind and state (open
    /// or resolved) of the oldest one, oldest first. Empty when there is nothing to send.
    pub async fn claim_alerts(
        &mut self,
        name: &str,
        now: Time,
        until: Time,
    ) -> Result<Vec<AlertRow>> {
        let mut claimed = fetch_all!(
            self,
            AlertRow,
            "update alerts set attempts = attempts + 1, next_try_at = $3
             from (select condition as alike, resolved_at is not null as is_over
                   from alerts
                   where name = $1 and next_try_at <= $2
                     and ((resolved_at is null and sent_at is null)
                          or (resolved_at is not null and sent_at is not null
                              and resolved_sent_at is null))
                   order by since, alert_id limit 1) as oldest
             where name = $1 and next_try_at <= $2
               and condition = oldest.alike and (resolved_at is not null) = oldest.is_over
               and ((resolved_at is null and sent_at is null)
                    or (resolved_at is not null and sent_at is not null
                        and resolved_sent_at is null))
             returning alert_id, condition, subject, detail, since, resolved_at, attempts",
            name,
            now,
            until
        );
        claimed.sort_by_key(|alert| (alert.since, alert.alert_id));
        Ok(claimed)
    }

    /// Whether there are unresolved or unsent findings of alerts other than `names`.
    pub async fn has_orphaned_alerts(&mut self, names: &[&str]) -> Result<bool> {
        let sql = format!(
            "select exists (
                 select 1 from alerts
                 where (resolved_at is null or last_error is not null)
                   and name not in {}) as flag",
            self.listed(1)
        );
        let row = fetch_optional!(self, Flag, AssertSqlSafe(sql), serde_json::to_string(names)?);
        Ok(row.is_some_and(|row| row.flag))
    }

    /// Resolves the findings of alerts other than `names`, which left the configuration, without a
    /// message. Returns how many.
    pub async fn drop_orphaned_alerts(&mut self, names: &[&str], now: Time) -> Result<u64> {
        let sql = format!(
            "update alerts set resolved_at = coalesce(resolved_at, $2), last_error = null
             where (resolved_at is null or last_error is not null) and name not in {}",
            self.listed(1)
        );
        Ok(execute!(self, AssertSqlSafe(sql), serde_json::to_string(names)?, now))
    }

    /// Records that the message about these findings was sent; `resolved`: the one about their end.
    pub async fn alerts_sent(&mut self, alerts: &[i64], resolved: bool, now: Time) -> Result<u64> {
        let sql = self.over_rows(
            "alert_id int",
            "update alerts set sent_at = case when $3 then alerts.sent_at else $2 end,
                               resolved_sent_at = case when $3 then $2 end,
                               attempts = 0, next_try_at = $2, last_error = null
             from {rows} where alerts.alert_id = r.alert_id",
        );
        Ok(execute!(self, sql, numbers(alerts)?, now, resolved))
    }

    /// Records why the message about these findings was not sent; the next attempt is at `next`.
    pub async fn alerts_failed(&mut self, alerts: &[i64], why: &str, next: Time) -> Result<u64> {
        let sql = self.over_rows(
            "alert_id int",
            "update alerts set last_error = $2, next_try_at = $3
             from {rows} where alerts.alert_id = r.alert_id",
        );
        Ok(execute!(self, sql, numbers(alerts)?, why, next))
    }

    /// Active jobs whose last `fires` settled runs have observed nothing, with the time of the
    /// first of these runs.
    pub async fn silent_jobs(&mut self, fires: u32) -> Result<Vec<Finding>> {
        Ok(fetch_all!(
            self,
            Finding,
            "select f.name as subject, '' as detail, f.since
             from (select j.job_id, j.name,
                          (select r.due_at from job_runs r
                           where r.job_id = j.job_id and r.closed_at is not null
                           order by r.due_at desc limit 1 offset $1) as since
                   from jobs j where j.is_active) as f
             where f.since is not null
               and exists (
                   select 1 from job_runs r
                   join job_targets jt on jt.job_id = r.job_id
                   join slots s on s.target_id = jt.target_id and s.due_at = r.due_at
                   where r.job_id = f.job_id and r.due_at >= f.since)
               and not exists (
                   select 1 from job_runs r
                   join job_targets jt on jt.job_id = r.job_id
                   join slots s on s.target_id = jt.target_id and s.due_at = r.due_at
                   where r.job_id = f.job_id and r.due_at >= f.since and s.outcome = 'observed')
             order by f.name",
            i64::from(fires) - 1
        ))
    }

    /// Items in this state that a job has ever watched.
    pub async fn unavailable_items(&mut self, state: Unavailability) -> Result<Vec<Finding>> {
        Ok(fetch_all!(
            self,
            Finding,
            "select t.kind || ' ' || coalesce(t.item_id, t.key) as subject, '' as detail,
                    min(a.since) as since
             from availability a join targets t on t.target_id = a.target_id
             where a.until is null and a.state = $1
               and exists (select 1 from job_targets jt where jt.target_id = a.target_id)
             group by t.kind, coalesce(t.item_id, t.key)
             order by since, subject",
            state
        ))
    }
}

fn numbers(alerts: &[i64]) -> Result<String> {
    array(&alerts.iter().map(|alert_id| Number { alert_id: *alert_id }).collect::<Vec<_>>())
}
