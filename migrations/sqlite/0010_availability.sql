-- Which targets cannot be seen, since when, and on what evidence; and what became of the looks,
-- by day.

-- A stretch of time in which a target was gone, or in which asking about it was refused. It lasts
-- until an answer says otherwise; what became of a target is the list of its stretches.
create table availability (
    availability_id integer primary key,
    target_id integer not null references targets,
    state text not null,                    -- gone: deleted or hidden; refused: upstream will not take the question
    since text not null,                    -- when the first answer that says so came
    until text,                             -- NULL: it lasts
    evidence text not null,                 -- what the last answer that says so was: outcome, code, upstream's words
    confirmations integer not null,         -- answers that say so
    first_call_id integer not null,         -- the first of them: calls.call_id
    last_call_id integer not null,          -- the last of them
    confirmed_at text not null,             -- when that came
    ended_call_id integer,                  -- the answer that ended it; NULL: none did, the entry or the settings changed
    endpoint text not null,                 -- what the last of them was asked
    server text not null,                   -- at which address
    probes integer not null,                -- of a gone target: answers since it was marked
    probe_at text                           -- gone: from then on a scheduled look asks again; NULL: none does
);
create unique index availability_lasting on availability (target_id, state) where until is null;
create index availability_by_target on availability (target_id, since);

-- What became of the looks due on each day, in UTC. Every look is counted in due, in one of
-- observed, missed and open, and if it was missed in one of the columns after those.
create view coverage as
select target_id, kind, key, item_id, day,
       count(*) as due,
       count(case when fate = 'observed' then 1 end) as observed,
       count(case when fate not in ('observed', 'open') then 1 end) as missed,
       count(case when fate = 'open' then 1 end) as open,
       count(case when fate = 'daemon_down' then 1 end) as daemon_down,   -- no daemon, or it was killed
       count(case when fate = 'superseded' then 1 end) as superseded,     -- the next one was due first
       count(case when fate = 'upstream' then 1 end) as upstream,         -- no answer, or none to be used
       count(case when fate = 'quota' then 1 end) as quota,               -- upstream's, of the day
       count(case when fate = 'balance' then 1 end) as balance,           -- no money left upstream
       count(case when fate = 'access' then 1 end) as access,             -- the token may not
       count(case when fate = 'budget' then 1 end) as budget,             -- one's own
       count(case when fate = 'paused' then 1 end) as paused,             -- by hand
       count(case when fate = 'gone' then 1 end) as gone,                 -- nothing there
       count(case when fate = 'refused' then 1 end) as refused,           -- a wrong question
       count(case when fate = 'other' then 1 end) as other                -- left the plan, or any reason not named here
from (
    select s.target_id, t.kind, t.key, t.item_id, substr(s.due_at, 1, 10) as day,
           case when s.outcome is null then 'open'
                when s.outcome = 'observed' then 'observed'
                when s.reason in ('daemon_down', 'interrupted') then 'daemon_down'
                when s.reason in ('upstream_failure', 'transport', 'rate_limited', 'unreadable') then 'upstream'
                when s.reason in ('denied', 'bad_credentials') then 'access'
                when s.reason in ('gone', 'empty') then 'gone'
                when s.reason = 'bad_request' then 'refused'
                when s.reason in ('superseded', 'quota', 'balance', 'budget', 'paused') then s.reason
                else 'other' end as fate
    from slots s join targets t on t.target_id = s.target_id) as looks
group by target_id, kind, key, item_id, day;

-- The same missed looks, a row a reason.
create view coverage_reasons as
select s.target_id, t.kind, t.key, t.item_id, substr(s.due_at, 1, 10) as day, s.reason,
       count(*) as looks
from slots s join targets t on t.target_id = s.target_id
where s.outcome = 'missed'
group by s.target_id, t.kind, t.key, t.item_id, substr(s.due_at, 1, 10), s.reason;
