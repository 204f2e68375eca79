//! `[budget]`: what may be spent a day.

use std::collections::BTreeSet;

use toml::Spanned;

use super::problems::Problem;
use super::provider::micros;
use super::{Config, Reader, wire};
use crate::api::Endpoint;
use crate::model::Target;

/// What may be spent a day, over all jobs and by hand. The day begins at midnight in the zone of
/// the file. A call of which nobody knows whether it was billed counts as billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls, to any provider.
    pub max_calls_per_day: Option<i64>,
    /// Money, in millionths of a yuan.
    pub max_cost_per_day_micros: Option<i64>,
}

impl Budget {
    /// Whether anything is limited.
    pub fn is_set(&self) -> bool {
        self.max_calls_per_day.is_some() || self.max_cost_per_day_micros.is_some()
    }
}

impl Reader<'_> {
    pub(super) fn budget(&mut self, wire: &wire::Budget) -> Budget {
        let cost = wire.max_cost_per_day.as_ref().and_then(|wire| match micros(wire.get_ref()) {
            Ok(micros) => Some(micros),
            Err(_) => {
                let help = "yuan a day, such as max_cost_per_day = 20.5";
                self.problem(wire.span(), Problem::new("this is no amount of money", help));
                None
            }
        });
        Budget {
            max_calls_per_day: self.limit(wire.max_calls_per_day.as_ref()),
            max_cost_per_day_micros: cost,
        }
    }

    /// A number of calls a day; `None` where there is no limit.
    pub(super) fn limit(&mut self, wire: Option<&Spanned<i64>>) -> Option<i64> {
        let wire = wire?;
        let calls = *wire.get_ref();
        if calls < 1 {
            let help = "at least 1; without this line there is no limit; \
                        `enabled = false` switches a job off";
            self.problem(wire.span(), Problem::new("the number is out of range", help));
        }
        Some(calls)
    }
}

impl Config {
    /// What resolves a target before it is looked at; `None` unless it is a short link that its
    /// endpoint does not take.
    pub fn resolver(&self, target: &Target) -> Option<Endpoint> {
        self.endpoint(target.kind).resolver().filter(|_| target.is_short_link())
    }

    /// The endpoints asked for these targets of which nobody said what a call costs.
    pub fn unpriced<'a>(&self, targets: impl IntoIterator<Item = &'a Target>) -> Vec<Endpoint> {
        let asked = |target: &Target| [Some(self.endpoint(target.kind)), self.resolver(target)];
        let endpoints: BTreeSet<_> = targets.into_iter().flat_map(asked).flatten().collect();
        let is_unpriced = |it: &Endpoint| self.price_micros(*it).is_none();
        endpoints.into_iter().filter(is_unpriced).collect()
    }

    /// That `max_cost_per_day`, if it is set, sees all that looking at these targets costs.
    ///
    /// # Errors
    /// When an endpoint that they need has no price.
    pub fn require_prices_for<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Result<(), PriceMissing> {
        if self.budget.max_cost_per_day_micros.is_none() {
            return Ok(());
        }
        match self.unpriced(targets).as_slice() {
            [] => Ok(()),
            endpoints => Err(PriceMissing(named(endpoints))),
        }
    }
}

/// Endpoints by their names, for people.
pub(crate) fn named(endpoints: &[Endpoint]) -> String {
    endpoints.iter().map(|it| it.name()).collect::<Vec<_>>().join(" and ")
}

/// What `max_cost_per_day` cannot see the cost of, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "max_cost_per_day needs the price of {0}: set it under [justoneapi.price] in jobs.toml; a limit \
     cannot count what it cannot see"
)]
pub struct PriceMissing(String);
