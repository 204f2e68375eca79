//! A SQLite file that is deleted, moved or replaced under a process, or beside another one's log.

use super::{place, wait_for_answers};
use crate::databases::sqlite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_overwritten_in_place_stops_the_daemon() {
    let database = sqlite();
    let path = database.directory().join("test.db");
    let (place, _simulator) = place(&database).await;
    let daemon = place.start_to_watch().await;
    wait_for_answers(&database, 5).await;
    let copy = database.directory().join("copy.db");
    assert_eq!(place.run(&["backup", &copy.display().to_string()]).await, 0);
    std::fs::write(&path, std::fs::read(&copy).unwrap()).unwrap();
    assert_eq!(daemon.end().await.code(), Some(2));
    assert!(place.said().contains("overwritten by another file"), "{}", place.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_verb_creates_a_file_beside_a_log_without_one() {
    let database = sqlite();
    let path = database.directory().join("test.db");
    let (place, simulator) = place(&database).await;
    let daemon = place.start_to_watch().await;
    wait_for_answers(&database, 5).await;
    daemon.kill();
    let moved = database.directory().join("moved.db");
    std::fs::rename(&path, &moved).unwrap();
    let log = path.with_file_name("test.db-wal");
    let before = std::fs::read(&log).unwrap();
    let note = simulator.world().notes(1).remove(0);
    for verb in [&["fetch", "note", &note][..], &["migrate"], &["run"]] {
        let (code, _, said) = place.hear(verb).await;
        assert_eq!(code, 2, "{verb:?}: {said}");
        assert!(said.contains("was deleted or moved while it was in use"), "{said}");
        assert!(!path.exists());
        assert_eq!(std::fs::read(&log).unwrap(), before);
    }
    std::fs::rename(&moved, &path).unwrap();
    let (code, out, said) = place.hear(&["sql", "select count(*) > 5 from documents"]).await;
    assert_eq!((code, out.contains('1')), (0, true), "{out}{said}");
}
