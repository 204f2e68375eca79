//! The archive's content: notes fetched hourly up to the end of March 2026, and a small campaign
//! fetched for a month.

/// The last observation, in microseconds since 1970: 2026-03-31 00:00 UTC.
pub(crate) const END: i64 = 1_774_915_200_000_000;

/// An hour, in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;

/// Size of an archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Notes outside the campaign.
    pub(crate) notes: i64,
    /// Hours of their observations.
    pub(crate) hours: i64,
    /// Notes of the campaign.
    pub(crate) campaign: i64,
    /// Days of their observations.
    pub(crate) days: i64,
}

impl Default for Size {
    fn default() -> Self {
        Self { notes: 100_000, hours: 100, campaign: 200, days: 30 }
    }
}

impl Size {
    /// Number of snapshots.
    pub(crate) fn snapshots(self) -> i64 {
        self.notes * self.hours + self.campaign * self.days * 24
    }

    /// The id of a note by its number, from 1; the campaign comes last.
    pub(crate) fn id(self, number: i64) -> String {
        format!("69{number:022x}")
    }

    /// The notes of the campaign as a list for `in`.
    pub(crate) fn campaign_ids(self) -> String {
        self.list(self.notes + 1..=self.notes + self.campaign)
    }

    /// Up to a thousand notes from the whole archive as a list for `in`.
    pub(crate) fn thousand_ids(self) -> String {
        let step = (self.notes / 1000).max(1);
        self.list((1..=self.notes).step_by(usize::try_from(step).unwrap_or(1)).take(1000))
    }

    fn list(self, numbers: impl Iterator<Item = i64>) -> String {
        numbers.map(|number| format!("'{}'", self.id(number))).collect::<Vec<_>>().join(", ")
    }

    /// Statements that fill a SQLite file.
    pub(crate) fn sqlite(self) -> Vec<String> {
        let Self { notes, hours, campaign, days } = self;
        let (all, slots) = (notes + campaign, days.max(1) * 24);
        vec![
            format!(
                "with recursive numbers (n) as (
                     select 1 union all select n + 1 from numbers where n < {all})
                 insert into notes (item_key, note_id, published_at, {TRAILER})
                 select n, '69' || printf('%022x', n), '2026-03-01 00:00:00',
                        '2026-03-01 00:00:00', '2026-03-31 00:00:00', '2026-03-01 00:00:00', n, n,
                        '2026-03-01 00:00:00', ''
                 from numbers"
            ),
            KEYS.to_owned(),
            // In key order, as the table is stored.
            format!(
                "with recursive slots (h) as (
                     select 1 union all select h + 1 from slots where h < max({slots}, {hours}))
                 insert into snapshots (item_key, observed_at, document_id, {COUNTS})
                 select item_key, {END} - (max({slots}, {hours}) - h) * {HOUR} + item_key * 1000,
                        h * {all} + item_key, {values}
                 from notes cross join slots
                 where item_key > {notes} and h > max({slots}, {hours}) - {slots}
                    or item_key <= {notes} and h > max({slots}, {hours}) - {hours}",
                values = values("item_key"),
            ),
        ]
    }

    /// Statements that fill a database of PostgreSQL.
    pub(crate) fn postgres(self) -> Vec<String> {
        let Self { notes, hours, campaign, days } = self;
        let (all, slots) = (notes + campaign, days.max(1) * 24);
        let longest = slots.max(hours);
        vec![
            format!(
                "insert into notes (item_key, note_id, published_at, {TRAILER})
                 select n, '69' || lpad(to_hex(n), 22, '0'), '2026-03-01 00:00Z',
                        '2026-03-01 00:00Z', '2026-03-31 00:00Z', '2026-03-01 00:00Z', n, n,
                        '2026-03-01 00:00Z', ''
                 from generate_series(1::bigint, {all}) n"
            ),
            KEYS.to_owned(),
            // In order of time, as answers arrive.
            format!(
                "insert into snapshots (item_key, observed_at, document_id, {COUNTS})
                 select n, '2026-03-31 00:00Z'::timestamptz
                           - ({longest} - h) * interval '1 hour' + n * interval '1 millisecond',
                        h * {all} + n, {values}
                 from generate_series(1::bigint, {longest}) h,
                      lateral generate_series(
                          case when h > {longest} - {hours} then 1::bigint else {notes} + 1 end,
                          case when h > {longest} - {slots} then {all} else {notes} end) n
                 order by h, n",
                values = values("n"),
            ),
        ]
    }
}

/// The trailing columns of a note.
const TRAILER: &str = "first_seen_at, last_seen_at, changed_at, document_id, last_document_id, \
                       refreshed_at, fingerprint";

/// Keys of the notes.
const KEYS: &str = "insert into item_keys (item_key, platform, item_id)
                    select item_key, 'xiaohongshu', note_id from notes order by item_key";

/// Statements that aggregate the snapshots like the trigger.
pub(crate) fn sums(day: &str) -> Vec<String> {
    let counts =
        COUNTS.split(", ").map(|count| format!("s.{count}")).collect::<Vec<_>>().join(", ");
    vec![
        format!(
            "insert into latest (item_key, observed_at, document_id, {COUNTS})
             select s.item_key, s.observed_at, s.document_id, {counts}
             from (select item_key, max(observed_at) as at from snapshots group by item_key) l
             join snapshots s on s.item_key = l.item_key and s.observed_at = l.at"
        ),
        format!(
            "insert into days (item_key, day, previous_day, observations, observed_at, document_id,
                               {COUNTS})
             select s.item_key, d.day, lag(d.day) over (partition by d.item_key order by d.day),
                    d.observations, s.observed_at, s.document_id, {counts}
             from (select item_key, {day} as day, count(*) as observations,
                          max(observed_at) as at
                   from snapshots group by 1, 2) d
             join snapshots s on s.item_key = d.item_key and s.observed_at = d.at
             order by d.day, d.item_key"
        ),
    ]
}

const COUNTS: &str = "likes, collects, comments, shares, views";

/// Counts that grow at a different rate per note.
fn values(n: &str) -> String {
    format!(
        "{n} * 7919 % 5000 + h * ({n} * 104729 % 97), {n} * 31 % 500 + h * ({n} * 13 % 17),
         {n} * 7 % 100 + h * ({n} % 5), h * ({n} % 3), null"
    )
}
