-- How it moved: one row an item a look, never changed afterwards. The tables are narrow and keyed
-- by a number, since they are the ones that grow; the views give people the platform's ids.

create table note_snapshots (
    note_key bigint not null,               -- notes.note_key
    observed_at timestamptz not null,       -- when the answer came
    document_id bigint not null,            -- the answer these counts were read from
    likes bigint,                           -- liked_count
    collects bigint,                        -- collected_count
    comments bigint,                        -- comments_count
    shares bigint,                          -- shared_count
    views bigint,                           -- view_count; 0 is hidden: NULL
    rounded boolean,                        -- true: a count was a rounded text such as 1.2万; NULL: all exact
    primary key (note_key, observed_at)
);

create table work_snapshots (
    work_key bigint not null,               -- works.work_key
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,                           -- statistics.digg_count
    comments bigint,                        -- statistics.comment_count
    collects bigint,                        -- statistics.collect_count
    shares bigint,                          -- statistics.share_count
    plays bigint,                           -- statistics.play_count; 0 is hidden: NULL
    recommends bigint,                      -- statistics.recommend_count
    downloads bigint,                       -- statistics.download_count
    admires bigint,                         -- statistics.admire_count
    rounded boolean,
    primary key (work_key, observed_at)
);

create table kol_snapshots (
    kol_key bigint not null,                -- kols.kol_key
    observed_at timestamptz not null,
    document_id bigint not null,
    followers bigint,                       -- fansNum
    followers_growth_30d bigint,            -- fans30GrowthNum
    followers_growth_rate_30d double precision, -- fans30GrowthRate, percent
    read_median bigint,                     -- clickMidNum
    engagement_median bigint,               -- interMidNum
    picture_read_median bigint,             -- pictureClickMidNum
    picture_engagement_median bigint,       -- pictureInterMidNum
    video_read_median bigint,               -- videoClickMidNum
    video_engagement_median bigint,         -- videoInterMidNum
    impression_median_30d bigint,           -- accumCommonImpMedinNum30d
    monthly_engagements bigint,             -- mEngagementNum
    total_notes bigint,                     -- totalNoteCount
    business_notes bigint,                  -- businessNoteCount; 0 is hidden: NULL
    picture_price double precision,         -- picturePrice, yuan
    video_price double precision,           -- videoPrice, yuan
    lower_price double precision,           -- lowerPrice, yuan
    picture_read_cost double precision,     -- pictureReadCost, yuan
    video_read_cost double precision,       -- videoReadCost, yuan
    picture_cpm double precision,           -- estimatePictureCpm, yuan
    video_cpm double precision,             -- estimateVideoCpm, yuan
    picture_engage_cost double precision,   -- estimatePictureEngageCost, yuan
    video_engage_cost double precision,     -- estimateVideoEngageCost, yuan
    hundred_like_percent double precision,  -- hundredLikePercent30
    thousand_like_percent double precision, -- thousandLikePercent30
    active_fans_percent double precision,   -- fansActiveIn28dLv
    engaged_fans_percent double precision,  -- fansEngageNum30dLv
    invite_reply_percent double precision,  -- inviteReply48hNumRatio
    primary key (kol_key, observed_at)
);

create view note_metrics as
select n.note_id, s.observed_at, s.likes, s.collects, s.comments, s.shares, s.views,
       s.rounded is null as exact, s.document_id
from note_snapshots s join notes n on n.note_key = s.note_key;

create view work_metrics as
select w.work_id, s.observed_at, s.likes, s.comments, s.collects, s.shares, s.plays,
       s.recommends, s.downloads, s.admires, s.rounded is null as exact, s.document_id
from work_snapshots s join works w on w.work_key = s.work_key;

create view kol_metrics as
select k.kol_id, s.observed_at, s.followers, s.followers_growth_30d, s.followers_growth_rate_30d,
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
       body::text as body
from documents;
