//! `tidewatch backup`, and the restore of its how-to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidewatch::store::{Store, tables};

use super::{place, wait_for_answers};
use crate::databases::{Database, count, on_both, postgres, rows, sqlite, table_rows};
use crate::env::{Env, hours};
use crate::program::{PATIENCE, Place, wait_for};

const JOB: &str = "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"@hourly\"\n\
                   keywords = [\"露营\", \"美食\"]\n";

/// The rows of every table and view that the archive's own record does not change.
async fn all_rows(store: &Store) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for table in tables().filter(|it| *it != "archive") {
        let select = match table {
            "documents" => "document_texts",
            table => table,
        };
        all.push((table, table_rows(store, select).await));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_beside_a_daemon_has_every_row_of_its_log() {
    let database = sqlite();
    let place = Place::new(&database, JOB);
    let file = database.directory().join("copy.db");
    let name = file.display().to_string();
    let mut env = Env::new(database, JOB).await;
    env.advance(hours(5)).await;
    // What a backup that was killed left is not in the way.
    std::fs::write(file.with_added_extension("part"), "half").unwrap();
    let (code, out, said) = place.hear(&["backup", &name]).await;
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("checked"), "{out}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!file.with_added_extension("part").exists());

    let copy = Database::at(&format!("sqlite:{name}")).open().await;
    assert!(count(&copy, "select count(*) from documents").await >= 10);
    assert_eq!(all_rows(&copy).await, all_rows(&env.store).await);
    let id = "select archive_id from archive";
    assert_eq!(rows::<(String,)>(&copy, id).await, rows::<(String,)>(&env.store, id).await);
    copy.close().await;

    let (code, _, said) = place.hear(&["backup", &name]).await;
    assert_eq!(code, 2);
    assert!(said.contains("exists and is not overwritten"), "{said}");
    let (_, out, _) = place.hear(&["status"]).await;
    assert!(out.contains("last backup: ") && !out.contains("none on record"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_backup_leaves_no_file_that_looks_whole() {
    let database = sqlite();
    let place = Place::new(&database, JOB);
    let store = database.open().await;
    fill(&store).await;
    for round in 0..10 {
        let file = database.directory().join(format!("{round}.db"));
        let part = file.with_added_extension("part");
        let backup = place.start(&["backup", &file.display().to_string()]);
        let begun = async || {
            let written = part.metadata().map_or(0, |it| it.len());
            written > round * 2_000_000 || file.exists()
        };
        wait_for("the copy", PATIENCE, begun).await;
        drop(backup);
        if file.exists() {
            let copy = Database::at(&format!("sqlite:{}", file.display())).open().await;
            assert_eq!(count(&copy, "select count(*) from links").await, 2000);
        }
    }
}

/// Rows of some 20 MB.
#[expect(clippy::disallowed_methods, reason = "outside the store: the tests' own rows")]
async fn fill(store: &Store) {
    let Store::Sqlite { writer, .. } = store else { panic!("SQLite alone") };
    let sql = "insert into links (link, kind, item_id, resolved_at, document_id)
               select hex(randomblob(5000)), 'note', 'x', '2026-01-01 00:00:00', value
               from json_each('[' || rtrim(replace(hex(zeroblob(2000)), '00', '0,'), ',') || ']')";
    sqlx::query(sql).execute(writer).await.unwrap();
}

on_both!(backup_is_on_record_or_postgresql_is_told_the_command);
async fn backup_is_on_record_or_postgresql_is_told_the_command(database: Database) {
    let place = Place::new(&database, JOB);
    let store = database.open().await;
    let (_, out, _) = place.hear(&["status"]).await;
    assert!(out.contains("last backup: none on record"), "{out}");
    if !store.is_sqlite() {
        let (code, _, said) = place.hear(&["backup", "copy.db"]).await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("pg_dump --format=custom --host="), "{said}");
        assert!(said.contains("--file=copy.db test_"), "{said}");
    }
    let (code, _, said) = place.hear(&["backup", "--record"]).await;
    assert_eq!(code, 0, "{said}");
    let at = "select count(*) from archive where backed_up_at is not null";
    assert_eq!(count(&store, at).await, 1);
    let (_, out, _) = place.hear(&["status", "--json"]).await;
    assert!(out.contains("\"backed_up_at\":\"2"), "{out}");
}

/// The commands of a section of the how-to.
fn recipe(section: &str) -> String {
    let text = include_str!("../../../docs/how-to/back-up.md");
    let text = text.split("\n## ").find(|it| it.starts_with(section)).unwrap();
    text.split("```sh\n").skip(1).filter_map(|it| it.split("```").next()).collect()
}

/// Runs commands in a folder, with the program and PostgreSQL's own on the path.
fn run(commands: &str, folder: &Path, server: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tidewatch")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", program.display(), postgres_bin().display());
    let mut shell = Command::new("sh");
    shell.args(["-euc", commands]).current_dir(folder).env_clear().env("PATH", path);
    if let Some((user, host, port)) = parts(server) {
        shell.env("PGUSER", user).env("PGHOST", host).env("PGPORT", port);
        shell.env("DATABASE_URL", server);
    }
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// User, host and port of a server.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = url.strip_prefix("postgres://")?.split_once('@')?;
    let (host, rest) = rest.split_once(':')?;
    Some((user.split(':').next()?, host, rest.split('/').next()?))
}

#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where PostgreSQL is")]
fn postgres_bin() -> PathBuf {
    std::env::var_os("TEST_POSTGRES_BIN").expect("tests/run.sh says where it is").into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_backup_is_the_archive_beside_an_old_log_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tidewatch.db");
    let database = Database::at(&format!("sqlite:{}", path.display()));
    let (place, _simulator) = place(&database).await;
    let daemon = place.start_to_watch().await;
    wait_for_answers(&database, 5).await;
    let backups = folder.path().join("backups");
    std::fs::create_dir(&backups).unwrap();
    let recipe = recipe("SQLite").replace("/backups/", "backups/");
    let (backup, restore) = recipe.split_once("mkdir before").unwrap();
    run(backup, folder.path(), "");
    wait_for_answers(&database, 6).await;
    daemon.kill();

    // By hand, without the step that matters.
    let kept = folder.path().join("kept.db");
    std::fs::copy(&path, &kept).unwrap();
    let backup = std::fs::read_dir(&backups).unwrap().next().unwrap().unwrap().path();
    let told = "is another file than the one that";
    for replace in [
        // A new file in its place, and its content in the same file.
        &|| std::fs::rename(&kept, &path).map(|()| std::fs::copy(&path, &kept).map(drop)),
        &|| std::fs::write(&path, std::fs::read(&backup)?).map(Ok),
    ] as [&dyn Fn() -> std::io::Result<std::io::Result<()>>; 2]
    {
        replace().unwrap().unwrap();
        let before = std::fs::read(&path).unwrap();
        let (code, _, said) = place.hear(&["status"]).await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(told), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let told = run(&format!("mkdir before{restore}"), folder.path(), "");
    assert!(told.contains("last backup: ") && !told.contains("none on record"), "{told}");
    let (code, _, said) = place.hear(&["replay"]).await;
    assert_eq!(code, 0, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_backup_of_the_how_to_is_restored() {
    let database = postgres().await;
    let url = database.url().to_owned();
    let (server, name) = url.rsplit_once('/').unwrap();
    let restored = format!("{name}_restored");
    let commands = recipe("PostgreSQL")
        .replace("--file=tidewatch.dump tidewatch", &format!("--file=tidewatch.dump {name}"))
        .replace("=restored", &format!("={restored}"))
        .replace("template0 restored", &format!("template0 {restored}"))
        .replace("postgres:///restored", &format!("{server}/{restored}"));
    let mut env = Env::new(database, JOB).await;
    env.advance(hours(3)).await;
    let folder = tempfile::tempdir().unwrap();
    let told = run(&commands, folder.path(), &url);
    assert!(told.contains("the backup is on record"), "{told}");
    let copy = Database::at(&format!("{server}/{restored}")).open().await;
    assert!(count(&copy, "select count(*) from documents").await >= 6);
    assert_eq!(all_rows(&copy).await, all_rows(&env.store).await);
}
