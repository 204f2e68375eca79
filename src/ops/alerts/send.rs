//! Sends a message once. The address is a password: it is in no error.

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

/// How long a webhook may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What is read of an answer, in bytes: it says whether the message was taken.
const MOST_READ: usize = 16 * 1024;

/// Parts of an address that are shorter than this are found in any text.
const SHORTEST_SECRET: usize = 6;

/// Sends to webhooks.
pub(super) struct Sender {
    http: reqwest::Client,
}

impl Sender {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { http: http_client()? })
    }

    /// Sends a message; why it was not taken, if it was not.
    pub(super) async fn send(
        &self,
        alert: &Alert,
        message: &Message<'_>,
        zone: Tz,
    ) -> Result<(), String> {
        self.post(alert, message::letter(alert, message, zone)).await
    }

    /// The same with a message that says that it is a test.
    pub(super) async fn send_test(&self, alert: &Alert, zone: Tz, now: Time) -> Result<(), String> {
        self.post(alert, message::test_letter(alert, zone, now)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sends alerts")]
    async fn post(&self, alert: &Alert, letter: Option<Letter>) -> Result<(), String> {
        let Some(Letter { url, body }) = letter else {
            return Err("it has no address".to_owned());
        };
        let request = self
            .http
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
        refusal.map_or(Ok(()), |refusal| Err(without_secrets(alert, &url, &refusal)))
    }
}

async fn read(mut response: reqwest::Response) -> Result<(u16, String), reqwest::Error> {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    while bytes.len() < MOST_READ
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

/// A text without the parts of the address, and without the key, which an answer may repeat.
fn without_secrets(alert: &Alert, url: &Url, text: &str) -> String {
    let in_path = url.path_segments().into_iter().flatten().map(str::to_owned);
    let in_query = url.query_pairs().map(|(_, value)| value.into_owned());
    let key = alert.sign.as_ref().map(|key| key.expose_secret().to_owned());
    let mut secrets: Vec<String> = in_path.chain(in_query).chain(key).collect();
    secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
    // Whole secrets first, then those that are part of others.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| Scrubber::of(Some(secret)).text(&text))
}
