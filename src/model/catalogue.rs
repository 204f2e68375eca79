//! The catalogue: each table that answers fill is declared once, by `table!`, which makes the
//! struct of its rows, the list of its columns and their documentation.
//!
//! The bulk insert, the merge of facts, exports, the suggestions of `sql` and the test of the
//! schema all read that list.

use crate::time::Time;

use super::{Platform, TagKind};

/// What an answer says of one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// Nothing: the key is missing or null, or this endpoint never has it. What is known stays.
    #[default]
    Absent,
    /// That there is none: `""`, `[]`, a zero that means "never".
    Empty,
    /// This.
    Value(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty => None,
        }
    }

    /// The value, if there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty => None,
        }
    }

    /// Whether the answer does not speak of it.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The same with the value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Empty => Field::Empty,
            Self::Value(value) => Field::Value(change(value)),
        }
    }

    /// The same, absent where the change gives nothing.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Self::Absent => Field::Absent,
            Self::Empty => Field::Empty,
            Self::Value(value) => Field::from(change(value)),
        }
    }

    /// This field, or where the answer does not speak of it another one.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.is_absent() { other() } else { self }
    }
}

/// Nothing is [`Field::Absent`]: a missing value erases nothing.
impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

/// One value of a row on its way to the database. A time is its microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What a column holds, in either database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Whole numbers of 64 bits.
    Int,
    /// Numbers with a fraction.
    Real,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// A [`Time`]; text in SQLite.
    Time,
    /// A [`Time`] that is a number in SQLite: microseconds since 1970.
    Micros,
    /// JSON, bound as text and kept as JSONB.
    Json,
    /// Bytes.
    Bytes,
}

/// How a new value of a column relates to the one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Identifies the row.
    Key,
    /// A fact: replaced by a newer answer that speaks of it.
    Fact,
    /// A fact whose every replacement is a row of `changes`.
    Tracked,
    /// No fact: signed URLs and running numbers, which differ in every answer. The newest is kept,
    /// refreshed about twice a day.
    Volatile,
}

/// A column of a table that answers fill.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in both databases.
    pub name: &'static str,
    /// What it holds.
    pub column_type: ColumnType,
    /// How a new value relates to the known one.
    pub role: Role,
    /// Its JSON path, its unit, and what NULL means.
    pub doc: &'static str,
}

/// A table that answers fill: the columns that come from an answer.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name in both databases.
    pub name: &'static str,
    /// Its columns, in the order of a row's cells.
    pub columns: &'static [Column],
}

/// A row of a table of the catalogue.
pub trait Row {
    /// Its table.
    const TABLE: Table;

    /// What the answer says of each column.
    fn cells(&self) -> Vec<Field<Cell>>;
}

/// A type of a field of a row.
pub trait Value {
    /// The type of its column.
    const TYPE: ColumnType;

    /// What the answer says of it.
    fn cell(&self) -> Field<Cell>;
}

/// Types of fields that are always there.
macro_rules! values {
    ($($ty:ty, $kind:ident, $value:ident => $cell:expr;)*) => {
        $(impl Value for $ty {
            const TYPE: ColumnType = ColumnType::$kind;

            fn cell(&self) -> Field<Cell> {
                let $value = self;
                Field::Value($cell)
            }
        })*
    };
}

values! {
    String, Text, value => Cell::Text(value.clone());
    &'static str, Text, value => Cell::Text((*value).to_owned());
    i64, Int, value => Cell::Int(*value);
    f64, Real, value => Cell::Real(*value);
    bool, Bool, value => Cell::Bool(*value);
    Time, Time, value => Cell::Int(value.micros());
    Platform, Text, value => Cell::Text(value.as_str().to_owned());
    TagKind, Text, value => Cell::Text(value.as_str().to_owned());
}

impl<T: Value> Value for Field<T> {
    const TYPE: ColumnType = T::TYPE;

    fn cell(&self) -> Field<Cell> {
        match self {
            Self::Absent => Field::Absent,
            Self::Empty => Field::Empty,
            Self::Value(value) => value.cell(),
        }
    }
}

impl<T: Value> Value for Option<T> {
    const TYPE: ColumnType = T::TYPE;

    fn cell(&self) -> Field<Cell> {
        self.as_ref().map_or(Field::Absent, Value::cell)
    }
}

/// Declares a table that answers fill: the struct of its rows and the list of its columns.
///
/// Each line is a column: its [`Role`], its name, its type and, above it, where it comes from.
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])+
        $name:ident in $table:literal {
            $($(#[doc = $doc:literal])+ $role:ident $field:ident: $ty:ty,)+
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $ty,)+
        }

        impl $crate::model::catalogue::Row for $name {
            const TABLE: $crate::model::catalogue::Table = $crate::model::catalogue::Table {
                name: $table,
                columns: &[$($crate::model::catalogue::Column {
                    name: stringify!($field),
                    column_type: <$ty as $crate::model::catalogue::Value>::TYPE,
                    role: $crate::model::catalogue::Role::$role,
                    doc: concat!($($doc),+),
                },)+],
            };

            fn cells(&self) -> Vec<$crate::model::catalogue::Field<$crate::model::catalogue::Cell>> {
                vec![$($crate::model::catalogue::Value::cell(&self.$field),)+]
            }
        }
    };
}

pub(super) use table;
