//! What a KOL asks for a note.

use crate::api::json::{self, Json};
use crate::model::Field;

/// From this price on a KOL is not for sale.
const NOT_FOR_SALE: f64 = 9_999_999.0;

/// Yuan a note; empty when not for sale.
pub(super) struct Prices {
    pub(super) picture: Field<f64>,
    pub(super) video: Field<f64>,
    pub(super) lower: Field<f64>,
}

impl Prices {
    pub(super) fn of(kol: Json<'_>) -> Self {
        Self {
            picture: price(kol, "picture"),
            video: price(kol, "video"),
            lower: price(kol, "lower"),
        }
    }
}

/// The price `{what}Price`, judged by `{what}PriceGtZero` and `{what}State` beside it.
pub(super) fn price(kol: Json<'_>, what: &str) -> Field<f64> {
    let Field::Value(price) = json::float(kol, &format!("/{what}Price")) else {
        return Field::Absent;
    };
    let greater_than_zero = json::flag(kol, &format!("/{what}PriceGtZero"));
    if !(0.0..NOT_FOR_SALE).contains(&price) || greater_than_zero == Field::Value(false) {
        return Field::Empty;
    }
    match json::int(kol, &format!("/{what}State")) {
        _ if price > 0.0 => Field::Value(price),
        Field::Value(0) => Field::Empty,
        state => state.map(|_| price),
    }
}
