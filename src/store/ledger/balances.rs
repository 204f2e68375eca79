//! What is left on the accounts of providers.

use anyhow::Result;

use crate::store::db::{Tx, execute, fetch_all};
use crate::time::Time;

/// The last answer about an account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct BalanceRow {
    /// Name of the provider.
    pub provider: String,
    /// Its base URL.
    pub base_url: String,
    /// When it was asked.
    pub asked_at: Time,
    /// What is left, in millionths of the currency; `None`: it did not say.
    pub micros: Option<i64>,
    /// The currency.
    pub currency: Option<String>,
    /// Why it did not say.
    pub error: Option<String>,
}

impl Tx {
    /// Replaces the last answer about an account.
    pub async fn put_balance(&mut self, row: &BalanceRow) -> Result<()> {
        execute!(
            self,
            "insert into balances (provider, base_url, asked_at, micros, currency, error)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (provider) do update set
                 base_url = excluded.base_url, asked_at = excluded.asked_at,
                 micros = excluded.micros, currency = excluded.currency, error = excluded.error",
            row.provider.as_str(),
            row.base_url.as_str(),
            row.asked_at,
            row.micros,
            row.currency.as_deref(),
            row.error.as_deref()
        );
        Ok(())
    }

    /// The last answers about the accounts.
    pub async fn balances(&mut self) -> Result<Vec<BalanceRow>> {
        Ok(fetch_all!(
            self,
            BalanceRow,
            "select provider, base_url, asked_at, micros, currency, error
             from balances order by provider"
        ))
    }
}
