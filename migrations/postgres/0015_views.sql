-- Answers to the usual questions. Each view has the same columns and the same rows in both
-- databases. Where a count was not seen it is NULL, never 0; a difference is NULL where one of its
-- ends was not seen, and says from when to when it goes. Days are those of the archive's zone.

-- The archive's zone, the `timezone` at the top of jobs.toml: how far its clocks are from UTC, and
-- since when. Written by the daemon, from 2000 to 2100, so that both databases know the same days.
create table archive_zone (
    since timestamptz primary key,          -- until the next row
    zone text not null,                     -- IANA name
    offset_seconds bigint not null          -- ahead of UTC
);
insert into archive_zone (since, zone, offset_seconds)
values ('1970-01-01 00:00:00Z', 'Asia/Shanghai', 28800);

-- Kept with each snapshot, by the triggers below, whatever order they come in: the latest one of an
-- item, and the last one of each of its days. Both follow from the snapshots alone.

create table note_latest (
    note_key bigint not null primary key,
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    views bigint,
    rounded boolean
) with (fillfactor = 80);

create table note_days (
    note_key bigint not null,
    day text not null,                      -- in the archive's zone, YYYY-MM-DD
    observations bigint not null,           -- snapshots on this day
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    views bigint,
    rounded boolean,
    primary key (note_key, day)
) with (fillfactor = 80);

create table work_latest (
    work_key bigint not null primary key,
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    plays bigint,
    rounded boolean
) with (fillfactor = 80);

create table work_days (
    work_key bigint not null,
    day text not null,                      -- in the archive's zone, YYYY-MM-DD
    observations bigint not null,           -- snapshots on this day
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    plays bigint,
    rounded boolean,
    primary key (work_key, day)
) with (fillfactor = 80);

create function keep_note_snapshots() returns trigger language plpgsql as $$
begin
    insert into note_latest (note_key, observed_at, document_id, likes, comments, collects, shares,
        views, rounded)
    select distinct on (note_key) note_key, observed_at, document_id, likes, comments, collects,
           shares, views, rounded
    from added order by note_key, observed_at desc
    on conflict (note_key) do update set
            observed_at = excluded.observed_at,
            document_id = excluded.document_id,
            likes = excluded.likes,
            comments = excluded.comments,
            collects = excluded.collects,
            shares = excluded.shares,
            views = excluded.views,
            rounded = excluded.rounded
    where excluded.observed_at > note_latest.observed_at;
    insert into note_days (note_key, day, observations, observed_at, document_id, likes, comments,
        collects, shares, views, rounded)
    select distinct on (note_key, day) note_key, day, count(*) over (partition by note_key, day),
           observed_at, document_id, likes, comments, collects, shares, views, rounded
    from (select a.*, to_char(a.observed_at at time zone 'UTC' + (
              select offset_seconds from archive_zone where since <= a.observed_at
              order by since desc limit 1) * interval '1 second', 'YYYY-MM-DD') as day
          from added a) as of_day
    order by note_key, day, observed_at desc
    on conflict (note_key, day) do update set
            observations = note_days.observations + excluded.observations,
            observed_at = case when excluded.observed_at > note_days.observed_at
                then excluded.observed_at else note_days.observed_at end,
            document_id = case when excluded.observed_at > note_days.observed_at
                then excluded.document_id else note_days.document_id end,
            likes = case when excluded.observed_at > note_days.observed_at
                then excluded.likes else note_days.likes end,
            comments = case when excluded.observed_at > note_days.observed_at
                then excluded.comments else note_days.comments end,
            collects = case when excluded.observed_at > note_days.observed_at
                then excluded.collects else note_days.collects end,
            shares = case when excluded.observed_at > note_days.observed_at
                then excluded.shares else note_days.shares end,
            views = case when excluded.observed_at > note_days.observed_at
                then excluded.views else note_days.views end,
            rounded = case when excluded.observed_at > note_days.observed_at
                then excluded.rounded else note_days.rounded end;
    return null;
end $$;
create trigger note_snapshots_kept after insert on note_snapshots
    referencing new table as added for each statement execute function keep_note_snapshots();

create function keep_work_snapshots() returns trigger language plpgsql as $$
begin
    insert into work_latest (work_key, observed_at, document_id, likes, comments, collects, shares,
        plays, rounded)
    select distinct on (work_key) work_key, observed_at, document_id, likes, comments, collects,
           shares, plays, rounded
    from added order by work_key, observed_at desc
    on conflict (work_key) do update set
            observed_at = excluded.observed_at,
            document_id = excluded.document_id,
            likes = excluded.likes,
            comments = excluded.comments,
            collects = excluded.collects,
            shares = excluded.shares,
            plays = excluded.plays,
            rounded = excluded.rounded
    where excluded.observed_at > work_latest.observed_at;
    insert into work_days (work_key, day, observations, observed_at, document_id, likes, comments,
        collects, shares, plays, rounded)
    select distinct on (work_key, day) work_key, day, count(*) over (partition by work_key, day),
           observed_at, document_id, likes, comments, collects, shares, plays, rounded
    from (select a.*, to_char(a.observed_at at time zone 'UTC' + (
              select offset_seconds from archive_zone where since <= a.observed_at
              order by since desc limit 1) * interval '1 second', 'YYYY-MM-DD') as day
          from added a) as of_day
    order by work_key, day, observed_at desc
    on conflict (work_key, day) do update set
            observations = work_days.observations + excluded.observations,
            observed_at = case when excluded.observed_at > work_days.observed_at
                then excluded.observed_at else work_days.observed_at end,
            document_id = case when excluded.observed_at > work_days.observed_at
                then excluded.document_id else work_days.document_id end,
            likes = case when excluded.observed_at > work_days.observed_at
                then excluded.likes else work_days.likes end,
            comments = case when excluded.observed_at > work_days.observed_at
                then excluded.comments else work_days.comments end,
            collects = case when excluded.observed_at > work_days.observed_at
                then excluded.collects else work_days.collects end,
            shares = case when excluded.observed_at > work_days.observed_at
                then excluded.shares else work_days.shares end,
            plays = case when excluded.observed_at > work_days.observed_at
                then excluded.plays else work_days.plays end,
            rounded = case when excluded.observed_at > work_days.observed_at
                then excluded.rounded else work_days.rounded end;
    return null;
end $$;
create trigger work_snapshots_kept after insert on work_snapshots
    referencing new table as added for each statement execute function keep_work_snapshots();

-- What older versions saved.
insert into note_latest (note_key, observed_at, document_id, likes, comments, collects, shares,
    views, rounded)
select s.note_key, s.observed_at, s.document_id, s.likes, s.comments, s.collects, s.shares, s.views,
       s.rounded
from (select note_key, max(observed_at) as last_at from note_snapshots group by note_key) l
join note_snapshots s on s.note_key = l.note_key and s.observed_at = l.last_at;
insert into note_days (note_key, day, observations, observed_at, document_id, likes, comments,
    collects, shares, views, rounded)
select s.note_key, d.day, d.observations, s.observed_at, s.document_id, s.likes, s.comments,
       s.collects, s.shares, s.views, s.rounded
from (select note_key,
             to_char(observed_at at time zone 'UTC' + interval '8 hours', 'YYYY-MM-DD') as day,
             count(*) as observations, max(observed_at) as last_at
      from note_snapshots group by 1, 2) d
join note_snapshots s on s.note_key = d.note_key and s.observed_at = d.last_at
order by d.day, d.note_key;

insert into work_latest (work_key, observed_at, document_id, likes, comments, collects, shares,
    plays, rounded)
select s.work_key, s.observed_at, s.document_id, s.likes, s.comments, s.collects, s.shares, s.plays,
       s.rounded
from (select work_key, max(observed_at) as last_at from work_snapshots group by work_key) l
join work_snapshots s on s.work_key = l.work_key and s.observed_at = l.last_at;
insert into work_days (work_key, day, observations, observed_at, document_id, likes, comments,
    collects, shares, plays, rounded)
select s.work_key, d.day, d.observations, s.observed_at, s.document_id, s.likes, s.comments,
       s.collects, s.shares, s.plays, s.rounded
from (select work_key,
             to_char(observed_at at time zone 'UTC' + interval '8 hours', 'YYYY-MM-DD') as day,
             count(*) as observations, max(observed_at) as last_at
      from work_snapshots group by 1, 2) d
join work_snapshots s on s.work_key = d.work_key and s.observed_at = d.last_at
order by d.day, d.work_key;

-- Changes that an answer showed against the one before: of the title, the text, or when the platform
-- says that an item was edited last. One row a change, written by the triggers below.
create table edits (
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,
    seen_at timestamptz not null,           -- when the answer that shows it came
    edited_at timestamptz,                  -- as the platform says; NULL: it does not
    changed text not null,                  -- title, body, or title, body; empty: neither
    document_id bigint not null,            -- the answer that shows it
    previous_document_id bigint not null,   -- an answer from before it
    primary key (platform, item_id, seen_at)
);

create function note_edit_of_note() returns trigger language plpgsql as $$
begin
    insert into edits (platform, item_id, seen_at, edited_at, changed, document_id,
                       previous_document_id)
    select 'xiaohongshu', new.note_id, new.last_seen_at, new.edited_at,
           case when old.title <> new.title and old.body <> new.body then 'title, body'
                when old.title <> new.title then 'title'
                when old.body <> new.body then 'body' else '' end,
           new.document_id, old.document_id
    where not exists (select 1 from edits where platform = 'xiaohongshu'
                      and item_id = new.note_id and edited_at = new.edited_at)
    on conflict do nothing;
    return null;
end $$;
create trigger notes_edited after update of title, body, edited_at on notes for each row
when (old.title <> new.title or old.body <> new.body
      or new.edited_at is distinct from old.edited_at and new.edited_at is not null)
execute function note_edit_of_note();

create function note_edit_of_work() returns trigger language plpgsql as $$
begin
    insert into edits (platform, item_id, seen_at, edited_at, changed, document_id,
                       previous_document_id)
    select 'douyin', new.work_id, new.last_seen_at, null,
           case when old.title <> new.title and old.body <> new.body then 'title, body'
                when old.title <> new.title then 'title'
                when old.body <> new.body then 'body' else '' end,
           new.document_id, old.document_id
    where true
    on conflict do nothing;
    return null;
end $$;
create trigger works_edited after update of title, body on works for each row
when (old.title <> new.title or old.body <> new.body)
execute function note_edit_of_work();

-- Notes and works in one shape, as last seen.
create view items as
select 'xiaohongshu' as platform, n.note_id as item_id, n.note_type as item_type, n.title,
       n.author_id, a.nickname, n.published_at, n.first_seen_at, n.last_seen_at, n.document_id
from notes n left join authors a on a.platform = 'xiaohongshu' and a.author_id = n.author_id
union all
select 'douyin', w.work_id, w.work_type, w.title,
       w.author_id, a.nickname, w.published_at, w.first_seen_at, w.last_seen_at, w.document_id
from works w left join authors a on a.platform = 'douyin' and a.author_id = w.author_id;

-- The last observation of each item: the columns of engagement.
create view engagement_latest as
select 'xiaohongshu' as platform, i.note_id as item_id,
       s.observed_at,
       s.likes, s.comments, s.collects, s.shares, s.views,
       s.rounded is null as exact, s.document_id
from notes i join note_latest s on s.note_key = i.note_key
union all
select 'douyin', i.work_id,
       s.observed_at,
       s.likes, s.comments, s.collects, s.shares, s.plays,
       s.rounded is null, s.document_id
from works i join work_latest s on s.work_key = i.work_key;

-- The last observation of each item on each day, and the difference to the last one of the day
-- before on which it was seen. A day without an observation has no row.
-- day: in the archive's zone, YYYY-MM-DD. observations: on this day, 1 or more. observed_at: of the
-- last of them, to which the counts belong. previous_day: the last day before with an observation;
-- NULL: none. days: from then to this one; 1 unless days were missed; NULL without a previous day.
-- …_delta: over these days.
create view engagement_daily as
select 'xiaohongshu' as platform, i.note_id as item_id, d.day, d.observations,
       d.observed_at,
       d.likes, d.comments, d.collects, d.shares, d.views, d.rounded is null as exact,
       p.day as previous_day, cast(d.day::date - p.day::date as bigint) as days,
       d.likes - p.likes as likes_delta,
       d.comments - p.comments as comments_delta,
       d.collects - p.collects as collects_delta,
       d.shares - p.shares as shares_delta,
       d.views - p.views as views_delta,
       d.document_id
from notes i join note_days d on d.note_key = i.note_key
left join lateral (
    select * from note_days
    where note_key = d.note_key and day < d.day order by day desc limit 1) p on true
union all
select 'douyin', i.work_id, d.day, d.observations,
       d.observed_at,
       d.likes, d.comments, d.collects, d.shares, d.plays, d.rounded is null,
       p.day, cast(d.day::date - p.day::date as bigint),
       d.likes - p.likes,
       d.comments - p.comments,
       d.collects - p.collects,
       d.shares - p.shares,
       d.plays - p.plays,
       d.document_id
from works i join work_days d on d.work_key = i.work_key
left join lateral (
    select * from work_days
    where work_key = d.work_key and day < d.day order by day desc limit 1) p on true;

-- Find the snapshots of an hour, and the items of a day, among millions; they come in nearly in the
-- order of time.
create index note_snapshots_by_time on note_snapshots using brin (observed_at)
    with (pages_per_range = 32, autosummarize = on);
create index note_days_by_day on note_days using brin (day)
    with (pages_per_range = 32, autosummarize = on);
create index work_snapshots_by_time on work_snapshots using brin (observed_at)
    with (pages_per_range = 32, autosummarize = on);
create index work_days_by_day on work_days using brin (day)
    with (pages_per_range = 32, autosummarize = on);

-- What moved in the last 24 hours before the newest observation of the archive: the items that were
-- seen in them. since: the item's last observation from before, at most 12 hours older; hours: from
-- then to observed_at; …_delta: over these. NULL: there is none.
create view engagement_24h as
-- Two queries in two brackets: else every column is worked out, also where nobody asks for it.
select * from (with now as (select max(at) as at from (
    select max(observed_at) as at from note_latest
    union all select max(observed_at) from work_latest) as newest)
select 'xiaohongshu' as platform, i.note_id as item_id, l.observed_at, l.likes, l.comments,
       l.collects, l.shares, l.views,
       l.rounded is null as exact, coalesce(b.observed_at, c.observed_at) as since,
       cast(extract(epoch from l.observed_at - coalesce(b.observed_at, c.observed_at)) * 1000000
            as double precision) / 3600000000.0::float8 as hours,
       l.likes - case when b.note_key is null then c.likes else b.likes end as likes_delta,
       l.comments - case when b.note_key is null then c.comments else b.comments end as
           comments_delta,
       l.collects - case when b.note_key is null then c.collects else b.collects end as
           collects_delta,
       l.shares - case when b.note_key is null then c.shares else b.shares end as shares_delta,
       l.views - case when b.note_key is null then c.views else b.views end as views_delta,
       l.document_id
from note_latest l join notes i on i.note_key = l.note_key
-- Most have one in the hour before; the others are looked up one by one.
left join (
    select distinct on (note_key) note_key, observed_at, likes, comments, collects, shares, views
    from note_snapshots
    where observed_at > (select at from now) - interval '25 hours'
      and observed_at <= (select at from now) - interval '24 hours'
    order by note_key, observed_at desc) b on b.note_key = l.note_key
left join lateral (
    select * from note_snapshots
    where b.note_key is null and note_key = l.note_key
      and observed_at > (select at from now) - interval '36 hours'
      and observed_at <= (select at from now) - interval '25 hours'
    order by observed_at desc limit 1) c on true
where l.observed_at > (select at from now) - interval '24 hours') as notes
union all
select * from (with now as (select max(at) as at from (
    select max(observed_at) as at from note_latest
    union all select max(observed_at) from work_latest) as newest)
select 'douyin', i.work_id, l.observed_at, l.likes, l.comments, l.collects, l.shares, l.plays,
       l.rounded is null, coalesce(b.observed_at, c.observed_at),
       cast(extract(epoch from l.observed_at - coalesce(b.observed_at, c.observed_at)) * 1000000
            as double precision) / 3600000000.0::float8,
       l.likes - case when b.work_key is null then c.likes else b.likes end,
       l.comments - case when b.work_key is null then c.comments else b.comments end,
       l.collects - case when b.work_key is null then c.collects else b.collects end,
       l.shares - case when b.work_key is null then c.shares else b.shares end,
       l.plays - case when b.work_key is null then c.plays else b.plays end,
       l.document_id
from work_latest l join works i on i.work_key = l.work_key
-- Most have one in the hour before; the others are looked up one by one.
left join (
    select distinct on (work_key) work_key, observed_at, likes, comments, collects, shares, plays
    from work_snapshots
    where observed_at > (select at from now) - interval '25 hours'
      and observed_at <= (select at from now) - interval '24 hours'
    order by work_key, observed_at desc) b on b.work_key = l.work_key
left join lateral (
    select * from work_snapshots
    where b.work_key is null and work_key = l.work_key
      and observed_at > (select at from now) - interval '36 hours'
      and observed_at <= (select at from now) - interval '25 hours'
    order by observed_at desc limit 1) c on true
where l.observed_at > (select at from now) - interval '24 hours') as works;

-- How fast each item moved from one observation to the next. previous_at: the observation before;
-- hours: between the two; …_per_hour: the difference over these hours, below 0 where counts fell.
-- An item's first observation has no row.
create view engagement_velocity as
select 'xiaohongshu' as platform, i.note_id as item_id, s.observed_at, p.observed_at as previous_at,
       m.micros / 3600000000.0::float8 as hours,
       (s.likes - p.likes) * 3600000000.0::float8 / m.micros as likes_per_hour,
       (s.comments - p.comments) * 3600000000.0::float8 / m.micros as comments_per_hour,
       (s.collects - p.collects) * 3600000000.0::float8 / m.micros as collects_per_hour,
       (s.shares - p.shares) * 3600000000.0::float8 / m.micros as shares_per_hour,
       (s.views - p.views) * 3600000000.0::float8 / m.micros as views_per_hour,
       s.document_id
from notes i join note_snapshots s on s.note_key = i.note_key
join lateral (
    select * from note_snapshots where note_key = s.note_key and observed_at < s.observed_at
    order by observed_at desc limit 1) p on true
cross join lateral (
    select cast(extract(epoch from s.observed_at - p.observed_at) * 1000000 as double precision) as
           micros) m
union all
select 'douyin', i.work_id, s.observed_at, p.observed_at,
       m.micros / 3600000000.0::float8,
       (s.likes - p.likes) * 3600000000.0::float8 / m.micros,
       (s.comments - p.comments) * 3600000000.0::float8 / m.micros,
       (s.collects - p.collects) * 3600000000.0::float8 / m.micros,
       (s.shares - p.shares) * 3600000000.0::float8 / m.micros,
       (s.plays - p.plays) * 3600000000.0::float8 / m.micros,
       s.document_id
from works i join work_snapshots s on s.work_key = i.work_key
join lateral (
    select * from work_snapshots where work_key = s.work_key and observed_at < s.observed_at
    order by observed_at desc limit 1) p on true
cross join lateral (
    select cast(extract(epoch from s.observed_at - p.observed_at) * 1000000 as double precision) as
           micros) m;

-- Where each item stood at ages of 1, 6, 24, 72 hours, 7 and 30 days: six rows for each item whose
-- publication is known. at: publication plus the age. before_at, after_at: the nearest observations
-- up to and from then, if they are near, that is at most half the age away and never more than 36
-- hours; NULL: none was made there. …_before, …_after: what they say, the bounds. likes and so
-- on: on a straight line between the two; NULL where either is missing.
create view engagement_growth as
select 'xiaohongshu' as platform, g.note_id as item_id, g.hours as age_hours, g.at, b.observed_at as
       before_at, a.observed_at as after_at,
       b.likes as likes_before, a.likes as likes_after,
       case when b.observed_at = a.observed_at then b.likes::float8 else b.likes + (a.likes -
           b.likes) * m.share end as likes,
       b.comments as comments_before, a.comments as comments_after,
       case when b.observed_at = a.observed_at then b.comments::float8 else b.comments + (a.comments
           - b.comments) * m.share end as comments,
       b.collects as collects_before, a.collects as collects_after,
       case when b.observed_at = a.observed_at then b.collects::float8 else b.collects + (a.collects
           - b.collects) * m.share end as collects,
       b.shares as shares_before, a.shares as shares_after,
       case when b.observed_at = a.observed_at then b.shares::float8 else b.shares + (a.shares -
           b.shares) * m.share end as shares,
       b.views as views_before, a.views as views_after,
       case when b.observed_at = a.observed_at then b.views::float8 else b.views + (a.views -
           b.views) * m.share end as views
from (select i.note_key, i.note_id, h.hours, h.near_minutes * interval '1 minute' as near,
             i.published_at + h.hours * interval '1 hour' as at
      from notes i cross join (
          values (1::bigint, 30), (6::bigint, 180), (24::bigint, 720), (72::bigint, 2160),
              (168::bigint, 2160), (720::bigint, 2160)) h (hours, near_minutes)
      where i.published_at is not null) g
left join lateral (
    select * from note_snapshots
    where note_key = g.note_key and observed_at between g.at - g.near and g.at
    order by observed_at desc limit 1) b on true
left join lateral (
    select * from note_snapshots
    where note_key = g.note_key and observed_at between g.at and g.at + g.near
    order by observed_at limit 1) a on true
cross join lateral (
    select cast(extract(epoch from g.at - b.observed_at) as double precision)
           / nullif(cast(extract(epoch from a.observed_at - b.observed_at) as double precision), 0)
               as share) m
union all
select 'douyin', g.work_id, g.hours, g.at, b.observed_at, a.observed_at,
       b.likes, a.likes,
       case when b.observed_at = a.observed_at then b.likes::float8 else b.likes + (a.likes -
           b.likes) * m.share end,
       b.comments, a.comments,
       case when b.observed_at = a.observed_at then b.comments::float8 else b.comments + (a.comments
           - b.comments) * m.share end,
       b.collects, a.collects,
       case when b.observed_at = a.observed_at then b.collects::float8 else b.collects + (a.collects
           - b.collects) * m.share end,
       b.shares, a.shares,
       case when b.observed_at = a.observed_at then b.shares::float8 else b.shares + (a.shares -
           b.shares) * m.share end,
       b.plays, a.plays,
       case when b.observed_at = a.observed_at then b.plays::float8 else b.plays + (a.plays -
           b.plays) * m.share end
from (select i.work_key, i.work_id, h.hours, h.near_minutes * interval '1 minute' as near,
             i.published_at + h.hours * interval '1 hour' as at
      from works i cross join (
          values (1::bigint, 30), (6::bigint, 180), (24::bigint, 720), (72::bigint, 2160),
              (168::bigint, 2160), (720::bigint, 2160)) h (hours, near_minutes)
      where i.published_at is not null) g
left join lateral (
    select * from work_snapshots
    where work_key = g.work_key and observed_at between g.at - g.near and g.at
    order by observed_at desc limit 1) b on true
left join lateral (
    select * from work_snapshots
    where work_key = g.work_key and observed_at between g.at and g.at + g.near
    order by observed_at limit 1) a on true
cross join lateral (
    select cast(extract(epoch from g.at - b.observed_at) as double precision)
           / nullif(cast(extract(epoch from a.observed_at - b.observed_at) as double precision), 0)
               as share) m;

-- What a KOL costs for what it brings: one row a snapshot, so that its rows are its history. Prices
-- are in yuan, and NULL where the KOL does not sell that kind. …_per_follower, …_per_read,
-- …_per_engagement: the price over the followers, the median reads and the median engagements of
-- that kind; NULL where the price or the median is missing, or the median is 0.
create view kol_value as
select k.kol_id, k.nickname,
       s.observed_at,
       s.followers, s.read_median, s.engagement_median,
       s.picture_price, s.picture_read_median, s.picture_engagement_median,
       s.picture_price / nullif(s.followers, 0) as picture_price_per_follower,
       s.picture_price / nullif(s.picture_read_median, 0) as picture_price_per_read,
       s.picture_price / nullif(s.picture_engagement_median, 0) as picture_price_per_engagement,
       s.video_price, s.video_read_median, s.video_engagement_median,
       s.video_price / nullif(s.followers, 0) as video_price_per_follower,
       s.video_price / nullif(s.video_read_median, 0) as video_price_per_read,
       s.video_price / nullif(s.video_engagement_median, 0) as video_price_per_engagement,
       s.document_id
from kol_snapshots s join kols k on k.kol_key = s.kol_key;

-- Where each suggestion for a keyword stood at each look, against the look before. change: entered,
-- left, up, down, same; first at the first look at a keyword, which has nothing before it. rank:
-- from 1; NULL where it left. previous_at: the look before; previous_rank: its rank then; NULL: it
-- was not there. moved_by: places up, below 0 down; NULL unless it was there both times.
-- document_id: the answer of observed_at.
create view keyword_ranks as
with looks as (
    select keyword, observed_at, document_id,
           lag(observed_at) over (partition by keyword order by observed_at) as previous_at
    from (select keyword, observed_at, max(document_id) as document_id
          from keyword_suggestions group by keyword, observed_at) as made),
-- A suggestion that stands there twice counts where it stands higher.
ranks as (
    select keyword, observed_at, suggestion, min(rank) as rank
    from keyword_suggestions group by keyword, observed_at, suggestion)
select l.keyword, l.observed_at, r.suggestion, r.rank, l.previous_at, p.rank as previous_rank,
       case when l.previous_at is null then 'first'
            when p.rank is null then 'entered'
            when r.rank < p.rank then 'up'
            when r.rank > p.rank then 'down'
            else 'same' end as change,
       p.rank - r.rank as moved_by, l.document_id
from looks l
join ranks r on r.keyword = l.keyword and r.observed_at = l.observed_at
left join ranks p on p.keyword = l.keyword and p.observed_at = l.previous_at
                 and p.suggestion = r.suggestion
union all
select l.keyword, l.observed_at, p.suggestion, null, l.previous_at, p.rank, 'left', null,
       l.document_id
from looks l
join ranks p on p.keyword = l.keyword and p.observed_at = l.previous_at
left join ranks r on r.keyword = l.keyword and r.observed_at = l.observed_at
                 and r.suggestion = p.suggestion
where r.rank is null;

-- What calls cost, by the day on which they were opened in the archive's zone, job and endpoint.
-- Each call counts once: for the backfill it was made for, else for the run that planned the look.
-- Where several jobs want the same look, that is the run of the first of them to fire; the others
-- have it for nothing. Imported answers are no calls.
-- job: the name in jobs.toml; of a backfill its name; NULL for what was asked for by hand. origin:
-- schedule, fetch, backfill. billed, unknown: calls that were paid for, and that nobody knows of.
-- unpriced: billed calls without a price in jobs.toml. cost_micros: of the billed calls that have
-- a price, in millionths of a yuan; NULL where none of them has, 0 where none was billed.
-- unknown_micros: of the unknown ones, if they were billed. yuan: cost_micros in yuan.
create view spend as
select day, job, origin, endpoint, calls, billed, unknown, unpriced, cost_micros, unknown_micros,
       cost_micros / 1000000.0::float8 as yuan
from (
    select day, job, origin, endpoint, count(*) as calls,
           count(case when billed = 'yes' then 1 end) as billed,
           count(case when billed = 'unknown' then 1 end) as unknown,
           count(case when billed = 'yes' and price_micros is null then 1 end) as unpriced,
           cast(case when count(case when billed = 'yes' then 1 end) = 0 then 0
                else sum(case when billed = 'yes' then price_micros end) end as bigint) as
                    cost_micros,
           cast(case when count(case when billed = 'unknown' then 1 end) = 0 then 0
                else sum(case when billed = 'unknown' then price_micros end) end as bigint) as
                    unknown_micros
    from (
        select to_char(c.opened_at at time zone 'UTC' + (
               select offset_seconds from archive_zone where since <= c.opened_at
               order by since desc limit 1) * interval '1 second', 'YYYY-MM-DD') as day,
               coalesce(b.name, j.name) as job, r.origin, c.endpoint, c.billed, c.price_micros
        from (select *
              from calls where imported_at is null) c
        left join slots s on s.target_id = c.target_id and s.due_at = c.due_at
        left join job_runs r on r.run_id = coalesce(c.run_id, s.run_id)
        left join jobs j on j.job_id = r.job_id
        left join backfills b on b.run_id = r.run_id) as made
    group by day, job, origin, endpoint) as sums;

-- What happened to an item, an event a row: published, first_seen, edited, gone, back, refused.
-- at: of published and edited by the platform's word; an edit that it does not date is when it was
-- first seen. back: an answer ended a stretch of gone or refused. evidence: what says so, in words.
-- document_id, call_id: the kept answer, and the call on the ledger, that says so; NULL: none.
create view timeline as
select 'xiaohongshu' as platform, note_id as item_id, published_at as at, 'published' as event,
       'the platform says so' as evidence, document_id, document_id as call_id
from notes where published_at is not null
union all
select 'xiaohongshu', i.note_id,
       f.observed_at,
       'first_seen', 'the first observation', f.document_id, f.document_id
from notes i join note_snapshots f on f.note_key = i.note_key and f.observed_at = (
    select observed_at from note_snapshots where note_key = i.note_key order by observed_at limit 1)
union all
select 'douyin', work_id, published_at, 'published',
       'the platform says so', document_id, document_id
from works where published_at is not null
union all
select 'douyin', i.work_id,
       f.observed_at,
       'first_seen', 'the first observation', f.document_id, f.document_id
from works i join work_snapshots f on f.work_key = i.work_key and f.observed_at = (
    select observed_at from work_snapshots where work_key = i.work_key order by observed_at limit 1)
union all
select platform, item_id, coalesce(edited_at, seen_at), 'edited',
       case changed when '' then 'the platform says so' else changed || ' changed' end,
       document_id, document_id
from edits
union all
select 'xiaohongshu', note_id, edited_at, 'edited', 'the platform says so', document_id, document_id
from notes
where edited_at is not null and not exists (
    select 1 from edits e
    where e.platform = 'xiaohongshu' and e.item_id = note_id and e.edited_at = notes.edited_at)
union all
select case t.kind when 'note' then 'xiaohongshu' else 'douyin' end, t.item_id, a.since, a.state,
       a.evidence, d.document_id, a.first_call_id
from availability a join targets t on t.target_id = a.target_id
left join documents d on d.document_id = a.first_call_id
where t.kind in ('note', 'work') and t.item_id is not null
union all
select case t.kind when 'note' then 'xiaohongshu' else 'douyin' end, t.item_id, a.until, 'back',
       'an answer after it was ' || a.state, d.document_id, a.ended_call_id
from availability a join targets t on t.target_id = a.target_id
left join documents d on d.document_id = a.ended_call_id
where t.kind in ('note', 'work') and t.item_id is not null
  and a.until is not null and a.ended_call_id is not null;
