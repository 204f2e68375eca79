//! Loads of the configuration: which process works with which settings.

use anyhow::Result;

use crate::store::db::{Tx, execute, fetch_all, fetch_optional};
use crate::time::Time;

/// One load of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigLoad<'a> {
    /// Accepted, with the account at each provider.
    TakenOver(Vec<Account>),
    /// Rejected, with the error.
    Refused(&'a str),
}

/// Where the calls of a provider go, and on whose account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Account {
    /// Name of the provider.
    pub provider: String,
    /// Its base URL.
    pub base_url: String,
    /// A mark that differs between most tokens; `None`: there is no token.
    #[serde(skip)]
    pub token_mark: Option<i64>,
}

/// The configuration state of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ConfigState {
    /// When it loaded its current settings.
    pub taken_over_at: Option<Time>,
    /// The accounts in them.
    pub providers: Vec<Account>,
    /// When it rejected newer settings.
    pub refused_at: Option<Time>,
    /// The error in those.
    pub error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Load {
    load_id: i64,
    read_at: Time,
    error: Option<String>,
}

impl Tx {
    /// Records a load of the configuration.
    pub async fn put_config_load(
        &mut self,
        owner: i64,
        load: ConfigLoad<'_>,
        now: Time,
    ) -> Result<()> {
        let (accounts, error) = match load {
            ConfigLoad::TakenOver(accounts) => (accounts, None),
            ConfigLoad::Refused(error) => (Vec::new(), Some(error)),
        };
        let sql = "insert into config_loads (owner, read_at, error) values ($1, $2, $3)
                   returning load_id, read_at, error";
        let Some(load) = fetch_optional!(self, Load, sql, owner, now, error) else { return Ok(()) };
        for Account { provider, base_url, token_mark } in accounts {
            execute!(
                self,
                "insert into config_load_providers (load_id, provider, base_url, token_mark)
                 values ($1, $2, $3, $4)",
                load.load_id,
                provider,
                base_url,
                token_mark
            );
        }
        Ok(())
    }

    /// The account at a provider in the settings that any process loaded last.
    pub async fn last_account(&mut self, provider: &str) -> Result<Option<Account>> {
        Ok(fetch_optional!(
            self,
            Account,
            "select provider, base_url, token_mark from config_load_providers
             where provider = $1 order by load_id desc limit 1",
            provider
        ))
    }

    /// The configuration state of a process.
    pub async fn config_state(&mut self, owner: i64) -> Result<ConfigState> {
        let latest = "select load_id, read_at, error from config_loads
                      where owner = $1 order by load_id desc limit 1";
        let taken = "select load_id, read_at, error from config_loads
                     where owner = $1 and error is null order by load_id desc limit 1";
        let latest = fetch_optional!(self, Load, latest, owner);
        let taken = fetch_optional!(self, Load, taken, owner);
        let providers = fetch_all!(
            self,
            Account,
            "select provider, base_url, token_mark from config_load_providers
             where load_id = $1 order by provider",
            taken.as_ref().map(|load| load.load_id)
        );
        let refused = latest.filter(|load| load.error.is_some());
        Ok(ConfigState {
            taken_over_at: taken.map(|load| load.read_at),
            providers,
            refused_at: refused.as_ref().map(|load| load.read_at),
            error: refused.and_then(|load| load.error),
        })
    }
}
