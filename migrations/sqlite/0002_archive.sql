-- What happened: the ledger of every call, and every answer that may have been paid for.

-- A process that made calls, and whom it asked: what a rehearsal brought shows by its address.
create table processes (
    owner integer primary key,
    verb text not null,                     -- run, fetch, demo
    version text not null,                  -- of tidewatch
    justoneapi_url text not null,           -- what its calls went to
    amagi_url text not null,
    started_at text not null,
    stopped_at text                         -- NULL: at work, or it died
);

-- A row is written before the call is sent and closed after it. A row that was never closed
-- belongs to a process that died: whether the call was sent and billed is not known.
create table calls (
    call_id integer primary key,
    endpoint text not null,
    target_id integer references targets,
    due_at text,                            -- with target_id: the slot
    page integer not null,                  -- of a search, from 1
    attempt integer not null,               -- which try at this page in this slot, from 1
    owner integer not null,                 -- processes.owner
    opened_at text not null,                -- when the intent was written
    sent_at text,
    finished_at text,
    http_status integer,                    -- NULL: no answer came
    code text,                              -- the upstream's own code
    outcome text,                           -- ok, empty, gone, retryable, …, interrupted; NULL while open
    billed text not null,                   -- yes, no, unknown
    price_micros integer,                   -- millionths of the account's currency, were it billed; NULL: not known
    bytes integer,                          -- of the decoded body
    duration_ms integer,
    message text                            -- what upstream or the network said
);
create index calls_by_slot on calls (target_id, due_at);
create index calls_by_time on calls (opened_at);
create index calls_open on calls (owner) where outcome is null;

-- One kept answer. Its id is that of its call.
create table documents (
    document_id integer primary key references calls,
    endpoint text not null,
    target_id integer references targets,
    asked text not null,                    -- the id, keyword, filter or link that was asked for
    page integer not null,
    fetched_at text not null,
    http_status integer not null,
    outcome text not null,                  -- as on the ledger
    normaliser integer not null,            -- version of the code that made rows of it
    drift text,                             -- what was not understood, or is not what was asked for
    body blob not null,                     -- JSONB: the answer; where exact is set, a cleaned form of it
    cleaned text,                           -- why jsonb cannot hold the answer faithfully
    exact blob                              -- the bytes as received, where cleaned is set
);
create index documents_by_target on documents (target_id, fetched_at);
create index documents_adrift on documents (fetched_at) where drift is not null;

-- A short link and the item behind it, asked for once and kept for ever.
create table links (
    link text primary key,
    kind text not null,                     -- note, work
    item_id text not null,
    resolved_at text not null,
    document_id integer not null
);
