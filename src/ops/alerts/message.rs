//! Messages in the format of each kind of webhook, pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono_tz::Tz;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::text::{self, Message};
use crate::config::{Alert, Webhook};
use crate::time::Time;

/// Most findings in the JSON of a generic webhook.
const MOST_LISTED: usize = 100;

/// A request to a webhook.
pub(super) struct Letter {
    pub(super) url: Url,
    pub(super) body: Value,
}

/// The request of a message. `None` when the alert has no address.
pub(super) fn letter(alert: &Alert, message: &Message<'_>, zone: Tz) -> Option<Letter> {
    let text = text::of(message, alert, zone);
    let state = if message.resolved { "resolved" } else { "raised" };
    let list = message.rows.iter().take(MOST_LISTED).map(|row| {
        json!({
            "subject": row.subject,
            "detail": row.detail,
            "since": row.since,
            "resolved_at": row.resolved_at,
        })
    });
    let extra = json!({
        "source": "tidewatch",
        "state": state,
        "condition": message.condition.as_str(),
        "count": message.rows.len(),
        "alerts": list.collect::<Vec<_>>(),
    });
    addressed(alert, &text, extra, message.at)
}

/// The request of a test message.
pub(super) fn test_letter(alert: &Alert, zone: Tz, at: Time) -> Option<Letter> {
    let text = text::test(alert, zone, at);
    addressed(alert, &text, json!({ "source": "tidewatch", "state": "test" }), at)
}

/// `extra` is for generic webhooks, which accept more than text.
fn addressed(alert: &Alert, text: &str, extra: Value, at: Time) -> Option<Letter> {
    let mut url = Url::parse(alert.url.as_ref()?.expose_secret()).ok()?;
    let body = match alert.webhook {
        Webhook::Generic => {
            let mut body = extra;
            body["text"] = text.into();
            body["at"] = json!(at);
            body
        }
        Webhook::Feishu => {
            let mut body = json!({ "msg_type": "text", "content": { "text": text } });
            if let Some(key) = &alert.sign {
                let seconds = (at.micros() / 1_000_000).to_string();
                // Feishu signs an empty text, with timestamp and secret as the key.
                body["sign"] = sign(&format!("{seconds}\n{}", key.expose_secret()), "").into();
                body["timestamp"] = seconds.into();
            }
            body
        }
        Webhook::DingTalk => {
            if let Some(key) = &alert.sign {
                let millis = (at.micros() / 1_000).to_string();
                let signature = dingtalk_sign(&millis, key);
                url.query_pairs_mut()
                    .append_pair("timestamp", &millis)
                    .append_pair("sign", &signature);
            }
            json!({ "msgtype": "text", "text": { "content": text } })
        }
        Webhook::WeCom => json!({ "msgtype": "text", "text": { "content": text } }),
    };
    Some(Letter { url, body })
}

fn dingtalk_sign(millis: &str, key: &SecretString) -> String {
    let key = key.expose_secret();
    sign(key, &format!("{millis}\n{key}"))
}

fn sign(key: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new(); // HMAC accepts keys of any length.
    };
    mac.update(text.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}

/// Why an answer rejects a message; `None` when it accepts it.
pub(super) fn refusal(webhook: Webhook, status: u16, body: &str) -> Option<String> {
    if !(200..300).contains(&status) {
        return Some(format!("HTTP {status}"));
    }
    let keys: &[&str] = match webhook {
        Webhook::Generic => return None,
        Webhook::Feishu => &["code", "StatusCode"],
        Webhook::DingTalk | Webhook::WeCom => &["errcode"],
    };
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match keys.iter().find_map(|key| body[*key].as_i64()) {
        Some(0) if status == 200 => None,
        Some(code) => {
            let message = body["msg"].as_str().or(body["errmsg"].as_str()).unwrap_or_default();
            let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
            Some(format!("code {code}: {message}"))
        }
        None => Some(format!("HTTP {status} without a code: not an answer of such a webhook")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_matches_rfc_4231() {
        // RFC 4231, test case 2.
        assert_eq!(
            sign("Jefe", "what do ya want for nothing?"),
            BASE64.encode([
                0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
                0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
                0x64, 0xec, 0x38, 0x43,
            ])
        );
    }

    #[test]
    fn answer_of_200_with_error_code_is_refusal() {
        use Webhook::{DingTalk, Feishu, Generic, WeCom};
        for (webhook, status, body, taken) in [
            (Generic, 200, "anything", true),
            (Generic, 204, "", true),
            (Generic, 302, "", false),
            (Generic, 500, "", false),
            (Feishu, 200, r#"{"code":0,"msg":"success"}"#, true),
            (Feishu, 200, r#"{"StatusCode":0}"#, true),
            (Feishu, 200, r#"{"code":19024,"msg":"Key Words Not Found"}"#, false),
            (DingTalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, true),
            (DingTalk, 200, r#"{"errcode":310000,"errmsg":"sign not match"}"#, false),
            (WeCom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, true),
            (WeCom, 200, r#"{"errcode":93000}"#, false),
            (WeCom, 200, "<html>", false),
            (WeCom, 500, r#"{"errcode":0}"#, false),
        ] {
            let refusal = refusal(webhook, status, body);
            assert_eq!(refusal.is_none(), taken, "{webhook:?} {status} {body}: {refusal:?}");
        }
    }
}
