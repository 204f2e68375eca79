//! From the facts of answers to rows, the fast way: answers that are newer than what is known are
//! applied to it. Where one is older the entity is left, to be derived from its documents.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};

use super::draft::{Draft, Stored};
use super::facts::{Stamp, State};
use super::history::{History, Seen, Snapshots};
use super::said::{Spoken, plain, spoken};
use super::spec::{List, Spec};
use crate::model::catalogue::{Cell, ColumnType, Row};
use crate::model::{Entity, EntityKind, Facts, KeywordSuggestion, KolSearchResult, Platform};
use crate::store::db::Tx;
use crate::store::sql::{Rows, Values, columns_of};
use crate::time::Time;

/// What has to be known of an entity to see whether an answer changes it.
#[derive(sqlx::FromRow)]
struct Head {
    platform: String,
    id: String,
    key: i64,
    last_seen_at: Time,
    last_document_id: i64,
    refreshed_at: Time,
    fingerprint: String,
    #[sqlx(flatten)]
    seen: Seen,
}

impl Head {
    fn stored(&self) -> Stored {
        Stored { key: self.key, last_document_id: self.last_document_id }
    }

    /// Whether all of these answers are newer than what is known.
    fn is_before(&self, spec: &Spec, all: &[Spoken<'_>]) -> bool {
        let last = Stamp { at: self.last_seen_at, document_id: self.last_document_id };
        // Two counts of one instant are told apart only with all documents at hand.
        let is_after = |stamp: Stamp| stamp > last && !(spec.is_item() && stamp.at == last.at);
        all.first().is_some_and(|first| is_after(first.said.stamp))
    }

    /// Whether these answers say just what the newest known one says.
    fn is_repeated_by(&self, spec: &Spec, all: &[Spoken<'_>]) -> bool {
        all.iter().all(|Spoken { said, .. }| {
            said.fingerprint == self.fingerprint
                && said.key >= self.key
                && !said.refreshes(spec, self.refreshed_at)
        })
    }
}

impl Tx {
    /// Makes rows of what answers say, each with its document and when it came. Entities of which
    /// one answer is older than what is known, or whose rows wait already, are left alone and made
    /// to wait until they are derived from all their documents. Returns how many.
    pub(in crate::store) async fn put_facts(
        &mut self,
        answers: &[(&Facts, i64, Time)],
    ) -> Result<usize> {
        let mut answers = answers.to_vec();
        answers.sort_by_key(|(_, document_id, at)| (*at, *document_id));
        let mut kinds = BTreeMap::<EntityKind, BTreeMap<Entity, Vec<Spoken<'_>>>>::new();
        for (facts, document_id, at) in &answers {
            for it in spoken(facts, Stamp { at: *at, document_id: *document_id }) {
                let kind = kinds.entry(it.said.entity.kind).or_default();
                kind.entry(it.said.entity.clone()).or_default().push(it);
            }
        }
        for (kind, entities) in &kinds {
            self.lock_entities(Spec::of(*kind), entities.keys()).await?;
        }
        let mut stale = self.stale_among(kinds.values().flat_map(BTreeMap::keys)).await?;
        for (kind, mut entities) in kinds {
            entities.retain(|entity, _| !stale.contains(entity));
            stale.extend(self.put_entities(Spec::of(kind), entities).await?);
        }
        self.put_listings(&answers).await?;
        self.mark_stale(&stale).await?;
        Ok(stale.len())
    }

    async fn put_entities(
        &mut self,
        spec: &'static Spec,
        entities: BTreeMap<Entity, Vec<Spoken<'_>>>,
    ) -> Result<Vec<Entity>> {
        let heads = self.heads(spec, entities.keys()).await?;
        let (mut drafts, mut repeated, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut stale = Vec::new();
        for (entity, all) in entities {
            match (heads.get(&entity), all.last()) {
                (Some(head), Some(last)) if head.is_before(spec, &all) => {
                    let is_repeated = head.is_repeated_by(spec, &all);
                    if is_repeated {
                        repeated.push((entity.clone(), last.said.stamp, head.stored()));
                    }
                    known.push((entity, all, is_repeated));
                }
                (Some(_), _) if spec.is_item() => stale.push(entity),
                (Some(_), _) => known.push((entity, all, false)),
                (None, _) => drafts.extend(first_draft(spec, &all)),
            }
        }
        self.confirm_entities(spec, &repeated).await?;
        let changed = known.iter().filter(|(_, _, is_repeated)| !is_repeated);
        let mut states = self.states(spec, changed.map(|(entity, _, _)| entity)).await?;
        let mut histories = Vec::new();
        for (entity, all, is_repeated) in known {
            let Some(head) = heads.get(&entity) else { continue };
            if is_repeated {
                histories.push((head, all));
                continue;
            }
            let state = states.remove(&entity).context("a row vanished while it was read")?;
            match draft(spec, state, head, &all) {
                Some(draft) => drafts.push(draft),
                None => stale.push(entity),
            }
        }
        drafts.sort_by(|one, other| one.entity.cmp(&other.entity));
        self.write(spec, drafts).await?;
        self.put_histories(spec, histories).await?;
        Ok(stale)
    }

    /// Writes the counts of answers that change no fact.
    async fn put_histories(
        &mut self,
        spec: &Spec,
        histories: Vec<(&Head, Vec<Spoken<'_>>)>,
    ) -> Result<()> {
        let Some(mut snapshots) = Snapshots::new(spec) else { return Ok(()) };
        for (head, all) in histories {
            let mut history = History::default();
            all.iter().for_each(|it| history.add(it, Some(&head.seen)));
            snapshots.push(head.key, history);
        }
        self.put_snapshots(snapshots).await
    }

    /// What is known of these entities, as far as most answers need it.
    async fn heads(
        &mut self,
        spec: &Spec,
        entities: impl Iterator<Item = &Entity>,
    ) -> Result<HashMap<Entity, Head>> {
        let mut rows = spec.ids("");
        entities.for_each(|entity| rows.push(spec.id_cells(entity)));
        let ids = spec.id_columns();
        let (table, id) = (spec.table.name, ids.last().copied().unwrap_or_default());
        let platform = match ids.as_slice() {
            ["platform", _] => "t.platform".to_owned(),
            _ => format!("'{}'", platform_of(spec.kind).as_str()),
        };
        let key = spec.key.map_or_else(|| "0".to_owned(), |key| format!("t.{key}"));
        let latest =
            if spec.is_item() { "left join latest l on l.item_key = t.item_key" } else { "" };
        let counts =
            ["likes", "comments", "collects", "shares", "views", "granularity"].map(|it| {
                let value = if spec.is_item() { format!("l.{it}") } else { "null".to_owned() };
                format!("cast({value} as bigint) as {it}")
            });
        // A cross join keeps SQLite from going through the whole table.
        let sql = format!(
            "select {platform} as platform, t.{id} as id, cast({key} as bigint) as key,
                    t.last_seen_at as last_seen_at, t.last_document_id as last_document_id,
                    t.refreshed_at as refreshed_at, t.fingerprint as fingerprint, {}
             from {{rows}} cross join {table} t {latest} where {}",
            counts.join(", "),
            spec.is_named("t")
        );
        let heads: Vec<Head> = self.fetch_over(&rows, &sql).await?;
        let entity = |head: &Head| {
            let platform = Platform::parse(&head.platform).unwrap_or(platform_of(spec.kind));
            Entity { kind: spec.kind, platform, id: head.id.clone() }
        };
        Ok(heads.into_iter().map(|head| (entity(&head), head)).collect())
    }

    /// All that is known of these entities.
    async fn states(
        &mut self,
        spec: &Spec,
        entities: impl Iterator<Item = &Entity> + Clone,
    ) -> Result<HashMap<Entity, State>> {
        let mut ids = spec.ids("nth int");
        for (nth, entity) in (0..).zip(entities.clone()) {
            let mut row = spec.id_cells(entity);
            row.push(Cell::Int(nth));
            ids.push(row);
        }
        let columns = spec.row_columns();
        let select: Vec<_> = columns.iter().map(|(name, _)| format!("t.{name}")).collect();
        let sql = format!(
            "select r.nth, {} from {{rows}} cross join {} t where {}",
            select.join(", "),
            spec.table.name,
            spec.is_named("t")
        );
        let types = || [ColumnType::Int].into_iter().chain(columns.iter().map(|(_, it)| *it));
        let found: Vec<Values> = self.fetch_over(&ids, &sql).await?;
        let mut states = BTreeMap::new();
        for row in found {
            let mut cells = row.into_cells(types()).into_iter();
            let nth = cells.next().and_then(|it| it.int()).unwrap_or_default();
            states.insert(nth, state(spec, cells.collect())?);
        }
        for (nth, list) in spec.lists.iter().enumerate() {
            for (entity, row) in self.list_rows(spec, list, entities.clone()).await? {
                if let Some(state) = states.get_mut(&entity) {
                    state.lists[nth].push(row);
                }
            }
        }
        let named =
            (0..).zip(entities).filter_map(|(nth, it)| Some((it.clone(), states.remove(&nth)?)));
        Ok(named.collect())
    }

    /// The rows of a list of these entities, each with the place of its entity, in order.
    async fn list_rows(
        &mut self,
        spec: &Spec,
        list: &List,
        entities: impl Iterator<Item = &Entity>,
    ) -> Result<Vec<(i64, Vec<Cell>)>> {
        let table = &list.table;
        let owner = spec.owner_columns();
        let mut rows: Vec<_> = owner.iter().map(|it| (*it, ColumnType::Text)).collect();
        rows.extend(columns_of("nth int"));
        let mut ids = Rows::with(rows);
        for (nth, entity) in (0..).zip(entities) {
            let mut row: Vec<_> = Spec::named(owner, entity)
                .into_iter()
                .map(|it| Cell::Text(it.to_owned()))
                .collect();
            row.push(Cell::Int(nth));
            ids.push(row);
        }
        let select: Vec<_> = table.columns.iter().map(|it| format!("t.{}", it.name)).collect();
        let same: Vec<_> = owner.iter().map(|it| format!("t.{it} = r.{it}")).collect();
        let sql = format!(
            "select r.nth, {} from {{rows}} cross join {} t where {}{} order by r.nth, t.position",
            select.join(", "),
            table.name,
            same.join(" and "),
            list.and_is_in("t")
        );
        let types =
            || [ColumnType::Int].into_iter().chain(table.columns.iter().map(|it| it.column_type));
        let found: Vec<Values> = self.fetch_over(&ids, &sql).await?;
        let row = |values: Values| {
            let mut cells = values.into_cells(types()).into_iter();
            (cells.next().and_then(|it| it.int()).unwrap_or_default(), cells.collect())
        };
        Ok(found.into_iter().map(row).collect())
    }

    /// Writes what is a row of its own in every answer: suggestions, and places in a search.
    pub(in crate::store) async fn put_listings(
        &mut self,
        answers: &[(&Facts, i64, Time)],
    ) -> Result<()> {
        let mut suggestions = listing::<KeywordSuggestion>("document_id int, observed_at time");
        let mut results = listing::<KolSearchResult>("document_id int");
        for (facts, document_id, at) in answers {
            let stamp = [Cell::Int(*document_id), Cell::Int(at.micros())];
            for row in &facts.keyword_suggestions {
                suggestions.push(plain(row).into_iter().chain(stamp.clone()).collect());
            }
            for row in &facts.kol_search_results {
                results.push(plain(row).into_iter().chain(stamp.first().cloned()).collect());
            }
        }
        for (table, rows) in
            [(KeywordSuggestion::TABLE.name, suggestions), (KolSearchResult::TABLE.name, results)]
        {
            self.insert_rows(table, &rows, "on conflict do nothing").await?;
        }
        Ok(())
    }
}

/// No rows yet of such a table, with more columns after its own.
fn listing<R: Row>(more: &'static str) -> Rows {
    let own = R::TABLE.columns.iter().map(|column| (column.name, column.column_type));
    Rows::with(own.chain(columns_of(more)).collect())
}

/// Of an entity that is not known yet.
fn first_draft(spec: &Spec, all: &[Spoken<'_>]) -> Option<Draft> {
    let (first, rest) = all.split_first()?;
    let mut draft = Draft::new(spec, first);
    // They are in order.
    for spoken in rest {
        let _ = draft.add(spec, spoken, None);
    }
    Some(draft)
}

/// Of an entity that is known; `None` where an answer belongs before others.
fn draft(spec: &Spec, state: State, head: &Head, all: &[Spoken<'_>]) -> Option<Draft> {
    let entity = all.first()?.said.entity.clone();
    let mut draft = Draft {
        entity,
        state,
        changes: Vec::new(),
        history: History::default(),
        stored: Some(head.stored()),
    };
    all.iter().all(|spoken| draft.add(spec, spoken, Some(&head.seen))).then_some(draft)
}

/// The state of an entity, from the cells of its row; its lists are empty yet.
fn state(spec: &Spec, cells: Vec<Cell>) -> Result<State> {
    let mut cells = cells.into_iter();
    let key = spec.key.and_then(|_| cells.next()).and_then(|it| it.int()).unwrap_or_default();
    let values: Vec<_> = cells.by_ref().take(spec.table.columns.len()).collect();
    let mut int = || cells.next().and_then(|it| it.int()).context("a row without its trailer");
    let at = |micros: i64| Time::from_micros(micros).context("a time beyond the calendar");
    let (first, last, changed) = (at(int()?)?, at(int()?)?, at(int()?)?);
    let (document_id, last_document_id, refreshed_at) = (int()?, int()?, at(int()?)?);
    let mut text = || cells.next().and_then(|it| it.text().map(str::to_owned));
    let fingerprint = text().unwrap_or_default();
    let unconfirmed: BTreeMap<String, Option<(i64, Time)>> = match text() {
        Some(json) => serde_json::from_str(&json)?,
        None => BTreeMap::new(),
    };
    let stamp = |(document_id, at)| Stamp { at, document_id };
    Ok(State {
        key,
        values,
        lists: vec![Vec::new(); spec.lists.len()],
        first_seen_at: first,
        last: Stamp { at: last, document_id: last_document_id },
        changed: Stamp { at: changed, document_id },
        refreshed_at,
        fingerprint,
        unconfirmed: unconfirmed.into_iter().map(|(it, seen)| (it, seen.map(stamp))).collect(),
        written_lists: vec![false; spec.lists.len()],
    })
}

/// Where entities of a kind live whose table does not say.
fn platform_of(kind: EntityKind) -> Platform {
    match kind {
        EntityKind::Note | EntityKind::Kol | EntityKind::Author => Platform::Xiaohongshu,
        EntityKind::Work | EntityKind::Music => Platform::Douyin,
    }
}
