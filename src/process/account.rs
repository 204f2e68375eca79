//! The accounts in use: another token or another server may allow what the former one refused.

use anyhow::Result;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::api::Provider;
use crate::config::{Config, ProviderSettings};
use crate::model::{PauseReason, PauseScope, ResumedBy};
use crate::store::{Account, ConfigLoad, Tx};
use crate::time::Time;

/// The record of the settings in force.
pub(crate) fn applied(config: &Config) -> ConfigLoad<'_> {
    ConfigLoad::TakenOver(Provider::ALL.map(|it| account(it, config.provider(it))).to_vec())
}

fn account(provider: Provider, settings: &ProviderSettings) -> Account {
    Account {
        provider: provider.as_str().to_owned(),
        base_url: settings.base_url.to_string(),
        token_mark: token_mark(settings),
    }
}

/// One byte of a hash of the token: tells two tokens apart in most cases and reveals nothing of even
/// a short one. A new token with the same byte, one in 256, waits for the next probe, within the hour.
fn token_mark(settings: &ProviderSettings) -> Option<i64> {
    let token = settings.token.as_ref()?.expose_secret();
    let digest = Sha256::digest(format!("tidewatch token\0{token}"));
    digest.first().map(|byte| i64::from(*byte))
}

/// Lifts the refusals of the accounts recorded last, where these settings use another one.
pub(super) async fn lift_refusals_of_others(tx: &mut Tx, config: &Config, now: Time) -> Result<()> {
    for provider in Provider::ALL {
        let Some(last) = tx.last_account(provider.as_str()).await? else { continue };
        let ours = account(provider, config.provider(provider));
        let marks = ours.token_mark.zip(last.token_mark);
        if marks.is_some_and(|(ours, last)| ours != last) || ours.base_url != last.base_url {
            lift_refusals(tx, provider, now).await?;
        }
    }
    Ok(())
}

/// Ends the pauses that another token or another server may not cause.
pub(crate) async fn lift_refusals(tx: &mut Tx, provider: Provider, now: Time) -> Result<()> {
    let endpoints = provider.endpoints().flat_map(|it| {
        [PauseReason::Denied, PauseReason::Quota]
            .map(|reason| (PauseScope::Endpoint, it.as_str(), reason))
    });
    let refusals = [PauseReason::BadCredentials, PauseReason::Balance];
    let refusals = refusals.map(|reason| (PauseScope::Provider, provider.as_str(), reason));
    for (scope, name, reason) in refusals.into_iter().chain(endpoints) {
        tx.resume(scope, name, Some(reason), Time::MAX, now, ResumedBy::Settings).await?;
    }
    Ok(())
}
