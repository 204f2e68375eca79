//! Settings for the verbs: the parts of `jobs.toml` and the environment each needs.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{Cli, JOBS};
use crate::api::Provider;
use crate::config::{Config, ConfigError, Environment};

/// Settings of a verb that makes calls.
pub(super) fn load(cli: &Cli) -> Result<Config> {
    Ok(Config::load(cli.jobs(), &Environment::read())?)
}

/// Warns of providers with a token at another address: a rehearsal must not pass for the real API.
pub(super) fn say_whom(config: &Config) {
    for provider in Provider::ALL {
        let (profile, url) = (provider.profile(), &config.provider(provider).base_url);
        if profile.token.is_some() && url.as_str().trim_end_matches('/') != profile.base_url {
            tracing::warn!(%url, "{} has a non-default address", profile.title);
        }
    }
}

/// The settings, or defaults if there is no file and none was named; for verbs that need no jobs.
pub(super) fn load_or_default(cli: &Cli) -> Result<Config> {
    Ok(load_in(cli, &Environment::read())?)
}

/// The same for verbs that make no calls: token and address are not checked.
pub(super) fn load_without_calls(cli: &Cli) -> Result<Config, ConfigError> {
    load_in(cli, &Environment::read().without_calls())
}

fn load_in(cli: &Cli, environment: &Environment) -> Result<Config, ConfigError> {
    if cli.config.is_none() && !Path::new(JOBS).exists() {
        return Config::parse("", Path::new(JOBS), environment);
    }
    Config::load(cli.jobs(), environment)
}

/// The settings for verbs that only read or pause: invalid settings are reported with the
/// consequence `so`, and replaced by defaults.
pub(super) fn settings(cli: &Cli, so: &str) -> Result<Config> {
    load_without_calls(cli)
        .or_else(|_| {
            let path = cli.jobs().display();
            tracing::warn!("{path} is invalid, {so}: see `tidewatch check`");
            Config::parse("", cli.jobs(), &Environment::default())
        })
        .map_err(Into::into)
}

/// Checks that there is an archive: reading must not create an empty one.
pub(super) fn require_archive(cli: &Cli) -> Result<()> {
    if let Some(path) = cli.database_url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        ensure!(
            path.contains('?') || Path::new(path).exists(),
            "there is no archive {path}: nothing has been fetched yet; choose another with --database-url"
        );
    }
    Ok(())
}
