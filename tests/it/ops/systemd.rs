//! Notifications to systemd, and their absence while the loop is stuck.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::Connection as _;
use tokio::net::UnixDatagram;

use crate::databases::{Database, on_both};
use crate::program::{PATIENCE, Place};

/// A loop that is not stuck feeds the watchdog more often than this.
const SILENCE: Duration = Duration::from_secs(8);

const JOBS: &str = "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"*/10 * * * * *\"\n\
                    notes = [\"68a1b2c3d4e5f60718293a4b\"]\n\
                    [justoneapi]\nbase_url = \"http://127.0.0.1:1\"\n";

/// Locks the database against writers until dropped.
enum Lock {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Lock {
    #[expect(clippy::disallowed_methods, reason = "an outsider that locks the archive")]
    async fn take(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
            sqlx::query("pragma busy_timeout = 20000").execute(&mut connection).await.unwrap();
            sqlx::query("begin immediate").execute(&mut connection).await.unwrap();
            return Self::Sqlite(connection);
        }
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        // One table: several locks in a row may deadlock with the daemon.
        let sql = "begin; lock table slots in access exclusive mode";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        Self::Postgres(connection)
    }

    async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

/// The lines of the next notification.
async fn next(socket: &UnixDatagram) -> BTreeSet<String> {
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).await.unwrap();
    std::str::from_utf8(&bytes[..length]).unwrap().lines().map(str::to_owned).collect()
}

async fn until_told(socket: &UnixDatagram, line: &str) -> BTreeSet<String> {
    let told = tokio::time::timeout(PATIENCE, async {
        let mut all = BTreeSet::new();
        while !all.contains(line) {
            all.extend(next(socket).await);
        }
        all
    });
    told.await.unwrap_or_else(|_| panic!("waited in vain for {line}"))
}

on_both!(watchdog_is_fed_only_while_the_loop_beats);
async fn watchdog_is_fed_only_while_the_loop_beats(database: Database) {
    database.open().await.close().await;
    let path = database.directory().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let place = Place::new(&database, JOBS)
        .with("JUSTONEAPI_TOKEN", "unused-in-this-test")
        .with("NOTIFY_SOCKET", path.display().to_string())
        .with("WATCHDOG_USEC", "2000000");
    let daemon = place.start(&["run"]);
    let told = until_told(&socket, "READY=1").await;
    assert!(told.contains("STATUS=running") && !told.contains("STOPPING=1"), "{told:?}");
    for _ in 0..3 {
        until_told(&socket, "WATCHDOG=1").await;
    }

    let lock = Lock::take(database.url()).await;
    // Notifications sent before the lock still arrive; none follows.
    let quiet = tokio::time::timeout(PATIENCE, async {
        while let Ok(told) = tokio::time::timeout(SILENCE, next(&socket)).await {
            assert!(!told.contains("STOPPING=1"), "{told:?}");
        }
    });
    quiet.await.expect("a stuck loop feeds no watchdog");
    lock.release().await;
    until_told(&socket, "WATCHDOG=1").await;

    daemon.ask_to_stop();
    until_told(&socket, "STOPPING=1").await;
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}
