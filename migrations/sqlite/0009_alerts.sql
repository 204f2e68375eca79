-- What people are told: messages to webhooks, each sent once, and the summary of each run.

-- Something that was to be told to one [[alert]] of jobs.toml, from its beginning to its end.
create table alerts (
    alert_id integer primary key,
    name text not null,                     -- of the [[alert]] it goes to
    condition text not null,                -- stopped, budget, silent, gone
    subject text not null,                  -- whose: a provider or endpoint, a limit and its day, a job, an item
    detail text not null,                   -- a reason or a figure; empty: none
    since text not null,             -- when it began
    sent_at text,                    -- when the message was taken; NULL: not yet, or it was over before
    resolved_at text,                -- when it was over; NULL: it lasts
    resolved_sent_at text,           -- when the message of that was taken
    attempts integer not null,               -- tries at the message that is to be sent
    next_try_at text not null,       -- not before: somebody is at it, or it failed
    last_error text                         -- why the last try failed; NULL: it did not
);
create unique index alerts_lasting on alerts (name, condition, subject) where resolved_at is null;
create index alerts_unsent on alerts (name, next_try_at)
    where (resolved_at is null and sent_at is null)
       or (resolved_at is not null and sent_at is not null and resolved_sent_at is null);

-- When the last look of a run was settled; its summary was logged then.
alter table job_runs add column closed_at text;
update job_runs set closed_at = decided_at
    where not exists (select 1 from slots s where s.run_id = job_runs.run_id and s.outcome is null);
create index job_runs_open on job_runs (run_id) where closed_at is null;
