//! Hostile texts.

use tidewatch::store::Store;

use super::Site;
use crate::databases::{Database, on_both};

/// A hostile title.
pub(crate) const TITLE: &str = "<img src=x onerror=document.documentElement.dataset.pwned=1>\u{202e}</script><script>document.documentElement.dataset.pwned=2;alert(1)</script>";

/// Writes hostile texts wherever external texts are stored.
#[expect(clippy::disallowed_methods, reason = "plays a platform that means harm")]
pub(crate) async fn poison(store: &Store) {
    let statements = [
        "update notes set title = $1, body = $1, ip_location = $1,
                          share_url = 'javascript:document.documentElement.dataset.pwned=1'",
        "update works set title = $1, body = $1, share_url = 'http://evil.test/'",
        "update authors set nickname = $1, handle = $1, avatar_url = 'https://evil.test/a.png'",
        "update kols set nickname = $1, red_id = $1, location = $1, mcn_name = $1",
        "update item_hashtags set name = $1",
        "update keyword_suggestions set suggestion = $1 where rank = 1",
        "update jobs set name = $1 where kind = 'note'",
        "update targets set key = $1 where kind = 'kol_search'",
        "update documents set drift = $1, asked = $1",
        "update calls set message = $1, code = $1",
        "insert into pauses (scope, name, reason, note, since, failures)
         values ('job', $1, 'by_hand', $1, '2026-03-02 00:00:00', 0)",
        "update config_loads set error = $1",
    ];
    for sql in statements {
        match store {
            Store::Sqlite { writer, .. } => {
                sqlx::query(sql).bind(TITLE).execute(writer).await.map(drop)
            }
            Store::Postgres(pool) => sqlx::query(sql).bind(TITLE).execute(pool).await.map(drop),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

on_both!(hostile_texts_are_escaped_on_every_page);
async fn hostile_texts_are_escaped_on_every_page(database: Database) {
    let site = Site::new(database).await;
    let mut pages = site.pages().await;
    poison(&site.env.store).await;
    pages.retain(|page| page != "/job/spring");
    let name: String = url::form_urlencoded::byte_serialize(TITLE.as_bytes()).collect();
    let name = name.replace('+', "%20");
    pages.extend([
        format!("/job/{name}"),
        format!("/search?q={name}"),
        format!("/keyword/{name}"),
        "/search?q=img".into(),
    ]);
    for page in pages {
        let reply = site.get(&page).await;
        let expected = if page.starts_with("/keyword/%3C") { 404 } else { 200 };
        assert_eq!(reply.status, expected, "{page}: {}", reply.body);
        let policy = "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";
        for header in [policy, "x-content-type-options: nosniff", "referrer-policy: no-referrer"] {
            assert!(reply.head.contains(header), "{page}: {}", reply.head);
        }
        harmless(&page, &reply.body);
    }
    let home = site.get("/").await.body;
    assert!(home.contains("&lt;img src=x onerror=") && home.contains("U+202E"), "{home}");
}

/// Whether a page contains nothing that a browser would run, load from elsewhere, or follow.
fn harmless(page: &str, body: &str) {
    for script in body.split("<script").skip(1) {
        assert!(script.starts_with(" src=\"/assets/"), "{page}: <script{script}");
    }
    let lower = body.to_lowercase();
    for bad in
        ["<img", "<iframe", "<style", "<base", "<object", "<embed", "javascript:", "\u{202e}"]
    {
        let is_text = bad == "javascript:" && !lower.contains("=\"javascript:");
        assert!(is_text || !lower.contains(bad), "{page} has {bad}: {body}");
    }
    for tag in body.split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else { continue };
        // Text between quotes is an attribute value.
        let bare: String = tag.split('"').step_by(2).collect();
        assert!(!bare.contains(" on") && !bare.contains(" style="), "{page}: <{tag}>");
        for name in ["src=\"", "href=\"", "action=\"", "data-series=\""] {
            for value in tag.split(name).skip(1) {
                let is_own = value.starts_with('/') && !value.starts_with("//");
                let is_plain = value.starts_with("data:,") || value.starts_with('?');
                let is_far = value.starts_with("https://") && tag.contains("noopener noreferrer");
                assert!(is_own || is_plain || is_far, "{page}: <{tag}>");
            }
        }
    }
}
