-- What to do. All times are UTC, written 2026-03-09 14:10:42[.ffffff]; all ids of the platforms are text.

-- An entry of jobs.toml, by its name. A job that left the file stays, inactive.
create table jobs (
    job_id integer primary key,
    name text not null unique,
    kind text not null,                     -- note, keyword, kol_search, work
    schedule text not null,                 -- cron, as written in jobs.toml
    timezone text not null,                 -- IANA name
    fired_through text not null,            -- every fire up to here has been decided
    is_active boolean not null
);

-- One fire of a job, or one run by hand. The unique key decides which daemon acts.
create table job_runs (
    run_id integer primary key,
    job_id integer references jobs,         -- NULL: run by hand
    due_at text not null,
    origin text not null,                   -- schedule, fetch
    decided_at text not null,               -- when the daemon materialised its slots
    unique (job_id, due_at)
);

-- One thing to look at, whoever wants it.
create table targets (
    target_id integer primary key,
    kind text not null,                     -- note, keyword, kol_search, work
    key text not null,                      -- note or work id, keyword, KOL filter, or a short link
    item_id text,                           -- the note or work that key means; NULL for other kinds, and for a link until it is resolved
    first_seen_at text not null,
    unique (kind, key)
);

-- Which job wants which target. A target that left its watchlist keeps its history.
create table job_targets (
    job_id integer not null references jobs,
    target_id integer not null references targets,
    added_at text not null,
    removed_at text,                        -- NULL: still on the watchlist
    primary key (job_id, target_id)
);

-- One planned look at a target. Observed or missed once it is settled, never both, never gone.
create table slots (
    target_id integer not null references targets,
    due_at text not null,
    run_id integer not null references job_runs,
    kind text not null,                     -- that of the target
    outcome text,                           -- observed, missed; NULL while it is open
    reason text,                            -- why it was missed, or why the last try failed
    closed_at text,
    call_id integer,                        -- the call that settled it, or the last one tried
    next_page integer not null,             -- of a search: the page to read next, from 1
    attempts integer not null,              -- tries at this page so far
    retry_at text not null,                 -- not before
    lease_owner integer,                    -- the process that is at it; NULL when nobody is
    lease_until text,
    fence integer not null,                 -- grows with each claim: an answer to an older claim is late
    primary key (target_id, due_at)
) without rowid;
create index slots_open on slots (kind, retry_at) where outcome is null;
create index slots_open_by_target on slots (target_id, due_at) where outcome is null;
create index slots_by_run on slots (run_id);
create index slots_by_due on slots (due_at);
