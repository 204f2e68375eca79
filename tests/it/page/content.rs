//! Pages show the figures of the archive and nothing else.

use serde_json::Value;

use super::Site;
use crate::databases::{Database, on_both};
use crate::env::world;

/// A number with thousands separators.
fn grouped(number: &str) -> String {
    let mut shown = String::new();
    for (n, digit) in number.chars().enumerate() {
        if n > 0 && (number.len() - n).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

on_both!(pages_show_the_figures_of_the_archive);
async fn pages_show_the_figures_of_the_archive(database: Database) {
    let site = Site::new(database).await;
    for page in site.pages().await {
        let reply = site.get(&page).await;
        assert_eq!(reply.status, 200, "{page}: {}", reply.body);
    }
    let note = world().notes(1).remove(0);
    let likes =
        site.env.ask("select '' || likes from engagement_latest order by platform, item_id").await;
    let home = site.get("/").await.body;
    for likes in &likes {
        assert!(home.contains(&format!(">{}</td>", grouped(likes))), "{likes}: {home}");
    }
    let calls = site.env.ask("select '' || count(*) from calls").await.remove(0);
    assert!(home.contains(&format!("{} / 5,000", grouped(&calls))), "{home}");
    let down = site.env.ask("select '' || count(*) from slots where reason = 'daemon_down'").await;
    assert!(home.contains(&format!("daemon down × {}", down[0])), "{home}");

    let item = site.get(&format!("/note/{note}")).await.body;
    let document = "select '' || max(document_id) from note_metrics where note_id = (
                        select min(note_id) from note_metrics)";
    let of_first = site.env.ask(document).await.remove(0);
    let first = site.env.ask("select min(note_id) from notes").await.remove(0);
    let shown = site.get(&format!("/note/{first}")).await.body;
    assert!(shown.contains(&format!("href=\"/document/{of_first}\"")), "{shown}");
    // Hidden views are unknown, not 0.
    assert!(item.contains("<td class=\"n\">–</td>"), "{item}");
    // 2026-03-02 00:00 UTC is eight o'clock in Shanghai.
    assert!(item.contains("UTC\">2026-03-02 "), "{item}");

    let job = site.get("/job/spring").await.body;
    let fates = site.env.ask(
        "select s.outcome || ' ' || count(*) from slots s where s.kind = 'note' group by s.outcome",
    );
    for fate in fates.await {
        let (fate, number) = fate.split_once(' ').unwrap();
        assert!(job.contains(&format!("{number} {fate}")), "{number} {fate}: {job}");
    }
    let kols = site.get("/job/kols").await.body;
    assert!(kols.contains("\">keyword=") && !kols.contains("&quot;filter&quot;"), "{kols}");
    let suggestion = "select min(suggestion) from keyword_suggestions where rank = 1";
    let suggestion = site.env.ask(suggestion).await.remove(0);
    assert!(site.get("/keyword/%E9%9C%B2%E8%90%A5").await.body.contains(&suggestion));
}

// Three tests share one archive: creating it takes longest.
on_both!(page_search_order_and_language);
async fn page_search_order_and_language(database: Database) {
    let site = Site::new(database).await;
    search_takes_signs_literally(&site).await;
    lists_are_ordered_and_paged(&site).await;
    language_is_requested_accepted_or_remembered(&site).await;
}

on_both!(curves_have_gaps_at_missed_slots);
async fn curves_have_gaps_at_missed_slots(database: Database) {
    let site = Site::new(database).await;
    let note = site.env.ask("select min(note_id) from notes").await.remove(0);
    let series: Value =
        serde_json::from_str(&site.get(&format!("/note/{note}/series")).await.body).unwrap();
    let columns = series["lines"][0]["columns"].as_array().unwrap();
    let likes: Vec<_> = columns[1].as_array().unwrap().iter().map(Value::as_i64).collect();
    let gaps: Vec<_> = likes.iter().enumerate().filter(|(_, it)| it.is_none()).collect();
    assert_eq!(gaps.len(), 1, "no fetch for two hours: {likes:?}");
    let seen: Vec<_> = likes.iter().flatten().map(i64::to_string).collect();
    let kept =
        "select '' || likes from note_metrics where note_id = (select min(note_id) from notes)
                order by observed_at";
    assert_eq!(seen, site.env.ask(kept).await);
    assert!(!series["missed"].as_array().unwrap().is_empty());
    let events: Vec<_> = series["events"].as_array().unwrap().iter().map(|it| &it[1]).collect();
    assert!(events.contains(&&Value::from("first_seen")), "{events:?}");

    let work = world().works(1).remove(0);
    let path = format!("/compare/series?item=note:{note}&item=work:{work}&item=note:none&item=x");
    let compared: Value = serde_json::from_str(&site.get(&path).await.body).unwrap();
    let lines = compared["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    let ages = lines[0]["columns"][0].as_array().unwrap();
    assert!(ages[0].as_f64().unwrap() > 0.0, "hours since publication: {ages:?}");
}

async fn search_takes_signs_literally(site: &Site) {
    let found = async |words: &str| {
        let words: String = url::form_urlencoded::byte_serialize(words.as_bytes()).collect();
        site.get(&format!("/search?q={words}")).await.body.matches("<td class=\"title\">").count()
    };
    let (note, nickname) = (
        site.env.ask("select min(note_id) from notes").await.remove(0),
        site.env.ask("select min(nickname) from authors").await.remove(0),
    );
    let title = site.env.ask("select min(coalesce(title, body)) from works").await.remove(0);
    assert_eq!(found(&note).await, 1);
    assert!(found(&nickname).await > 0);
    assert!(found(&title.chars().take(5).collect::<String>()).await > 0);
    assert_eq!(found("露营").await, found("  露营 ").await);
    for nothing in ["%", "_", "\\", "", "' or 1=1 --"] {
        assert_eq!(found(nothing).await, 0, "{nothing}");
    }
}

async fn lists_are_ordered_and_paged(site: &Site) {
    for path in [
        "/note/none",
        "/work/1",
        "/job/none",
        "/kol/none",
        "/keyword/none",
        "/document/9999999",
        "/document/x",
        "/none",
        "/assets/none",
        "/note/none/other",
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    let kols = site.env.ask("select '' || count(*) from kols").await.remove(0);
    let rows = site.get("/kols").await.body.matches("<td class=\"title\">").count();
    assert_eq!(rows.to_string(), kols);
    let beyond = site.get("/kols?page=9").await;
    assert_eq!((beyond.status, beyond.body.matches("<td class=\"title\">").count()), (200, 0));
    let rising = site.get("/kols?sort=picture_price&up=1").await.body;
    let cheapest = "select kol_id from kols where picture_price is not null
                    order by picture_price, kol_id limit 1";
    let cheapest = site.env.ask(cheapest).await.remove(0);
    let table = rising.split_once("<tbody>").unwrap().1;
    let first = table.split_once("href=\"/kol/").unwrap().1;
    assert!(first.starts_with(&cheapest), "{cheapest}: {first}");
}

async fn language_is_requested_accepted_or_remembered(site: &Site) {
    let is_chinese = |reply: &super::Reply| reply.body.contains("<html lang=\"zh\">");
    assert!(is_chinese(&site.ask("GET", "/", "Accept-Language: fr, zh-CN;q=0.9, en\r\n").await));
    assert!(!is_chinese(&site.ask("GET", "/", "Accept-Language: en-US, zh\r\n").await));
    let asked = site.ask("GET", "/kols?lang=zh", "Accept-Language: en\r\n").await;
    assert!(is_chinese(&asked));
    assert!(asked.body.contains("博主"));
    assert!(asked.head.contains("set-cookie: lang=zh; path=/; max-age=31536000; samesite=strict"));
    assert!(is_chinese(
        &site.ask("GET", "/", "Accept-Language: en\r\nCookie: a=b; lang=zh\r\n").await
    ));
    let odd = site.ask("GET", "/?lang=%0d%0aSet-Cookie:x", "").await;
    assert!(!is_chinese(&odd) && odd.head.contains("set-cookie: lang=en;"), "{}", odd.head);
}
