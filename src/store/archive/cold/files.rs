//! The catalogue of cold files, and their bytes in the database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::cold_file::{self, ColdFile, FORMAT, Rewritten, Row, Text, Written};
use crate::store::archive::save::Bytes;
use crate::store::archive::{Body, REFUSED, TombstoneVersion};
use crate::store::db::{Count, Id, Overtaken, Tx, execute, fetch_all, fetch_optional};
use crate::store::sql::{Rows, array};
use crate::time::Time;

/// Answers whose rows are changed by one statement.
const AT_ONCE: usize = 200;

/// A cold file in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct ColdFileRow {
    /// Its id, which is never used again.
    pub cold_file_id: i64,
    /// The endpoint of its answers.
    pub endpoint: String,
    /// Its URL; `None`: its bytes are in the database.
    pub location: Option<String>,
    /// Number of answers in it.
    pub documents: i64,
    /// Its size.
    pub bytes: i64,
    /// Size of the answers in it, as text.
    pub text_bytes: i64,
    /// The SHA-256 of its bytes.
    #[serde(skip)]
    pub sha256: Vec<u8>,
    /// Time of its first answer.
    pub first_fetched_at: Time,
    /// Time of its last one.
    pub last_fetched_at: Time,
    /// When it was made.
    pub made_at: Time,
    /// When its bytes last had this SHA-256.
    pub verified_at: Time,
}

/// All cold files together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, Serialize)]
pub struct ColdTotals {
    /// How many they are.
    pub files: i64,
    /// Answers in them.
    pub documents: i64,
    /// Their size.
    pub bytes: i64,
    /// Size of the answers in them, as text.
    pub text_bytes: i64,
    /// When the last one was made.
    pub made_at: Option<Time>,
    /// Since when the bytes of some were not compared with their SHA-256.
    pub verified_at: Option<Time>,
}

/// A file of the catalogue whose answers cannot be read; why.
#[derive(Debug, thiserror::Error)]
#[error("cold file {0} is damaged: {1}: restore it from a backup")]
pub struct DamagedColdFile(pub i64, pub &'static str);

/// The place of an answer in a file.
#[derive(Serialize)]
struct Placed {
    document_id: i64,
    cold_file_id: i64,
    cold_row: usize,
    was_in: Option<i64>,
    redacted_at: Option<Time>,
    cleaned: Option<String>,
}

const PLACED: &str = "document_id int, cold_file_id int, cold_row int, was_in int, \
    redacted_at time, cleaned text";

macro_rules! select_files {
    ($rest:literal) => {
        concat!(
            "select cold_file_id, endpoint, location, documents, bytes, text_bytes, sha256,
                    first_fetched_at, last_fetched_at, made_at, verified_at from cold_files ",
            $rest
        )
    };
}

impl Tx {
    /// Every cold file, in the order of their making.
    pub async fn cold_files(&mut self) -> Result<Vec<ColdFileRow>> {
        Ok(fetch_all!(self, ColdFileRow, select_files!("order by cold_file_id")))
    }

    /// What the catalogue has, summed up.
    pub async fn cold_totals(&mut self) -> Result<ColdTotals> {
        let sql =
            "select count(*) as files, cast(coalesce(sum(documents), 0) as bigint) as documents,
                          cast(coalesce(sum(bytes), 0) as bigint) as bytes,
                          cast(coalesce(sum(text_bytes), 0) as bigint) as text_bytes,
                          max(made_at) as made_at, min(verified_at) as verified_at
                   from cold_files";
        Ok(fetch_optional!(self, ColdTotals, sql).unwrap_or_default())
    }

    /// Number of hot answers.
    pub async fn count_hot(&mut self) -> Result<i64> {
        let sql = "select count(*) as count from documents where cold_file_id is null";
        Ok(fetch_optional!(self, Count, sql).map_or(0, |row| row.count))
    }

    /// A cold file; `None`: there is none of this id any more.
    pub async fn cold_file(&mut self, id: i64) -> Result<Option<ColdFileRow>> {
        Ok(fetch_optional!(self, ColdFileRow, select_files!("where cold_file_id = $1"), id))
    }

    /// How many times smaller the last file of an endpoint is than its texts.
    pub async fn cold_ratio(&mut self, endpoint: &str) -> Result<Option<usize>> {
        let sql = select_files!("where endpoint = $1 order by cold_file_id desc limit 1");
        let last = fetch_optional!(self, ColdFileRow, sql, endpoint);
        Ok(last.and_then(|it| usize::try_from(it.text_bytes / it.bytes.max(1)).ok()))
    }

    /// Cold documents whose file is in no catalogue, or has fewer than say that they are in it.
    pub async fn count_lost_documents(&mut self) -> Result<i64> {
        let sql = "select cast(coalesce(sum(d.documents - coalesce(f.documents, 0)), 0) as bigint)
                       as count
                   from (select cold_file_id, count(*) as documents from documents
                         where cold_file_id is not null group by cold_file_id) d
                   left join cold_files f on f.cold_file_id = d.cold_file_id
                   where d.documents > coalesce(f.documents, 0)";
        Ok(fetch_optional!(self, Count, sql).map_or(0, |row| row.count))
    }

    /// # Errors
    /// When the catalogue lacks the file of a cold document.
    pub async fn require_known_files(&mut self) -> Result<()> {
        let lost = self.count_lost_documents().await?;
        ensure!(lost == 0, "the texts of {lost} cold answers are in no file: restore a backup");
        Ok(())
    }

    /// Records that the bytes of a file have its SHA-256.
    pub async fn put_verified(&mut self, id: i64, now: Time) -> Result<()> {
        let sql = "update cold_files set verified_at = $2 where cold_file_id = $1";
        execute!(self, sql, id, now);
        Ok(())
    }

    /// The bytes of a file; `None`: they are not there.
    pub async fn cold_content(&mut self, id: i64) -> Result<Option<Vec<u8>>> {
        let sql = "select content from cold_contents where cold_file_id = $1";
        Ok(fetch_optional!(self, (Vec<u8>,), sql, id).map(|row| row.0))
    }

    /// Opens a file; `None`: there is none of this id any more.
    ///
    /// # Errors
    /// [`DamagedColdFile`] when its bytes are missing, or are not those that were written: a changed
    /// bit may read as another text.
    pub async fn open_cold_file(&mut self, id: i64) -> Result<Option<Arc<ColdFile>>> {
        let content = self.cold_content(id).await?;
        // It may have been thawed, or written anew by an erasure.
        let Some(row) = self.cold_file(id).await? else { return Ok(None) };
        let content = content.ok_or(DamagedColdFile(id, "its bytes are missing"))?;
        let file = ColdFile::open(content).context(DamagedColdFile(id, "it cannot be read"))?;
        let is_whole = file.sha256() == row.sha256;
        ensure!(is_whole, DamagedColdFile(id, "its bytes are not those that were written"));
        Ok(Some(Arc::new(file)))
    }

    /// Locks a file of the catalogue against others who change it or its documents.
    ///
    /// # Errors
    /// A conflict where it is no more.
    async fn lock_cold_file(&mut self, id: i64) -> Result<()> {
        // Differs by necessity: SQLite has one writer.
        if let Self::Postgres(_) = self {
            let sql =
                "select cold_file_id as id from cold_files where cold_file_id = $1 for update";
            ensure!(fetch_optional!(self, Id, sql, id).is_some(), Overtaken("cold_files"));
        }
        Ok(())
    }

    /// Keeps a new file, and takes the texts that it has out of the rows of these documents, which were
    /// read after the tombstones had this version.
    ///
    /// # Errors
    /// A conflict where one of them is not as it was read, or something was erased since: an erasure
    /// that has listed the files does not know of this one.
    pub async fn put_cold_file(
        &mut self,
        file: &Written,
        rows: &[Row],
        version: TombstoneVersion,
        now: Time,
    ) -> Result<()> {
        self.require_tombstones(version).await?;
        let cold_file_id = self.insert_cold_file(file, now).await?;
        let placed = rows.iter().enumerate().map(|(cold_row, row)| Placed {
            document_id: row.document_id,
            cold_file_id,
            cold_row,
            was_in: None,
            redacted_at: row.redacted_at,
            cleaned: row.cleaned.clone(),
        });
        let updated = self
            .execute_over(
                &Rows::of(PLACED, placed)?,
                "update documents set body = null, exact = null, cold_file_id = r.cold_file_id,
                        cold_row = r.cold_row
                 from {rows}
                 where documents.document_id = r.document_id and documents.cold_file_id is null
                   and documents.redacted_at is not distinct from r.redacted_at
                   and documents.cleaned is not distinct from r.cleaned",
            )
            .await?;
        ensure!(updated == file.documents.len() as u64, Overtaken("documents"));
        Ok(())
    }

    async fn insert_cold_file(&mut self, file: &Written, now: Time) -> Result<i64> {
        let sql = "insert into cold_files (state, format, endpoint, documents, bytes, text_bytes,
                       footer_bytes, sha256, first_fetched_at, last_fetched_at, made_at, verified_at)
                   values ('live', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
                   returning cold_file_id as id";
        let number = i64::try_from;
        let inserted = fetch_optional!(
            self,
            Id,
            sql,
            FORMAT,
            file.endpoint.as_str(),
            number(file.documents.len())?,
            number(file.content.len())?,
            number(file.text_bytes)?,
            number(file.footer_bytes)?,
            file.sha256.as_slice(),
            file.first_fetched_at,
            file.last_fetched_at,
            now
        );
        let id = inserted.context("the catalogue took no file")?.id;
        let sql = "insert into cold_contents (cold_file_id, content) values ($1, $2)";
        execute!(self, sql, id, file.content.as_slice());
        Ok(id)
    }

    async fn delete_cold_file(&mut self, id: i64) -> Result<()> {
        execute!(self, "delete from cold_contents where cold_file_id = $1", id);
        execute!(self, "delete from cold_files where cold_file_id = $1", id);
        Ok(())
    }

    /// The files that have some of these documents.
    async fn cold_files_of(&mut self, documents: &[Document]) -> Result<Vec<i64>> {
        let sql = self.over_rows(
            "document_id int",
            "select distinct d.cold_file_id as id from {rows} cross join documents d
             where d.document_id = r.document_id and d.cold_file_id is not null order by 1",
        );
        let found = fetch_all!(self, Id, sql, array(documents)?);
        Ok(found.into_iter().map(|it| it.id).collect())
    }

    /// Writes the files that have some of these documents anew: without the text of those that are
    /// `gone`, and with what is `left` of others. Their own rows stay as they are.
    ///
    /// # Errors
    /// When a file is damaged; a conflict where another process changed it.
    pub(in crate::store) async fn rewrite_cold_files(
        &mut self,
        gone: BTreeSet<i64>,
        left: BTreeMap<i64, Rewritten>,
        now: Time,
    ) -> Result<()> {
        let all = gone.iter().chain(left.keys());
        let all: Vec<_> = all.map(|document_id| Document { document_id: *document_id }).collect();
        let files = if all.is_empty() { Vec::new() } else { self.cold_files_of(&all).await? };
        if files.is_empty() {
            return Ok(());
        }
        let left = self.as_stored(&left).await?;
        let (gone, left) = (Arc::new(gone), Arc::new(left));
        for id in files {
            self.lock_cold_file(id).await?;
            let row = self.cold_file(id).await?.context(Overtaken("cold_files"))?;
            let file = self.open_cold_file(id).await?.context(Overtaken("cold_contents"))?;
            let (gone, left) = (gone.clone(), left.clone());
            let endpoint = row.endpoint.clone();
            let written = tokio::task::spawn_blocking(move || {
                cold_file::rewrite(&file, &endpoint, &gone, &left)
            });
            let written = written.await?.with_context(|| format!("cold file {id}"))?;
            if let Some(written) = written {
                let new = self.insert_cold_file(&written, now).await?;
                self.move_documents(&written.documents, new, id).await?;
            }
            self.delete_cold_file(id).await?;
        }
        Ok(())
    }

    /// These texts as the database writes them once it has them, as those of a file are.
    async fn as_stored(
        &mut self,
        texts: &BTreeMap<i64, Rewritten>,
    ) -> Result<BTreeMap<i64, Rewritten>> {
        #[derive(Serialize, sqlx::FromRow)]
        struct Stored {
            document_id: i64,
            body: String,
            redacted_at: Option<Time>,
        }
        let texts = texts.iter().map(|(document_id, (body, redacted_at))| Stored {
            document_id: *document_id,
            body: body.clone(),
            redacted_at: *redacted_at,
        });
        let rows = Rows::of("document_id int, body json, redacted_at time", texts)?;
        let body = self.as_text("r.body");
        let sql = format!("select r.document_id, {body} as body, r.redacted_at from {{rows}}");
        let stored: Vec<Stored> = self.fetch_over(&rows, &sql).await?;
        let stored = stored.into_iter().map(|it| (it.document_id, (it.body, it.redacted_at)));
        Ok(stored.collect())
    }

    /// Moves documents from one file to another.
    async fn move_documents(&mut self, documents: &[i64], file: i64, was_in: i64) -> Result<()> {
        let placed = documents.iter().enumerate().map(|(cold_row, document_id)| Placed {
            document_id: *document_id,
            cold_file_id: file,
            cold_row,
            was_in: Some(was_in),
            redacted_at: None,
            cleaned: None,
        });
        let updated = self
            .execute_over(
                &Rows::of(PLACED, placed)?,
                "update documents set cold_file_id = r.cold_file_id, cold_row = r.cold_row
                 from {rows}
                 where documents.document_id = r.document_id
                   and documents.cold_file_id = r.was_in",
            )
            .await?;
        ensure!(updated == documents.len() as u64, Overtaken("documents"));
        Ok(())
    }

    /// Puts the texts of a file back into the rows of its documents, and deletes it. Returns how many.
    ///
    /// # Errors
    /// When the file is damaged, or a document is not in it.
    pub async fn thaw_cold_file(&mut self, id: i64) -> Result<u64> {
        #[derive(Serialize)]
        struct Thawed<'a> {
            document_id: i64,
            cold_file_id: i64,
            body: &'a str,
            exact: Option<Bytes<'a>>,
        }
        self.lock_cold_file(id).await?;
        let Some(file) = self.open_cold_file(id).await? else { return Ok(0) };
        let refused = self.refused_in_cold_file(id, &file).await?;
        let mut thawed = 0;
        for group in 0..file.groups() {
            let mut texts = file.texts_of_group(group)?;
            for text in texts.iter_mut().filter(|it| refused.contains(&it.document_id)) {
                refuse(text);
            }
            for texts in texts.chunks(AT_ONCE) {
                fn row(id: i64, Text { document_id, body, exact }: &Text) -> Thawed<'_> {
                    let (document_id, cold_file_id) = (*document_id, id);
                    Thawed { document_id, cold_file_id, body, exact: exact.as_deref().map(Bytes) }
                }
                let spec = "document_id int, cold_file_id int, body json, exact bytes";
                let rows: Vec<_> = texts.iter().map(|it| row(id, it)).collect();
                let updated = self
                    .execute_over(
                        &Rows::of(spec, rows)?,
                        "update documents set body = r.body, exact = r.exact, cold_file_id = null,
                                cold_row = null
                         from {rows}
                         where documents.document_id = r.document_id
                           and documents.cold_file_id = r.cold_file_id",
                    )
                    .await?;
                ensure!(
                    updated == texts.len() as u64,
                    "cold file {id} has answers that no document says it has"
                );
                thawed += updated;
            }
        }
        self.delete_cold_file(id).await?;
        Ok(thawed)
    }

    /// Documents of this file that the database refused since they are cold: the file has what was
    /// received, which [`refuse`] turns into what it takes.
    pub(in crate::store) async fn refused_in_cold_file(
        &mut self,
        id: i64,
        file: &ColdFile,
    ) -> Result<BTreeSet<i64>> {
        let sql = self.over_rows(
            "document_id int",
            "select d.document_id as id from {rows} cross join documents d
             where d.document_id = r.document_id and d.cold_file_id = $2 and d.cleaned = $3",
        );
        let all = file.documents()?.into_iter().map(|document_id| Document { document_id });
        let found = fetch_all!(self, Id, sql, array(&all.collect::<Vec<_>>())?, id, REFUSED);
        Ok(found.into_iter().map(|it| it.id).collect())
    }

    /// How many documents say that this file has them, each in the row where it does.
    pub async fn documents_in_cold_file(&mut self, id: i64, file: &ColdFile) -> Result<u64> {
        let placed = file.documents()?.into_iter().enumerate();
        let placed = placed.map(|(cold_row, document_id)| Placed {
            document_id,
            cold_file_id: id,
            cold_row,
            was_in: None,
            redacted_at: None,
            cleaned: None,
        });
        let found: Vec<Id> = self
            .fetch_over(
                &Rows::of(PLACED, placed)?,
                "select d.document_id as id from {rows} cross join documents d
                 where d.document_id = r.document_id and d.cold_file_id = r.cold_file_id
                   and d.cold_row = r.cold_row",
            )
            .await?;
        Ok(found.len() as u64)
    }
}

#[derive(Serialize)]
struct Document {
    document_id: i64,
}

/// A text as it is stored where the database refuses its JSON or its rows.
pub(in crate::store) fn refuse(text: &mut Text) {
    let received = text.exact.take().unwrap_or_else(|| std::mem::take(&mut text.body).into_bytes());
    let Body { json, exact, .. } = Body::as_text(&received, REFUSED);
    (text.body, text.exact) = (json, exact);
}
