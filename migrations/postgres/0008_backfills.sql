-- Many looks at once beside the schedules, and answers that were fetched elsewhere.

-- A backfill: a run whose looks are made when no other look is due.
create table backfills (
    run_id bigint primary key references job_runs, -- its looks are slots of this run
    name text not null unique,
    source text not null,                   -- where its targets came from
    digest text not null,                   -- of these targets: the same list again goes on with it
    created_at timestamptz not null,
    state text not null,                    -- running; stopped, limited: until it is resumed; cancelled; done
    max_calls bigint,                       -- of its calls, all but the unbilled count; NULL: no limit
    max_cost_micros bigint,                 -- of their price, in millionths; NULL: no limit
    ended_at timestamptz                  -- NULL: some of its looks are still open
);

-- Looks with a smaller number are made first: 0 scheduled and by hand, 1 of a backfill.
alter table slots add column priority bigint not null default 0;
drop index slots_open;
create index slots_open on slots (kind, priority, retry_at) where outcome is null;
create index slots_of_backfills on slots (run_id, outcome, reason) where priority > 0;

-- The backfill that a call is made for; NULL: none.
alter table calls add column run_id bigint references backfills;
create index calls_by_backfill on calls (run_id, billed, price_micros) where run_id is not null;

-- When an answer was brought in that was fetched elsewhere, at fetched_at; NULL: fetched by tidewatch.
alter table documents add column imported_at timestamptz;
create unique index documents_imported on documents (target_id, endpoint, page, fetched_at) where imported_at is not null;
-- The same of its row on the ledger: nothing was sent, and nothing is to pay.
alter table calls add column imported_at timestamptz;
drop index calls_spent;
create index calls_spent on calls (opened_at, billed, price_micros, imported_at);

-- When the answer came that these values were read from: an older one does not replace them.
-- NULL: before this column.
alter table hashtags add column read_at timestamptz;
alter table music add column read_at timestamptz;
