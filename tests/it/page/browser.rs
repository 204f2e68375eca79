//! The page in a real browser: curves are drawn, hostile texts do not run, and nothing is loaded
//! from other hosts.

use std::process::Command;

use serde_json::Value;

use super::Site;
use super::hostile::poison;
use crate::databases::sqlite;
use crate::env::world;

/// Sizes of a phone and a desktop window.
const SIZES: [&str; 2] = ["390,844", "1440,900"];

/// Flags to run as root without updates or network access.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where its browser is")]
fn browser() -> String {
    std::env::var("TEST_CHROMIUM").expect(
        "TEST_CHROMIUM names no Chromium: run the tests with `bash tests/run.sh`, which installs \
         it from the distribution's packages",
    )
}

/// The page's DOM after its scripts ran, and the requested URLs.
fn visit(address: &str, size: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("net.json");
    let output = Command::new("timeout")
        .args(["180", &browser()])
        .args(FLAGS)
        .arg(format!("--user-data-dir={}", folder.path().display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("--window-size={size}"))
        .args(["--virtual-time-budget=3000", "--dump-dom", address])
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log: Value = serde_json::from_slice(&std::fs::read(log).unwrap()).unwrap();
    let events = log["events"].as_array().unwrap();
    // Requests of the browser itself have no such initiator, and fail.
    let origin = address.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let asked = events.iter().map(|event| &event["params"]);
    let asked = asked.filter(|it| it["initiator"] == origin.as_str());
    let asked = asked.filter_map(|it| it["url"].as_str());
    (page, asked.map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_texts_do_nothing_in_a_browser() {
    let site = Site::new(sqlite()).await;
    poison(&site.env.store).await;
    let own = format!("http://{}/", site.address);
    let (note, work) = (world().notes(1).remove(0), world().works(1).remove(0));
    let note_page = format!("note/{note}");
    let compared = format!("compare?item=note:{note}&item=work:{work}");
    let visits = [
        (SIZES[0], note_page.as_str(), 1),
        (SIZES[1], &note_page, 1),
        (SIZES[0], "", 0),
        (SIZES[1], &compared, 1),
    ];
    for (size, path, charts) in visits {
        let (page, asked) = visit(&format!("{own}{path}"), size);
        assert!(page.contains("</html>"), "{page}");
        assert!(!page.contains("data-pwned"), "something ran: {page}");
        assert_eq!(page.matches("<canvas").count(), charts, "{size} {path}: {page}");
        assert_eq!(page.matches("data-drawn=").count(), charts, "{size} {path}");
        assert!(page.contains("&lt;img src=x onerror="), "{size} {path}: {page}");
        assert!(
            asked.iter().any(|url| url.starts_with(&format!("{own}assets/page.js"))),
            "{asked:?}"
        );
        for url in &asked {
            assert!(url.starts_with(&own), "{size} {path} asked for {url}");
        }
    }
}
