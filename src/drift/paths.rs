//! Presence and types of the paths of one endpoint, counted answer by answer. Pure: rows come in
//! from the database and changed rows go out.
//!
//! A path is missing from an answer that has its parent object but not the path itself. Many paths
//! are optional. A path has therefore vanished only when its gap, the number of consecutive answers
//! without it, is many times the longest gap before.

use std::collections::HashMap;

use super::outline::{self, OBJECT, Outline, ROOT, Spot};
use crate::document::JsonText;
use crate::store::AnswerPath;
use crate::time::Time;

/// Number of answers with a path that makes it known: only a known path can vanish or change its
/// type, and only below a known path can another one be new.
const KNOWN: i64 = 20;

/// Gap after which a path without earlier gaps has vanished.
const PATIENCE: i64 = 3;

/// Multiple of its longest gap after which any other path has vanished.
const GAPS: i64 = 10;

/// Maximum number of paths per endpoint: an answer with data as keys must not fill the database.
const MOST_PATHS: usize = 5_000;

/// An answer in which something was seen.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// Its fetch time.
    pub at: Time,
    /// Its document.
    pub document_id: i64,
}

/// The paths of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Paths {
    index: HashMap<u64, usize>,
    /// Parents first.
    paths: Vec<Path>,
    /// Answers counted by this process.
    answers: u64,
}

#[derive(Debug)]
struct Path {
    hash: u64,
    parent: usize,
    /// The path that followed it in the last answer: a guess that saves most lookups.
    next: usize,
    may_vanish: bool,
    /// The row in the database; before it has one, the initial row.
    kept: AnswerPath,
    is_kept: bool,
    types: u8,
    /// Number of the last answer with it, and its types there.
    answer: u64,
    types_there: u8,
    news: News,
}

/// Changes of a path since its row was written.
#[derive(Debug, Default)]
struct News {
    /// Answers with it, until it is known.
    answers: i64,
    /// First answer with a new type, and the types before.
    retyped: Option<(Sighting, u8)>,
    /// Whether an answer of this batch has it.
    is_seen: bool,
    /// Gap before the first of these.
    lead: i64,
    /// Longest gap between them.
    longest: i64,
    /// Gap up to the newest answer, and its first answer.
    gap: i64,
    since: Option<Sighting>,
}

impl Paths {
    /// Replaces the rows by those of the database; the changes since then stay.
    pub(super) fn rebase(&mut self, mut rows: Vec<AnswerPath>) {
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        for row in rows {
            let hash = outline::hash_of(&row.path);
            let place = match self.index.get(&hash) {
                Some(place) => *place,
                None => {
                    self.push(hash, outline::hash_of(outline::parent_of(&row.path)), row.clone())
                }
            };
            if let Some(path) = self.paths.get_mut(place) {
                path.types |= outline::types_of(row.json_type.as_deref());
                (path.kept, path.is_kept) = (row, true);
            }
        }
    }

    /// Counts an answer with the text `json`.
    pub(super) fn count(&mut self, endpoint: &str, outline: &Outline, json: &str, at: Sighting) {
        self.answers += 1;
        let (answer, mut previous, mut has_unknown) = (self.answers, 0, false);
        for (hash, types) in &outline.0 {
            let Some(place) = self.find(previous, *hash) else {
                has_unknown = true;
                continue;
            };
            self.paths[place].see(answer, *types, at);
            previous = place;
        }
        if has_unknown && self.paths.len() < MOST_PATHS {
            self.learn(endpoint, json, at);
        }
        for place in 0..self.paths.len() {
            let path = &self.paths[place];
            let parent = &self.paths[path.parent];
            let has_parent = parent.answer == answer && parent.types_there & OBJECT != 0;
            if path.answer != answer && path.may_vanish && has_parent {
                self.paths[place].miss(at);
            }
        }
    }

    /// The rows to write; with `with_gaps` also those of which only the gap grew a little.
    pub(super) fn changed(&self, with_gaps: bool) -> Vec<AnswerPath> {
        self.paths.iter().filter_map(|path| path.changed(with_gaps)).collect()
    }

    /// Ends a batch, after these rows were written.
    pub(super) fn settle(&mut self, rows: Vec<AnswerPath>) {
        for row in rows {
            if let Some(place) = self.index.get(&outline::hash_of(&row.path)) {
                let path = &mut self.paths[*place];
                (path.kept, path.is_kept, path.news) = (row, true, News::default());
            }
        }
        for News { is_seen, lead, longest, retyped, .. } in
            self.paths.iter_mut().map(|path| &mut path.news)
        {
            (*is_seen, *lead, *longest, *retyped) = (false, 0, 0, None);
        }
    }

    fn find(&mut self, previous: usize, hash: u64) -> Option<usize> {
        let next = self.paths.get(previous)?.next;
        if self.paths[next].hash == hash {
            return Some(next);
        }
        let place = *self.index.get(&hash)?;
        self.paths[previous].next = place;
        Some(place)
    }

    /// Adds the unknown paths of an answer.
    fn learn(&mut self, endpoint: &str, json: &str, at: Sighting) {
        let (answer, text) = (self.answers, JsonText::of(json));
        let Some(tree) = text.tree() else { return };
        outline::walk(tree, ROOT, 0, &mut |spot, types| {
            let known = self.index.get(&spot.path).copied();
            if let Some(place) = known.or_else(|| self.add(endpoint, spot, at)) {
                self.paths[place].see(answer, types, at);
            }
        });
    }

    fn add(&mut self, endpoint: &str, spot: Spot<'_>, at: Sighting) -> Option<usize> {
        let parent = self.index.get(&spot.parent).map(|place| &self.paths[*place]);
        let (path, is_new) = match parent {
            Some(parent) => {
                (format!("{}/{}", parent.kept.path, spot.part), parent.answers() >= KNOWN)
            }
            None if spot.path == ROOT.path => (String::new(), false),
            None => return None,
        };
        if self.paths.len() >= MOST_PATHS {
            return None;
        }
        let row = AnswerPath {
            endpoint: endpoint.to_owned(),
            is_new: is_new && outline::is_named(&path),
            path,
            json_type: None,
            first_seen_at: at.at,
            first_document_id: at.document_id,
            answers: 0,
            longest_gap: 0,
            gap: 0,
            gap_at: None,
            gap_document_id: None,
            is_vanished: false,
            old_type: None,
            retyped_at: None,
            retyped_document_id: None,
        };
        Some(self.push(spot.path, spot.parent, row))
    }

    fn push(&mut self, hash: u64, parent: u64, kept: AnswerPath) -> usize {
        let place = self.paths.len();
        let parent = self.index.get(&parent).copied();
        self.index.insert(hash, place);
        self.paths.push(Path {
            hash,
            parent: parent.unwrap_or(place),
            next: 0,
            may_vanish: parent.is_some() && outline::is_named(&kept.path),
            types: outline::types_of(kept.json_type.as_deref()),
            kept,
            is_kept: false,
            answer: 0,
            types_there: 0,
            news: News::default(),
        });
        place
    }
}

impl Path {
    /// Number of answers with it, at most [`KNOWN`].
    fn answers(&self) -> i64 {
        (self.kept.answers + self.news.answers).min(KNOWN)
    }

    /// Counts an answer with it.
    fn see(&mut self, answer: u64, types: u8, at: Sighting) {
        let is_known = self.answers() >= KNOWN;
        if self.answer != answer {
            (self.answer, self.types_there) = (answer, 0);
            self.news.answers += i64::from(!is_known);
            match self.news.is_seen {
                true => self.news.longest = self.news.longest.max(self.news.gap),
                false => (self.news.is_seen, self.news.lead) = (true, self.news.gap),
            }
            (self.news.gap, self.news.since) = (0, None);
        }
        self.types_there |= types;
        if types & !self.types != 0 {
            if is_known && self.types != 0 {
                self.news.retyped.get_or_insert((at, self.types));
            }
            self.types |= types;
        }
    }

    /// Counts an answer without it.
    fn miss(&mut self, at: Sighting) {
        self.news.gap += 1;
        self.news.since.get_or_insert(at);
    }

    /// Its row, if that is to be written.
    fn changed(&self, with_gaps: bool) -> Option<AnswerPath> {
        let (kept, news) = (&self.kept, &self.news);
        let is_quiet = self.is_kept
            && news.answers + news.gap + kept.gap == 0
            && news.lead.max(news.longest) <= kept.longest_gap
            && news.retyped.is_none();
        if is_quiet && self.types == outline::types_of(kept.json_type.as_deref()) {
            return None;
        }
        let row = self.row();
        // A gap as long as earlier ones is no news, and a longer one is written as it doubles.
        let doubled = row.gap > row.longest_gap && row.gap >= kept.gap.saturating_mul(2);
        let is_longer = news.gap > 0 && !kept.is_vanished && (with_gaps || doubled);
        let has_news = !self.is_kept
            || is_longer
            || (kept.gap > 0 && news.is_seen)
            || (row.answers, row.longest_gap, row.is_vanished)
                != (kept.answers, kept.longest_gap, kept.is_vanished)
            || row.json_type != kept.json_type;
        has_news.then_some(row)
    }

    /// Its current row.
    fn row(&self) -> AnswerPath {
        let (kept, news) = (&self.kept, &self.news);
        let mut row = AnswerPath {
            answers: self.answers(),
            json_type: outline::type_names(self.types),
            ..kept.clone()
        };
        let types = outline::types_of(kept.json_type.as_deref());
        if let Some((sighting, before)) = news.retyped
            && self.types & !(types | before) != 0
        {
            row.old_type = outline::type_names(before);
            (row.retyped_at, row.retyped_document_id) =
                (Some(sighting.at), Some(sighting.document_id));
        }
        row.longest_gap = kept.longest_gap.max(news.longest);
        let mut since = news.since.map(|it| (it.at, it.document_id));
        row.gap = news.gap;
        if news.is_seen {
            let ended = kept.gap + news.lead;
            // The length of an outage must not delay the next report by ten times as much.
            let most = if kept.is_vanished { patience(kept.longest_gap) } else { ended };
            row.longest_gap = row.longest_gap.max(ended.min(most));
        } else {
            row.gap += kept.gap;
            since = kept.gap_at.zip(kept.gap_document_id).or(since);
        }
        (row.gap_at, row.gap_document_id) = since.unzip();
        row.is_vanished = row.answers >= KNOWN && row.gap >= patience(row.longest_gap);
        row
    }
}

/// Gap after which a path has vanished.
fn patience(longest_gap: i64) -> i64 {
    PATIENCE.max(GAPS.saturating_mul(longest_gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_paths_do_not_vanish() {
        // Keys with a share of 1 to 99 per cent, pseudo-random.
        let mut state = 7_u64;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % limit
        };
        let (mut paths, mut reports, mut rows) = (Paths::default(), 0, 0);
        for document_id in 0..5_000 {
            let keys = (1..100).filter(|share| below(100) < *share);
            let keys: Vec<_> = keys.map(|share| format!("\"k{share}\":1")).collect();
            let json = format!("{{{}}}", keys.join(","));
            let outline = Outline::of(&JsonText::of(&json)).expect("JSON");
            paths.count("e", &outline, &json, Sighting { at: Time::EPOCH, document_id });
            let changed = paths.changed(document_id % 50 == 0);
            rows += changed.len();
            let is_report = |row: &&AnswerPath| row.is_vanished && row.gap_document_id.is_some();
            reports += changed.iter().filter(is_report).count();
            paths.settle(changed);
        }
        assert!(reports == 0, "{reports} false reports");
        assert!(rows < 15_000, "{rows} rows written in 5,000 answers");
    }
}
