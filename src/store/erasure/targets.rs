//! Erasure of targets: slots, links, notes and messages that name them.

use anyhow::Result;

use super::numbers;
use crate::model::{MissedReason, Platform, SlotOutcome};
use crate::store::archive::Tombstone;
use crate::store::db::{Id, Tx, execute, fetch_all};
use crate::store::schedule::LivenessTimeout;
use crate::store::sql::array;

/// The id of no process.
const NOBODY: i64 = -1;

#[derive(sqlx::FromRow)]
struct Verb {
    owner: i64,
    verb: String,
}

/// Shorter ids are not searched for in free text: a timestamp has ten digits.
pub const MIN_ID_LEN: usize = 11;

/// Columns of free text that may contain an id, and their replacement: rejected settings are stored
/// with the wrong line, and a backfill is named after its list.
const WORDS: [(&str, &str, &str); 6] = [
    ("config_loads", "error", "'it named what is forgotten'"),
    ("pauses", "note", "null"),
    ("pauses", "ended_note", "null"),
    ("alerts", "last_error", "null"),
    ("backfills", "source", "'forgotten'"),
    ("backfills", "name", "'forgotten-' || run_id"),
];

impl Tx {
    /// Locks out every process that would write to the archive until this transaction ends. Returns
    /// the verb of a process that is running or not expired yet; then the erasure must not go on.
    pub async fn lock_out_writers(&mut self, silence: LivenessTimeout) -> Result<Option<String>> {
        // Differs by necessity: in SQLite the lock file and this transaction suffice. In PostgreSQL
        // every process reads the tombstones when it starts, saves or imports, and waits for this
        // lock.
        let Self::Postgres(_) = self else { return Ok(None) };
        execute!(self, "lock table forgotten in access exclusive mode");
        let dead = self.expired_processes(NOBODY, silence).await?;
        // An import holds no lock: it reads the tombstones in each transaction.
        let others = fetch_all!(
            self,
            Verb,
            "select owner, verb from processes
             where stopped_at is null and died_at is null and verb <> 'import'"
        );
        Ok(others.into_iter().find(|other| !dead.contains(&other.owner)).map(|other| other.verb))
    }

    /// Ids of authors with this id or handle.
    pub async fn author_ids(&mut self, platform: Platform, name: &str) -> Result<Vec<String>> {
        let sql = "select author_id as person from authors
                   where platform = $1 and (author_id = $2 or handle = $2)
                   union
                   select kol_id as person from kols
                   where $1 = 'xiaohongshu' and (kol_id = $2 or red_id = $2)
                   order by person";
        let people = fetch_all!(self, (String,), sql, platform.as_str(), name);
        Ok(people.into_iter().map(|row| row.0).collect())
    }

    /// Lifts the erasure of a subject that was erased for its own sake, and of everything that was
    /// erased because of it. Returns how many.
    pub async fn permit(&mut self, kind: &str, platform: Platform, id: &str) -> Result<u64> {
        let own = "delete from forgotten
                   where id = $3 and kind = $1 and platform = $2 and because is null";
        let lifted = execute!(self, own, kind, platform.as_str(), id);
        if lifted == 0 {
            return Ok(0);
        }
        let others = "delete from forgotten where platform = $1 and because = $2";
        Ok(lifted + execute!(self, others, platform.as_str(), id))
    }

    /// Targets of tombstones: items, and short links to them.
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

    /// Tombstones of the short links to the subjects of these.
    pub async fn links_with(&mut self, tombstones: &[Tombstone]) -> Result<Vec<Tombstone>> {
        let sql = self.over_rows(
            "kind text, id text",
            "select l.kind, l.link, l.item_id from {rows}
             join links l on l.item_id = r.id and l.kind = r.kind order by l.link",
        );
        let links = fetch_all!(self, (String, String, String), sql, array(tombstones)?);
        let of = |(kind, link, item): (String, String, String)| {
            let it = tombstones.iter().find(|it| it.kind == kind && it.id == item)?;
            let because = it.because.clone().or(Some(item));
            Some(Tombstone { id: link, because, ..it.clone() })
        };
        Ok(links.into_iter().filter_map(of).collect())
    }

    /// Retires the targets of tombstones: removes them from watchlists, closes their open slots,
    /// and deletes names and messages from their rows, links, availability and alerts. Documents
    /// and rows derived from them stay.
    pub async fn retire_targets(&mut self, tombstones: &[Tombstone]) -> Result<()> {
        let Some(first) = tombstones.first() else { return Ok(()) };
        let targets = numbers(&self.targets_of(tombstones).await?)?;
        let sql = self.over_rows(
            "id int",
            "update slots set outcome = $3, reason = $4, closed_at = $2,
                              lease_owner = null, lease_until = null
             where outcome is null and target_id in (select r.id from {rows})",
        );
        let (missed, forgotten) = (SlotOutcome::Missed, MissedReason::Forgotten);
        execute!(self, sql, targets.as_str(), first.forgotten_at, missed, forgotten);
        let sql = self.over_rows(
            "id int",
            "update job_targets set removed_at = $2
             where removed_at is null and target_id in (select r.id from {rows})",
        );
        execute!(self, sql, targets.as_str(), first.forgotten_at);
        for sql in [
            "delete from availability where target_id in (select r.id from {rows})",
            "update pauses set note = null where call_id in (
                 select c.call_id from {rows} join calls c on c.target_id = r.id)",
            "update calls set message = null
             where message is not null and target_id in (select r.id from {rows})",
            "update targets set key = 'forgotten-' || target_id, item_id = null
             where target_id in (select r.id from {rows})",
        ] {
            let sql = self.over_rows("id int", sql);
            execute!(self, sql, targets.as_str());
        }
        let named = array(tombstones)?;
        for sql in [
            "delete from links where (kind, link) in (select r.kind, r.id from {rows})
                                  or (kind, item_id) in (select r.kind, r.id from {rows})",
            "delete from alerts where subject in (select r.kind || ' ' || r.id from {rows})",
        ] {
            let sql = self.over_rows("kind text, id text", sql);
            execute!(self, sql, named.as_str());
        }
        // Differs by necessity: the function has two names.
        let place = if let Self::Sqlite(_) = self { "instr" } else { "strpos" };
        for (table, column, instead) in WORDS {
            let sql = format!(
                "update {table} set {column} = {instead} where exists (
                     select 1 from {{rows}}
                     where length(r.id) >= {MIN_ID_LEN} and {place}({table}.{column}, r.id) > 0)"
            );
            let sql = self.over_rows("id text", &sql);
            execute!(self, sql, named.as_str());
        }
        Ok(())
    }
}
