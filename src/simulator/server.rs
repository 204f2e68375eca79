//! The HTTP handler: parses a call, applies the faults and answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{Response, StatusCode, Uri, header};

use super::Options;
use super::catalogue::work_id_in;
use super::content::Content;
use super::fault::Fault;
use super::faults::Faults;
use super::reply::Reply;
use super::rng::Rng;
use super::route::{BadRequest, Call, Endpoint};
use super::truth::{Truth, TruthRow};
use super::wire::Cutter;
use super::world::World;
use crate::time::Time;

/// State shared by all connections.
pub(super) struct Server {
    pub(super) world: World,
    pub(super) options: Options,
    pub(super) start: Time,
    pub(super) port: u16,
    ledger: Mutex<Ledger>,
}

/// State that changes with every call.
struct Ledger {
    faults: Faults,
    /// Calls so far, by endpoint, key and page.
    calls: HashMap<CallKey, u64>,
    /// Complete answers so far; with a step, they determine the time shown.
    answered: HashMap<CallKey, u32>,
    truth: Truth,
}

type CallKey = (Endpoint, String, Option<usize>);

impl Server {
    pub(super) fn new(
        options: Options,
        world: World,
        start: Time,
        port: u16,
        truth: Truth,
    ) -> Self {
        let faults = options.faults.clone();
        let ledger = Ledger { faults, calls: HashMap::new(), answered: HashMap::new(), truth };
        Self { world, options, start, port, ledger: Mutex::new(ledger) }
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.ledger().faults = faults;
    }

    pub(super) fn truth(&self) -> Vec<TruthRow> {
        self.ledger().truth.rows()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to `uri`, recorded before this returns.
    pub(super) fn answer(&self, uri: &Uri) -> Reply {
        let now = self.options.clock.now();
        let Some(endpoint) = Endpoint::at(uri.path()) else {
            let reply = self.replay(uri.path()).unwrap_or_else(|| Reply::code(404, true, now));
            return self.record(reply, row(uri.path(), None, now));
        };
        let mut call = Call::new(endpoint, uri.path(), uri.query().unwrap_or_default());
        call.target = uri.to_string();
        let row = row(uri.path(), Some(&call), now);
        if let Some(reply) = self.replay(uri.path()).or_else(|| self.refusal(&call, now)) {
            return self.record(reply, row);
        }
        let (fault, seen_at) = self.fault_and_time(&call, now);
        let reply = self.with_fault(&call, fault, seen_at);
        self.record(reply, TruthRow { seen_at, fault: fault.map(|fault| fault.to_string()), ..row })
    }

    /// A refusal that needs no content.
    fn refusal(&self, call: &Call, now: Time) -> Option<Reply> {
        if call.endpoint == Endpoint::Amagi {
            let asked = call.query.contains_key(self.options.amagi.parameter());
            return (!asked).then(|| Reply::amagi_refusal(call, self.options.amagi));
        }
        if call.query.get("token") != Some(&self.options.token) {
            return Some(Reply::code(100, true, now));
        }
        match call.check() {
            Ok(()) => None,
            Err(BadRequest::Missing) => Some(Reply::missing(call, now)),
            Err(BadRequest::Invalid) => Some(Reply::code(400, true, now)),
        }
    }

    /// The fault of a call, and the time of the world it shows.
    fn fault_and_time(&self, call: &Call, now: Time) -> (Option<Fault>, Time) {
        let call_key = (call.endpoint, call.key.clone(), call.page);
        let mut ledger = self.ledger();
        let nth = ledger.calls.entry(call_key.clone()).or_default();
        *nth += 1;
        let nth = *nth;
        let fault = ledger.faults.fault_of(self.options.seed, call.endpoint, &call.key, nth);
        let Some(step) = self.options.step else {
            return (fault, now);
        };
        let answered = ledger.answered.entry(call_key).or_default();
        let seen_at = self.start.plus(step.saturating_mul(*answered));
        *answered += u32::from(fault.is_none_or(Fault::is_answered));
        (fault, seen_at)
    }

    /// The answer to a valid call with `fault`.
    fn with_fault(&self, call: &Call, fault: Option<Fault>, at: Time) -> Reply {
        let form = self.options.amagi;
        let amagi = call.endpoint == Endpoint::Amagi;
        let success =
            |call: &Call| Reply::success(call, Content::of(&self.world, call, at), form, at);
        match fault {
            None if amagi
                && work_id_in(&call.key).is_none()
                && !call.key.contains("v.douyin.com/") =>
            {
                Reply::amagi_failure(call, Fault::DeadCookie, form)
            }
            None => success(call),
            Some(fault @ (Fault::Code(_) | Fault::Risk | Fault::DeadCookie)) if amagi => {
                Reply::amagi_failure(call, fault, form)
            }
            Some(Fault::Code(code)) => Reply::code(code, self.coin(call, at), at),
            Some(Fault::Risk | Fault::DeadCookie) => Reply::code(500, true, at),
            Some(Fault::NotJson) => Reply::page(502),
            Some(Fault::Page(status)) => Reply::page(status),
            Some(Fault::Redirect) => Reply::redirect(call, self.port),
            Some(Fault::Empty) => {
                Reply::success(call, Content::nothing(&self.world, call, at), form, at)
            }
            Some(Fault::Gone) => {
                Reply::success(call, Content::gone(&self.world, call, at), form, at)
            }
            Some(Fault::WrongId) => success(&call.about_another()).apply(Fault::WrongId, call),
            // Whether a call without an answer was billed is unknown: half of them are.
            Some(Fault::Drop) => {
                let reply = success(call).apply(Fault::Drop, call);
                Reply { code: None, billed: reply.billed && self.coin(call, at), ..reply }
            }
            Some(fault) => success(call).apply(fault, call),
        }
    }

    fn coin(&self, call: &Call, at: Time) -> bool {
        Rng::of(self.options.seed, &["coin", &call.key, &at.micros().to_string()]).chance(500)
    }

    fn replay(&self, path: &str) -> Option<Reply> {
        let replay = self.options.replay.iter().find(|replay| replay.path == path)?;
        Some(Reply::new(replay.status, replay.body.clone()))
    }

    fn record(&self, mut reply: Reply, row: TruthRow) -> Reply {
        let content = reply.content.take().unwrap_or_default();
        self.ledger().truth.record(TruthRow {
            status: reply.status,
            code: reply.code,
            billed: reply.billed,
            metrics: content.metrics,
            items: content.items,
            ..row
        });
        reply
    }
}

fn row(path: &str, call: Option<&Call>, now: Time) -> TruthRow {
    TruthRow {
        n: 0,
        at: now,
        seen_at: now,
        path: path.to_owned(),
        endpoint: call.map(|call| call.endpoint.as_str()),
        key: call.map(|call| call.key.clone()).unwrap_or_default(),
        page: call.and_then(|call| call.page),
        status: None,
        code: None,
        fault: None,
        billed: false,
        metrics: Default::default(),
        items: Vec::new(),
    }
}

/// Answers a request on the connection that `cutter` can cut.
pub(super) async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    uri: Uri,
) -> Response<Body> {
    let reply = server.answer(&uri);
    tokio::time::sleep(server.options.latency + reply.delay).await;
    if let Some(bytes) = reply.cut_after {
        cutter.cut_after(bytes);
    }
    let status = reply.status.and_then(|status| StatusCode::from_u16(status).ok());
    let kind = if reply.html { "text/html" } else { "application/json" };
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(location) = reply.location.and_then(|location| location.parse().ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}
