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
                 insert into notes (note_key, note_id, published_at, first_seen_at, last_seen_at,
                                    fingerprint, document_id)
                 select n, '69' || printf('%022x', n), '2026-03-01 00:00:00',
                        '2026-03-01 00:00:00', '2026-03-31 00:00:00', '', n
                 from numbers"
            ),
            // In key order, as the table is stored.
            format!(
                "with recursive slots (h) as (
                     select 1 union all select h + 1 from slots where h < max({slots}, {hours}))
                 insert into note_snapshots (note_key, observed_at, document_id, {COUNTS})
                 select note_key, {END} - (max({slots}, {hours}) - h) * {HOUR} + note_key * 1000,
                        h * {all} + note_key, {values}
                 from notes cross join slots
                 where note_key > {notes} and h > max({slots}, {hours}) - {slots}
                    or note_key <= {notes} and h > max({slots}, {hours}) - {hours}",
                values = values("note_key"),
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
                "insert into notes (note_key, note_id, published_at, first_seen_at, last_seen_at,
                                    fingerprint, document_id)
                 select n, '69' || lpad(to_hex(n), 22, '0'), '2026-03-01 00:00Z',
                        '2026-03-01 00:00Z', '2026-03-31 00:00Z', '', n
                 from generate_series(1::bigint, {all}) n"
            ),
            // In order of time, as answers arrive.
            format!(
                "insert into note_snapshots (note_key, observed_at, document_id, {COUNTS})
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
            "vacuum analyze".to_owned(),
        ]
    }
}

const COUNTS: &str = "likes, collects, comments, shares, views, rounded";

/// Counts that grow at a different rate per note.
fn values(n: &str) -> String {
    format!(
        "{n} * 7919 % 5000 + h * ({n} * 104729 % 97), {n} * 31 % 500 + h * ({n} * 13 % 17),
         {n} * 7 % 100 + h * ({n} % 5), h * ({n} % 3), null, null"
    )
}
