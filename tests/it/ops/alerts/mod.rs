//! Alerts to a local webhook: each finding is sent once, and once more when resolved.

mod receiver;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tidewatch::config::{Config, Environment};
use tidewatch::model::{Pause, PauseReason, PauseScope, ResumedBy};
use tidewatch::ops::alerts::Alerts;
use tidewatch::store::{BalanceRow, Store};
use tidewatch::time::{Clock, Time};
use tokio::sync::watch;

use self::receiver::Receiver;
use crate::databases::{Database, count, on_both, postgres, rows, sqlite};
use crate::program::Place;

/// Part of every address and every signing key; must not appear anywhere else.
const CANARY: &str = "CANARY7f3a9c0e51b2d846";

const SIGN: &str = "SIGN4d1c77aa90fe2b35";

fn beginning() -> Time {
    "2026-03-09 14:10:42".parse().unwrap()
}

fn section(name: &str, kind: &str, more: &str) -> String {
    format!("[[alert]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl_env = \"HOOK\"\n{more}\n")
}

fn config(receiver: &Receiver, text: &str) -> Config {
    let variables = [("HOOK", receiver.url(CANARY)), ("SIGN", SIGN.to_owned())];
    let environment = Environment::of(variables);
    let config = Config::parse(text, Path::new("jobs.toml"), &environment);
    config.unwrap_or_else(|error| panic!("{error}"))
}

/// The alerts of a process with a manual clock.
fn alerts(config: &Config, store: &Store, clock: &Clock) -> Alerts {
    let (_, latest) = watch::channel(Arc::new(config.clone()));
    Alerts::new(latest, store.clone(), clock.clone()).unwrap()
}

async fn pause(store: &Store, name: &str, reason: &str) {
    let mut tx = store.begin().await.unwrap();
    tx.pause(&Pause {
        scope: PauseScope::Provider,
        name: name.into(),
        reason: PauseReason::parse(reason).unwrap(),
        note: None,
        since: beginning(),
        until: None,
        probe_at: None,
        failures: 0,
        call_id: None,
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn resume(store: &Store, name: &str, at: Time) {
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.resume(PauseScope::Provider, name, None, at, at, ResumedBy::Hand).await.unwrap(),
        1
    );
    tx.commit().await.unwrap();
}

on_both!(paused_provider_alerts_once_across_restarts_and_once_when_resolved);
async fn paused_provider_alerts_once_across_restarts_and_once_when_resolved(database: Database) {
    let (receiver, store) = (Receiver::start().await, database.open().await);
    let config = config(&receiver, &section("ops", "generic", ""));
    let clock = Clock::standing(beginning());
    let first = alerts(&config, &store, &clock);
    first.check().await.unwrap();
    assert!(receiver.bodies().is_empty(), "there is nothing to tell");
    pause(&store, "justoneapi", "balance").await;
    first.check().await.unwrap();
    first.check().await.unwrap();
    clock.jump_to(clock.now().plus(Duration::from_secs(7200)));
    let restarted = alerts(&config, &store, &clock);
    restarted.check().await.unwrap();
    let text = "[Tidewatch] 已停止调用：1 项\n- justoneapi，余额不足，自 2026-03-09 22:10 CST\n\
                处理：解决原因（充值、更换 token、开通接口）；用 tidewatch status 查看，tidewatch resume 恢复";
    let raised = json!({
        "source": "tidewatch", "state": "raised", "condition": "stopped", "count": 1,
        "alerts": [{ "subject": "justoneapi", "detail": "balance",
                     "since": "2026-03-09 14:10:42", "resolved_at": null }],
        "text": text, "at": "2026-03-09 14:10:42",
    });
    assert_eq!(receiver.bodies(), std::slice::from_ref(&raised));
    resume(&store, "justoneapi", clock.now()).await;
    restarted.check().await.unwrap();
    restarted.check().await.unwrap();
    let resolved = json!({
        "source": "tidewatch", "state": "resolved", "condition": "stopped", "count": 1,
        "alerts": [{ "subject": "justoneapi", "detail": "balance",
                     "since": "2026-03-09 14:10:42", "resolved_at": "2026-03-09 16:10:42" }],
        "text": "[Tidewatch] 已恢复：已停止调用，1 项\n\
                 - justoneapi，余额不足，2026-03-09 22:10 CST 至 2026-03-10 00:10 CST",
        "at": "2026-03-09 16:10:42",
    });
    assert_eq!(receiver.bodies(), [raised, resolved]);
}

on_both!(low_balance_alerts_until_it_is_topped_up);
async fn low_balance_alerts_until_it_is_topped_up(database: Database) {
    let (receiver, store) = (Receiver::start().await, database.open().await);
    let environment = Environment::of([
        ("HOOK", receiver.url(CANARY)),
        ("JUSTONEAPI_TOKEN", "unused-in-this-test".to_owned()),
    ]);
    let text = format!(
        "[justoneapi]\nlow_balance = 20\n{}",
        section("ops", "generic", "on = [\"balance\"]")
    );
    let config = Config::parse(&text, Path::new("jobs.toml"), &environment).unwrap();
    let clock = Clock::standing(beginning());
    let alerts = alerts(&config, &store, &clock);
    for (yuan, url, told) in [
        (20, "https://api.justoneapi.com/", 0),
        (19, "https://elsewhere.example/", 0),
        (19, "https://api.justoneapi.com/", 1),
        (18, "https://api.justoneapi.com/", 1),
        (500, "https://api.justoneapi.com/", 2),
    ] {
        let row = BalanceRow {
            provider: "justoneapi".to_owned(),
            base_url: url.to_owned(),
            asked_at: clock.now(),
            micros: Some(yuan * 1_000_000),
            currency: Some("CNY".to_owned()),
            error: None,
        };
        let mut tx = store.begin().await.unwrap();
        tx.put_balance(&row).await.unwrap();
        tx.commit().await.unwrap();
        alerts.check().await.unwrap();
        assert_eq!(receiver.bodies().len(), told, "{yuan} at {url}");
    }
    assert_eq!(receiver.bodies()[0]["alerts"][0]["detail"], "19.00 CNY");
}

#[tokio::test]
async fn each_webhook_gets_its_own_format() {
    let (receiver, database) = (Receiver::start().await, sqlite());
    let store = database.open().await;
    receiver.answers(200, r#"{"code":0,"errcode":0}"#);
    let text =
        ["feishu", "dingtalk"].map(|kind| section(kind, kind, "sign_env = \"SIGN\"")).concat()
            + &["feishu", "dingtalk", "wecom"]
                .map(|kind| section(&format!("plain-{kind}"), kind, "language = \"en\""))
                .concat();
    let config = config(&receiver, &text);
    pause(&store, "amagi", "failing").await;
    alerts(&config, &store, &Clock::standing(beginning())).check().await.unwrap();
    let chinese = "[Tidewatch] 已停止调用：1 项\n- amagi，持续失败，自 2026-03-09 22:10 CST\n\
                   处理：解决原因（充值、更换 token、开通接口）；用 tidewatch status 查看，tidewatch resume 恢复";
    let english = "[Tidewatch] Calls are paused: 1\n\
                   - amagi, every call fails, since 2026-03-09 22:10 CST\n\
                   To do: remove the cause (balance, token, access); see tidewatch status, then \
                   tidewatch resume";
    // Computed by other tools, with the key and the time of this test.
    let feishu_sign = "HrTHTY8XeCartj4nF9ZDgFI4YS9CmkzhtPi0gRfY+ys=";
    let dingtalk_sign = "urDKRgyThLZaSQlsLPaLkNtb1ZndwGpE4%2Fefju6VclE%3D";
    assert_eq!(
        receiver.bodies(),
        [
            json!({ "msg_type": "text", "content": { "text": chinese },
                    "timestamp": "1773065442", "sign": feishu_sign }),
            json!({ "msgtype": "text", "text": { "content": chinese } }),
            json!({ "msg_type": "text", "content": { "text": english } }),
            json!({ "msgtype": "text", "text": { "content": english } }),
            json!({ "msgtype": "text", "text": { "content": english } }),
        ]
    );
    let plain = format!("/hook/{CANARY}?access_token={CANARY}");
    let signed = format!("{plain}&timestamp=1773065442000&sign={dingtalk_sign}");
    let uris = receiver.uris();
    assert_eq!(uris, [plain.clone(), signed, plain.clone(), plain.clone(), plain]);
}

on_both!(failed_webhook_is_retried_and_shown_in_status);
async fn failed_webhook_is_retried_and_shown_in_status(database: Database) {
    let (receiver, store) = (Receiver::start().await, database.open().await);
    let config = config(&receiver, &section("ops", "wecom", ""));
    let clock = Clock::standing(beginning());
    let alerts = alerts(&config, &store, &clock);
    receiver.answers(200, &format!(r#"{{"errcode":93000,"errmsg":"no {CANARY}"}}"#));
    pause(&store, "justoneapi", "balance").await;
    let mut tries = Vec::new();
    for minute in 0..20 {
        let before = receiver.bodies().len();
        alerts.check().await.unwrap();
        if receiver.bodies().len() > before {
            tries.push(minute);
        }
        clock.jump_to(clock.now().plus(Duration::from_secs(60)));
    }
    assert_eq!(tries, [0, 1, 3, 7, 15]);
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    let said = place.said();
    assert!(said.contains("alert not sent") && said.contains("ops: code 93000: no ***"), "{said}");
    receiver.answers(200, r#"{"errcode":0}"#);
    clock.jump_to(clock.now().plus(Duration::from_secs(3600)));
    alerts.check().await.unwrap();
    clock.jump_to(clock.now().plus(Duration::from_secs(7200)));
    alerts.check().await.unwrap();
    assert_eq!(receiver.bodies().len(), 6);
    let errors: Vec<(Option<String>,)> = rows(&store, "select last_error from alerts").await;
    assert_eq!(errors, [(None,)]);
}

on_both!(failure_of_a_removed_alert_leaves_status);
async fn failure_of_a_removed_alert_leaves_status(database: Database) {
    let (receiver, store) = (Receiver::start().await, database.open().await);
    let clock = Clock::standing(beginning());
    receiver.answers(500, "");
    pause(&store, "justoneapi", "balance").await;
    let with = config(&receiver, &section("ops", "generic", ""));
    alerts(&with, &store, &clock).check().await.unwrap();
    let failed = "select count(*) from alerts where last_error is not null";
    assert_eq!(count(&store, failed).await, 1);
    alerts(&config(&receiver, ""), &store, &clock).check().await.unwrap();
    assert_eq!(count(&store, failed).await, 0);
    assert_eq!(receiver.bodies().len(), 1, "nobody is told");
}

#[tokio::test]
async fn unreachable_webhook_stops_nothing() {
    let (receiver, database) = (Receiver::start().await, sqlite());
    let store = database.open().await;
    let config = config(&receiver, &section("ops", "generic", ""));
    drop(receiver);
    pause(&store, "justoneapi", "balance").await;
    alerts(&config, &store, &Clock::standing(beginning())).check().await.unwrap();
    let errors: Vec<(Option<String>,)> = rows(&store, "select last_error from alerts").await;
    let error = errors[0].0.as_deref().unwrap();
    assert!(!error.contains(CANARY) && !error.contains("hook"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_daemons_send_each_alert_once() {
    let (receiver, database) = (Receiver::start().await, postgres().await);
    let config = config(&receiver, &section("ops", "generic", ""));
    let clock = Clock::standing(beginning());
    let (mut daemons, mut stores) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let store = database.open().await;
        daemons.push(Arc::new(alerts(&config, &store, &clock)));
        stores.push(store);
    }
    let look_at_once = async || {
        let checks = daemons.iter().cloned().map(|daemon| async move { daemon.check().await });
        let checks = tokio::task::JoinSet::from_iter(checks).join_all().await;
        checks.into_iter().for_each(|check| check.unwrap());
    };
    for round in 1..=10 {
        let name = format!("provider-{round}");
        pause(&stores[0], &name, "balance").await;
        look_at_once().await;
        look_at_once().await;
        assert_eq!(receiver.bodies().len(), 2 * round - 1, "raised once");
        clock.jump_to(clock.now().plus(Duration::from_secs(60)));
        resume(&stores[0], &name, clock.now()).await;
        look_at_once().await;
        look_at_once().await;
        assert_eq!(receiver.bodies().len(), 2 * round, "resolved once");
    }
}

on_both!(nearly_reached_budget_alerts_each_day);
async fn nearly_reached_budget_alerts_each_day(database: Database) {
    let (receiver, store) = (Receiver::start().await, database.open().await);
    let text = format!("[budget]\nmax_calls_per_day = 5\n{}", section("ops", "generic", ""));
    let config = config(&receiver, &text);
    let clock = Clock::standing(beginning());
    let alerts = alerts(&config, &store, &clock);
    let call = || tidewatch::store::CallStart {
        endpoint: "xiaohongshu/get-note-detail/v1",
        target_id: 1,
        due_at: clock.now(),
        page: 1,
        attempt: 1,
        owner: 7,
        opened_at: clock.now(),
        price_micros: None,
        run_id: None,
    };
    let notes = [tidewatch::model::Target {
        kind: tidewatch::model::Kind::Note,
        key: "68a1b2c3d4e5f60718293a4b".into(),
    }];
    for day in 1..=2 {
        let mut tx = store.begin().await.unwrap();
        tx.put_targets(&notes, clock.now()).await.unwrap();
        tx.open_calls(&[call(), call(), call()]).await.unwrap();
        tx.commit().await.unwrap();
        alerts.check().await.unwrap();
        assert_eq!(receiver.bodies().len(), 2 * (day - 1), "three of five are not nearly all");
        let mut tx = store.begin().await.unwrap();
        tx.open_calls(&[call()]).await.unwrap();
        tx.commit().await.unwrap();
        alerts.check().await.unwrap();
        assert_eq!(receiver.bodies().len(), 2 * day - 1);
        let told = &receiver.bodies()[2 * day - 2]["alerts"][0];
        assert_eq!(told["detail"], "4/5");
        assert_eq!(told["subject"], format!("calls 2026-03-{:02}", 8 + day));
        // The day ends at midnight in Shanghai, which resolves the finding.
        clock.jump_to(clock.now().plus(Duration::from_secs(24 * 3600)));
        alerts.check().await.unwrap();
        assert_eq!(receiver.bodies()[2 * day - 1]["state"], "resolved");
    }
}

#[tokio::test]
async fn alert_receives_only_its_conditions() {
    let (receiver, database) = (Receiver::start().await, sqlite());
    let store = database.open().await;
    let config = config(&receiver, &section("ops", "generic", "on = [\"gone\", \"silent\"]"));
    pause(&store, "justoneapi", "balance").await;
    alerts(&config, &store, &Clock::standing(beginning())).check().await.unwrap();
    assert!(receiver.bodies().is_empty());
}

#[tokio::test]
async fn test_message_is_sent_without_showing_the_address() {
    let (receiver, database) = (Receiver::start().await, sqlite());
    let jobs = section("a", "dingtalk", "sign_env = \"SIGN\"") + &section("b", "generic", "");
    let place = Place::new(&database, &jobs).with("HOOK", receiver.url(CANARY)).with("SIGN", SIGN);
    receiver.answers(200, r#"{"errcode":0}"#);
    assert_eq!(place.run(&["-vv", "alert", "test"]).await, 0, "{}", place.said());
    assert_eq!(receiver.bodies().len(), 2);
    assert_eq!(receiver.bodies()[1]["state"], "test");
    let refusal = format!(r#"{{"errcode":310000,"errmsg":"{CANARY} {SIGN}"}}"#);
    receiver.answers(200, &refusal);
    assert_eq!(place.run(&["-vv", "alert", "test", "a"]).await, 1, "{}", place.said());
    receiver.answers(500, &refusal);
    assert_eq!(place.run(&["-vv", "alert", "test", "b"]).await, 1, "{}", place.said());
    drop(receiver);
    assert_eq!(place.run(&["--log-format", "json", "-vv", "alert", "test"]).await, 1);
    assert_eq!(place.run(&["alert", "test", "c"]).await, 2);
    for words in ["a: taken", "b: taken", "a: not taken: code 310000", "b: not taken: HTTP 500"] {
        assert!(place.said().contains(words), "{words}: {}", place.said());
    }
    for secret in [CANARY, SIGN] {
        assert!(!place.said().contains(secret), "{}", place.said());
    }
}

#[tokio::test]
async fn address_in_the_file_is_refused_without_showing_it() {
    let database = sqlite();
    let url = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{CANARY}");
    let http = format!("http://open.feishu.cn/{CANARY}");
    let alert = "[[alert]]\nkind = \"feishu\"\n";
    for jobs in [
        format!("{alert}url = \"{url}\""),
        format!("{alert}url = \"{url}"),
        format!("{alert}webhook = \"{url}\""),
        format!("{alert}url_file = \"hook-http\""),
        format!("{alert}url_file = \"hook-none\""),
        format!("{alert}url_env = \"HTTP\""),
        format!("{alert}url_env = \"HOOK\"\nsign_file = \"nowhere\""),
        format!("{alert}url_env = \"HOOK\"\nurl_file = \"hook\""),
        format!("{alert}url_env = \"HOOK\"\n{alert}url_env = \"HOOK\""),
        format!("{alert}url_env = \"HOOK\"\non = [\"everything\"]"),
        "[[alert]]\nkind = \"wecom\"\nurl_env = \"HOOK\"\nsign_env = \"HOOK\"".to_owned(),
        "[[alert]]\nkind = \"slack\"\nurl_env = \"HOOK\"".to_owned(),
        "[alert]\nkind = \"feishu\"".to_owned(),
        alert.to_owned(),
    ] {
        let place = Place::new(&database, &jobs).with("HOOK", &*url).with("HTTP", &*http);
        std::fs::write(place.output("hook-http"), &http).unwrap();
        std::fs::write(place.output("hook-none"), CANARY).unwrap();
        assert_eq!(place.run(&["check"]).await, 78, "{jobs}\n{}", place.said());
        assert!(!place.said().contains(CANARY), "{}", place.said());
    }
    // Only `run` and `alert` need the variable.
    let place = Place::new(&database, &format!("{alert}url_env = \"NOWHERE\"\n"));
    assert_eq!(place.run(&["check"]).await, 0);
    assert_eq!(place.run(&["status"]).await, 2, "there is no archive");
    assert_eq!(place.run(&["run"]).await, 78);
    assert_eq!(place.run(&["alert", "test"]).await, 78);
    let place = Place::new(&database, &format!("{alert}url_file = \"hook\"\n"));
    std::fs::write(place.output("hook"), format!("{url}\n")).unwrap();
    assert_eq!(place.run(&["check"]).await, 0, "{}", place.said());
}
