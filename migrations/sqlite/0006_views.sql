-- Answers to the usual questions. Each view has the same columns and the same rows in both
-- databases. Where a count was not seen it is NULL, never 0; a difference is NULL where one of its
-- ends was not seen, and says from when to when it goes. Days are those of the archive's zone. Counts
-- that are suspect as zeros or leapt are shown as they came; a difference with one of them is NULL, and
-- where the nearest observation is wanted they are passed over. Fallen counts are taken as they are.

-- The kept answers as text, the same in both databases.
create view document_texts as
select document_id, endpoint, target_id, asked, page, fetched_at, outcome, drift,
       json(body) as body, cold_file_id is not null as is_cold
from documents;

-- Notes and works in one shape, as last seen.
create view items as
select 'xiaohongshu' as platform, n.note_id as item_id, n.note_type as item_type, n.title,
       n.author_id, a.nickname, n.published_at, n.first_seen_at, n.last_seen_at, n.document_id
from notes n left join authors a on a.platform = 'xiaohongshu' and a.author_id = n.author_id
union all
select 'douyin', w.work_id, w.work_type, w.title,
       w.author_id, a.nickname, w.published_at, w.first_seen_at, w.last_seen_at, w.document_id
from works w left join authors a on a.platform = 'douyin' and a.author_id = w.author_id;

-- Hashtags, and on how many notes and works each stands now. name: where it differs among them, the
-- last of the alphabet.
create view hashtags as
select platform, hashtag_id, max(name) as name, count(distinct item_id) as items
from item_hashtags group by platform, hashtag_id, case when hashtag_id is null then name end;

-- Changes of title, body, or the time at which the platform says that an item was edited last, a row
-- an answer that shows some. edited_at: as the platform says; NULL: it does not date this one. changed:
-- title, body, or title, body; empty: neither. previous_document_id: the newest answer from before it.
create view edits as
select platform, item_id, seen_at,
       max(case field when 'edited_at' then new_value end) as edited_at,
       case max(case field when 'title' then 1 else 0 end) + max(case field when 'body' then 2 else 0 end)
           when 1 then 'title' when 2 then 'body' when 3 then 'title, body' else '' end as changed,
       document_id, max(previous_document_id) as previous_document_id
from changes
where kind in ('note', 'work')
  and (field in ('title', 'body') or field = 'edited_at' and new_value is not null)
group by platform, kind, item_id, seen_at, document_id;

-- The counts of notes and of works. exact: no count is rounded by the platform. suspect: see snapshots.
create view note_metrics as
select n.note_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.collects, s.comments, s.shares, s.views,
       s.granularity is null as exact, s.suspect, s.document_id
from snapshots s join notes n on n.item_key = s.item_key;

create view work_metrics as
select w.work_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.comments, s.collects, s.shares, s.views as plays,
       s.recommends, s.downloads, s.admires,
       s.granularity is null as exact, s.suspect, s.document_id
from snapshots s join works w on w.item_key = s.item_key;

-- The figures of KOLs.
create view kol_metrics as
select k.kol_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.followers, s.followers_growth_30d, s.followers_growth_rate_30d, s.read_median,
       s.engagement_median, s.picture_read_median, s.picture_engagement_median,
       s.video_read_median, s.video_engagement_median, s.impression_median_30d,
       s.seeding_engagement_median, s.total_notes, s.business_notes, s.picture_price, s.video_price,
       s.lower_price, s.picture_read_cost, s.video_read_cost, s.picture_cpm, s.video_cpm,
       s.picture_engage_cost, s.video_engage_cost, s.hundred_like_percent, s.thousand_like_percent,
       s.active_fans_percent, s.engaged_fans_percent, s.invite_reply_percent,
       s.mcn_read_median, s.mcn_engagement_median, s.picture_impression_median_30d,
       s.video_impression_median_30d, s.coop_notes_30d, s.coop_impression_median_30d,
       s.coop_read_median_30d, s.coop_engagement_median_30d, s.store_visit_median_30d,
       s.store_visit_cost_30d, s.picture_hundred_like_percent, s.picture_thousand_like_percent,
       s.video_hundred_like_percent, s.video_thousand_like_percent, s.video_finish_percent,
       s.picture_cpm_percentile, s.video_cpm_percentile, s.picture_engage_cost_percentile,
       s.video_engage_cost_percentile, s.next_picture_price, s.next_video_price,
       s.clothing_picture_price, s.clothing_video_price, s.picture_cpc_base_price,
       s.picture_cpc_price, s.picture_cpc_clicks, s.video_cpc_base_price, s.video_cpc_price,
       s.video_cpc_clicks, s.promised_impressions, s.predicted_impressions,
       s.forecast_readers_lower, s.forecast_readers_upper, s.forecast_coverage_lower,
       s.forecast_coverage_upper, s.matched_notes, s.efficient_users, s.overflow,
       s.likes_and_collects, s.followers_risen, s.followers_engaged, s.lives_30d,
       s.live_viewers_mean, s.live_sales_mean_90d, s.live_sales, s.seller_income_90d,
       s.document_id
from kol_snapshots s join kols k on k.kol_key = s.kol_key;

-- The counts of notes and works in one shape; views of a work are its plays.
create view engagement as
select k.platform, k.item_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.comments, s.collects, s.shares, s.views,
       s.granularity is null as exact, s.suspect, s.document_id
from item_keys k join snapshots s on s.item_key = k.item_key;

-- The last observation of each item: the columns of engagement.
create view engagement_latest as
select k.platform, k.item_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       s.likes, s.comments, s.collects, s.shares, s.views,
       s.granularity is null as exact, s.suspect, s.document_id
from item_keys k join latest s on s.item_key = k.item_key;

-- The last observation of each item on each day, and the difference to the last one of the day
-- before on which it was seen. A day without an observation has no row.
-- day: in the archive's zone, YYYY-MM-DD. observations: on this day, 1 or more. observed_at: of the
-- last of them, to which the counts belong. previous_day: the last day before with an observation;
-- NULL: none. days: from then to this one; 1 unless days were missed; NULL without a previous day.
-- …_delta: over these days.
create view engagement_daily as
select k.platform, k.item_id, d.day, d.observations,
       datetime(d.observed_at / 1000000, 'unixepoch') || case d.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(d.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       d.likes, d.comments, d.collects, d.shares, d.views,
       d.granularity is null as exact, d.suspect,
       d.previous_day, cast(julianday(d.day) - julianday(d.previous_day) as integer) as days,
       d.likes - p.likes as likes_delta,
       d.comments - p.comments as comments_delta,
       d.collects - p.collects as collects_delta,
       d.shares - p.shares as shares_delta,
       d.views - p.views as views_delta,
       d.document_id
from item_keys k join days d on d.item_key = k.item_key
left join days p on p.item_key = d.item_key and p.day = d.previous_day
     and coalesce(d.suspect, 'fell') = 'fell' and coalesce(p.suspect, 'fell') = 'fell';

-- What moved in the last 24 hours before the newest observation of the archive: the items that were
-- seen in them. since: the item's last observation from before, at most 12 hours older; hours: from
-- then to observed_at; …_delta: over these. NULL: there is none.
create view engagement_24h as
with now as (select max(observed_at) as at from latest)
select k.platform, k.item_id, datetime(l.observed_at / 1000000, 'unixepoch') || case l.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(l.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       l.likes, l.comments, l.collects, l.shares, l.views, l.granularity is null as exact,
       l.suspect,
       datetime(b.observed_at / 1000000, 'unixepoch') || case b.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(b.observed_at % 1000000 + 1000000, 2), '0') end as since,
       (l.observed_at - b.observed_at) / 3600000000.0 as hours,
       l.likes - b.likes as likes_delta,
       l.comments - b.comments as comments_delta,
       l.collects - b.collects as collects_delta,
       l.shares - b.shares as shares_delta,
       l.views - b.views as views_delta,
       l.document_id
from now cross join latest l join item_keys k on k.item_key = l.item_key
left join snapshots b on b.item_key = l.item_key and coalesce(l.suspect, 'fell') = 'fell'
     and b.observed_at = (
    select observed_at from snapshots
    where item_key = l.item_key and coalesce(suspect, 'fell') = 'fell'
      and observed_at > now.at - 129600000000 and observed_at <= now.at - 86400000000
    order by observed_at desc limit 1)
where l.observed_at > now.at - 86400000000;

-- How fast each item moved from one observation to the next. previous_at: the observation before;
-- hours: between the two; …_per_hour: the difference over these hours, below 0 where counts fell; NULL
-- where they are less than three minutes, of which an hour does not follow.
-- An item's first observation has no row.
create view engagement_velocity as
select k.platform, k.item_id, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
       datetime(s.previous_at / 1000000, 'unixepoch') || case s.previous_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.previous_at % 1000000 + 1000000, 2), '0') end as previous_at,
       (s.observed_at - s.previous_at) / 3600000000.0 as hours,
       (s.likes - s.likes_before) * 3600000000.0 / s.span as likes_per_hour,
       (s.comments - s.comments_before) * 3600000000.0 / s.span as comments_per_hour,
       (s.collects - s.collects_before) * 3600000000.0 / s.span as collects_per_hour,
       (s.shares - s.shares_before) * 3600000000.0 / s.span as shares_per_hour,
       (s.views - s.views_before) * 3600000000.0 / s.span as views_per_hour,
       s.document_id
from item_keys k join (
    select s.*, p.observed_at as previous_at, p.likes as likes_before, p.comments as comments_before,
           p.collects as collects_before, p.shares as shares_before, p.views as views_before,
           case when s.observed_at - p.observed_at >= 180000000
                 and coalesce(s.suspect, 'fell') = 'fell' and coalesce(p.suspect, 'fell') = 'fell'
                then s.observed_at - p.observed_at end as span
    from snapshots s join snapshots p on p.item_key = s.item_key and p.observed_at = (
        select observed_at from snapshots
        where item_key = s.item_key and observed_at < s.observed_at
        order by observed_at desc limit 1)) s on s.item_key = k.item_key;

-- Where each item stood at ages of 1, 6, 24, 72 hours, 7 and 30 days: six rows for each item whose
-- publication is known. at: publication plus the age. before_at, after_at: the nearest observations
-- up to and from then, if they are near, that is at most half the age away and never more than 36
-- hours; NULL: none was made there. …_before, …_after: what they say, the bounds. likes and so
-- on: on a straight line between the two; NULL where either is missing.
create view engagement_growth as
select g.platform, g.item_id, g.hours as age_hours, datetime(g.at / 1000000, 'unixepoch') || case g.at % 1000000 when 0 then ''
           else rtrim('.' || substr(g.at % 1000000 + 1000000, 2), '0') end as at,
       datetime(b.observed_at / 1000000, 'unixepoch') || case b.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(b.observed_at % 1000000 + 1000000, 2), '0') end as before_at,
       datetime(a.observed_at / 1000000, 'unixepoch') || case a.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(a.observed_at % 1000000 + 1000000, 2), '0') end as after_at,
       b.likes as likes_before, a.likes as likes_after,
       case when b.observed_at = a.observed_at then b.likes * 1.0
            else b.likes + (a.likes - b.likes)
                 * ((g.at - b.observed_at) * 1.0 / (a.observed_at - b.observed_at)) end as likes,
       b.comments as comments_before, a.comments as comments_after,
       case when b.observed_at = a.observed_at then b.comments * 1.0
            else b.comments + (a.comments - b.comments)
                 * ((g.at - b.observed_at) * 1.0 / (a.observed_at - b.observed_at)) end as comments,
       b.collects as collects_before, a.collects as collects_after,
       case when b.observed_at = a.observed_at then b.collects * 1.0
            else b.collects + (a.collects - b.collects)
                 * ((g.at - b.observed_at) * 1.0 / (a.observed_at - b.observed_at)) end as collects,
       b.shares as shares_before, a.shares as shares_after,
       case when b.observed_at = a.observed_at then b.shares * 1.0
            else b.shares + (a.shares - b.shares)
                 * ((g.at - b.observed_at) * 1.0 / (a.observed_at - b.observed_at)) end as shares,
       b.views as views_before, a.views as views_after,
       case when b.observed_at = a.observed_at then b.views * 1.0
            else b.views + (a.views - b.views)
                 * ((g.at - b.observed_at) * 1.0 / (a.observed_at - b.observed_at)) end as views
from (select k.item_key, k.platform, k.item_id, h.hours, h.near_minutes * 60000000 as near,
             (cast(strftime('%s', coalesce(n.published_at, w.published_at)) as integer)
              + h.hours * 3600) * 1000000 as at
      from item_keys k
      left join notes n on n.item_key = k.item_key
      left join works w on w.item_key = k.item_key
      cross join (
          select 1 as hours, 30 as near_minutes union all
          select 6, 180 union all
          select 24, 720 union all
          select 72, 2160 union all
          select 168, 2160 union all
          select 720, 2160) h
      where coalesce(n.published_at, w.published_at) is not null) g
left join snapshots b on b.item_key = g.item_key and b.observed_at = (
    select observed_at from snapshots
    where item_key = g.item_key and observed_at between g.at - g.near and g.at
      and coalesce(suspect, 'fell') = 'fell'
    order by observed_at desc limit 1)
left join snapshots a on a.item_key = g.item_key and a.observed_at = (
    select observed_at from snapshots
    where item_key = g.item_key and observed_at between g.at and g.at + g.near
      and coalesce(suspect, 'fell') = 'fell'
    order by observed_at limit 1);

-- What a KOL costs for what it brings: one row a snapshot, so that its rows are its history. Prices
-- are in yuan, and NULL where the KOL does not sell that kind. …_per_follower, …_per_read,
-- …_per_engagement: the price over the followers, the median reads and the median engagements of
-- that kind; NULL where the price or the median is missing, or the median is 0.
create view kol_value as
select k.kol_id, k.nickname, datetime(s.observed_at / 1000000, 'unixepoch') || case s.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(s.observed_at % 1000000 + 1000000, 2), '0') end as observed_at,
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

-- Where each suggestion for a keyword stood at each observation, against the one before. change:
-- entered, left, up, down, same; first at the first observation of a keyword, which has nothing before
-- it. rank: from 1; NULL where it left. previous_at: the observation before; previous_rank: its rank
-- then; NULL: it was not there. moved_by: places up, below 0 down; NULL unless it was there both times.
-- document_id: the answer of observed_at.
create view keyword_ranks as
with observations as (
    select keyword, observed_at, document_id,
           lag(observed_at) over (partition by keyword order by observed_at) as previous_at,
           lag(document_id) over (partition by keyword order by observed_at) as previous_id
    -- Of two answers at the same time the newer one counts.
    from (select keyword, observed_at, max(document_id) as document_id
          from keyword_suggestions group by keyword, observed_at) as made),
-- A suggestion that stands there twice counts where it stands higher.
ranks as (
    select keyword, observed_at, document_id, suggestion, min(rank) as rank
    from keyword_suggestions group by keyword, observed_at, document_id, suggestion)
select l.keyword, l.observed_at, r.suggestion, r.rank, l.previous_at, p.rank as previous_rank,
       case when l.previous_at is null then 'first'
            when p.rank is null then 'entered'
            when r.rank < p.rank then 'up'
            when r.rank > p.rank then 'down'
            else 'same' end as change,
       p.rank - r.rank as moved_by, l.document_id
from observations l
join ranks r on r.keyword = l.keyword and r.observed_at = l.observed_at
            and r.document_id = l.document_id
left join ranks p on p.keyword = l.keyword and p.observed_at = l.previous_at
                 and p.document_id = l.previous_id and p.suggestion = r.suggestion
union all
select l.keyword, l.observed_at, p.suggestion, null, l.previous_at, p.rank, 'left', null,
       l.document_id
from observations l
join ranks p on p.keyword = l.keyword and p.observed_at = l.previous_at
            and p.document_id = l.previous_id
left join ranks r on r.keyword = l.keyword and r.observed_at = l.observed_at
                 and r.document_id = l.document_id and r.suggestion = p.suggestion
where r.rank is null;

-- What became of the slots due on each day of the archive's zone. Every slot is counted in due, in one
-- of observed, missed and open, and if it was missed in one of the columns after those.
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
    select s.target_id, t.kind, t.key, t.item_id, strftime('%Y-%m-%d', s.due_second + (
               select offset_seconds from archive_zone where since <= s.due_second * 1000000
               order by since desc limit 1), 'unixepoch') as day,
           case when s.outcome is null then 'open'
                when s.outcome = 'observed' then 'observed'
                when s.reason in ('daemon_down', 'interrupted') then 'daemon_down'
                when s.reason in ('upstream_failure', 'transport', 'rate_limited', 'unreadable') then 'upstream'
                when s.reason in ('denied', 'bad_credentials') then 'access'
                when s.reason in ('gone', 'empty') then 'gone'
                when s.reason = 'bad_request' then 'refused'
                when s.reason in ('superseded', 'quota', 'balance', 'budget', 'paused') then s.reason
                else 'other' end as fate
    from (select *, cast(strftime('%s', due_at) as integer) as due_second from slots) s join targets t on t.target_id = s.target_id) as fates
group by target_id, kind, key, item_id, day;

-- The same missed slots, a row a reason.
create view coverage_reasons as
select target_id, kind, key, item_id, day, reason, count(*) as slots
from (select s.target_id, t.kind, t.key, t.item_id, strftime('%Y-%m-%d', s.due_second + (
               select offset_seconds from archive_zone where since <= s.due_second * 1000000
               order by since desc limit 1), 'unixepoch') as day, s.reason
      from (select *, cast(strftime('%s', due_at) as integer) as due_second from slots) s join targets t on t.target_id = s.target_id
      where s.outcome = 'missed') as missed
group by target_id, kind, key, item_id, day, reason;

-- What calls cost, by the day on which they were opened in the archive's zone, job and endpoint.
-- Each call counts once: for the backfill it was made for, else for the run that planned the slot.
-- Where several jobs want the same slot, that is the run of the first of them to fire; the others
-- have it for nothing. Imported answers are no calls.
-- job: the name in jobs.toml; of a backfill its name; NULL for what was asked for by hand. origin:
-- schedule, fetch, backfill. billed, unknown: calls that were paid for, and that nobody knows of.
-- unpriced: billed calls without a price in jobs.toml. cost_micros: of the billed calls that have
-- a price, in millionths of a yuan; NULL where none of them has, 0 where none was billed.
-- unknown_micros: of the unknown ones, if they were billed. yuan: cost_micros in yuan.
create view spend as
select day, job, origin, endpoint, calls, billed, unknown, unpriced, cost_micros, unknown_micros,
       cost_micros / 1000000.0 as yuan
from (
    select day, job, origin, endpoint, count(*) as calls,
           count(case when billed = 'yes' then 1 end) as billed,
           count(case when billed = 'unknown' then 1 end) as unknown,
           count(case when billed = 'yes' and price_micros is null then 1 end) as unpriced,
           cast(case when count(case when billed = 'yes' then 1 end) = 0 then 0
                else sum(case when billed = 'yes' then price_micros end) end as integer) as
                    cost_micros,
           cast(case when count(case when billed = 'unknown' then 1 end) = 0 then 0
                else sum(case when billed = 'unknown' then price_micros end) end as integer) as
                    unknown_micros
    from (
        select strftime('%Y-%m-%d', c.opened_second + (
               select offset_seconds from archive_zone where since <= c.opened_second * 1000000
               order by since desc limit 1), 'unixepoch') as day,
               coalesce(b.name, j.name) as job, r.origin, c.endpoint, c.billed, c.price_micros
        from (select *, cast(strftime('%s', opened_at) as integer) as opened_second
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
select platform, item_id, published_at as at, 'published' as event,
       'the platform says so' as evidence, document_id, document_id as call_id
from items where published_at is not null
union all
select k.platform, k.item_id, datetime(f.observed_at / 1000000, 'unixepoch') || case f.observed_at % 1000000 when 0 then ''
           else rtrim('.' || substr(f.observed_at % 1000000 + 1000000, 2), '0') end,
       'first_seen', 'the first observation', f.document_id, f.document_id
from item_keys k join snapshots f on f.item_key = k.item_key and f.observed_at = (
    select observed_at from snapshots where item_key = k.item_key order by observed_at limit 1)
union all
select platform, item_id, coalesce(edited_at, seen_at), 'edited',
       case changed when '' then 'the platform says so' else changed || ' changed' end,
       document_id, document_id
from edits
-- Edited before it was first seen, and not since.
union all
select 'xiaohongshu', note_id, edited_at, 'edited', 'the platform says so', document_id, document_id
from notes
where edited_at is not null and not exists (
    select 1 from changes
    where platform = 'xiaohongshu' and kind = 'note' and item_id = note_id
      and field = 'edited_at' and new_value is not null)
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

-- Paths of answers whose presence or type changed. change: vanished (the newest answers lack it), type
-- (a type not seen before), new. since, document_id: first such answer.
create view drift as
select endpoint, path, 'vanished' as change, json_type as old_type, null as new_type,
       gap_at as since, gap_document_id as document_id
from answer_paths where is_vanished
union all
select endpoint, path, 'type', old_type, json_type, retyped_at, retyped_document_id
from answer_paths where retyped_at is not null
union all
select endpoint, path, 'new', null, json_type, first_seen_at, first_document_id
from answer_paths where is_new;
