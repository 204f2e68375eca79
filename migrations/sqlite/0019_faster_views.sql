-- The views of many rows, faster. Their columns are as before: see 0004 and 0015.

-- A day knows the one before it. A new day, whenever its first snapshot comes, is linked with its
-- neighbours; whoever fills in a table of days at once knows them already.

alter table note_days add column previous_day text;  -- on which it was seen; NULL: none
alter table work_days add column previous_day text;  -- on which it was seen; NULL: none

update note_days set previous_day = (
    select max(p.day) from note_days p
    where p.note_key = note_days.note_key and p.day < note_days.day);
update work_days set previous_day = (
    select max(p.day) from work_days p
    where p.work_key = work_days.work_key and p.day < work_days.day);

create trigger note_days_linked after insert on note_days when new.previous_day is null begin
    update note_days set previous_day = (
        select max(day) from note_days where note_key = new.note_key and day < new.day)
    where note_key = new.note_key and day = new.day and exists (
        select 1 from note_days where note_key = new.note_key and day < new.day);
    update note_days set previous_day = new.day
    where note_key = new.note_key and day = (
        select min(day) from note_days where note_key = new.note_key and day > new.day);
end;

create trigger work_days_linked after insert on work_days when new.previous_day is null begin
    update work_days set previous_day = (
        select max(day) from work_days where work_key = new.work_key and day < new.day)
    where work_key = new.work_key and day = new.day and exists (
        select 1 from work_days where work_key = new.work_key and day < new.day);
    update work_days set previous_day = new.day
    where work_key = new.work_key and day = (
        select min(day) from work_days where work_key = new.work_key and day > new.day);
end;

drop view engagement_daily;
create view engagement_daily as
select 'xiaohongshu' as platform, i.note_id as item_id, d.day, d.observations,
       datetime(d.observed_at / 1000000, 'unixepoch') || case d.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(d.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       d.likes, d.comments, d.collects, d.shares, d.views, d.rounded is null as exact,
       d.previous_day, cast(julianday(d.day) - julianday(d.previous_day) as integer) as days,
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
       datetime(d.observed_at / 1000000, 'unixepoch') || case d.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(d.observed_at % 1000000 + 1000000, 2), '0') end,
       d.likes, d.comments, d.collects, d.shares, d.plays, d.rounded is null,
       d.previous_day, cast(julianday(d.day) - julianday(d.previous_day) as integer),
       d.likes - p.likes,
       d.comments - p.comments,
       d.collects - p.collects,
       d.shares - p.shares,
       d.plays - p.plays,
       d.document_id
from works i join work_days d on d.work_key = i.work_key
left join work_days p on p.work_key = d.work_key and p.day = d.previous_day;

-- Times were written by strftime and printf, which took longer than finding the rows.

drop view engagement_latest;
create view engagement_latest as
select 'xiaohongshu' as platform, i.note_id as item_id,
       datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.comments, s.collects, s.shares, s.views,
       s.rounded is null as exact, s.document_id
from notes i join note_latest s on s.note_key = i.note_key
union all
select 'douyin', i.work_id,
       datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end,
       s.likes, s.comments, s.collects, s.shares, s.plays,
       s.rounded is null, s.document_id
from works i join work_latest s on s.work_key = i.work_key;

drop view note_metrics;
create view note_metrics as
select n.note_id,
       datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.collects, s.comments, s.shares, s.views,
       s.rounded is null as exact, s.document_id
from note_snapshots s join notes n on n.note_key = s.note_key;

drop view work_metrics;
create view work_metrics as
select w.work_id,
       datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.comments, s.collects, s.shares, s.plays,
       s.recommends, s.downloads, s.admires, s.rounded is null as exact, s.document_id
from work_snapshots s join works w on w.work_key = s.work_key;

drop view kol_metrics;
create view kol_metrics as
select k.kol_id,
       datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.followers, s.followers_growth_30d, s.followers_growth_rate_30d,
       s.read_median, s.engagement_median, s.picture_read_median, s.picture_engagement_median,
       s.video_read_median, s.video_engagement_median, s.impression_median_30d,
       s.monthly_engagements, s.total_notes, s.business_notes, s.picture_price, s.video_price,
       s.lower_price, s.picture_read_cost, s.video_read_cost, s.picture_cpm, s.video_cpm,
       s.picture_engage_cost, s.video_engage_cost, s.hundred_like_percent,
       s.thousand_like_percent, s.active_fans_percent, s.engaged_fans_percent,
       s.invite_reply_percent, s.document_id
from kol_snapshots s join kols k on k.kol_key = s.kol_key;
