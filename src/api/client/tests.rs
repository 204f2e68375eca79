mod server;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use proptest::prelude::*;
use tokio::net::TcpListener;

use self::server::{serve, serve_raw, url_of};
use super::*;
use crate::api::{Ask, Endpoint};

const TOKEN: &str = "CANARY/91 f2?x";

fn client_with(base_url: Url, timeout: Duration) -> Client {
    let server = Server { base_url, timeout, token: Some(TOKEN.into()), proxy: None };
    Client::new(Provider::ALL.map(|provider| (provider, server.clone()))).unwrap()
}

fn client(base_url: Url) -> Client {
    client_with(base_url, Duration::from_secs(10))
}

fn request(key: &str) -> Request {
    Endpoint::NoteDetailV7.request(&Ask { key: key.to_owned(), page: 1 })
}

async fn ask(base_url: Url) -> Received {
    client(base_url).send(Provider::JustOneApi, &request("n1")).await
}

/// No form of the token is anywhere in what came back.
fn assert_silent(received: &Received) {
    let all = format!("{received:?} {}", String::from_utf8_lossy(&received.body));
    for form in ["CANARY", TOKEN, "token="] {
        assert!(!all.contains(form), "{all}");
    }
}

#[tokio::test]
async fn an_answer_comes_with_its_status_and_its_size() {
    let (url, log) =
        serve(|| (StatusCode::SERVICE_UNAVAILABLE, "{\"code\":301}").into_response()).await;
    let received = ask(url).await;
    assert_eq!(received.http_status, Some(503));
    assert_eq!(received.body, b"{\"code\":301}");
    assert_eq!((received.bytes, received.sent), (12, true));
    assert_eq!((received.error, received.retry_after), (None, None));
    let log = log.lock().unwrap();
    let headers = &log[0].1;
    assert_eq!(headers[header::USER_AGENT], USER_AGENT);
    assert!(!headers.contains_key(header::REFERER));
}

#[tokio::test]
async fn a_refused_connection_was_certainly_not_sent_and_keeps_the_token() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let received = ask(url_of(free)).await;
    assert!(!received.sent);
    assert!(received.error.as_deref().is_some_and(|error| error.contains("refused")));
    assert_silent(&received);
}

#[tokio::test]
async fn a_call_that_takes_too_long_may_have_been_paid_and_keeps_the_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    let received =
        client_with(url, Duration::from_secs(1)).send(Provider::JustOneApi, &request("n1")).await;
    assert!(received.sent);
    assert!(received.error.as_deref().is_some_and(|error| error.contains("timed out")));
    assert!(received.duration >= Duration::from_secs(1));
    assert_silent(&received);
}

#[tokio::test]
async fn a_body_that_never_ends_ends_with_the_time_of_the_whole_call() {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"code";
    let url = serve_raw(begun, Duration::from_secs(60)).await;
    let received =
        client_with(url, Duration::from_secs(2)).send(Provider::JustOneApi, &request("n1")).await;
    assert!(received.error.as_deref().is_some_and(|error| error.contains("timed out")));
    assert_eq!(
        (received.http_status, received.body.as_slice()),
        (Some(200), b"{\"code".as_slice())
    );
    assert_silent(&received);
}

#[tokio::test]
async fn a_broken_connection_is_an_error_and_keeps_the_token() {
    for answer in [
        b"".as_slice(),
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"code",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
    ] {
        let received = ask(serve_raw(answer, Duration::ZERO).await).await;
        assert!(received.sent);
        assert!(received.error.is_some());
        assert_silent(&received);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, elsewhere_log) = serve(|| StatusCode::OK.into_response()).await;
    let (url, log) = serve(move || {
        (StatusCode::FOUND, [(header::LOCATION, elsewhere.to_string())], "moved").into_response()
    })
    .await;
    let received = ask(url).await;
    assert_eq!((received.http_status, received.error.as_deref()), (Some(302), None));
    assert_eq!(log.lock().unwrap().len(), 1);
    assert!(elsewhere_log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_cut_off() {
    let (url, _) = serve(|| Body::from(vec![b' '; MAX_BODY_BYTES + 1]).into_response()).await;
    let received = ask(url).await;
    assert_eq!((received.cut, received.body.len()), (true, KEPT_OF_TOO_LARGE));
    assert_silent(&received);
    let (url, _) = serve(|| Body::from(vec![b' '; MAX_BODY_BYTES]).into_response()).await;
    let received = ask(url).await;
    assert_eq!((received.cut, received.error, received.body.len()), (false, None, MAX_BODY_BYTES));
}

/// Zeros, compressed a thousandfold: one literal, then copies of the longest length from
/// distance 1, in a single block of fixed codes.
fn bomb(zeros: usize) -> Bytes {
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, code: u16, length: u16| {
        bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    };
    code(&mut bits, 0b0011_0000, 8);
    for _ in 0..zeros / 258 {
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    code(&mut bits, 0, 7);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let packed = bits.chunks(8).map(|byte| {
        byte.iter().enumerate().fold(0_u8, |packed, (at, bit)| packed | (u8::from(*bit) << at))
    });
    header.into_iter().chain(packed).collect()
}

#[tokio::test]
async fn a_bomb_of_zeros_is_counted_as_it_is_unpacked() {
    let packed = bomb(4 * MAX_BODY_BYTES);
    assert!(packed.len() < MAX_BODY_BYTES / 32, "{}", packed.len());
    let (url, log) = serve(move || {
        ([(header::CONTENT_ENCODING, "gzip")], Body::from(packed.clone())).into_response()
    })
    .await;
    let received = ask(url).await;
    assert_eq!(log.lock().unwrap()[0].1[header::ACCEPT_ENCODING], "gzip");
    assert!(received.cut);
    let cap = u64::try_from(MAX_BODY_BYTES).unwrap();
    assert!((cap..cap + cap / 8).contains(&received.bytes), "{}", received.bytes);
}

#[tokio::test]
async fn parameters_arrive_as_they_were_given_and_never_become_anything_else() {
    let (url, log) = serve(|| "{}".into_response()).await;
    let client = client(url.join("/api/").unwrap());
    let keys =
        ["a&token=EVIL", "#", "../..", "a?b=c", "露营 🏕️", "%2e%2e/", "+", "a=b;c", "\r\nX: y"];
    for key in keys {
        client.send(Provider::JustOneApi, &request(key)).await;
    }
    for ((asked, _), key) in log.lock().unwrap().iter().zip(keys) {
        let asked = url.join(asked).unwrap();
        assert_eq!(asked.path(), "/api/api/xiaohongshu/get-note-detail/v7");
        let pairs: Vec<(String, String)> = asked.query_pairs().into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs, [pair("token", TOKEN), pair("noteId", key)]);
    }
}

#[tokio::test]
async fn amagi_is_not_told_the_token() {
    let (url, log) = serve(|| "{}".into_response()).await;
    let request = Endpoint::AmagiWorkById.request(&Ask { key: "7".to_owned(), page: 1 });
    client(url.join("/api").unwrap()).send(Provider::Amagi, &request).await;
    assert_eq!(log.lock().unwrap()[0].0, "/api/douyin/fetch_one_work?aweme_id=7");
}

#[tokio::test]
async fn a_body_that_repeats_the_token_is_kept_without_it() {
    let (url, _) = serve(|| {
        format!("{{\"path\":\"/x?token=CANARY%2F91+f2%3Fx\",\"said\":\"{TOKEN}\"}}").into_response()
    })
    .await;
    let received = ask(url).await;
    assert_eq!(received.body, b"{\"path\":\"/x?token=***\",\"said\":\"***\"}");
}

#[tokio::test]
async fn a_wait_is_read_in_seconds_and_as_a_date() {
    for (wait, span) in [
        ("7", Some(Duration::from_secs(7))),
        ("Wed, 11 Mar 2026 09:01:30 GMT", Some(Duration::from_secs(90))),
        ("Wed, 11 Mar 2026 08:59:00 GMT", None),
        ("soon", None),
    ] {
        let headers =
            [(header::DATE, "Wed, 11 Mar 2026 09:00:00 GMT"), (header::RETRY_AFTER, wait)];
        let (url, _) =
            serve(move || (StatusCode::TOO_MANY_REQUESTS, headers.clone(), "{}").into_response())
                .await;
        assert_eq!(ask(url).await.retry_after, span, "{wait}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_parameters_come_out_of_the_address_as_they_went_in(
        token in any::<String>(),
        query in prop::collection::vec(any::<(String, String)>(), 0..5),
    ) {
        let base_url = Url::parse("https://api.example.com/api/").unwrap();
        let token_of = Some(token.clone().into());
        let server = Server { base_url, timeout: Duration::ZERO, token: token_of, proxy: None };
        let request = Request { path: "/douyin/x", query: query.clone() };
        let url = server.url(Provider::JustOneApi, &request);
        assert_eq!(url.host_str(), Some("api.example.com"));
        assert_eq!((url.path(), url.fragment()), ("/api/douyin/x", None));
        let mut pairs = url.query_pairs().into_owned();
        assert_eq!(pairs.next(), Some(("token".to_owned(), token)));
        assert_eq!(pairs.collect::<Vec<(String, String)>>(), query);
    }
}

/// A proxy that answers everything itself; it logs what it is sent.
#[tokio::test]
async fn a_proxy_is_told_its_credentials_and_the_target() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxied = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        let refusal = b"HTTP/1.1 407 user:s3cret/word\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(refusal).await.unwrap();
        String::from_utf8(head[..read].to_vec()).unwrap()
    });
    let proxy = Proxy {
        url: format!("http://{address}").parse().unwrap(),
        auth: Some("user:s3cret/word".to_owned().into()),
    };
    let server = Server {
        base_url: "https://api.example.com".parse().unwrap(),
        timeout: Duration::from_secs(10),
        token: Some(TOKEN.into()),
        proxy: Some(proxy),
    };
    let client = Client::new([(Provider::JustOneApi, server)]).unwrap();
    let received = client.send(Provider::JustOneApi, &request("n1")).await;
    let head = proxied.await.unwrap();
    assert!(head.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{head}");
    // Base64 of `user:s3cret/word`.
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    assert!(head.contains("dXNlcjpzM2NyZXQvd29yZA=="), "{head}");
    assert!(!head.contains("CANARY"), "{head}");
    assert_silent(&received);
    let error = received.error.expect("the proxy refuses");
    let said = format!("the proxy http://{address}/ asks for credentials, or for others");
    assert!(error.starts_with(&said), "{error}");
    // Nothing listens there any more.
    let received = client.send(Provider::JustOneApi, &request("n1")).await;
    let error_without = received.error.expect("no proxy");
    assert!(
        error_without.starts_with(&format!("the proxy http://{address}/ fails")),
        "{error_without}"
    );
    assert!(!received.sent);
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_machine_without_authorities_gets_a_client_all_the_same() {
    let (url, _) = serve(|| "{}".into_response()).await;
    let _ = client(url);
    assert!(with_bundled_roots(None).is_ok());
}

#[tokio::test]
async fn the_client_prints_nothing_of_what_it_knows() {
    let (url, _) = serve(|| "{}".into_response()).await;
    assert_eq!(format!("{:?}", client(url)), "Client { .. }");
}

/// Serves this many answers of so many bytes, each at once.
async fn serve_bytes(answers: usize, bytes: usize) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    tokio::spawn(async move {
        for _ in 0..answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                // An answer before its request would be an error.
                let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
                let head = format!("{head}content-length: {bytes}\r\n\r\n");
                let answer = [head.into_bytes(), vec![b' '; bytes]].concat();
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn large_answers_take_turns_and_waiting_costs_no_timeout() {
    let bytes = LARGE_BYTES * 3;
    let client = client_with(serve_bytes(LARGE_AT_ONCE + 1, bytes).await, Duration::from_secs(20));
    let request = request("n1");
    let mut first = Vec::new();
    for _ in 0..LARGE_AT_ONCE {
        first.push(client.send(Provider::JustOneApi, &request).await);
    }
    assert!(first.iter().all(|it| it.turn.is_some() && it.body.len() == bytes));
    let mut next = std::pin::pin!(client.send(Provider::JustOneApi, &request));
    assert!(timeout(Duration::from_millis(500), &mut next).await.is_err(), "it waits");
    first.clear();
    let next = next.await;
    assert_eq!((next.body.len(), next.error), (bytes, None));
}
