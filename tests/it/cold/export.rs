//! Exports and queries see cold answers as they saw them hot.

use chrono_tz::Tz;
use serde_json::{Map, Value};
use tidewatch::cold::thaw;
use tidewatch::export::{Export, Format};
use tidewatch::store::{ColdTexts, Query, Span, Store};
use tokio_util::sync::CancellationToken;

use super::{NOTE, archive, change, pack_all, packing};
use crate::databases::{Database, on_both};

const ALL: Span = Span { since: None, until: None, zone: Tz::UTC };

/// The rows of a query as JSON, without what says whether an answer is cold, sorted.
async fn lines(mut query: Query) -> Vec<String> {
    let mut out = Vec::new();
    let mut export = Export::new(Format::Jsonl, query.columns(), &mut out).unwrap();
    assert!(query.each(&CancellationToken::new(), |row| export.row(row)).await.unwrap());
    export.finish().unwrap();
    let text = String::from_utf8(out).unwrap();
    let line = |line: &str| {
        let mut row: Map<String, Value> = serde_json::from_str(line).unwrap();
        row.retain(|name, _| !["cold_file_id", "cold_row", "is_cold"].contains(&name.as_str()));
        Value::Object(row).to_string()
    };
    let mut lines: Vec<_> = text.lines().map(line).collect();
    lines.sort();
    lines
}

async fn exported(store: &Store, span: Span) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for table in ["documents", "document_texts"] {
        all.push(lines(store.rows_of(table, span).await.unwrap()).await);
    }
    all
}

on_both!(exports_have_the_texts_of_cold_answers);
async fn exports_have_the_texts_of_cold_answers(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    let at = |text: &str| Some(text.parse().unwrap());
    let span = Span { since: at("2026-01-01 00:10:00"), until: at("2026-01-01 01:00:00"), ..ALL };
    let (all, some) = (exported(&store, ALL).await, exported(&store, span).await);
    assert_eq!((all[0].len(), some[0].len()), (229, 100));
    assert_eq!(pack_all(&store, packing()).await.1, 1);
    assert_eq!(exported(&store, ALL).await, all);
    assert_eq!(exported(&store, span).await, some);
}

on_both!(a_query_sees_cold_answers_where_that_is_asked_for);
async fn a_query_sees_cold_answers_where_that_is_asked_for(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    let sql = "select document_id, asked, body, drift from document_texts where body is not null";
    let hot = lines(store.query(sql).await.unwrap()).await;
    assert_eq!(hot.len(), 229);
    pack_all(&store, packing()).await;
    assert_eq!(lines(store.query(sql).await.unwrap()).await.len(), 11);
    let texts = ColdTexts { span: ALL, item: None, force: false };
    for _ in 0..6 {
        // On any connection of the pool, also after queries that only read.
        let query = store.query_with_cold(sql, &texts).await.unwrap();
        assert_eq!(lines(query).await, hot);
    }
    let count = "select count(*) as texts from document_texts where is_cold and body is not null";
    let counted = async |texts: ColdTexts| {
        lines(store.query_with_cold(count, &texts).await.unwrap()).await.remove(0)
    };
    let its = ColdTexts { item: Some(NOTE.to_owned()), ..texts.clone() };
    assert_eq!(counted(its).await, r#"{"texts":149}"#);
    let since = Span { since: Some("2026-01-01 02:00:00".parse().unwrap()), ..ALL };
    assert_eq!(counted(ColdTexts { span: since, ..texts.clone() }).await, r#"{"texts":29}"#);
    let change = store.query_with_cold("delete from documents returning 1", &texts).await;
    let changed = match change {
        Ok(mut query) => query.each(&CancellationToken::new(), |_| Ok(())).await.map(drop),
        Err(error) => Err(error),
    };
    assert!(changed.is_err(), "it only reads");
    assert_eq!(lines(store.query(sql).await.unwrap()).await.len(), 11, "nothing is left of it");
}

on_both!(a_document_refused_while_cold_is_exported_and_thawed_as_a_text);
async fn a_document_refused_while_cold_is_exported_and_thawed_as_a_text(database: Database) {
    let store = database.open().await;
    archive(&store).await;
    pack_all(&store, packing()).await;
    let refuse = "update documents set cleaned = 'refused by the database' where document_id in (
                      select min(document_id) from documents where cold_file_id is not null)";
    change(&store, refuse, refuse).await;
    let cold = exported(&store, ALL).await;
    let refused = cold[0].iter().find(|line| line.contains("refused by the database")).unwrap();
    let row: Value = serde_json::from_str(refused).unwrap();
    assert!(row["body"].is_string() && !row["exact"].is_null(), "{row}");
    let files = store.read().await.unwrap().cold_files().await.unwrap();
    thaw(&store, &files[0]).await.unwrap();
    assert_eq!(exported(&store, ALL).await, cold);
}
