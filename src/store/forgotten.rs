//! Statements about what is forgotten, and what it takes with it: targets, looks, links and words.

use anyhow::Result;
use serde::Serialize;

use super::bulk::Rows;
use super::rows::array;
use super::{Id, Tx, execute, fetch_all, fetch_optional};
use crate::model::{Platform, Target};
use crate::time::Time;

/// What is left of something that is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct Tombstone {
    /// Where it lives.
    pub platform: String,
    /// `note`, `work` or `author`.
    pub kind: String,
    /// The platform's id, or a short link.
    pub id: String,
    /// The id with which it was forgotten: of its author, or of the item behind a link.
    pub because: Option<String>,
    /// When.
    pub forgotten_at: Time,
    /// Why, as somebody said.
    pub note: Option<String>,
    /// Rows that the same command deleted.
    pub rows_deleted: i64,
    /// Answers that it deleted.
    pub documents_deleted: i64,
    /// Answers that something was cut out of.
    pub documents_redacted: i64,
}

impl Tombstone {
    /// Of something that is forgotten by itself, with nothing that was deleted.
    pub fn new(kind: &str, platform: Platform, id: &str, forgotten_at: Time) -> Self {
        Self {
            platform: platform.as_str().to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            because: None,
            forgotten_at,
            note: None,
            rows_deleted: 0,
            documents_deleted: 0,
            documents_redacted: 0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Verb {
    owner: i64,
    verb: String,
}

#[derive(sqlx::FromRow)]
struct At {
    at: Time,
}

#[derive(Serialize)]
struct Number {
    target_id: i64,
}

impl Tx {
    /// Keeps everybody else from the archive who would add to it, until this transaction ends. The
    /// verb of one who is at work there; then it is to be given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_others_out(&mut self) -> Result<Option<String>> {
        // Differs by necessity: in SQLite a lock file and this transaction do so. Here whoever
        // begins, or imports, reads what is forgotten, and waits for that.
        let Self::Postgres(_) = self else { return Ok(None) };
        execute!(self, "lock table forgotten in access exclusive mode");
        let others = fetch_all!(
            self,
            Verb,
            "select owner, verb from processes
             where stopped_at is null and died_at is null and verb <> 'import'"
        );
        for other in others {
            if self.is_alive(other.owner).await? {
                return Ok(Some(other.verb));
            }
        }
        Ok(None)
    }

    /// All that is forgotten, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forgotten(&mut self) -> Result<Vec<Tombstone>> {
        Ok(fetch_all!(
            self,
            Tombstone,
            "select platform, kind, id, because, forgotten_at, note, rows_deleted,
                    documents_deleted, documents_redacted
             from forgotten order by forgotten_at desc, kind, id"
        ))
    }

    /// When something was forgotten, if it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forgotten_at(
        &mut self,
        kind: &str,
        platform: Platform,
        id: &str,
    ) -> Result<Option<Time>> {
        let sql = "select forgotten_at as at from forgotten
                   where id = $3 and kind = $1 and platform = $2";
        Ok(fetch_optional!(self, At, sql, kind, platform.as_str(), id).map(|row| row.at))
    }

    /// The ids of people who are known by this id or handle.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people_called(&mut self, platform: Platform, name: &str) -> Result<Vec<String>> {
        let sql = "select author_id as person from authors
                   where platform = $1 and (author_id = $2 or handle = $2)
                   union
                   select kol_id as person from kols
                   where $1 = 'xiaohongshu' and (kol_id = $2 or red_id = $2)
                   order by person";
        let people = fetch_all!(self, (String,), sql, platform.as_str(), name);
        Ok(people.into_iter().map(|row| row.0).collect())
    }

    /// Permits something to be watched again, with all that was forgotten because of it. How many
    /// these are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn permit_again(&mut self, kind: &str, platform: Platform, id: &str) -> Result<u64> {
        let sql = "delete from forgotten
                   where platform = $2 and ((id = $3 and kind = $1) or because = $3)";
        Ok(execute!(self, sql, kind, platform.as_str(), id))
    }

    /// Puts on record that these are forgotten. Those that are on record stay as they are; but what
    /// was forgotten with another, and is now for its own sake, no longer goes with that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_forgotten(&mut self, tombstones: &[Tombstone]) -> Result<()> {
        if tombstones.is_empty() {
            return Ok(());
        }
        let rows = Rows::of(
            "platform text, kind text, id text, because text, forgotten_at time, note text,
             rows_deleted int, documents_deleted int, documents_redacted int",
            tombstones,
        )?;
        self.execute_over(
            &rows,
            "update forgotten set because = null, note = coalesce(r.note, forgotten.note)
             from {rows} where r.because is null and forgotten.because is not null
                 and forgotten.id = r.id and forgotten.kind = r.kind
                 and forgotten.platform = r.platform",
        )
        .await?;
        self.execute_over(
            &rows,
            "insert into forgotten (platform, kind, id, because, forgotten_at, note, rows_deleted,
                                    documents_deleted, documents_redacted)
             select platform, kind, id, because, forgotten_at, note, rows_deleted,
                    documents_deleted, documents_redacted
             from {rows} where true on conflict (id, kind, platform) do nothing",
        )
        .await?;
        Ok(())
    }

    /// The targets that are these: their items, and short links to them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn targets_of(&mut self, tombstones: &[Tombstone]) -> Result<Vec<i64>> {
        let sql = self.over_rows(
            "kind text, id text",
            "select t.target_id as id from {rows}
             join targets t on t.kind = r.kind and t.key = r.id
             union
             select t.target_id as id from {rows}
             join targets t on t.item_id = r.id and t.kind = r.kind",
        );
        let found = fetch_all!(self, Id, sql, array(tombstones)?);
        Ok(found.into_iter().map(|row| row.id).collect())
    }

    /// The short links to these items.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn links_to(&mut self, items: &[Target]) -> Result<Vec<(String, String)>> {
        let sql = self.over_rows(
            "kind text, key text",
            "select l.link, l.item_id from {rows}
             join links l on l.item_id = r.key and l.kind = r.kind order by l.link",
        );
        Ok(fetch_all!(self, (String, String), sql, super::watchlists::named(items)?))
    }

    /// Gives up these as targets: they are no job's any more, their open looks are missed, and what
    /// is left of them on record bears neither name nor words. Short links to them go, and what was
    /// told of them. Rows and documents are not touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retire(&mut self, tombstones: &[Tombstone]) -> Result<()> {
        let Some(first) = tombstones.first() else { return Ok(()) };
        let targets = self.targets_of(tombstones).await?.into_iter();
        let targets: Vec<_> = targets.map(|target_id| Number { target_id }).collect();
        let targets = array(&targets)?;
        for sql in [
            "update slots set outcome = 'missed', reason = 'forgotten', closed_at = $2,
                              lease_owner = null, lease_until = null
             where outcome is null and target_id in (select r.target_id from {rows})",
            "update job_targets set removed_at = $2
             where removed_at is null and target_id in (select r.target_id from {rows})",
        ] {
            let sql = self.over_rows("target_id int", sql);
            execute!(self, sql, targets.as_str(), first.forgotten_at);
        }
        for sql in [
            "delete from availability where target_id in (select r.target_id from {rows})",
            "update pauses set note = null where call_id in (
                 select c.call_id from {rows} join calls c on c.target_id = r.target_id)",
            "update calls set message = null
             where message is not null and target_id in (select r.target_id from {rows})",
            "update targets set key = 'forgotten-' || target_id, item_id = null
             where target_id in (select r.target_id from {rows})",
        ] {
            let sql = self.over_rows("target_id int", sql);
            execute!(self, sql, targets.as_str());
        }
        let named = array(tombstones)?;
        for sql in [
            "delete from links where (kind, link) in (select r.kind, r.id from {rows})
                                  or (kind, item_id) in (select r.kind, r.id from {rows})",
            "delete from alerts where subject in (select r.kind || ' ' || r.id from {rows})",
            // Wrong settings are kept with the line that is wrong.
            "update config_loads set error = 'it named what is forgotten'
             where exists (select 1 from {rows} where config_loads.error like '%' || r.id || '%')",
        ] {
            let sql = self.over_rows("kind text, id text", sql);
            execute!(self, sql, named.as_str());
        }
        Ok(())
    }
}
