//! The alarm wakes the daemon when a job is due, and decides nothing.
//!
//! tokio-cron-scheduler rings at the times of [`Schedule`] (croner, in the job's zone). By itself it
//! freezes the zone's offset when a job is added, so a metadata store of our own sets every next
//! fire. A lost or repeated ring does no harm: the database says what is due, and the daemon also
//! checks it periodically.

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

/// Capacity of the scheduler's channels: too few messages lose jobs due in the same second.
const CHANNEL_SIZE: usize = 4096;

/// Timeout of adding an entry, which hangs when the scheduler has died inside.
const ADD_TIMEOUT: Duration = Duration::from_secs(10);

/// The scheduler reads its next fires twice a second; two intervals without a read mean that it died.
const LIVENESS_INTERVAL: Duration = Duration::from_secs(30);

/// A pattern that parses; never used to compute a fire.
const PLACEHOLDER: &str = "0 0 0 1 1 *";

/// The running scheduler, with one entry per job.
pub(super) struct Alarm {
    scheduler: JobScheduler,
    death: JoinHandle<()>,
}

impl Alarm {
    /// Starts a scheduler that notifies `bell` whenever one of these jobs is due.
    ///
    /// # Errors
    /// When the scheduler cannot be started.
    pub(super) async fn set(
        jobs: &[config::Job],
        clock: &Clock,
        bell: &Arc<Notify>,
    ) -> Result<Self> {
        let schedules = Schedules::default();
        let reads = Arc::new(AtomicU64::new(0));
        let storage = Fires {
            inner: SimpleMetadataStore::default(),
            schedules: schedules.clone(),
            clock: clock.clone(),
            reads: reads.clone(),
        };
        let scheduler = JobScheduler::new_with_storage_and_code(
            Box::new(storage),
            Box::new(SimpleNotificationStore::default()),
            Box::new(SimpleJobCode::default()),
            Box::new(SimpleNotificationCode::default()),
            CHANNEL_SIZE,
        )
        .await
        .context("cannot create the scheduler")?;
        // One after the other: many at once kill the scheduler.
        for job in jobs {
            let bell = bell.clone();
            let entry = Job::new_async(PLACEHOLDER, move |_, _| {
                bell.notify_one();
                Box::pin(std::future::ready(()))
            })
            .context("cannot create a scheduler entry")?;
            schedules.put(entry.guid(), job.schedule.clone());
            tokio::time::timeout(ADD_TIMEOUT, scheduler.add(entry))
                .await
                .context("the scheduler does not answer")?
                .with_context(|| format!("cannot schedule the job {}", job.name))?;
        }
        scheduler.start().await.context("cannot start the scheduler")?;
        Ok(Self { scheduler, death: tokio::spawn(death(reads, LIVENESS_INTERVAL)) })
    }

    /// Waits until the scheduler has died, which it does silently. Cancel safe.
    pub(super) async fn died(&mut self) {
        // A dead watchdog counts as a dead scheduler.
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

/// Returns when the scheduler has not read its next fires for two intervals in a row.
async fn death(reads: Arc<AtomicU64>, interval: Duration) {
    let (mut seen, mut silent) = (0, 0);
    while silent < 2 {
        tokio::time::sleep(interval).await;
        let now = reads.load(Ordering::Relaxed);
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

/// The scheduler's metadata store, with the next fires of [`Schedules`].
struct Fires {
    inner: SimpleMetadataStore,
    schedules: Schedules,
    clock: Clock,
    /// How often the scheduler has read its next fires.
    reads: Arc<AtomicU64>,
}

type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, JobSchedulerError>> + Send>>;

impl DataStore<JobStoredData> for Fires {
    fn get(&mut self, id: JobId) -> StoreFuture<Option<JobStoredData>> {
        self.inner.get(id)
    }

    fn add_or_update(&mut self, mut data: JobStoredData) -> StoreFuture<()> {
        if let Some(id) = data.id.as_ref().map(JobId::from) {
            data.set_next_tick(self.schedules.next_after(id, self.clock.now()));
        }
        self.inner.add_or_update(data)
    }

    fn delete(&mut self, id: JobId) -> StoreFuture<()> {
        self.inner.delete(id)
    }
}

impl InitStore for Fires {
    fn init(&mut self) -> StoreFuture<()> {
        self.inner.init()
    }

    fn inited(&mut self) -> StoreFuture<bool> {
        self.inner.inited()
    }
}

impl MetaDataStorage for Fires {
    fn list_next_ticks(&mut self) -> StoreFuture<Vec<JobAndNextTick>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.list_next_ticks()
    }

    fn set_next_and_last_tick(
        &mut self,
        id: JobId,
        _next: Option<DateTime<Utc>>,
        last: Option<DateTime<Utc>>,
    ) -> StoreFuture<()> {
        let next = self.schedules.next_after(id, last.map_or_else(|| self.clock.now(), Time::new));
        self.inner.set_next_and_last_tick(id, next, last)
    }

    fn time_till_next_job(&mut self) -> StoreFuture<Option<Duration>> {
        self.inner.time_till_next_job()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use tokio_cron_scheduler::job::job_data::JobType;

    use super::*;
    use crate::schedule::{Misfire, Overlap};

    /// The fires of a daily 09:00 in New York, from a store whose clock stands at `now`.
    async fn fires(now: &str, count: usize) -> Vec<String> {
        let schedules = Schedules::default();
        let clock = Clock::standing(now.parse().expect("a time"));
        let mut storage = Fires {
            inner: SimpleMetadataStore::default(),
            schedules: schedules.clone(),
            clock: clock.clone(),
            reads: Arc::default(),
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
            let next = data.next_tick_utc().map(Time::new).expect("a fire");
            seen.push(next.to_string());
            clock.jump_to(next);
            let ignored = Some(next.utc());
            storage.set_next_and_last_tick(id, ignored, ignored).await.expect("the fire is set");
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn scheduler_without_reads_is_dead() {
        let reads = Arc::new(AtomicU64::new(0));
        let watch = tokio::spawn(death(reads.clone(), LIVENESS_INTERVAL));
        for _ in 0..100 {
            tokio::time::sleep(LIVENESS_INTERVAL).await;
            reads.fetch_add(1, Ordering::Relaxed);
        }
        assert!(!watch.is_finished());
        tokio::time::timeout(4 * LIVENESS_INTERVAL, watch)
            .await
            .expect("it ends")
            .expect("quietly");
    }

    #[tokio::test]
    async fn fires_keep_wall_clock_across_daylight_saving() {
        assert_eq!(
            fires("2027-03-13 00:00:00", 2).await,
            ["2027-03-13 14:00:00", "2027-03-14 13:00:00"]
        );
        assert_eq!(
            fires("2027-11-06 00:00:00", 2).await,
            ["2027-11-06 13:00:00", "2027-11-07 14:00:00"]
        );
    }

    #[tokio::test]
    async fn bell_rings_when_job_is_due() {
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
        assert!(rang.is_ok(), "the bell rings within the interval");
    }
}
