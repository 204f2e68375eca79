//! The metrics in the text format of Prometheus: every name, unit and meaning.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::figures::Figures;
use super::tally::{Series, Sums};
use crate::api::Endpoint;
use crate::config::Config;
use crate::model::{MissedReason, SlotOutcome, Unavailability};
use crate::ops::health_state::Snapshot;
use crate::store::{ColdTotals, DriftCount};
use crate::time::Time;

/// Prefix of every metric that is not standard.
const PREFIX: &str = "tidewatch";

/// Upper bounds of the buckets of snapshot staleness, in seconds.
const AGES: [f64; 9] =
    [300.0, 900.0, 3600.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0, 604_800.0];

type Labels = Vec<(&'static str, String)>;

/// A text under construction. A metric without series is left out.
pub(super) struct Text(Registry);

impl Default for Text {
    fn default() -> Self {
        Self(Registry::with_prefix(PREFIX))
    }
}

impl Text {
    /// Metrics of the daemon itself.
    pub(super) fn daemon(mut self, health: &Snapshot, database_is_up: bool) -> Self {
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        self.gauge("build_info", "Always 1; the label is the version", [(version, 1.0)]);
        let is_up = database_is_up && health.database_error.is_none();
        self.gauge("database_up", "Whether the database answers", one(flag(is_up)));
        self.gauge(
            "loop_heartbeat_timestamp_seconds",
            "Last heartbeat of the daemon's loop",
            health.beat_at.map(at),
        );
        self.gauge(
            "config_last_reload_successful",
            "Whether the last reload of the settings succeeded",
            one(flag(!health.is_refused)),
        );
        self.gauge(
            "config_last_reload_success_timestamp_seconds",
            "Last successful reload of the settings",
            health.configured_at.map(at),
        );
        self
    }

    /// The connections to the database.
    pub(super) fn connections(mut self, used: u32, idle: u32) -> Self {
        let count = |state: &str, count| (vec![("state", state.to_string())], f64::from(count));
        self.gauge(
            "database_connections",
            "Connections to the database",
            [count("used", used), count("idle", idle)],
        );
        self
    }

    /// The counters; those that may still occur begin at zero, so that the first increase shows.
    pub(super) fn counters(mut self, sums: &Sums, config: &Config) -> Self {
        let count = |count: &i64| *count as f64;
        let drift = Endpoint::ALL.map(|it| Series::Drift { endpoint: it.as_str().to_owned() });
        let slots = config.jobs.iter().flat_map(|job| {
            SlotOutcome::ALL.map(|outcome| Series::Slots { job: job.name.clone(), outcome })
        });
        let missed = MissedReason::ALL.map(|reason| Series::Missed { reason });
        let others = drift.into_iter().chain(missed).chain([Series::Recovered]);
        let begun: Sums = slots.chain(others).map(|it| (it, 0)).collect();
        let zeros = begun.iter().filter(|(series, _)| !sums.contains_key(series));
        let [mut calls, mut costs, mut recovered, mut drift, mut slots, mut missed] =
            [const { Vec::new() }; 6];
        for (series, sum) in sums.iter().chain(zeros) {
            match series.clone() {
                Series::Calls { endpoint, outcome, billed } => {
                    let labels = [
                        ("endpoint", endpoint),
                        ("outcome", outcome),
                        ("billed", billed.to_string()),
                    ];
                    calls.push((labels.to_vec(), count(sum)));
                }
                Series::Cost { endpoint, billed } => {
                    costs.push((
                        vec![("endpoint", endpoint), ("billed", billed.to_string())],
                        yuan(*sum),
                    ));
                }
                Series::Recovered => recovered.push((Vec::new(), count(sum))),
                Series::Drift { endpoint } => {
                    drift.push((vec![("endpoint", endpoint)], count(sum)));
                }
                Series::Slots { job, outcome } => {
                    slots.push((vec![("job", job), ("outcome", outcome.to_string())], count(sum)));
                }
                Series::Missed { reason } => {
                    missed.push((vec![("reason", reason.to_string())], count(sum)));
                }
            }
        }
        let by = "by job; manual fetches and backfills by their origin";
        self.counter("slots", &format!("Settled slots {by}"), slots);
        self.counter("missed", "Missed slots", missed);
        self.counter("api_calls", "Ended calls on the ledger", calls);
        self.counter("api_cost_yuan", "Cost of the calls that were or may be billed", costs);
        self.counter("recovered_calls", "Interrupted calls of expired workers", recovered);
        self.counter("drift", "Answers that were not parsed, or not completely", drift);
        self
    }

    /// Gauges read from the database.
    pub(super) fn figures(mut self, figures: Option<&Figures>, now: Time) -> Self {
        let Some(figures) = figures else { return self };
        self.budget(figures);
        self.gauge(
            "schedule_lag_seconds",
            "How long the oldest claimable slot has waited",
            one(figures.waiting_since.map_or(0.0, |since| now.since(since).as_secs_f64())),
        );
        self.gauge(
            "oldest_due_timestamp_seconds",
            "Due time of the oldest fire with an open slot",
            figures.oldest_due_at.map(at),
        );
        let job = |name: &str| vec![("job", name.to_owned())];
        let seen =
            figures.jobs.iter().filter_map(|it| Some((job(&it.job), seconds(it.observed_at?))));
        self.gauge("last_success_timestamp_seconds", "Last observation of a job", seen);
        let blind = figures.jobs.iter().map(|it| (job(&it.job), it.unobserved_fires as f64));
        self.gauge(
            "fires_without_observation",
            "Fires of a job since its last observation, up to 20",
            blind,
        );
        let pauses = figures.pauses.iter().map(|pause| {
            let (scope, reason) = (pause.scope.to_string(), pause.reason.to_string());
            (vec![("scope", scope), ("name", pause.name.clone()), ("reason", reason)], 1.0)
        });
        self.gauge("paused", "Always 1: the pauses in force", pauses);
        let unavailable = Unavailability::ALL.map(|state| {
            let found = figures.unavailable.iter().find(|count| count.state == state);
            (vec![("state", state.to_string())], found.map_or(0.0, |count| count.targets as f64))
        });
        self.gauge(
            "unavailable",
            "Watched targets that are gone, refused or unreadable",
            unavailable,
        );
        let balances = figures.balances.iter().filter_map(|row| {
            let currency = row.currency.clone().unwrap_or_default();
            let labels = vec![("provider", row.provider.clone()), ("currency", currency)];
            Some((labels, yuan(row.micros?)))
        });
        self.gauge("balance", "What is left on the account of a provider", balances);
        self.gauge(
            "last_backup_timestamp_seconds",
            "As of when the last backup on record is",
            figures.backed_up_at.map(at),
        );
        self.cold(&figures.cold);
        let drift = Endpoint::ALL.into_iter().flat_map(|endpoint| {
            ["vanished", "type", "new"].map(|change| {
                let is_it =
                    |it: &&DriftCount| it.endpoint == endpoint.as_str() && it.change == change;
                let paths = figures.drift.iter().find(is_it).map_or(0, |it| it.paths);
                let labels = [("endpoint", endpoint.as_str()), ("change", change)];
                (labels.map(|(name, value)| (name, value.to_owned())).to_vec(), paths as f64)
            })
        });
        self.gauge("drift_paths", "Paths of answers that drifted in the last 30 days", drift);
        self
    }

    /// The age of the last observation of each watched target.
    pub(super) fn staleness(mut self, ages: Option<Vec<f64>>) -> Self {
        let Some(ages) = ages else { return self };
        let staleness = Histogram::new(AGES);
        ages.into_iter().for_each(|age| staleness.observe(age));
        self.0.register(
            "snapshot_staleness_seconds",
            "Age of the last observation of each available watched target",
            staleness,
        );
        self
    }

    /// The answers in cold files.
    fn cold(&mut self, cold: &ColdTotals) {
        let ColdTotals { files, documents, bytes, text_bytes, made_at, verified_at } = cold;
        for (name, help, value) in [
            ("cold_files", "Files with old answers", files),
            ("cold_documents", "Answers in cold files", documents),
            ("cold_bytes", "Size of the cold files", bytes),
            ("cold_text_bytes", "Size of the answers in cold files, as text", text_bytes),
        ] {
            self.gauge(name, help, one(*value as f64));
        }
        self.gauge(
            "cold_last_pack_timestamp_seconds",
            "When the last cold file was made",
            made_at.map(at),
        );
        self.gauge(
            "cold_oldest_verified_timestamp_seconds",
            "Last check of the cold file that was not checked for longest",
            verified_at.map(at),
        );
    }

    /// The daily budget, where it has limits.
    fn budget(&mut self, figures: &Figures) {
        let Figures { spent, max_calls, max_cost_micros, .. } = figures;
        let (max_yuan, spent_yuan) = (max_cost_micros.map(yuan), yuan(spent.cost_micros));
        let (max_calls, spent_calls) = (max_calls.map(|max| max as f64), spent.calls as f64);
        for (unit, max, spent) in
            [("calls", max_calls, spent_calls), ("yuan", max_yuan, spent_yuan)]
        {
            let limit = max.map(|max| (Vec::new(), max));
            self.gauge(&format!("budget_limit_{unit}"), "Daily limit", limit);
            let left = max.map(|max| (Vec::new(), (max - spent).max(0.0)));
            self.gauge(
                &format!("budget_remaining_{unit}"),
                "What is left of the daily limit",
                left,
            );
        }
    }

    /// A text without the prefix.
    pub(super) fn bare() -> Self {
        Self(Registry::default())
    }

    /// The encoded text.
    pub(super) fn written(self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0)?;
        Ok(text)
    }

    /// Adds a counter; `_total` is appended to its name.
    pub(super) fn counter(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let family = Family::<Labels, Counter<f64, AtomicU64>>::default();
        for (labels, value) in series {
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }

    /// Adds a gauge.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels, f64)>,
    ) {
        let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
        for (labels, value) in series {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }
}

/// A value without labels.
pub(super) fn one(value: f64) -> [(Labels, f64); 1] {
    [(Vec::new(), value)]
}

fn at(at: Time) -> (Labels, f64) {
    (Vec::new(), seconds(at))
}

fn seconds(at: Time) -> f64 {
    at.micros() as f64 / 1e6
}

fn flag(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn yuan(micros: i64) -> f64 {
    micros as f64 / 1e6
}
