//! The account in use: another token or another server may allow what the former one refused.

use anyhow::Result;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use crate::api::{Endpoint, Provider};
use crate::config::Config;
use crate::model::{PauseReason, PauseScope, ResumedBy};
use crate::store::{ConfigLoad, Tx};
use crate::time::Time;

/// The record of the settings in force.
pub(crate) fn applied(config: &Config) -> ConfigLoad<'_> {
    ConfigLoad::TakenOver {
        justoneapi_url: config.justoneapi.base_url.as_str(),
        amagi_url: config.amagi.base_url.as_str(),
        token_mark: token_mark(config),
    }
}

/// One byte of a hash of the token: tells two tokens apart in most cases and reveals nothing of even
/// a short one. A new token with the same byte, one in 256, waits for the next probe, within the hour.
fn token_mark(config: &Config) -> Option<i64> {
    let token = config.token.as_ref()?.expose_secret();
    let digest = Sha256::digest(format!("tidewatch token\0{token}"));
    digest.first().map(|byte| i64::from(*byte))
}

/// Lifts the refusals of the account recorded last, if these settings use another one.
pub(super) async fn lift_refusals_of_others(tx: &mut Tx, config: &Config, now: Time) -> Result<()> {
    let Some((url, mark)) = tx.last_asked().await? else { return Ok(()) };
    let (ours, known) = (token_mark(config), mark.is_some());
    let another = known && ours.is_some() && ours != mark;
    if another || url != config.justoneapi.base_url.as_str() {
        lift_refusals(tx, now).await?;
    }
    Ok(())
}

/// Ends the pauses that another token or another server may not cause.
pub(crate) async fn lift_refusals(tx: &mut Tx, now: Time) -> Result<()> {
    let provider = Provider::JustOneApi;
    let endpoints = Endpoint::ALL.into_iter().filter(|it| it.provider() == provider);
    let endpoints = endpoints.flat_map(|it| {
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
