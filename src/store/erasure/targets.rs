//! Erasure of targets: slots, links, notes and messages that name them.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

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

/// Shorter ids and names are not searched for in messages.
const MIN_WORD_LEN: usize = 6;
const MIN_NAME_CHARS: usize = 2;

/// Columns of free text that may contain an id or a name, and their replacement: rejected settings
/// are stored with the wrong line, and a backfill is named after its list. What is replaced by
/// mistake is no loss.
const WORDS: [(&str, &str, &str); 9] = [
    ("calls", "message", "null"),
    ("availability", "evidence", "'it named what is forgotten'"),
    ("alerts", "detail", "''"),
    ("config_loads", "error", "'it named what is forgotten'"),
    ("pauses", "note", "null"),
    ("pauses", "ended_note", "null"),
    ("alerts", "last_error", "null"),
    ("backfills", "source", "'forgotten'"),
    ("backfills", "name", "'forgotten-' || run_id"),
];

/// A text to search for in messages.
#[derive(Serialize)]
struct Word<'a> {
    id: &'a str,
}

/// By what somebody is known besides an id.
#[derive(Debug, Default, PartialEq)]
pub struct KnownAs {
    /// Other ids of the platform: `sec_uid`.
    pub ids: BTreeSet<String>,
    /// Nicknames, former ones included.
    pub names: BTreeSet<String>,
    /// Handles, former ones included.
    pub handles: BTreeSet<String>,
}

impl Tx {
    /// Locks out every process that would write to the archive until this transaction ends. Returns
    /// the verb of a process that is running or not expired yet; then the erasure must not go on.
    pub async fn lock_out_writers(&mut self, silence: LivenessTimeout) -> Result<Option<String>> {
        // Differs by necessity: in SQLite the lock file and this transaction suffice. In PostgreSQL
        // every process reads the tombstones when it starts, saves or imports, and waits for this
        // lock.
        let Self::Postgres(_) = self else { return Ok(None) };
        execute!(self, "lock table forgotten, erasure in access exclusive mode");
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
                   where platform = $1 and (lower(author_id) = lower($2) or handle = $2)
                   union
                   select kol_id as person from kols
                   where $1 = 'xiaohongshu' and (lower(kol_id) = lower($2) or red_id = $2)
                   order by person";
        let people = fetch_all!(self, (String,), sql, platform.as_str(), name);
        Ok(people.into_iter().map(|row| row.0).collect())
    }

    /// By what else the archive knows somebody.
    pub async fn known_as(&mut self, platform: Platform, id: &str) -> Result<KnownAs> {
        let sql = "select 'name', nickname from authors
                   where platform = $1 and lower(author_id) = lower($2)
                   union
                   select 'handle', handle from authors
                   where platform = $1 and lower(author_id) = lower($2)
                   union
                   select 'id', sec_uid from authors
                   where platform = $1 and lower(author_id) = lower($2)
                   union
                   select 'name', nickname from mentions
                   where platform = $1 and lower(user_id) = lower($2)
                   union
                   select 'id', sec_uid from mentions
                   where platform = $1 and lower(user_id) = lower($2)
                   union
                   select 'name', nickname from creators
                   where platform = $1 and lower(author_id) = lower($2)
                   union
                   select 'id', sec_uid from creators
                   where platform = $1 and lower(author_id) = lower($2)
                   union
                   select 'name', nickname from kols
                   where $1 = 'xiaohongshu' and lower(kol_id) = lower($2)
                   union
                   select 'handle', red_id from kols
                   where $1 = 'xiaohongshu' and lower(kol_id) = lower($2)
                   union
                   select 'name', owner_name from music
                   where $1 = 'douyin' and lower(owner_id) = lower($2)
                   union
                   select case field when 'nickname' then 'name' else 'handle' end, old_value
                   from changes
                   where platform = $1 and kind in ('author', 'kol') and lower(item_id) = lower($2)
                         and field in ('nickname', 'handle', 'red_id')";
        let rows = fetch_all!(self, (String, Option<String>), sql, platform.as_str(), id);
        let mut known = KnownAs::default();
        for (what, text) in rows {
            let Some(text) = text.filter(|text| !text.trim().is_empty()) else { continue };
            match what.as_str() {
                "id" => known.ids.insert(text),
                "name" => known.names.insert(text),
                _ => known.handles.insert(text),
            };
        }
        Ok(known)
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
        self.increase_tombstone_version().await?;
        let others = "delete from forgotten where platform = $1 and because = $2";
        Ok(lifted + execute!(self, others, platform.as_str(), id))
    }

    /// Targets of tombstones: items, short links to them, and searches that name one by its id.
    pub async fn targets_of(&mut self, tombstones: &[Tombstone]) -> Result<Vec<i64>> {
        let place = self.place();
        let sql = format!(
            "select t.target_id as id from {{rows}}
             join targets t on t.kind = r.kind and t.key = r.id
             union
             select t.target_id as id from {{rows}}
             join targets t on t.item_id = r.id and t.kind = r.kind
             union
             select t.target_id as id from {{rows}}
             join targets t on t.kind in ('keyword', 'kol_search')
                  and (lower(t.key) = lower(r.id)
                       or (length(r.id) >= {MIN_ID_LEN} and {place}(lower(t.key), lower(r.id)) > 0))"
        );
        let sql = self.over_rows("kind text, id text", &sql);
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
    /// and deletes names and messages from their rows, links, availability and alerts, and what names
    /// them, or one of `names`, from messages. Documents and rows derived from them stay.
    pub async fn retire_targets(
        &mut self,
        tombstones: &[Tombstone],
        names: &[String],
    ) -> Result<()> {
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
            "delete from stale where (kind, id) in (select r.kind, r.id from {rows})",
            "delete from alerts where subject in (select r.kind || ' ' || r.id from {rows})",
        ] {
            let sql = self.over_rows("kind text, id text", sql);
            execute!(self, sql, named.as_str());
        }
        self.blank_messages(tombstones, names).await
    }

    /// Replaces messages that name one of these.
    async fn blank_messages(&mut self, tombstones: &[Tombstone], names: &[String]) -> Result<()> {
        let place = self.place();
        let ids = tombstones.iter().map(|it| it.id.as_str()).filter(|id| id.len() >= MIN_WORD_LEN);
        let names = names.iter().map(String::as_str);
        let names = names.filter(|name| name.chars().count() >= MIN_NAME_CHARS);
        let words = array(&ids.chain(names).map(|id| Word { id }).collect::<Vec<_>>())?;
        let texts = WORDS.map(|(table, column, instead)| {
            format!(
                "update {table} set {column} = {instead} where {column} is not null and exists (
                     select 1 from {{rows}}
                     where {place}(lower({table}.{column}), lower(r.id)) > 0)"
            )
        });
        let others = [("alerts", "subject"), ("answer_paths", "path")].map(|(table, column)| {
            format!(
                "delete from {table} where exists (
                     select 1 from {{rows}}
                     where length(r.id) >= {MIN_ID_LEN}
                           and {place}(lower({table}.{column}), lower(r.id)) > 0)"
            )
        });
        for sql in texts.iter().chain(&others) {
            let sql = self.over_rows("id text", sql);
            execute!(self, sql, words.as_str());
        }
        Ok(())
    }

    /// The function that says where a text stands in another.
    fn place(&self) -> &'static str {
        // Differs by necessity: it has two names.
        if let Self::Sqlite(_) = self { "instr" } else { "strpos" }
    }
}
