//! Cold answers: old ones move, text for text, into compressed files, and are read from there. A file
//! is made, read back and compared before one transaction takes the texts out of the rows of their
//! documents.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::cold_file::{ColdFile, GROUP_BYTES, Row, Writer, Written};
use crate::process;
use crate::store::{
    Attempts, ColdFileRow, Due, DueDocument, ProcessLock, Store, TombstoneVersion, Tx,
};
use crate::time::Time;

/// Answers of a file at the most.
const FILE_DOCUMENTS: i64 = 4096;

/// Bytes from which a file takes no more: SQLite walks through all of it for one answer.
const FILE_BYTES: usize = 4 << 20;

/// Text of the smallest row group that is worth one, in bytes.
const LEAST_GROUP_BYTES: usize = 1 << 20;

/// How many times smaller a file is taken to be than its texts, before there is one of its endpoint.
const FIRST_RATIO: usize = 8;

/// A target whose first old answer has waited this long is packed however few it has.
const PATIENCE: Duration = Duration::from_hours(90 * 24);

/// The lock number of a packer in PostgreSQL. In SQLite whoever is at work is alone.
const PACK_OWNER: i64 = -2;

/// What is packed, and when.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// The age at which answers go cold.
    pub cold_after: Duration,
    /// The present time.
    pub now: Time,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The endpoint of its answers.
    pub endpoint: String,
    /// How many they are.
    pub documents: usize,
    /// Bytes of their texts.
    pub text_bytes: usize,
    /// Bytes of the file.
    pub bytes: usize,
}

/// The locks of a packer outside a daemon, or of whoever undoes its work. They last until they are
/// dropped.
#[derive(Debug)]
pub struct Alone {
    _process: ProcessLock,
    _packer: Option<ProcessLock>,
}

/// Keeps every other packer, erasure and replay out, and on SQLite every other process.
///
/// # Errors
/// When one is at work, or the database fails.
pub async fn alone(store: &Store) -> Result<Alone> {
    let process = process::exclusive(store).await?;
    let packer = match store.is_sqlite() {
        true => None,
        false => {
            let packer = process::locked(store, PACK_OWNER).await?;
            Some(packer.context("a daemon packs answers just now: try again")?)
        }
    };
    Ok(Alone { _process: process, _packer: packer })
}

/// The lock of the one packer on PostgreSQL; `None` when another has it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn packer(store: &Store) -> Result<Option<ProcessLock>> {
    store.lock_process(PACK_OWNER).await
}

/// Makes the next file of answers that are due. `None`: none is.
///
/// # Errors
/// When the database fails, or a file does not say what was written, and no other endpoint has answers
/// that can be packed.
pub async fn pack(store: &Store, packing: Packing) -> Result<Option<Packed>> {
    let (mut endpoint, mut failed) = (String::new(), None);
    loop {
        let next = store.read().await?.hot_endpoint_after(&endpoint).await?;
        let Some(next) = next else { return failed.map_or(Ok(None), Err) };
        match pack_endpoint(store, &next, packing).await {
            Ok(Some(packed)) => return Ok(Some(packed)),
            Ok(None) => {}
            // The others have answers, too.
            Err(error) => {
                failed.get_or_insert_with(|| error.context(format!("answers of {next}")));
            }
        }
        endpoint = next;
    }
}

async fn pack_endpoint(store: &Store, endpoint: &str, packing: Packing) -> Result<Option<Packed>> {
    let before = packing.now.minus(packing.cold_after);
    let due = Due { endpoint, before, waited_since: before.minus(PATIENCE) };
    let mut attempts = Attempts::default();
    loop {
        // Not in the transaction that reads, for which an erasure would wait.
        let version = store.read().await?.tombstone_version().await?;
        let Some((file, rows)) = write(store, due).await? else { return Ok(None) };
        match put(store, &file, &rows, version, packing.now).await {
            Ok(()) => {
                let (documents, bytes) = (file.documents.len(), file.content.len());
                let Written { endpoint, text_bytes, .. } = file;
                return Ok(Some(Packed { endpoint, documents, text_bytes, bytes }));
            }
            // Some of them were changed meanwhile.
            Err(error) => attempts.after(error).await?,
        }
    }
}

async fn put(
    store: &Store,
    file: &Written,
    rows: &[Row],
    version: TombstoneVersion,
    now: Time,
) -> Result<()> {
    let mut tx = store.begin_by_keys().await?;
    tx.disable_timeout().await?;
    tx.put_cold_file(file, rows, version, now).await?;
    tx.commit().await
}

/// Writes the answers that are due into a file and compares it with them. Returns the rows without
/// their texts.
async fn write(store: &Store, due: Due<'_>) -> Result<Option<(Written, Vec<Row>)>> {
    let mut tx = store.read().await?;
    tx.disable_timeout().await?;
    let documents = tx.due_documents(due, FILE_DOCUMENTS).await?;
    if documents.is_empty() {
        return Ok(None);
    }
    let mut ratio = tx.cold_ratio(due.endpoint).await?.unwrap_or(FIRST_RATIO);
    let (mut rest, mut rows) = (documents.as_slice(), Vec::with_capacity(documents.len()));
    let mut writer = Writer::new(due.endpoint)?;
    while !rest.is_empty() && writer.bytes() < FILE_BYTES {
        let room = (FILE_BYTES - writer.bytes()).saturating_mul(ratio);
        // The next texts may be unlike those of the last file.
        let room = if rows.is_empty() { room.min(FILE_BYTES * FIRST_RATIO) } else { room };
        let (group, others) = rest.split_at(fitting(rest, room));
        rest = others;
        let mut group = read(&mut tx, group).await?;
        // Compressing takes tenths of a second.
        let written = tokio::task::spawn_blocking(move || {
            writer.group(&group)?;
            for row in &mut group {
                (row.body, row.exact) = (String::new(), None);
            }
            anyhow::Ok((writer, group))
        });
        let (again, group) = written.await??;
        writer = again;
        rows.extend(group);
        ratio = (writer.text_bytes() / writer.bytes().max(1)).max(1);
    }
    drop(tx);
    let written = tokio::task::spawn_blocking(move || {
        let file = writer.finish()?;
        ColdFile::open(file.content.clone())?.require_texts(&file.texts)?;
        anyhow::Ok(file)
    });
    let file = written.await?.context("a new cold file does not say what was written")?;
    Ok((!rows.is_empty()).then_some((file, rows)))
}

async fn read(tx: &mut Tx, documents: &[DueDocument]) -> Result<Vec<Row>> {
    Ok(tx.hot_documents(documents).await?.into_iter().map(|it| it.into_row()).collect())
}

/// How many of these documents make a row group of so much text.
fn fitting(documents: &[DueDocument], room: usize) -> usize {
    let room = room.clamp(LEAST_GROUP_BYTES, GROUP_BYTES);
    let mut sum = 0;
    let fits = |it: &&DueDocument| {
        sum += usize::try_from(it.bytes).unwrap_or(0);
        sum <= room
    };
    documents.iter().take_while(fits).count().max(1).min(documents.len())
}

/// Compares a file with the catalogue and with the documents that it has. Returns what is wrong.
///
/// # Errors
/// When the database fails.
pub async fn verify(store: &Store, file: &ColdFileRow, now: Time) -> Result<Option<String>> {
    let mut tx = store.read().await?;
    tx.disable_timeout().await?;
    let Some(content) = tx.cold_content(file.cold_file_id).await? else {
        // It may have been thawed, or written anew by an erasure.
        let is_listed = tx.cold_file(file.cold_file_id).await?.is_some();
        return Ok(is_listed.then(|| "its bytes are missing".to_owned()));
    };
    let expected = file.sha256.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let file = ColdFile::open(content);
        match file {
            Ok(file) if file.sha256() == expected => Ok(file),
            Ok(_) => Err("its bytes are not those that were written".to_owned()),
            Err(error) => Err(format!("it cannot be read: {error:#}")),
        }
    });
    let opened = match opened.await? {
        Ok(opened) => opened,
        Err(fault) => return Ok(Some(fault)),
    };
    let documents = tx.documents_in_cold_file(file.cold_file_id, &opened).await?;
    drop(tx);
    if i64::try_from(documents)? != file.documents {
        // Another process may have moved them between the two.
        let is_listed = store.read().await?.cold_file(file.cold_file_id).await?.is_some();
        return Ok(is_listed.then(|| {
            format!("{documents} of its {} answers are where their documents say", file.documents)
        }));
    }
    let mut tx = store.begin_by_keys().await?;
    tx.put_verified(file.cold_file_id, now).await?;
    tx.commit().await?;
    Ok(None)
}

/// Puts the answers of a file back into the rows of their documents. Returns how many. Needs
/// [`alone`].
///
/// # Errors
/// When the database fails, or the file is damaged.
pub async fn thaw(store: &Store, file: &ColdFileRow) -> Result<u64> {
    let mut attempts = Attempts::default();
    loop {
        match thaw_once(store, file.cold_file_id).await {
            Err(error) => attempts.after(error).await?,
            thawed => return thawed,
        }
    }
}

async fn thaw_once(store: &Store, id: i64) -> Result<u64> {
    let mut tx = store.begin_by_keys().await?;
    tx.disable_timeout().await?;
    // An erasure beside it may have written it anew.
    let Some(_) = tx.cold_file(id).await? else { return Ok(0) };
    let thawed = tx.thaw_cold_file(id).await?;
    tx.commit().await?;
    Ok(thawed)
}
