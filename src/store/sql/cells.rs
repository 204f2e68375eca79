//! From a struct of a row to its cells, in the order of a table's columns.

use serde::ser::{self, Impossible, Serialize, SerializeStruct, Serializer};

use crate::model::catalogue::Cell;

/// Fills the cells of one row by the names of its fields. A field without a column is passed
/// over, and a column without a field stays NULL.
pub(in crate::store) struct Writer<'a> {
    columns: &'a [&'a str],
    cells: Vec<Cell>,
    /// Where the value that comes next belongs.
    at: usize,
}

impl<'a> Writer<'a> {
    pub(in crate::store) fn new(columns: &'a [&'a str]) -> Self {
        Self { columns, cells: vec![Cell::Null; columns.len()], at: 0 }
    }

    /// Fills in the fields of a struct.
    pub(in crate::store) fn put(&mut self, fields: &impl Serialize) -> anyhow::Result<()> {
        Ok(fields.serialize(self)?)
    }

    pub(in crate::store) fn into_cells(self) -> Vec<Cell> {
        self.cells
    }

    fn set(&mut self, cell: Cell) {
        if let Some(place) = self.cells.get_mut(self.at) {
            *place = cell;
        }
    }

    /// The place of a column; fields mostly come in the order of the columns.
    fn span(&self, name: &str) -> Option<usize> {
        let next = self.at + 1;
        if self.columns.get(next) == Some(&name) {
            return Some(next);
        }
        self.columns.iter().position(|column| *column == name)
    }
}

/// A row is a struct of plain values: anything else is a mistake in the program.
#[derive(Debug, thiserror::Error)]
#[error("not a row: {0}")]
pub(in crate::store) struct NotARow(String);

impl ser::Error for NotARow {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type None<T = ()> = Impossible<T, NotARow>;

fn refused<T>(what: &str) -> Result<T, NotARow> {
    Err(NotARow(what.to_owned()))
}

/// Methods that take one value and put it into its cell.
macro_rules! values {
    ($($method:ident($ty:ty) $value:ident => $cell:expr;)*) => {
        $(fn $method(self, $value: $ty) -> Result<(), NotARow> {
            self.set($cell);
            Ok(())
        })*
    };
}

impl Serializer for &mut Writer<'_> {
    type Ok = ();
    type Error = NotARow;
    type SerializeSeq = None;
    type SerializeTuple = None;
    type SerializeTupleStruct = None;
    type SerializeTupleVariant = None;
    type SerializeMap = None;
    type SerializeStruct = Self;
    type SerializeStructVariant = None;

    values! {
        serialize_bool(bool) value => Cell::Bool(value);
        serialize_i8(i8) value => Cell::Int(value.into());
        serialize_i16(i16) value => Cell::Int(value.into());
        serialize_i32(i32) value => Cell::Int(value.into());
        serialize_i64(i64) value => Cell::Int(value);
        serialize_u8(u8) value => Cell::Int(value.into());
        serialize_u16(u16) value => Cell::Int(value.into());
        serialize_u32(u32) value => Cell::Int(value.into());
        serialize_f32(f32) value => Cell::Real(value.into());
        serialize_f64(f64) value => Cell::Real(value);
        serialize_char(char) value => Cell::Text(value.into());
        serialize_str(&str) value => Cell::Text(value.to_owned());
        serialize_bytes(&[u8]) value => Cell::Bytes(value.to_owned());
    }

    fn serialize_u64(self, value: u64) -> Result<(), NotARow> {
        let value = i64::try_from(value).map_err(ser::Error::custom)?;
        self.serialize_i64(value)
    }

    fn serialize_none(self) -> Result<(), NotARow> {
        self.set(Cell::Null);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotARow> {
        value.serialize(self)
    }

    /// No fields at all.
    fn serialize_unit(self) -> Result<(), NotARow> {
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), NotARow> {
        refused(name)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NotARow> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotARow> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotARow> {
        refused(name)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<None, NotARow> {
        refused("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<None, NotARow> {
        refused("a tuple")
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<None, NotARow> {
        refused(name)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<None, NotARow> {
        refused(name)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<None, NotARow> {
        refused("a map")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotARow> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<None, NotARow> {
        refused(name)
    }

    /// So that a time comes as a number.
    fn is_human_readable(&self) -> bool {
        false
    }
}

impl SerializeStruct for &mut Writer<'_> {
    type Ok = ();
    type Error = NotARow;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotARow> {
        let Some(place) = self.span(name) else { return Ok(()) };
        self.at = place;
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), NotARow> {
        Ok(())
    }
}
