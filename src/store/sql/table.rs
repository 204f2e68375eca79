//! A query result in memory, for reports.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use super::query::Column;
use super::value::Value;

/// A query result that fits into memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, one value per column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The values of a column, row by row.
    pub fn column<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let index = self.columns.iter().position(|column| column.name == name);
        self.rows.iter().filter_map(move |row| row.get(index?))
    }

    /// A row by index, as an object with the columns in order.
    pub fn row(&self, nth: usize) -> Option<impl Serialize + use<'_>> {
        self.rows.get(nth).map(|values| Row { columns: &self.columns, values })
    }

    /// The first value of a column; NULL if there is none.
    pub fn first(&self, name: &str) -> &Value {
        self.column(name).next().unwrap_or(&Value::Null)
    }
}

/// Serialises as objects with the columns in order.
impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for values in &self.rows {
            rows.serialize_element(&Row { columns: &self.columns, values })?;
        }
        rows.end()
    }
}

struct Row<'a> {
    columns: &'a [Column],
    values: &'a [Value],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.values.len()))?;
        for (column, value) in self.columns.iter().zip(self.values) {
            row.serialize_entry(&column.name, value)?;
        }
        row.end()
    }
}
