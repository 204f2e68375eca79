//! Access control, and read-only access.

use tidewatch::model::Kind;
use tidewatch::store::{JobEntry, Store};

use super::{ask, serve};
use crate::databases::{Database, on_both, sqlite};
use crate::env::{Env, beginning};
use crate::ops::health::free_port;
use crate::program::{PATIENCE, Place, wait_for};

const JOBS: &str = "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@daily\"\n\
                    notes = [\"68a1b2c3d4e5f60718293a4b\"]\n";

on_both!(page_accepts_own_hosts_and_read_only_methods);
async fn page_accepts_own_hosts_and_read_only_methods(database: Database) {
    let url = database.url().to_owned();
    let env = Env::new(database, "").await;
    let address = serve(&env, &url, None).await;
    let port = address.port();
    let host = async |host: &str| ask(address, "GET", "/", &format!("Host: {host}\r\n")).await;
    let local =
        async |method: &str, path: &str| ask(address, method, path, "Host: localhost\r\n").await;
    for good in ["localhost", &format!("127.0.0.1:{port}"), "[::1]", "watch.example:443"] {
        assert_eq!(host(good).await.status, 200, "{good}");
    }
    for bad in ["evil.test", "127.0.0.1.evil.test", "10.0.0.1", "watch.example.evil.test"] {
        let reply = host(bad).await;
        assert_eq!(reply.status, 421, "{bad}");
        assert!(
            reply.head.contains("content-security-policy: default-src 'none'"),
            "{}",
            reply.head
        );
        assert!(!reply.body.contains("Tidewatch"), "{}", reply.body);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
        let reply = local(method, "/").await;
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.head.contains("allow: get, head"), "{}", reply.head);
    }
    let head = local("HEAD", "/").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let asset = local("GET", "/assets/uPlot.js").await;
    assert!(asset.status == 200 && asset.head.contains("text/javascript"), "{}", asset.head);
    assert!(!local("GET", "/").await.head.contains("access-control"), "no other site may read it");
}

on_both!(password_protects_every_page);
async fn password_protects_every_page(database: Database) {
    let url = database.url().to_owned();
    let env = Env::new(database, "").await;
    let address = serve(&env, &url, Some("correct horse")).await;
    let with = async |path: &str, password: &str| {
        ask(address, "GET", path, &format!("Host: localhost\r\n{password}")).await
    };
    // anybody:correct horse, and anybody:wrong horse
    let (right, wrong) = (
        "Authorization: Basic YW55Ym9keTpjb3JyZWN0IGhvcnNl\r\n",
        "Authorization: Basic YW55Ym9keTp3cm9uZyBob3JzZQ==\r\n",
    );
    for path in ["/", "/assets/page.js", "/none", "/search?q=a", "/metrics"] {
        let refused = with(path, "").await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.head.contains("www-authenticate: basic "), "{}", refused.head);
        assert_ne!(with(path, right).await.status, 401, "{path}");
    }
    assert_eq!(with("/", wrong).await.status, 401);
    assert_eq!(with("/", "Authorization: Bearer correct horse\r\n").await.status, 401);
    // By any address and name of the machine.
    let by_address = format!("Host: 192.0.2.7:8080\r\n{right}");
    assert_eq!(ask(address, "GET", "/", &by_address).await.status, 200);
    // Whoever goes on is not heard any more, over whatever connection.
    let wrong = format!("Host: localhost\r\n{wrong}");
    let tries = std::iter::repeat_n(wrong, 12);
    let tries =
        tries.map(|wrong| tokio::spawn(async move { ask(address, "GET", "/", &wrong).await }));
    for reply in tries.collect::<Vec<_>>() {
        assert!(matches!(reply.await.unwrap().status, 401 | 429));
    }
    let late = with("/", right).await;
    assert_eq!(late.status, 429);
    assert!(late.head.contains("retry-after: "), "{}", late.head);
    assert_eq!(with("/", "").await.status, 401, "nothing was tried");
}

on_both!(page_archive_is_read_only);
async fn page_archive_is_read_only(database: Database) {
    let store = database.open().await;
    let reading = Store::open_to_read(database.url()).await.unwrap();
    let entry = JobEntry {
        name: "n",
        kind: Kind::Note,
        schedule: "@daily",
        timezone: "UTC",
        active: None,
        overlap: "skip",
        spread_seconds: 0,
    };
    for begun in [reading.begin().await, reading.read().await] {
        let Ok(mut tx) = begun else { continue };
        assert!(tx.put_job(&entry, beginning()).await.is_err());
    }
    assert!(reading.read().await.unwrap().job_facts().await.unwrap().is_empty());
    reading.close().await;
    store.close().await;
}

on_both!(page_runs_alone_and_beside_a_daemon);
async fn page_runs_alone_and_beside_a_daemon(database: Database) {
    let place = Place::new(&database, JOBS).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
    let (first, second) = (free_port().await.to_string(), free_port().await.to_string());
    database.open().await.close().await;
    let daemon = place.start(&["run", "--serve", &first]);
    let alone = place.start(&["serve", "--listen", &second]);
    for address in [&first, &second] {
        let address = address.parse().unwrap();
        wait_for("a page", PATIENCE, async || {
            tokio::net::TcpStream::connect(address).await.is_ok()
        })
        .await;
        wait_for("the job on the page", PATIENCE, async || {
            let reply = ask(address, "GET", "/", "Host: localhost\r\n").await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            reply.body.contains("href=\"/job/n\"")
        })
        .await;
    }
    for running in [alone, daemon] {
        running.ask_to_stop();
        assert_eq!(running.end().await.code(), Some(0), "{}", place.said());
    }
}

#[tokio::test]
async fn remote_address_needs_a_password() {
    let database = sqlite();
    database.open().await.close().await;
    let place = Place::new(&database, JOBS).with("JUSTONEAPI_TOKEN", "unused-in-this-test");
    for arguments in [vec!["serve", "--listen", "0.0.0.0:0"], vec!["run", "--serve", "[::]:0"]] {
        assert_eq!(place.run(&arguments).await, 78, "{}", place.said());
    }
    let said = place.said();
    assert!(said.contains("TIDEWATCH_PAGE_PASSWORD"), "{said}");
    let place = place.with("TIDEWATCH_PAGE_PASSWORD", "short");
    assert_eq!(place.run(&["serve"]).await, 78, "{}", place.said());
    let place = place.with("TIDEWATCH_PAGE_PASSWORD", "correct horse");
    let running = place.start(&["serve", "--listen", "0.0.0.0:0"]);
    wait_for("the page", PATIENCE, async || place.said().contains("serving the page at")).await;
    assert!(!place.said().contains("http://0.0.0.0"), "a link that works: {}", place.said());
    running.ask_to_stop();
    assert_eq!(running.end().await.code(), Some(0), "{}", place.said());
    assert!(!place.said().contains("correct horse"));
}

#[tokio::test]
async fn page_creates_and_migrates_no_archive() {
    let database = sqlite();
    let place = Place::new(&database, JOBS);
    assert_eq!(place.run(&["serve"]).await, 2, "{}", place.said());
    assert!(place.said().contains("there is no archive"), "{}", place.said());
    let path = database.url().strip_prefix("sqlite:").unwrap();
    std::fs::write(path, "").unwrap();
    assert_eq!(place.run(&["serve", "--listen", "127.0.0.1:0"]).await, 2, "{}", place.said());
    assert_eq!(std::fs::metadata(path).unwrap().len(), 0, "it is as it was");
}
