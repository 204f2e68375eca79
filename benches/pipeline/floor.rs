//! The floor: the rows of the daemon's answers, ready-made, inserted into the same tables with the
//! same keys and indexes in one transaction, without slots and ledger.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::measure::{self, Figures, now};
use crate::postgres::Cluster;

/// Tables of a note's answer. A second fetch of the same notes adds rows to the first two.
const TABLES: [&str; 7] =
    ["documents", "snapshots", "item_keys", "notes", "images", "item_hashtags", "authors"];

/// Number of tables a second fetch adds to.
const GROWING: usize = 2;

/// Server-side `COPY` of the first and of the second fetches.
pub(crate) fn postgres(cluster: &Cluster, database: &str) -> Result<(Figures, Figures)> {
    let mut files = Vec::new();
    let mut prepare = vec!["create schema floor".to_owned()];
    for (n, table) in TABLES.iter().enumerate() {
        prepare.push(format!("create table floor.{table} (like public.{table} including all)"));
        let fetches = if n < GROWING { &["<=", ">"][..] } else { &[""] };
        for fetch in fetches {
            let file = cluster.folder().join(format!("{table}{}", files.len()));
            let half = "(select count(*) / 2 from documents)";
            let which = match *fetch {
                "" => String::new(),
                fetch => format!("where document_id {fetch} {half}"),
            };
            let file = file.display().to_string();
            prepare.push(format!("copy (select * from {table} {which}) to '{file}'"));
            files.push((table, *fetch == ">", file));
        }
    }
    prepare.push("checkpoint".to_owned());
    cluster.execute(database, &prepare.iter().map(String::as_str).collect::<Vec<_>>())?;
    let copy = |again: bool| -> Result<Figures> {
        let mut statements = vec!["begin".to_owned()];
        let mine = files.iter().filter(|file| file.1 == again);
        statements.extend(mine.map(|(table, _, file)| format!("copy floor.{table} from '{file}'")));
        statements.push("commit".to_owned());
        let (started, cpu) = (now(), cluster.cpu()?);
        cluster.execute(database, &statements.iter().map(String::as_str).collect::<Vec<_>>())?;
        let seconds = started.elapsed().as_secs_f64();
        let server = cluster.cpu()? - cpu;
        let documents = files.iter().find(|file| file.1 == again).context("no documents")?;
        Ok(Figures { notes: lines(&documents.2)?, seconds, client: 0.0, server, peak_mb: 0.0 })
    };
    let (first, again) = (copy(false)?, copy(true)?);
    for (_, _, file) in &files {
        std::fs::remove_file(file)?;
    }
    Ok((first, again))
}

/// Number of rows in a `COPY` file, one per line.
fn lines(file: &str) -> Result<f64> {
    let count = std::fs::read(file)?.iter().filter(|byte| **byte == b'\n').count();
    Ok(f64::from(u32::try_from(count)?))
}

/// The SQLite files of the floor.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The daemon's file.
    from: PathBuf,
    /// The file to fill.
    into: PathBuf,
}

/// Prepared inserts of rows read into memory before.
pub(crate) fn sqlite(args: &Args) -> Result<()> {
    let from = Connection::open(&args.from)?;
    let into = Connection::open(&args.into)?;
    into.execute_batch(
        "pragma foreign_keys = off; pragma journal_mode = wal; pragma synchronous = full;",
    )?;
    for table in TABLES {
        let sql = "select sql from sqlite_master
                   where tbl_name = ?1 and sql is not null and type <> 'trigger'";
        let mut made = from.prepare(sql)?;
        for sql in made.query_map([table], |row| row.get::<_, String>(0))? {
            into.execute_batch(&sql?)?;
        }
    }
    for fetch in ["<=", ">"] {
        let growing = if fetch == ">" { GROWING } else { TABLES.len() };
        let ready = TABLES.iter().take(growing).enumerate().map(|(n, table)| {
            let half = "(select count(*) / 2 from documents)";
            let which = match n < GROWING {
                true => format!("where document_id {fetch} {half}"),
                false => String::new(),
            };
            Rows::read(&from, table, &which)
        });
        let ready: Vec<_> = ready.collect::<Result<_>>()?;
        measure::begin();
        into.execute_batch("begin immediate")?;
        for rows in &ready {
            rows.insert(&into)?;
        }
        into.execute_batch("commit")?;
        measure::end(ready.first().map_or(0, |documents| documents.rows.len()))?;
    }
    Ok(())
}

/// Rows of one table, with document bodies as text.
struct Rows {
    insert: String,
    rows: Vec<Vec<Value>>,
}

impl Rows {
    fn read(from: &Connection, table: &str, which: &str) -> Result<Self> {
        let mut columns = from.prepare("select name from pragma_table_info(?1)")?;
        let columns = columns.query_map([table], |row| row.get::<_, String>(0))?;
        let columns: Vec<String> = columns.collect::<Result<_, _>>()?;
        let read: Vec<_> = columns.iter().map(|name| as_text(table, name)).collect();
        let write: Vec<_> =
            columns.iter().zip(1..).map(|(name, n)| as_jsonb(table, name, n)).collect();
        let insert =
            format!("insert into {table} ({}) values ({})", columns.join(", "), write.join(", "));
        let mut select =
            from.prepare(&format!("select {} from {table} {which}", read.join(", ")))?;
        let count = columns.len();
        let rows = select.query_map([], |row| (0..count).map(|n| row.get(n)).collect())?;
        Ok(Self { insert, rows: rows.collect::<Result<_, _>>()? })
    }

    fn insert(&self, into: &Connection) -> Result<()> {
        let mut statement = into.prepare(&self.insert)?;
        for row in &self.rows {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }
}

/// The expression that reads a column: JSONB as its original text.
fn as_text(table: &str, column: &str) -> String {
    match (table, column) {
        ("documents", "body") => "json(body)".to_owned(),
        (_, column) => column.to_owned(),
    }
}

/// The expression that binds a column.
fn as_jsonb(table: &str, column: &str, n: usize) -> String {
    match (table, column) {
        ("documents", "body") => format!("jsonb(?{n})"),
        _ => format!("?{n}"),
    }
}
