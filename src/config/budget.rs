//! `[budget]`: the daily limits.

use std::collections::BTreeSet;

use toml::Spanned;

use super::problems::Problem;
use super::provider::micros;
use super::{Config, Reader, wire};
use crate::api::Endpoint;
use crate::model::Target;

/// Daily limits over all jobs and manual fetches. The day starts at midnight in the file's zone. A
/// call whose billing is unknown counts as billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls to any provider.
    pub max_calls_per_day: Option<i64>,
    /// Cost in millionths of a yuan.
    pub max_cost_per_day_micros: Option<i64>,
    /// The line of `jobs.toml` that limits the cost, from 1.
    pub(super) max_cost_line: Option<usize>,
}

impl Budget {
    /// Whether any limit is set.
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
                self.problem(wire.span(), Problem::new("invalid amount", help));
                None
            }
        });
        Budget {
            max_calls_per_day: self.limit(wire.max_calls_per_day.as_ref()),
            max_cost_per_day_micros: cost,
            max_cost_line: wire
                .max_cost_per_day
                .as_ref()
                .map(|wire| self.source.line_number(wire.span().start)),
        }
    }

    /// A number of calls per day; `None` without a limit.
    pub(super) fn limit(&mut self, wire: Option<&Spanned<i64>>) -> Option<i64> {
        let wire = wire?;
        let calls = *wire.get_ref();
        if calls < 1 {
            let help = "at least 1; without this line there is no limit; \
                        `enabled = false` disables a job";
            self.problem(wire.span(), Problem::new("the number is out of range", help));
        }
        Some(calls)
    }
}

impl Config {
    /// The endpoint that resolves a target first; `None` unless it is a short link its own endpoint
    /// rejects.
    pub fn resolver(&self, target: &Target) -> Option<Endpoint> {
        self.endpoint(target.kind).resolver().filter(|_| target.is_short_link())
    }

    /// Endpoints needed by these targets whose price is unknown.
    pub fn unpriced<'a>(&self, targets: impl IntoIterator<Item = &'a Target>) -> Vec<Endpoint> {
        let asked = |target: &Target| [Some(self.endpoint(target.kind)), self.resolver(target)];
        let endpoints: BTreeSet<_> = targets.into_iter().flat_map(asked).flatten().collect();
        let is_unpriced = |it: &Endpoint| self.price_micros(*it).is_none();
        endpoints.into_iter().filter(is_unpriced).collect()
    }

    /// Checks that every endpoint these targets need has a price if `max_cost_per_day` is set.
    pub fn require_prices_for<'a>(
        &self,
        targets: impl IntoIterator<Item = &'a Target>,
    ) -> Result<(), PriceMissing> {
        if self.budget.max_cost_per_day_micros.is_none() {
            return Ok(());
        }
        match self.unpriced(targets).as_slice() {
            [] => Ok(()),
            endpoints => Err(PriceMissing {
                place: match self.budget.max_cost_line {
                    Some(line) => format!("{}:{line}: ", self.path.display()),
                    None => String::new(),
                },
                endpoints: named(endpoints),
                sections: price_sections(endpoints),
            }),
        }
    }
}

/// Endpoint names for display.
pub(crate) fn named(endpoints: &[Endpoint]) -> String {
    endpoints.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" and ")
}

/// Where the prices of endpoints are set: `[justoneapi.price]`.
pub(crate) fn price_sections(endpoints: &[Endpoint]) -> String {
    let providers: BTreeSet<_> = endpoints.iter().map(|it| it.provider()).collect();
    let sections = providers.into_iter().map(|provider| format!("[{provider}.price]"));
    sections.collect::<Vec<_>>().join(" and ")
}

/// Endpoints without a price under `max_cost_per_day`, and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place}max_cost_per_day needs the price of {endpoints}: set it under {sections}; without prices the \
     limit cannot work"
)]
pub struct PriceMissing {
    /// The file and the line that limit the cost.
    place: String,
    endpoints: String,
    sections: String,
}
