//! The web page: a read-only view of the archive, rendered on the server except for the curves,
//! which a script draws.

mod assets;
mod attempts;
mod compare;
mod curve;
mod document;
mod format;
mod guard;
mod home;
mod item;
mod job;
mod keywords;
mod kols;
mod plain;
mod problems;
mod search;
mod series;
mod svg;
mod texts;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use chrono_tz::Tz;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::view::{Answer, View, Visit};
use crate::config::Config;
use crate::model::Platform;
use crate::ops::listener::{Bounded, Peer};
use crate::store::{Store, Tx};
use crate::time::Clock;

pub use guard::Guard;

/// An archive whose last call is older is shown as of that call.
const ASLEEP: Duration = Duration::from_secs(24 * 3600);

/// Connections at once; browsers open up to six each.
const CONNECTIONS: usize = 64;

/// Shared state of the pages.
#[derive(Clone, Debug)]
pub struct Page {
    /// The archive, opened read-only.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// The settings, for the budget.
    pub settings: watch::Receiver<Arc<Config>>,
}

/// Binds the port.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow!(
            "cannot serve the page on {address}: {error}; choose another port, or end the program that \
             has it"
        )
    })
}

impl Page {
    /// Serves the requests that `guard` accepts until the listener fails; with `/metrics` where
    /// there are any.
    pub async fn serve(
        self,
        guard: Guard,
        listener: TcpListener,
        metrics: Option<Router>,
    ) -> Result<()> {
        let router = self.router(guard, metrics.unwrap_or_default());
        let service = router.into_make_service_with_connect_info::<Peer>();
        axum::serve(Bounded::new(listener, CONNECTIONS), service)
            .await
            .context("the page's server failed")
    }

    fn router(self, guard: Guard, metrics: Router) -> Router {
        Router::new()
            .route("/", get(home::page))
            .route("/note/{id}", get(async |it, id, visit| item::page(NOTE, it, id, visit).await))
            .route("/work/{id}", get(async |it, id, visit| item::page(WORK, it, id, visit).await))
            .route(
                "/note/{id}/series",
                get(async |it, id, visit| item::series(NOTE, it, id, visit).await),
            )
            .route(
                "/work/{id}/series",
                get(async |it, id, visit| item::series(WORK, it, id, visit).await),
            )
            .route("/document/{id}", get(document::page))
            .route("/job/{name}", get(job::page))
            .route("/compare", get(compare::page))
            .route("/compare/series", get(compare::series))
            .route("/keywords", get(keywords::list))
            .route("/keyword/{word}", get(keywords::page))
            .route("/kols", get(kols::list))
            .route("/kol/{id}", get(kols::page))
            .route("/kol/{id}/series", get(kols::series))
            .route("/search", get(search::page))
            .route("/assets/{name}", get(assets::asset))
            .fallback(async |visit: Visit| -> Answer { Err(view::not_found(&visit)) })
            .with_state(self)
            .merge(metrics)
            .layer(from_fn_with_state(Arc::new(guard::Watch::new(guard)), guard::watch))
    }

    /// Opens a read transaction and the state common to all pages.
    async fn open(&self, visit: Visit) -> Result<(View, Tx)> {
        let mut tx = self.store.read().await?;
        let zone = tx.zone_name().await?.and_then(|name| name.parse().ok());
        let now = self.clock.now();
        let last = tx.last_call_at().await?.unwrap_or(now);
        let as_of = if now.since(last) > ASLEEP { last } else { now };
        Ok((View { visit, zone: zone.unwrap_or(Tz::Asia__Shanghai), now, as_of }, tx))
    }
}

const NOTE: Platform = Platform::Xiaohongshu;
const WORK: Platform = Platform::Douyin;

/// The URL segment of a platform's items.
fn item_word(platform: Platform) -> &'static str {
    match platform {
        Platform::Xiaohongshu => "note",
        Platform::Douyin => "work",
    }
}

/// The platform of a URL segment.
fn platform_of(word: &str) -> Option<Platform> {
    [NOTE, WORK].into_iter().find(|platform| item_word(*platform) == word)
}
