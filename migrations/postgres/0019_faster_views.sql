-- The views of many rows, faster. Their columns are as before: see 0004 and 0015.

-- A day knows the one before it. A new day, whenever its first snapshot comes, is linked with its
-- neighbours; whoever fills in a table of days at once knows them already.

-- Written anew in the order of days, by which the small indexes find them.
create table note_days_before as
select *, lag(day) over (partition by note_key order by day) as previous_day from note_days;
truncate note_days;
alter table note_days add column previous_day text;  -- on which it was seen; NULL: none
insert into note_days select * from note_days_before order by day, note_key;
drop table note_days_before;

create table work_days_before as
select *, lag(day) over (partition by work_key order by day) as previous_day from work_days;
truncate work_days;
alter table work_days add column previous_day text;  -- on which it was seen; NULL: none
insert into work_days select * from work_days_before order by day, work_key;
drop table work_days_before;

create function link_note_day() returns trigger language plpgsql as $$
declare
    before text := (
        select max(day) from note_days where note_key = new.note_key and day < new.day);
begin
    if before is not null then
        update note_days set previous_day = before
        where note_key = new.note_key and day = new.day;
    end if;
    update note_days set previous_day = new.day
    where note_key = new.note_key and day = (
        select min(day) from note_days where note_key = new.note_key and day > new.day);
    return null;
end $$;
create trigger note_days_linked after insert on note_days
    for each row when (new.previous_day is null) execute function link_note_day();

create function link_work_day() returns trigger language plpgsql as $$
declare
    before text := (
        select max(day) from work_days where work_key = new.work_key and day < new.day);
begin
    if before is not null then
        update work_days set previous_day = before
        where work_key = new.work_key and day = new.day;
    end if;
    update work_days set previous_day = new.day
    where work_key = new.work_key and day = (
        select min(day) from work_days where work_key = new.work_key and day > new.day);
    return null;
end $$;
create trigger work_days_linked after insert on work_days
    for each row when (new.previous_day is null) execute function link_work_day();

create or replace view engagement_daily as
select 'xiaohongshu' as platform, i.note_id as item_id, d.day, d.observations,
       d.observed_at,
       d.likes, d.comments, d.collects, d.shares, d.views, d.rounded is null as exact,
       d.previous_day, cast(d.day::date - d.previous_day::date as bigint) as days,
       d.likes - p.likes as likes_delta,
       d.comments - p.comments as comments_delta,
       d.collects - p.collects as collects_delta,
       d.shares - p.shares as shares_delta,
       d.views - p.views as views_delta,
       d.document_id
from notes i join note_days d on d.note_key = i.note_key
left join note_days p on p.note_key = d.note_key and p.day = d.previous_day
union all
select 'douyin', i.work_id, d.day, d.observations,
       d.observed_at,
       d.likes, d.comments, d.collects, d.shares, d.plays, d.rounded is null,
       d.previous_day, cast(d.day::date - d.previous_day::date as bigint),
       d.likes - p.likes,
       d.comments - p.comments,
       d.collects - p.collects,
       d.shares - p.shares,
       d.plays - p.plays,
       d.document_id
from works i join work_days d on d.work_key = i.work_key
left join work_days p on p.work_key = d.work_key and p.day = d.previous_day;
