//! `[budget]`: what may be spent a day.

use toml::Spanned;

use super::problems::Problem;
use super::provider::micros;
use super::{Config, Reader, wire};
use crate::api::Endpoint;

/// What may be spent a day, over all jobs and by hand. The day begins at midnight in the zone of
/// the file. A call of which nobody knows whether it was billed counts as billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls, to any provider.
    pub max_calls_per_day: Option<i64>,
    /// Money, in millionths of the account's currency.
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
    /// The endpoints in use that a limit of money cannot see, because nobody said what they cost.
    pub(super) fn unpriced(&self) -> Vec<Endpoint> {
        if self.budget.max_cost_per_day_micros.is_none() {
            return Vec::new();
        }
        let mut endpoints: Vec<_> = self.jobs.iter().map(|job| self.endpoint(job.kind)).collect();
        endpoints.sort();
        endpoints.dedup();
        endpoints.retain(|endpoint| self.price_micros(*endpoint).is_none());
        endpoints
    }
}
