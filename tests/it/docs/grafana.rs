//! The dashboard of `contrib/grafana/`: what it asks can be asked, of the archive and of Prometheus.

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::databases::{Database, on_both, rows};
use crate::env::{Env, hours, world};
use crate::ops::prometheus::{documented, names, promtool};

const DASHBOARD: &str = include_str!("../../../contrib/grafana/tidewatch.json");

/// Every panel that asks something, with its questions under `key`.
fn questions(key: &str) -> Vec<(String, String)> {
    let dashboard: Value = DASHBOARD.parse().unwrap();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let question = target[key].as_str().map(str::to_owned);
            found.extend(question.map(|question| (title.to_owned(), question)));
        }
    }
    found
}

/// A question with what Grafana puts in.
fn filled(question: &str, item: &str, date_end: &str) -> String {
    let time = |day: &str| format!("'2026-{day}{date_end}'");
    question
        .replace("$__timeFrom()", &time("03-01"))
        .replace("$__timeTo()", &time("04-01"))
        .replace("$item", item)
        .replace("$__rate_interval", "5m")
}

on_both!(every_question_of_the_dashboard_to_the_archive_is_answered);
async fn every_question_of_the_dashboard_to_the_archive_is_answered(database: Database) {
    let notes = world().notes(2);
    let jobs = format!(
        "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {notes:?}\n\
         [[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"0 */6 * * *\"\n\
         keywords = [\"露营\"]\n\
         [[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"@daily\"\n\
         filter = {{ keyword = \"阅读\" }}\n"
    );
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(49)).await;
    let date_end = if env.store.is_sqlite() { " 00:00:00" } else { "T00:00:00Z" };
    let mut questions = questions("rawSql");
    assert!(questions.len() > 5);
    let dashboard: Value = DASHBOARD.parse().unwrap();
    let item = dashboard["templating"]["list"][2]["query"].as_str().unwrap();
    questions.push(("item".to_owned(), item.to_owned()));
    for (title, question) in questions {
        let sql = filled(&question, &notes[0], date_end);
        let counted = format!("select count(*) from ({sql}) as asked");
        let count: Vec<(i64,)> = rows(&env.store, AssertSqlSafe(counted)).await;
        assert!(count[0].0 > 0, "{title}: nothing\n{sql}");
    }
}

#[test]
fn every_question_of_the_dashboard_to_prometheus_is_one_and_names_what_is_there() {
    let questions = questions("expr");
    assert!(questions.len() > 10);
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    for (number, (title, question)) in questions.iter().enumerate() {
        let unknown: Vec<_> = names(question).difference(&documented()).copied().collect();
        assert!(unknown.is_empty(), "{title}: {unknown:?}");
        let question = serde_json::to_string(&filled(question, "", "")).unwrap();
        rules += &format!("      - record: dashboard:question{number}\n        expr: {question}\n");
    }
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(file.path(), rules).unwrap();
    promtool(&["check", "rules", file.path().to_str().unwrap()], "");
}

#[test]
fn panels_are_read_in_chinese_and_english_and_name_no_data_source_of_their_own() {
    let dashboard: Value = DASHBOARD.parse().unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        let (chinese, english) = title.split_once(" / ").expect(title);
        assert!(!chinese.is_ascii() && english.is_ascii(), "{title}");
        for asked in panel["targets"].as_array().into_iter().flatten().chain([panel]) {
            let uid = asked["datasource"]["uid"].as_str();
            assert!(
                matches!(uid, None | Some("${prometheus}" | "${postgres}")),
                "{title}: {uid:?}"
            );
        }
    }
}
