-- How it moved: one row an item a look, never changed afterwards. The tables are narrow and keyed
-- by a number, since they are the ones that grow; the views give people the platform's ids.

create table note_snapshots (
    note_key integer not null,              -- notes.note_key
    observed_at integer not null,           -- microseconds since 1970, UTC; text in the views
    document_id integer not null,           -- the answer these counts were read from
    likes integer,                          -- liked_count
    collects integer,                       -- collected_count
    comments integer,                       -- comments_count
    shares integer,                         -- shared_count
    views integer,                          -- view_count; 0 is hidden: NULL
    rounded boolean,                        -- true: a count was a rounded text such as 1.2万; NULL: all exact
    primary key (note_key, observed_at)
) without rowid;

create table work_snapshots (
    work_key integer not null,              -- works.work_key
    observed_at integer not null,           -- microseconds since 1970, UTC; text in the views
    document_id integer not null,
    likes integer,                          -- statistics.digg_count
    comments integer,                       -- statistics.comment_count
    collects integer,                       -- statistics.collect_count
    shares integer,                         -- statistics.share_count
    plays integer,                          -- statistics.play_count; 0 is hidden: NULL
    recommends integer,                     -- statistics.recommend_count
    downloads integer,                      -- statistics.download_count
    admires integer,                        -- statistics.admire_count
    rounded boolean,
    primary key (work_key, observed_at)
) without rowid;

create table kol_snapshots (
    kol_key integer not null,               -- kols.kol_key
    observed_at integer not null,           -- microseconds since 1970, UTC; text in the views
    document_id integer not null,
    followers integer,                      -- fansNum
    followers_growth_30d integer,           -- fans30GrowthNum
    followers_growth_rate_30d real,         -- fans30GrowthRate, percent
    read_median integer,                    -- clickMidNum
    engagement_median integer,              -- interMidNum
    picture_read_median integer,            -- pictureClickMidNum
    picture_engagement_median integer,      -- pictureInterMidNum
    video_read_median integer,              -- videoClickMidNum
    video_engagement_median integer,        -- videoInterMidNum
    impression_median_30d integer,          -- accumCommonImpMedinNum30d
    monthly_engagements integer,            -- mEngagementNum
    total_notes integer,                    -- totalNoteCount
    business_notes integer,                 -- businessNoteCount; 0 is hidden: NULL
    picture_price real,                     -- picturePrice, yuan
    video_price real,                       -- videoPrice, yuan
    lower_price real,                       -- lowerPrice, yuan
    picture_read_cost real,                 -- pictureReadCost, yuan
    video_read_cost real,                   -- videoReadCost, yuan
    picture_cpm real,                       -- estimatePictureCpm, yuan
    video_cpm real,                         -- estimateVideoCpm, yuan
    picture_engage_cost real,               -- estimatePictureEngageCost, yuan
    video_engage_cost real,                 -- estimateVideoEngageCost, yuan
    hundred_like_percent real,              -- hundredLikePercent30
    thousand_like_percent real,             -- thousandLikePercent30
    active_fans_percent real,               -- fansActiveIn28dLv
    engaged_fans_percent real,              -- fansEngageNum30dLv
    invite_reply_percent real,              -- inviteReply48hNumRatio
    primary key (kol_key, observed_at)
) without rowid;

create view note_metrics as
select n.note_id, strftime('%Y-%m-%d %H:%M:%S', s.observed_at / 1000000, 'unixepoch')
           || rtrim(rtrim(printf('.%06d', s.observed_at % 1000000), '0'), '.') as observed_at, s.likes, s.collects, s.comments, s.shares, s.views,
       s.rounded is null as exact, s.document_id
from note_snapshots s join notes n on n.note_key = s.note_key;

create view work_metrics as
select w.work_id, strftime('%Y-%m-%d %H:%M:%S', s.observed_at / 1000000, 'unixepoch')
           || rtrim(rtrim(printf('.%06d', s.observed_at % 1000000), '0'), '.') as observed_at, s.likes, s.comments, s.collects, s.shares, s.plays,
       s.recommends, s.downloads, s.admires, s.rounded is null as exact, s.document_id
from work_snapshots s join works w on w.work_key = s.work_key;

create view kol_metrics as
select k.kol_id, strftime('%Y-%m-%d %H:%M:%S', s.observed_at / 1000000, 'unixepoch')
           || rtrim(rtrim(printf('.%06d', s.observed_at % 1000000), '0'), '.') as observed_at, s.followers, s.followers_growth_30d, s.followers_growth_rate_30d,
       s.read_median, s.engagement_median, s.picture_read_median, s.picture_engagement_median,
       s.video_read_median, s.video_engagement_median, s.impression_median_30d,
       s.monthly_engagements, s.total_notes, s.business_notes, s.picture_price, s.video_price,
       s.lower_price, s.picture_read_cost, s.video_read_cost, s.picture_cpm, s.video_cpm,
       s.picture_engage_cost, s.video_engage_cost, s.hundred_like_percent,
       s.thousand_like_percent, s.active_fans_percent, s.engaged_fans_percent,
       s.invite_reply_percent, s.document_id
from kol_snapshots s join kols k on k.kol_key = s.kol_key;

-- One shape over the platforms.
create view engagement as
select 'xiaohongshu' as platform, note_id as item_id, observed_at,
       likes, comments, collects, shares, views, exact, document_id
from note_metrics
union all
select 'douyin', work_id, observed_at,
       likes, comments, collects, shares, plays, exact, document_id
from work_metrics;

-- The kept answers as text, the same in both databases.
create view document_texts as
select document_id, endpoint, target_id, asked, page, fetched_at, outcome, drift,
       json(body) as body
from documents;
