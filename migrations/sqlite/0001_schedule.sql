-- What to fetch, when, and who fetches it.
-- All times are UTC, written 2026-03-09 14:10:42[.ffffff]; all ids of the platforms are text.

-- An entry of jobs.toml, by its name. A job that left the file stays, inactive.
create table jobs (
    job_id integer primary key,
    name text not null unique,
    kind text not null,                     -- note, keyword, kol_search, work
    schedule text not null,                 -- cron, as written in jobs.toml
    timezone text not null,                 -- IANA name
    fired_through text not null,            -- every fire up to here has been decided
    is_active boolean not null,
    active text,                            -- windows, as written in jobs.toml; NULL: always
    overlap text not null default 'skip',   -- skip, queue
    spread_seconds integer not null default 0, -- over how long the slots of one fire are spread
    -- fires after this and up to this that are still to be recorded as missed, newest first; NULL: none
    backlog_since text,
    backlog_until text,
    backlog_fires integer not null default 0 -- how many of them are recorded
);

-- One fire of a job, or one run by hand. The unique key decides which daemon acts.
create table job_runs (
    run_id integer primary key,
    job_id integer references jobs,         -- NULL: run by hand
    due_at text not null,
    origin text not null,                   -- schedule, fetch, backfill
    decided_at text not null,               -- when the daemon made its slots
    -- when its last slot was settled, and its summary logged; NULL: some are open
    closed_at text,
    unique (job_id, due_at)
);
create index job_runs_by_due on job_runs (due_at);
create index job_runs_open on job_runs (run_id) where closed_at is null;

-- One thing to fetch, whoever wants it.
create table targets (
    target_id integer primary key,
    kind text not null,                     -- note, keyword, kol_search, work
    key text not null,                      -- note or work id, keyword, KOL filter, or a short link
    -- the note or work that key means; NULL: another kind, or a link that is not resolved yet
    item_id text,
    first_seen_at text not null,
    unique (kind, key)
);
create index targets_by_item on targets (item_id);

-- Which job wants which target. A target that left its watchlist keeps its history.
create table job_targets (
    job_id integer not null references jobs,
    target_id integer not null references targets,
    added_at text not null,
    removed_at text,                        -- NULL: still on the watchlist
    primary key (job_id, target_id)
);

-- One planned fetch of a target. Observed or missed once it is settled, never both, never gone.
create table slots (
    target_id integer not null references targets,
    due_at text not null,
    run_id integer not null references job_runs,
    kind text not null,                     -- that of the target
    outcome text,                           -- observed, missed; NULL while it is open
    reason text,                            -- why it was missed, or why the last attempt failed
    closed_at text,                         -- NULL while it is open
    call_id integer,                        -- the call that settled it, or the last one tried
    next_page integer not null,             -- of a search: the page to read next, from 1
    attempts integer not null,              -- at this page so far
    retry_at text not null,                 -- not before
    lease_owner integer,                    -- the process that has claimed it; NULL: none
    lease_until text,
    fence integer not null,                 -- grows with each claim: an answer to an older claim is late
    -- smaller ones are claimed first: 0 scheduled and by hand, 1 of a backfill
    priority integer not null default 0,
    primary key (target_id, due_at)
) without rowid;
-- The open slots in claim order. The last column scatters neighbours: of each fire, every 32nd target
-- comes first, and which of them changes from fire to fire, so that each target comes first at times.
-- What is claimed and settled together lies together in every table and index, on few pages.
create index slots_open on slots (kind, priority, retry_at, (
    (target_id / 32 * 2654435761 + run_id * 1779033703) % 4294967296 * 1009
    + (target_id * 623 + run_id * 283) % 1009)) where outcome is null;
create index slots_open_by_target on slots (target_id, due_at) where outcome is null;
create index slots_open_by_run on slots (run_id) where outcome is null;
create index slots_by_run on slots (run_id);
create index slots_of_backfills on slots (run_id, outcome, reason) where priority > 0;

-- Many slots at once beside the schedules: a run whose slots are claimed when no other is due.
create table backfills (
    run_id integer primary key references job_runs,
    name text not null unique,
    source text not null,                   -- where its targets came from
    digest text not null,                   -- of these targets: the same list again continues it
    created_at text not null,
    state text not null,                    -- planning: its slots are being made; running; stopped, limited: until it is resumed; cancelled; done
    max_calls integer,                      -- of its calls, all but the unbilled count; NULL: no limit
    max_cost_micros integer,                -- of their price, in millionths; NULL: no limit
    ended_at text                           -- NULL: some of its slots are still open
);

-- A process that made calls.
create table processes (
    owner integer primary key,
    verb text not null,                     -- run, fetch, demo
    version text not null,                  -- of tidewatch
    normaliser integer not null,            -- of the code that reads its answers
    started_at text not null,
    stopped_at text,                        -- NULL: at work, or it died
    beat_at text,                           -- its last heartbeat; NULL: none yet
    -- start of the server that holds its lock: after a restart of the server the lock is free for
    -- a moment; NULL in SQLite
    server_at text,
    died_at text,                           -- when another process found it expired; NULL: nobody did
    clock text                              -- what is wrong with its clock; NULL: nothing
);
create index processes_open on processes (started_at) where stopped_at is null and died_at is null;

-- Where a process sends the calls of each provider: what a rehearsal brought shows by its address.
create table process_providers (
    owner integer not null,                 -- processes.owner
    provider text not null,
    base_url text not null,
    primary key (owner, provider)
) without rowid;

-- Each time a process has read jobs.toml: at its start, on SIGHUP, and when a file has changed.
create table config_loads (
    load_id integer primary key,
    owner integer not null,                 -- processes.owner
    read_at text not null,
    -- what is wrong with it: the older settings stay in force; NULL: taken over
    error text
);
create index config_loads_by_owner on config_loads (owner, load_id);

-- Where the calls of each provider go from a load on; none of a rejected one.
create table config_load_providers (
    load_id integer not null,               -- config_loads.load_id
    provider text not null,
    base_url text not null,
    -- one byte of a hash of the token, the same for one token in 256; NULL: no token
    token_mark integer,
    primary key (provider, load_id)
) without rowid;
