//! Files whose bytes are not those that were written.

use std::fmt::Write as _;

use chrono_tz::Tz;
use tidewatch::cold::thaw;
use tidewatch::erasure::{Erasure, Subject};
use tidewatch::model::{Kind, Target};
use tidewatch::replay::replay;
use tidewatch::store::Span;

use super::{NOTE, archive, change, pack_all, packing};
use crate::databases::{Database, count, on_both};

on_both!(a_changed_file_is_neither_thawed_nor_written_anew_nor_replayed);
async fn a_changed_file_is_neither_thawed_nor_written_anew_nor_replayed(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let mut tx = store.read().await.unwrap();
    let file = tx.cold_files().await.unwrap().remove(0);
    let mut content = tx.cold_content(file.cold_file_id).await.unwrap().unwrap();
    drop(tx);
    // A change that no reader of the format notices.
    let at = memchr::memmem::rfind(&content, b"tidewatch 0.").expect("the name of the writer");
    content[at] ^= 1;
    let hex = content.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let [sqlite, postgres] = [format!("x'{hex}'"), format!("'\\x{hex}'::bytea")]
        .map(|content| format!("update cold_contents set content = {content}"));
    change(&store, &sqlite, &postgres).await;
    let expected = "cold file 1 is damaged: its bytes are not those that were written";

    let error = format!("{:#}", thaw(&store, &file).await.unwrap_err());
    assert!(error.contains(expected), "{error}");
    let item = Subject::Item(Target { kind: Kind::Note, key: NOTE.to_owned() });
    let erasure = Erasure { store: &store, subjects: &[item], note: None, now: packing().now };
    let error = format!("{:#}", erasure.run(None).await.unwrap_err());
    assert!(error.contains(expected), "{error}");
    let snapshots = "select count(*) from snapshots";
    let before = count(&store, snapshots).await;
    assert!(before > 200, "{before}");
    let error = format!("{:#}", replay(&store, |_, _| {}).await.unwrap_err());
    assert!(error.contains(expected), "{error}");
    assert_eq!(count(&store, snapshots).await, before, "the rows are all that is left of it");

    let lost = async || store.read().await.unwrap().count_lost_documents().await.unwrap();
    assert_eq!(lost().await, 0);
    let one_more = "update documents set body = null, exact = null, cold_file_id = 1, cold_row = 0
                    where document_id in (select max(document_id) from documents)";
    change(&store, one_more, one_more).await;
    assert_eq!(lost().await, 1, "an answer that its file has not");
    let all = Span { since: None, until: None, zone: Tz::UTC };
    assert!(store.rows_of("documents", all).await.is_err(), "an export lacks one");
    let missing = "delete from cold_files";
    change(&store, missing, missing).await;
    let error = format!("{:#}", replay(&store, |_, _| {}).await.unwrap_err());
    assert!(error.contains("texts of 219 cold answers"), "{error}");
    assert_eq!(count(&store, snapshots).await, before);
}
