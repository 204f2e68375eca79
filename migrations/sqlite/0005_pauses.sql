-- What holds calls back: pauses, and how fast each endpoint may be asked. Shared by all daemons.

-- Something is not asked for a while. A pause that is over stays as history.
create table pauses (
    pause_id integer primary key,
    scope text not null,                    -- provider, endpoint, job, or budget
    name text not null,                     -- justoneapi or amagi; an endpoint; a job; all
    reason text not null,                   -- quota, balance, denied, bad_credentials, failing, by_hand, budget
    note text,                              -- what upstream said, or who paused it and why
    since text not null,
    until text,                             -- ends by itself then; NULL: not by time
    probe_at text,                          -- from then on one call at a time may try; NULL: none may
    failures integer not null,              -- tries that failed meanwhile
    call_id integer,                        -- the call that brought it; NULL: no call did
    ended_at text,                          -- NULL: it lasts
    ended_by text                           -- answer, time, hand, settings
);
create unique index pauses_open on pauses (scope, name, reason) where ended_at is null;

-- How an endpoint may be asked, and how it does.
create table endpoints (
    endpoint text primary key,
    paid_through text not null,             -- the calls made so far use up the rate until then
    speed_permille integer not null,        -- of the configured rate, when it was last cut
    slowed_at text,                         -- when that was; it recovers from then on
    failures integer not null               -- calls in a row that failed
);

create index calls_spent on calls (opened_at, billed, price_micros);
drop index calls_by_time;
