//! HTTP replies: envelopes, statuses, and the effects of faults on them.

use std::time::Duration;

use serde_json::{Value, json};

use super::amagi::Amagi;
use super::content::Content;
use super::fault::Fault;
use super::rng::Rng;
use super::route::{Call, Endpoint};
use crate::time::Time;

/// Padding of a huge answer, in bytes.
const HUGE: usize = 48 << 20;

/// Approximate length of a reply's head: a cut comes after it, inside the body.
const HEAD: usize = 120;

/// A reply ready to be sent.
pub(super) struct Reply {
    /// `None` if the connection closes without a reply.
    pub(super) status: Option<u16>,
    pub(super) code: Option<i64>,
    pub(super) body: Vec<u8>,
    pub(super) html: bool,
    pub(super) location: Option<String>,
    pub(super) delay: Duration,
    /// Close the connection after this many bytes.
    pub(super) cut_after: Option<usize>,
    pub(super) billed: bool,
    /// The content, if the answer is complete and about the requested item.
    pub(super) content: Option<Content>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: Some(status),
            code: None,
            body: body.into(),
            html: false,
            location: None,
            delay: Duration::ZERO,
            cut_after: None,
            billed: false,
            content: None,
        }
    }

    fn json(status: u16, code: Option<i64>, body: &Value) -> Self {
        Self { code, ..Self::new(status, body.to_string()) }
    }

    /// A code other than success. Code 301 comes with HTTP 200 or 503, by `coin`.
    pub(super) fn code(code: i64, coin: bool, at: Time) -> Self {
        let (status, message) = match code {
            100 => (401, json!("TOKEN INVALID/UNACTIVATE")),
            101 => (401, Value::Null),
            201 | 202 | 300 => (200, Value::Null),
            301 if coin => (200, json!("COLLECT FAILED, SEND REQUEST AGAIN")),
            301 => (503, json!("COLLECT FAILED, SEND REQUEST AGAIN")),
            302 | 303 => (429, Value::Null),
            400 => (400, json!("INVALID PARAMETERS")),
            404 => (404, json!("NOT FOUND")),
            503 => (503, json!("SERVICE UNAVAILABLE")),
            600 => (403, json!("PERMISSION DENIED")),
            601 => (403, json!("INSUFFICIENT BALANCE")),
            602 => (403, json!("TOKEN SPENDING CAP REACHED")),
            _ => (500, json!("INTERNAL SERVER ERROR")),
        };
        let mut body = json!({ "code": code, "message": message });
        if status != 503 {
            body["data"] = Value::Null;
            body["recordTime"] = if code == 301 { Value::Null } else { record_time(at) };
        }
        Self { billed: code == 201, ..Self::json(status, Some(code), &body) }
    }

    /// A missing parameter: the framework's own answer, without a code.
    pub(super) fn missing(call: &Call, at: Time) -> Self {
        let timestamp = at.utc().format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string();
        let body = json!({ "timestamp": timestamp, "status": 400, "error": "Bad Request",
            "path": call.path });
        Self::json(400, None, &body)
    }

    /// A successful answer with `content`.
    pub(super) fn success(call: &Call, content: Content, form: Amagi, at: Time) -> Self {
        if call.endpoint != Endpoint::Amagi {
            let id = Rng::of(0, &["request", &call.path, &call.key, &at.micros().to_string()])
                .digits(19);
            let body = json!({ "code": 0, "message": null, "data": content.data,
                "recordTime": record_time(at), "requestId": id });
            let reply = Self::json(200, Some(0), &body);
            return Self { billed: true, content: Some(content), ..reply };
        }
        // Only the bare form passes on the platform's own message about a deleted work.
        let reply = match content.filtered {
            Some(reason) if form != Amagi::Bare => {
                let why = format!("获取响应数据失败！原因：{reason}！");
                let body = form.failure("抖音数据获取失败", Some(&why), &call.target);
                Self::json(200, Some(500), &body)
            }
            _ => {
                let (body, code) = form.success(content.data.clone(), &call.target);
                Self::json(200, code, &body)
            }
        };
        Self { content: Some(content), ..reply }
    }

    /// An amagi server's failure.
    pub(super) fn amagi_failure(call: &Call, fault: Fault, form: Amagi) -> Self {
        let (message, description) = match fault {
            Fault::Risk => ("风控拦截", None),
            Fault::DeadCookie => (
                "抖音数据获取失败",
                Some("获取响应数据失败！接口返回内容为空，你的抖音ck可能已经失效！"),
            ),
            _ => ("抖音数据获取失败", None),
        };
        Self::json(200, Some(500), &form.failure(message, description, &call.target))
    }

    /// An amagi server's answer to the parameter of another version.
    pub(super) fn amagi_refusal(call: &Call, form: Amagi) -> Self {
        Self::json(400, Some(400), &form.refusal(&call.target))
    }

    /// A gateway's HTML page.
    pub(super) fn page(status: u16) -> Self {
        let body = format!(
            "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center>\
             </body></html>"
        );
        Self { html: true, ..Self::new(status, body) }
    }

    /// A redirect of the same request to another host, which is this server by another name.
    pub(super) fn redirect(call: &Call, port: u16) -> Self {
        let query = call.target.split_once('?').map_or("", |(_, query)| query);
        let location = format!("http://localhost:{port}/redirected?{query}");
        Self { location: Some(location), ..Self::new(302, "") }
    }

    /// Applies `fault` to the reply. A provider bills what it sent, even if it did not arrive.
    pub(super) fn apply(mut self, fault: Fault, call: &Call) -> Self {
        match fault {
            Fault::Slow(milliseconds) => self.delay = Duration::from_millis(milliseconds),
            Fault::Huge => self.prefix(&format!(r#""padding":"{}","#, "潮".repeat(HUGE / 3))),
            Fault::EchoToken => self.prefix(&format!(r#""requestUrl":{},"#, json!(call.target))),
            Fault::Nul => self.taint(r"\u0000"),
            Fault::Surrogate => self.taint(r"\ud83d"),
            Fault::Duplicate => self.duplicate(),
            Fault::WrongId => self.content = None,
            Fault::Cut => {
                self.cut_after = Some(HEAD + self.body.len() / 2);
                self.content = None;
            }
            Fault::Drop => {
                self.cut_after = Some(0);
                self.status = None;
                self.content = None;
            }
            _ => {}
        }
        self
    }

    /// Inserts a member before all others of the outermost object.
    fn prefix(&mut self, member: &str) {
        self.insert(0, 1, member);
    }

    /// Inserts an escape into the first visible text.
    fn taint(&mut self, escape: &str) {
        let texts = [r#""nickname":""#, r#""text":""#, r#""name":""#];
        match texts.iter().find_map(|key| Some((self.find(key)?, key.len()))) {
            Some((at, length)) => self.insert(at, length, escape),
            None => self.prefix(&format!(r#""note":"{escape}","#)),
        }
    }

    /// Inserts a count of 0 before the real one: of duplicate keys the last one counts.
    fn duplicate(&mut self) {
        let counts = [r#""liked_count":"#, r#""digg_count":"#, r#""fansNum":"#, r#""code":"#];
        if let Some((at, key)) = counts.iter().find_map(|key| Some((self.find(key)?, key))) {
            self.insert(at, 0, &format!("{key}0,"));
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.body.windows(key.len()).position(|window| window == key.as_bytes())
    }

    fn insert(&mut self, at: usize, after: usize, text: &str) {
        let place = (at + after).min(self.body.len());
        self.body.splice(place..place, text.bytes());
    }
}

/// Beijing time without a zone, with as many digits as upstream sends.
fn record_time(at: Time) -> Value {
    let beijing = at.plus(Duration::from_secs(8 * 3600));
    beijing.utc().format("%Y-%m-%dT%H:%M:%S%.9f").to_string().into()
}
