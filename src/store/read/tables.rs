//! Reports: small tables about items, KOLs, keywords, jobs, spend and coverage.

use anyhow::Result;
use sqlx::AssertSqlSafe;

use crate::model::catalogue::ColumnType;
use crate::store::db::{Tx, fetch_optional};
use crate::store::sql::{Span, Table, TimeColumn, columns, from_postgres, from_sqlite};
use crate::time::Time;

/// A count by which items are ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Likes.
    Likes,
    /// Comments.
    Comments,
    /// Collects.
    Collects,
    /// Shares.
    Shares,
    /// Views; plays of a work.
    Views,
}

impl Metric {
    /// Its column.
    fn column(self) -> &'static str {
        match self {
            Self::Likes => "likes",
            Self::Comments => "comments",
            Self::Collects => "collects",
            Self::Shares => "shares",
            Self::Views => "views",
        }
    }
}

#[derive(sqlx::FromRow)]
struct Latest {
    at: Option<Time>,
}

#[derive(sqlx::FromRow)]
struct Reach {
    first_at: Option<Time>,
    last_at: Option<Time>,
}

/// Condition on an item: platform and id are bound.
const ITEM: &str = "platform = $1 and item_id = $2";

impl Tx {
    /// Facts of an item; no row if it is unknown.
    pub async fn facts_of_item(&mut self, platform: &str, id: &str) -> Result<Table> {
        self.table(&format!("select * from items where {ITEM}"), &[platform, id]).await
    }

    /// The latest counts of an item.
    pub async fn item_latest(&mut self, platform: &str, id: &str) -> Result<Table> {
        self.table(&format!("select * from engagement_latest where {ITEM}"), &[platform, id]).await
    }

    /// Counts of an item at the ages of the view `engagement_growth`.
    pub async fn item_growth(&mut self, platform: &str, id: &str) -> Result<Table> {
        let sql = format!("select * from engagement_growth where {ITEM} order by age_hours");
        self.table(&sql, &[platform, id]).await
    }

    /// Events of an item.
    pub async fn item_timeline(&mut self, platform: &str, id: &str) -> Result<Table> {
        let sql = format!("select * from timeline where {ITEM} order by at, event");
        self.table(&sql, &[platform, id]).await
    }

    /// The last observation of an item on each day of the span.
    pub async fn item_days(&mut self, platform: &str, id: &str, span: Span) -> Result<Table> {
        let select = format!("select * from engagement_daily where {ITEM}");
        self.table_within(&select, TimeColumn::Day, span, "order by day", &[platform, id]).await
    }

    /// Every observation of an item in the span.
    pub async fn item_curve(&mut self, platform: &str, id: &str, span: Span) -> Result<Table> {
        let select = format!("select * from engagement where {ITEM}");
        let when = TimeColumn::At("observed_at");
        self.table_within(&select, when, span, "order by observed_at", &[platform, id]).await
    }

    /// Facts of a KOL; no row if it is unknown.
    pub async fn facts_of_kol(&mut self, id: &str) -> Result<Table> {
        let sql = "select kol_id, nickname, red_id, gender, location, level, mcn_name, low_active,
                          picture_price, video_price, first_seen_at, last_seen_at, document_id
                   from kols where kol_id = $1";
        self.table(sql, &[id]).await
    }

    /// Prices and reach of a KOL at each observation in the span.
    pub async fn history_of_kol(&mut self, id: &str, span: Span) -> Result<Table> {
        let (select, when) =
            ("select * from kol_value where kol_id = $1", TimeColumn::At("observed_at"));
        self.table_within(select, when, span, "order by observed_at", &[id]).await
    }

    /// Rank of each suggestion for a keyword at each observation in the span.
    pub async fn keyword_history(&mut self, keyword: &str, span: Span) -> Result<Table> {
        let select = "select * from keyword_ranks where keyword = $1";
        let order = "order by observed_at, rank, suggestion";
        self.table_within(select, TimeColumn::At("observed_at"), span, order, &[keyword]).await
    }

    /// The items that grew most in the span: from the last observation before it, or the first one
    /// in it, to the last one in it; doubtful ones are passed over. An item observed once has not
    /// grown.
    pub async fn top_movers(
        &mut self,
        metric: Metric,
        since: Time,
        until: Time,
        most: u32,
    ) -> Result<Table> {
        let count = metric.column();
        let (since, until) = match self {
            // Differs by necessity: times are text or integers in SQLite.
            Self::Sqlite(_) => (since.micros().to_string(), until.micros().to_string()),
            Self::Postgres(_) => (format!("'{since}+00'"), format!("'{until}+00'")),
        };
        let sql = format!(
            "select k.platform, k.item_id, 
                    coalesce(nullif(n.title, ''), n.body, nullif(w.title, ''), w.body) as title,
                    b.observed_at as from_at, e.observed_at as to_at,
                    b.{count} as count_before, e.{count} as count_after, e.{count} - b.{count} as growth
             from item_keys k
             join snapshots e on e.item_key = k.item_key and e.observed_at = (
                 select max(observed_at) from snapshots
                 where item_key = k.item_key and observed_at < {until}
                   and coalesce(suspect, 'fell') = 'fell')
             join snapshots b on b.item_key = k.item_key and b.observed_at = coalesce((
                 select max(observed_at) from snapshots
                 where item_key = k.item_key and observed_at <= {since}
                   and coalesce(suspect, 'fell') = 'fell'), (
                 select min(observed_at) from snapshots
                 where item_key = k.item_key and coalesce(suspect, 'fell') = 'fell'))
             left join notes n on n.item_key = k.item_key
             left join works w on w.item_key = k.item_key
             where e.observed_at > {since} and e.observed_at > b.observed_at
               and e.{count} - b.{count} is not null
             order by growth desc, k.platform, k.item_id limit {most}"
        );
        self.table(&sql, &[]).await
    }

    /// Facts of a job; no row if the name is unknown.
    pub async fn facts_of_job(&mut self, name: &str) -> Result<Table> {
        let sql = "select name, kind, schedule, timezone, is_active, fired_through,
                          (select max(due_at) from job_runs r where r.job_id = j.job_id) as last_due_at
                   from jobs j where name = $1";
        self.table(sql, &[name]).await
    }

    /// Targets of a job, those included that left the watchlist after a slot in the span: their
    /// latest counts, and their slots at the job's fires by outcome.
    pub async fn job_targets_report(&mut self, name: &str, span: Span) -> Result<Table> {
        let terms = span.conditions(TimeColumn::At("s.due_at"), matches!(self, Self::Sqlite(_)));
        let terms = [
            vec!["j.name = $1 and (jt.removed_at is null or r.due_at <= jt.removed_at)".to_owned()],
            terms,
        ]
        .concat();
        // The slots are a subquery: a job without slots in the span has its targets all the same.
        let conditions = terms.join(" and ");
        let sums = ["due", "observed", "missed", "open"]
            .map(|name| format!("cast(coalesce(sum(l.{name}), 0) as bigint) as {name}"))
            .join(", ");
        let sql = format!(
            "select t.kind, t.key, t.item_id,
                    coalesce(nullif(n.title, ''), n.body, nullif(w.title, ''), w.body) as title,
                    e.observed_at, e.likes, e.comments, e.collects, e.shares, e.views,
                    t.due, t.observed, t.missed, t.open
             from (
                 -- A link and the item behind it are one.
                 select t.kind, min(t.key) as key, t.item_id, {sums}
                 from jobs j
                 join job_targets jt on jt.job_id = j.job_id
                 join targets t on t.target_id = jt.target_id
                 left join (
                     select s.target_id, count(*) as due,
                            count(case when s.outcome = 'observed' then 1 end) as observed,
                            count(case when s.outcome = 'missed' then 1 end) as missed,
                            count(*) - count(s.outcome) as open
                     from jobs j join job_targets jt on jt.job_id = j.job_id
                     join job_runs r on r.job_id = j.job_id
                     join slots s on s.target_id = jt.target_id and s.due_at = r.due_at
                     where {conditions} group by s.target_id) l on l.target_id = t.target_id
                 where j.name = $1 and (jt.removed_at is null or l.due > 0)
                 group by t.kind, t.item_id, coalesce(t.item_id, t.key)) t
             left join notes n on t.kind = 'note' and n.note_id = t.item_id
             left join works w on t.kind = 'work' and w.work_id = t.item_id
             left join engagement_latest e on e.item_id = t.item_id and e.platform =
                  case t.kind when 'note' then 'xiaohongshu' when 'work' then 'douyin' end
             order by t.kind, t.key"
        );
        self.table(&sql, &[name]).await
    }

    /// Spend in the span, by day, job and endpoint.
    pub async fn spend(&mut self, span: Span) -> Result<Table> {
        let select = "select * from spend where true";
        self.table_within(select, TimeColumn::Day, span, "order by day, job, origin, endpoint", &[])
            .await
    }

    /// Spend in the span by day, or by month, of the archive's zone.
    pub async fn spend_totals(&mut self, by_month: bool, span: Span) -> Result<Table> {
        let period = if by_month { "substr(day, 1, 7) as month" } else { "day" };
        let sums = ["calls", "billed", "unknown", "unpriced", "cost_micros"]
            .map(|name| format!("cast(sum({name}) as bigint) as {name}"))
            .join(", ");
        let select = format!("select {period}, {sums} from spend where true");
        self.table_within(&select, TimeColumn::Day, span, "group by 1 order by 1", &[]).await
    }

    /// Slots of the span by outcome and day.
    pub async fn coverage(&mut self, span: Span) -> Result<Table> {
        let select = "select day, cast(sum(due) as bigint) as due,
                             cast(sum(observed) as bigint) as observed,
                             cast(sum(missed) as bigint) as missed, cast(sum(open) as bigint) as open
                      from coverage where true";
        self.table_within(select, TimeColumn::Day, span, "group by day order by day", &[]).await
    }

    /// Missed slots of the span by day and reason.
    pub async fn coverage_reasons(&mut self, span: Span) -> Result<Table> {
        let select = "select day, reason, cast(sum(slots) as bigint) as slots
                      from coverage_reasons where true";
        let order = "group by day, reason order by day, 3 desc, reason";
        self.table_within(select, TimeColumn::Day, span, order, &[]).await
    }

    /// Time of the latest call or observation in the archive.
    pub async fn latest_at(&mut self) -> Result<Option<Time>> {
        let latest = fetch_optional!(
            self,
            Latest,
            "select max(at) as at
             from (select max(opened_at) as at from calls
                   union all select max(observed_at) from engagement_latest) as latest"
        );
        Ok(latest.and_then(|latest| latest.at))
    }

    /// Times of the first and the last call; `None` in an archive without calls.
    pub async fn reach(&mut self) -> Result<Option<(Time, Time)>> {
        let reach = fetch_optional!(
            self,
            Reach,
            "select (select min(opened_at) from calls) as first_at,
                    (select max(opened_at) from calls) as last_at"
        );
        Ok(reach.and_then(|reach| reach.first_at.zip(reach.last_at)))
    }

    /// A statement whose conditions end with those of a span, and what follows them.
    async fn table_within(
        &mut self,
        select: &str,
        when: TimeColumn,
        span: Span,
        rest: &str,
        texts: &[&str],
    ) -> Result<Table> {
        let terms = span.conditions(when, matches!(self, Self::Sqlite(_)));
        let terms: String = terms.iter().map(|term| format!(" and {term}")).collect();
        self.table(&format!("{select}{terms} {rest}"), texts).await
    }

    /// All rows of a statement with bound texts.
    async fn table(&mut self, sql: &str, texts: &[&str]) -> Result<Table> {
        let columns = self.describe(sql).await?;
        let sql = AssertSqlSafe(sql);
        let rows = match self {
            #[expect(clippy::disallowed_methods, reason = "columns of any type")]
            Self::Sqlite(tx) => {
                let query = texts.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                let rows = query.fetch_all(&mut **tx).await?;
                let types: Vec<_> =
                    columns.iter().map(|column| column_type(&column.name)).collect();
                let read = |row| {
                    types.iter().enumerate().map(|(n, it)| from_sqlite(row, n, *it)).collect()
                };
                rows.iter().map(read).collect::<Result<_>>()?
            }
            #[expect(clippy::disallowed_methods, reason = "columns of any type")]
            Self::Postgres(tx) => {
                let query = texts.iter().fold(sqlx::query(sql), |query, text| query.bind(*text));
                let rows = query.fetch_all(&mut **tx).await?;
                let read = |row| (0..columns.len()).map(|n| from_postgres(row, n)).collect();
                rows.iter().map(read).collect::<Result<_>>()?
            }
        };
        Ok(Table { columns, rows })
    }
}

fn column_type(name: &str) -> Option<ColumnType> {
    Some(columns::by_name(name))
}
