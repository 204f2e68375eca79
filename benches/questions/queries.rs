//! The queries: as documented in the README, and hand-written over the best tables.

use super::archive::{END, HOUR, Size};
use super::database::Database;

/// A query in both variants.
pub(crate) struct Question {
    pub(crate) what: &'static str,
    /// Through the views: one text for both databases.
    pub(crate) ours: String,
    pub(crate) best: String,
}

pub(crate) fn questions(database: &Database, size: Size) -> Vec<Question> {
    let [by_hand, through_view] = daily(size);
    vec![latest(size), series(database, size), movers(database, size), by_hand, through_view]
}

fn latest(size: Size) -> Question {
    let ids = size.thousand_ids();
    Question {
        what: "latest counts of 1,000 notes",
        ours: format!(
            "select item_id, likes, comments, collects, shares, views
             from engagement_latest where item_id in ({ids})"
        ),
        best: format!(
            "select n.note_id, l.likes, l.comments, l.collects, l.shares, l.views
             from notes n join best_latest l on l.item_key = n.item_key
             where n.note_id in ({ids})"
        ),
    }
}

fn series(database: &Database, size: Size) -> Question {
    let id = size.id(size.notes / 2);
    let table = database.pick("snapshots", "best_snapshots");
    Question {
        what: "the whole series of a note",
        ours: format!(
            "select observed_at, likes, comments, collects, shares, views
             from engagement where item_id = '{id}' order by observed_at"
        ),
        best: format!(
            "select observed_at, likes, comments, collects, shares, views
             from {table} where item_key = (select item_key from notes where note_id = '{id}')
             order by observed_at"
        ),
    }
}

fn movers(database: &Database, size: Size) -> Question {
    // The latest observation, and those of the hour up to a day before it.
    let (notes, campaign) = (size.notes, size.campaign);
    let until = END + (notes + campaign) * 1000 - 24 * HOUR;
    let from = until - HOUR;
    Question {
        what: "top 50 by likes gained in 24 h",
        ours: "select item_id, likes, likes_delta from engagement_24h where likes_delta is not null
               order by likes_delta desc, item_id limit 50"
            .to_owned(),
        best: database.pick(
            format!(
                "select note_id, likes, grew
                 from (select n.note_id, l.likes, l.likes - (
                           select likes from snapshots s
                           where s.item_key = l.item_key and s.observed_at <= {until}
                           order by s.observed_at desc limit 1) as grew
                       from best_latest l join notes n on n.item_key = l.item_key) as moved
                 where grew is not null order by grew desc, note_id limit 50"
            ),
            format!(
                "select n.note_id, l.likes, l.likes - s.likes as grew
                 from best_snapshots s join best_latest l on l.item_key = s.item_key
                 join notes n on n.item_key = s.item_key
                 where s.observed_at > to_timestamp({from} / 1000000.0)
                   and s.observed_at <= to_timestamp({until} / 1000000.0)
                 order by grew desc, n.note_id limit 50"
            ),
        ),
    }
}

/// The documented variant for many items, and the obvious one.
fn daily(size: Size) -> [Question; 2] {
    let ids = size.campaign_ids();
    let gains = |days: &str| {
        format!(
            "select * from (
                 select n.note_id, d.day, d.likes,
                        d.likes - lag(d.likes) over (partition by n.note_id order by d.day) as grew
                 from notes n join {days} d on d.item_key = n.item_key
                 where n.note_id in ({ids})) as gains
             where day > '2026-03-01'"
        )
    };
    let (what, best) = ("daily gains of 200 notes over 30 days", gains("best_days"));
    let view = format!(
        "select item_id, day, likes_delta, likes
         from engagement_daily where item_id in ({ids}) and day > '2026-03-01'"
    );
    [
        Question { what, ours: gains("days"), best: best.clone() },
        Question { what: "the same, through engagement_daily", ours: view, best },
    ]
}
