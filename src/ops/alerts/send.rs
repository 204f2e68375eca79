//! Sends a message once. The address is a secret and appears in no error.

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;
use secrecy::ExposeSecret as _;
use url::Url;

use super::message::{self, Letter};
use super::text::Message;
use crate::api::client::{Scrubber, describe, http_client};
use crate::config::Alert;
use crate::time::Time;

/// Timeout of a webhook.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes read of an answer, which says whether the message was accepted.
const MAX_ANSWER: usize = 16 * 1024;

/// Shorter parts of an address are not redacted: any text may contain them.
const MIN_SECRET_LEN: usize = 6;

/// The HTTP client of alerts without a proxy.
pub(super) struct Sender {
    http: reqwest::Client,
}

impl Sender {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { http: http_client(None)? })
    }

    /// Sends a message; the error says why it was not delivered.
    pub(super) async fn send(
        &self,
        alert: &Alert,
        message: &Message<'_>,
        zone: Tz,
    ) -> Result<(), String> {
        self.post(alert, message::letter(alert, message, zone)).await
    }

    /// Sends a test message.
    pub(super) async fn send_test(&self, alert: &Alert, zone: Tz, now: Time) -> Result<(), String> {
        self.post(alert, message::test_letter(alert, zone, now)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sends alerts")]
    async fn post(&self, alert: &Alert, letter: Option<Letter>) -> Result<(), String> {
        let Some(Letter { url, body }) = letter else {
            return Err("it has no address".to_owned());
        };
        let http = match &alert.proxy {
            Some(proxy) => http_client(Some(proxy)).map_err(|error| error.to_string())?,
            None => self.http.clone(),
        };
        let request = http
            .post(url.clone())
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string())
            .timeout(TIMEOUT);
        let answer = match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Err(error),
        };
        let refusal = match answer {
            Ok((status, text)) => message::refusal(alert.webhook, status, &text),
            Err(error) => Some(describe(error)),
        };
        refusal.map_or(Ok(()), |refusal| Err(redact(alert, &url, &refusal)))
    }
}

async fn read(mut response: reqwest::Response) -> Result<(u16, String), reqwest::Error> {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// Redacts the parts of the address, the key and the credentials of the proxy, which an answer may
/// repeat.
fn redact(alert: &Alert, url: &Url, text: &str) -> String {
    let in_path = url.path_segments().into_iter().flatten().map(str::to_owned);
    let in_query = url.query_pairs().map(|(_, value)| value.into_owned());
    let key = alert.sign.as_ref().map(|key| key.expose_secret().to_owned());
    let proxy = alert.proxy.as_ref().and_then(|proxy| proxy.auth.as_ref());
    let proxy = proxy.map(|auth| auth.expose_secret().to_owned());
    let mut secrets: Vec<String> = in_path.chain(in_query).chain(key).chain(proxy).collect();
    secrets.retain(|secret| secret.len() >= MIN_SECRET_LEN);
    // Longest first: a secret may be part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    Scrubber::of(secrets.iter().map(String::as_str)).text(text)
}
