//! Static assets of the page, served from the program itself; nothing is loaded from elsewhere.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// How long browsers may cache them.
const KEEP: &str = "private, max-age=600";

/// An asset by name.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "page.css" => (STYLE, include_str!("assets/page.css")),
        "page.js" => (SCRIPT, include_str!("assets/page.js")),
        "uPlot.css" => (STYLE, include_str!("assets/uplot/uPlot.min.css")),
        "uPlot.js" => (SCRIPT, include_str!("assets/uplot/uPlot.iife.min.js")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEEP)], text).into_response()
}
