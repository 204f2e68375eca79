//! Settings for the verbs: what each needs of `jobs.toml` and of the environment.

use std::path::Path;

use anyhow::Result;

use super::{Cli, JOBS};
use crate::config::{Config, ConfigError, Environment};

/// Where JustOneAPI itself answers.
const DEFAULT_HOST: &str = "api.justoneapi.com";

/// The settings of a verb that asks upstream.
pub(super) fn load(cli: &Cli) -> Result<Config> {
    Ok(Config::load(cli.jobs(), &Environment::read())?)
}

/// Says who is asked, where that is not JustOneAPI itself: a rehearsal must not pass for the real.
pub(super) fn say_whom(config: &Config) {
    let url = &config.justoneapi.base_url;
    if url.host_str() != Some(DEFAULT_HOST) {
        tracing::warn!(%url, "JustOneAPI is asked at another address than its own");
    }
}

/// The settings, or their defaults where no file was named and there is none: for verbs that
/// need no jobs.
pub(super) fn load_or_default(cli: &Cli) -> Result<Config> {
    Ok(load_in(cli, &Environment::read())?)
}

/// The same for verbs that ask nobody: whatever is wrong with the token or the address, they need
/// neither.
pub(super) fn load_without_calls(cli: &Cli) -> Result<Config, ConfigError> {
    load_in(cli, &Environment::read().without_calls())
}

fn load_in(cli: &Cli, environment: &Environment) -> Result<Config, ConfigError> {
    if cli.config.is_none() && !Path::new(JOBS).exists() {
        return Config::parse("", Path::new(JOBS), environment);
    }
    Config::load(cli.jobs(), environment)
}

/// The settings for verbs that only look at the archive or hold something back there: wrong ones, of
/// which the consequence `so` is told, are no reason to refuse that.
pub(super) fn settings(cli: &Cli, so: &str) -> Result<Config> {
    load_without_calls(cli)
        .or_else(|_| {
            let path = cli.jobs().display();
            tracing::warn!("{path} is wrong, so that {so}: `tidewatch check` says more");
            Config::parse("", cli.jobs(), &Environment::default())
        })
        .map_err(Into::into)
}
