//! Columns of a statement's result.

use anyhow::Result;
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use crate::model::catalogue::ColumnType;
use crate::store::db::Tx;
use crate::store::sql::value::column_type;

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; `None` if only its values tell.
    pub column_type: Option<ColumnType>,
}

impl Tx {
    /// Columns of a statement's result.
    pub(in crate::store) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>> {
        let sql = AssertSqlSafe(sql).into_sql_str();
        Ok(match self {
            Self::Sqlite(tx) => {
                let statement = tx.prepare(sql).await?;
                let column = |column: &sqlx::sqlite::SqliteColumn| Column {
                    name: column.name().to_owned(),
                    column_type: (column.type_info().name() == "BOOLEAN")
                        .then_some(ColumnType::Bool),
                };
                statement.columns().iter().map(column).collect()
            }
            Self::Postgres(tx) => {
                let statement = tx.prepare(sql).await?;
                let column = |column: &sqlx::postgres::PgColumn| Column {
                    name: column.name().to_owned(),
                    column_type: Some(column_type(column.type_info().name())),
                };
                statement.columns().iter().map(column).collect()
            }
        })
    }
}
