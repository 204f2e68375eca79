-- What happened: the ledger of every call, what holds calls back, and what people are told.

-- A row is written before the call is sent and closed after it. A row that was never closed
-- belongs to a process that died: whether the call was sent and billed is not known.
create table calls (
    call_id integer primary key,
    endpoint text not null,
    target_id integer references targets,   -- NULL: the call is for no target
    due_at text,                            -- with target_id: the slot
    page integer not null,                  -- of a search, from 1
    attempt integer not null,               -- at this page in this slot, from 1
    owner integer not null,                 -- processes.owner
    opened_at text not null,                -- when the intent was written
    sent_at text,
    finished_at text,
    http_status integer,                    -- NULL: no answer came
    code text,                              -- the upstream's own code
    outcome text,                           -- ok, empty, gone, retryable, …, interrupted; NULL while open
    billed text not null,                   -- yes, no, unknown
    -- millionths of the account's currency, were it billed; NULL: not known
    price_micros integer,
    bytes integer,                          -- of the decoded body
    duration_ms integer,
    message text,                           -- what upstream or the network said
    run_id integer references backfills,    -- the backfill that it is made for; NULL: none
    -- when its answer was brought in from elsewhere: nothing was sent, nothing is to pay; NULL: a
    -- call
    imported_at text,
    -- when the row was written anew with its answer: the database had lost it; NULL: it had not
    reinserted_at text
);
create index calls_by_slot on calls (target_id, due_at);
create index calls_open on calls (owner) where outcome is null;
create index calls_spent on calls (opened_at, billed, price_micros, imported_at);
create index calls_by_backfill on calls (run_id, billed, price_micros) where run_id is not null;

-- Something is not asked for a while, by any daemon. A pause that is over stays as history.
create table pauses (
    pause_id integer primary key,
    scope text not null,                    -- provider, endpoint, job, or budget
    name text not null,                     -- a provider; an endpoint; a job; all
    -- quota, balance, denied, bad_credentials, failing, by_hand, budget
    reason text not null,
    note text,                              -- what upstream said, or who paused it and why
    since text not null,
    until text,                             -- ends by itself then; NULL: not by time
    probe_at text,                          -- from then on one call at a time may try; NULL: none may
    failures integer not null,              -- attempts that failed meanwhile
    call_id integer,                        -- the call that brought it; NULL: no call did
    ended_at text,                          -- NULL: it lasts
    ended_by text,                          -- answer, time, hand, settings
    ended_note text                         -- why somebody ended it by hand; NULL: nobody said
);
create unique index pauses_open on pauses (scope, name, reason) where ended_at is null;

-- How fast each endpoint may be asked, and how it does. Shared by all daemons.
create table rate_limits (
    endpoint text not null primary key,
    paid_through text not null,             -- the calls made so far use up the rate until then
    speed_permille integer not null,        -- of the configured rate, when it was last cut
    slowed_at text                          -- when that was; it recovers from then on
);

-- The targets whose calls to an endpoint have failed since one to it succeeded.
create table endpoint_failures (
    endpoint text not null,
    target_id integer not null references targets,
    primary key (target_id, endpoint)
) without rowid;

-- What was left on the account of a provider when it was asked last. Asking is free.
create table balances (
    provider text not null primary key,
    base_url text not null,
    asked_at text not null,
    micros integer,                    -- millionths of the currency; NULL: it did not say
    currency text,
    error text                              -- why it did not say; NULL: it did
) without rowid;

-- Something that was to be told to one [[alert]] of jobs.toml, from its beginning to its end. Each
-- message is sent once.
create table alerts (
    alert_id integer primary key,
    name text not null,                     -- of the [[alert]] it goes to
    condition text not null,                -- stopped, budget, balance, silent, gone, refused, unreadable
    -- whose: a provider or endpoint, a limit and its day, a job, an item
    subject text not null,
    detail text not null,                   -- a reason or a figure; empty: none
    since text not null,                    -- when it began
    -- when the message was taken; NULL: not yet, or it was over before
    sent_at text,
    resolved_at text,                       -- when it was over; NULL: it lasts
    resolved_sent_at text,                  -- when the message of that was taken
    attempts integer not null,              -- at the message that is to be sent
    next_try_at text not null,              -- not before: somebody is at it, or it failed
    last_error text                         -- why the last attempt failed; NULL: it did not
);
create unique index alerts_lasting on alerts (name, condition, subject) where resolved_at is null;
create index alerts_unsent on alerts (name, next_try_at)
    where (resolved_at is null and sent_at is null)
       or (resolved_at is not null and sent_at is not null and resolved_sent_at is null);
