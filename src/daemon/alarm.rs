//! The alarm clock: wakes the daemon when a job is due, and decides nothing.
//!
//! tokio-cron-scheduler rings; [`Schedule`] (croner, in the job's zone) says when. Left alone the
//! scheduler freezes a zone's offset when a job is added, so every tick is set from here, through
//! a storage of our own. What it may still lose or repeat does no harm: what is due stands in the
//! database, and the daemon looks there on its own account as well.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_cron_scheduler::job::JobId;
use tokio_cron_scheduler::job::job_data::{JobAndNextTick, JobStoredData};
use tokio_cron_scheduler::store::{DataStore, InitStore};
use tokio_cron_scheduler::{
    Job, JobScheduler, JobSchedulerError, MetaDataStorage, SimpleJobCode, SimpleMetadataStore,
    SimpleNotificationCode, SimpleNotificationStore,
};

use crate::config;
use crate::schedule::Schedule;
use crate::time::{Clock, Time};

/// Messages that the scheduler's own channels hold: with too few, jobs due in one second are lost.
const CHANNEL_SIZE: usize = 4096;

/// Adding an entry may hang when the scheduler has died inside.
const ADD_TIMEOUT: Duration = Duration::from_secs(10);

/// The scheduler asks for its ticks twice a second; a process that slept may find it late once.
const ALIVE_EVERY: Duration = Duration::from_secs(30);

/// A pattern that parses; never used to compute a tick.
const PLACEHOLDER: &str = "0 0 0 1 1 *";

/// One entry a job; kept for as long as it is to ring.
pub(super) struct Alarm {
    scheduler: JobScheduler,
    death: JoinHandle<()>,
}

impl Alarm {
    /// Sets the alarm for these jobs; it rings by notifying `bell`.
    ///
    /// # Errors
    /// When the scheduler cannot be started.
    pub(super) async fn set(
        jobs: &[config::Job],
        clock: &Clock,
        bell: &Arc<Notify>,
    ) -> Result<Self> {
        let schedules = Schedules::default();
        let asked = Arc::new(AtomicU64::new(0));
        let storage = Ticks {
            inner: SimpleMetadataStore::default(),
            schedules: schedules.clone(),
            clock: clock.clone(),
            asked: asked.clone(),
        };
        let scheduler = JobScheduler::new_with_storage_and_code(
            Box::new(storage),
            Box::new(SimpleNotificationStore::default()),
            Box::new(SimpleJobCode::default()),
            Box::new(SimpleNotificationCode::default()),
            CHANNEL_SIZE,
        )
        .await
        .context("cannot make the scheduler")?;
        // One after the other: the scheduler dies of many at once.
        for job in jobs {
            let bell = bell.clone();
            let entry = Job::new_async(PLACEHOLDER, move |_, _| {
                bell.notify_one();
                Box::pin(std::future::ready(()))
            })
            .context("cannot make a scheduler entry")?;
            schedules.put(entry.guid(), job.schedule.clone());
            tokio::time::timeout(ADD_TIMEOUT, scheduler.add(entry))
                .await
                .context("the scheduler does not answer")?
                .with_context(|| format!("cannot schedule the job {}", job.name))?;
        }
        scheduler.start().await.context("cannot start the scheduler")?;
        Ok(Self { scheduler, death: tokio::spawn(death(asked, ALIVE_EVERY)) })
    }

    /// Waits until the scheduler has died, which it does without a word. May be dropped at any time.
    pub(super) async fn died(&mut self) {
        // A watch that died itself is no better.
        let _ = (&mut self.death).await;
    }

    /// Stops ringing.
    pub(super) async fn stop(mut self) {
        self.death.abort();
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler did not stop cleanly");
        }
    }
}

/// Ends when nobody has asked for ticks for two spans in a row.
async fn death(asked: Arc<AtomicU64>, span: Duration) {
    let (mut seen, mut silent) = (0, 0);
    while silent < 2 {
        tokio::time::sleep(span).await;
        let now = asked.load(Ordering::Relaxed);
        silent = if now == seen { silent + 1 } else { 0 };
        seen = now;
    }
}

/// The schedule of each entry.
#[derive(Clone, Default)]
struct Schedules(Arc<Mutex<HashMap<JobId, Schedule>>>);

impl Schedules {
    fn put(&self, id: JobId, schedule: Schedule) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, schedule);
    }

    fn next_after(&self, id: JobId, at: Time) -> Option<DateTime<Utc>> {
        let schedules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        schedules.get(&id)?.next_after(at).map(Time::utc)
    }
}

/// The scheduler's storage, but for the ticks, which come from [`Schedules`].
struct Ticks {
    inner: SimpleMetadataStore,
    schedules: Schedules,
    clock: Clock,
    /// How often the scheduler has asked what is next.
    asked: Arc<AtomicU64>,
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

impl DataStore<JobStoredData> for Ticks {
    fn get(&mut self, id: JobId) -> Answer<Option<JobStoredData>> {
        self.inner.get(id)
    }

    fn add_or_update(&mut self, mut data: JobStoredData) -> Answer<()> {
        if let Some(id) = data.id.as_ref().map(JobId::from) {
            data.set_next_tick(self.schedules.next_after(id, self.clock.now()));
        }
        self.inner.add_or_update(data)
    }

    fn delete(&mut self, id: JobId) -> Answer<()> {
        self.inner.delete(id)
    }
}

impl InitStore for Ticks {
    fn init(&mut self) -> Answer<()> {
        self.inner.init()
    }

    fn inited(&mut self) -> Answer<bool> {
        self.inner.inited()
    }
}

impl MetaDataStorage for Ticks {
    fn list_next_ticks(&mut self) -> Answer<Vec<JobAndNextTick>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.inner.list_next_ticks()
    }

    fn set_next_and_last_tick(
        &mut self,
        id: JobId,
        _next: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
    ) -> Answer<()> {
        let next = self.schedules.next_after(id, last.map_or_else(|| self.clock.now(), Time::new));
        self.inner.set_next_and_last_tick(id, next, last)
    }

    fn time_till_next_job(&mut self) -> Answer<Option<Duration>> {
        self.inner.time_till_next_job()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use tokio_cron_scheduler::job::job_data::JobType;

    use super::*;
    use crate::schedule::{Misfire, Overlap};

    /// The ticks of a daily 09:00 in New York, from a storage whose clock stands at `now`.
    async fn ticks(now: &str, count: usize) -> Vec<String> {
        let schedules = Schedules::default();
        let clock = Clock::standing(now.parse().expect("a time"));
        let mut storage = Ticks {
            inner: SimpleMetadataStore::default(),
            schedules: schedules.clone(),
            clock: clock.clone(),
            asked: Arc::default(),
        };
        let entry = Job::new_async(PLACEHOLDER, |_, _| Box::pin(std::future::ready(())));
        let id = entry.expect("an entry").guid();
        schedules.put(id, Schedule::parse("0 9 * * *", New_York).expect("a schedule"));
        let data = JobStoredData {
            id: Some(id.into()),
            last_updated: None,
            last_tick: None,
            next_tick: 0,
            job_type: JobType::Cron as i32,
            count: 0,
            extra: Vec::new(),
            ran: false,
            stopped: false,
            job: None,
            time_offset_seconds: 0,
        };
        storage.add_or_update(data).await.expect("the entry is kept");
        let mut seen = Vec::new();
        for _ in 0..count {
            let data = storage.get(id).await.expect("the entry").expect("is there");
            let next = data.next_tick_utc().map(Time::new).expect("a tick");
            seen.push(next.to_string());
            clock.jump_to(next);
            let ignored = Some(next.utc());
            storage.set_next_and_last_tick(id, ignored, ignored).await.expect("the tick is set");
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_asks_for_no_ticks_is_dead_and_one_that_does_lives() {
        let asked = Arc::new(AtomicU64::new(0));
        let watch = tokio::spawn(death(asked.clone(), ALIVE_EVERY));
        for _ in 0..100 {
            tokio::time::sleep(ALIVE_EVERY).await;
            asked.fetch_add(1, Ordering::Relaxed);
        }
        assert!(!watch.is_finished());
        tokio::time::timeout(4 * ALIVE_EVERY, watch).await.expect("it ends").expect("quietly");
    }

    #[tokio::test]
    async fn ticks_keep_the_wall_clock_across_both_changes_of_daylight_saving() {
        assert_eq!(
            ticks("2027-03-13 00:00:00", 2).await,
            ["2027-03-13 14:00:00", "2027-03-14 13:00:00"]
        );
        assert_eq!(
            ticks("2027-11-06 00:00:00", 2).await,
            ["2027-11-06 13:00:00", "2027-11-07 14:00:00"]
        );
    }

    #[tokio::test]
    async fn the_bell_rings_when_a_job_is_due() {
        let schedule = Schedule::parse("*/10 * * * * *", chrono_tz::UTC).expect("a schedule");
        let job = config::Job {
            name: "often".into(),
            kind: crate::model::Kind::Note,
            schedule,
            misfire: Misfire::default(),
            overlap: Overlap::default(),
            spread: Duration::ZERO,
            max_calls_per_day: None,
            targets: Vec::new(),
            positions: config::Positions::default(),
        };
        let bell = Arc::new(Notify::new());
        let alarm = Alarm::set(&[job], &Clock::system(), &bell).await.expect("the alarm is set");
        let rang = tokio::time::timeout(Duration::from_secs(30), bell.notified()).await;
        alarm.stop().await;
        assert!(rang.is_ok(), "it rings within its interval");
    }
}
