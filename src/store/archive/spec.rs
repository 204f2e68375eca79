//! Tables of each kind of entity: its own table, its lists, and its snapshots.

use std::collections::BTreeSet;

use crate::model::catalogue::{Column, Role, Row as _, Table};
use crate::model::{
    Author, Creator, Entity, EntityKind, Image, ItemHashtag, KeywordSuggestion, Kol, KolNote,
    KolSearchResult, KolTag, Mention, Music, Note, TagKind, Work,
};

/// Tables of a kind of entity.
pub(in crate::store) struct Spec {
    pub(in crate::store) kind: EntityKind,
    /// Its own table.
    pub(in crate::store) table: Table,
    /// Its integer key, if it has snapshots.
    pub(in crate::store) key: Option<&'static str>,
    /// Its lists.
    pub(in crate::store) lists: &'static [List],
}

/// A list of an entity. An answer that speaks of it names all of its entries.
pub(in crate::store) struct List {
    /// Its field in `changes`; `None`: its replacements are not recorded.
    pub(in crate::store) field: Option<&'static str>,
    /// Its table.
    pub(in crate::store) table: Table,
    /// The column, and its value, of its rows where the table has those of several lists.
    pub(in crate::store) part: Option<(&'static str, &'static str)>,
    /// The columns by which an entry is known again.
    pub(in crate::store) identity: &'static [&'static str],
    /// The columns that represent an entry in `changes`: the first one that is not NULL.
    pub(in crate::store) label: &'static [&'static str],
}

/// Columns of the trailer after the entity's own columns.
pub(super) const TRAILER: &str = "first_seen_at time, last_seen_at time, changed_at time, \
    document_id int, last_document_id int, refreshed_at time, fingerprint text, unconfirmed text";

/// The lists of a note or a work.
const ITEM_LISTS: &[List] = &[
    List::new("images", Image::TABLE, &["file_id"], &["file_id"]),
    List::new("hashtags", ItemHashtag::TABLE, &["name"], &["name"]),
    List::new("mentions", Mention::TABLE, &["user_id"], &["nickname", "user_id"]),
    List::new("creators", Creator::TABLE, &["author_id"], &["nickname", "author_id"]),
];

const KOL_LISTS: &[List] = &[
    tags("content_tags", TagKind::Content),
    tags("feature_tags", TagKind::Feature),
    tags("personal_tags", TagKind::Personal),
    List { field: None, ..List::new("", KolNote::TABLE, &["note_id"], &[]) },
];

/// The tags of a KOL of one kind.
const fn tags(field: &'static str, kind: TagKind) -> List {
    List {
        part: Some(("tag_kind", kind.as_str())),
        ..List::new(field, KolTag::TABLE, &["category", "tag"], &["tag", "category"])
    }
}

impl List {
    const fn new(
        field: &'static str,
        table: Table,
        identity: &'static [&'static str],
        label: &'static [&'static str],
    ) -> Self {
        Self { field: Some(field), table, part: None, identity, label }
    }

    /// The places of some of its columns in a row.
    pub(super) fn nths(&self, names: &'static [&'static str]) -> impl Iterator<Item = usize> {
        let columns = self.table.columns;
        names.iter().filter_map(|name| columns.iter().position(|column| column.name == *name))
    }

    /// The condition, after others, that a row of `table` is one of this list.
    pub(super) fn and_is_in(&self, table: &str) -> String {
        self.part.map_or_else(String::new, |(name, part)| format!(" and {table}.{name} = '{part}'"))
    }
}

static NOTES: Spec =
    Spec { kind: EntityKind::Note, table: Note::TABLE, key: Some("item_key"), lists: ITEM_LISTS };

static WORKS: Spec =
    Spec { kind: EntityKind::Work, table: Work::TABLE, key: Some("item_key"), lists: ITEM_LISTS };

static KOLS: Spec =
    Spec { kind: EntityKind::Kol, table: Kol::TABLE, key: Some("kol_key"), lists: KOL_LISTS };

static AUTHORS: Spec =
    Spec { kind: EntityKind::Author, table: Author::TABLE, key: None, lists: &[] };

static MUSIC: Spec = Spec { kind: EntityKind::Music, table: Music::TABLE, key: None, lists: &[] };

impl Spec {
    /// Tables of this kind.
    pub(in crate::store) fn of(kind: EntityKind) -> &'static Self {
        match kind {
            EntityKind::Note => &NOTES,
            EntityKind::Work => &WORKS,
            EntityKind::Kol => &KOLS,
            EntityKind::Author => &AUTHORS,
            EntityKind::Music => &MUSIC,
        }
    }

    /// Whether its snapshots are in `snapshots`.
    pub(super) fn is_item(&self) -> bool {
        matches!(self.kind, EntityKind::Note | EntityKind::Work)
    }

    /// The tables with its integer key.
    pub(super) fn keyed_tables(&self) -> impl Iterator<Item = &'static str> {
        let tables: &[&str] = match self.kind {
            EntityKind::Note | EntityKind::Work => &["item_keys", "latest", "days", "snapshots"],
            EntityKind::Kol => &["kol_snapshots"],
            EntityKind::Author | EntityKind::Music => &[],
        };
        tables.iter().copied().chain([self.table.name])
    }

    /// The key columns of its table.
    pub(in crate::store) fn id_columns(&self) -> Vec<&'static str> {
        let is_key = |column: &&Column| column.role == Role::Key;
        self.table.columns.iter().filter(is_key).map(|column| column.name).collect()
    }

    /// The key columns of its lists.
    pub(in crate::store) fn owner_columns(&self) -> &'static [&'static str] {
        match self.kind {
            EntityKind::Note | EntityKind::Work => &["platform", "item_id"],
            EntityKind::Kol => &["kol_id"],
            EntityKind::Author | EntityKind::Music => &[],
        }
    }

    /// The values of an entity for columns named `platform` and by its id.
    pub(in crate::store) fn named<'e>(columns: &[&str], entity: &'e Entity) -> Vec<&'e str> {
        let value = |column: &&str| match *column {
            "platform" => entity.platform.as_str(),
            _ => entity.id.as_str(),
        };
        columns.iter().map(value).collect()
    }
}

/// Every table whose rows are derived from documents.
pub(in crate::store) fn derived_tables() -> impl Iterator<Item = &'static str> {
    let entities = EntityKind::ALL.into_iter().flat_map(|kind| {
        let spec = Spec::of(kind);
        spec.keyed_tables().chain(spec.lists.iter().map(|list| list.table.name))
    });
    let others = ["changes", KeywordSuggestion::TABLE.name, KolSearchResult::TABLE.name];
    let tables: BTreeSet<_> = entities.chain(others).collect();
    tables.into_iter()
}
