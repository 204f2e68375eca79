-- Counts over time: one row an item an observation, from one answer, never updated. These tables are
-- narrow and keyed by a number, since they are the ones that grow; the views give people the
-- platforms' ids.

-- The counts of notes and works. NULL: the answer does not say, or hides it.
create table snapshots (
    item_key bigint not null,               -- item_keys.item_key
    observed_at timestamptz not null,       -- when the answer came
    document_id bigint not null,            -- the answer
    likes bigint,                           -- liked_count (or likes); Douyin statistics.digg_count
    comments bigint,                        -- comments_count; Douyin statistics.comment_count
    collects bigint,                        -- collected_count; Douyin statistics.collect_count
    shares bigint,                          -- shared_count (or share_count); Douyin statistics.share_count
    -- view_count; Douyin statistics.play_count. 0 means hidden and is NULL
    views bigint,
    recommends bigint,                      -- Douyin statistics.recommend_count
    downloads bigint,                       -- Douyin statistics.download_count
    admires bigint,                         -- Douyin statistics.admire_count
    -- the coarsest step of a count that was read from a rounded text, in its own unit: 1.2万 gives
    -- 1000, so the count is 12,000 ± 500. NULL: all counts are exact
    granularity bigint,
    -- beside the snapshot before: zeros: all counts 0 after higher ones; leapt: a count of 10 or more
    -- grew a thousandfold, or one fell to a thousandth; fell: one is lower; NULL: none of these
    suspect text,
    primary key (item_key, observed_at)
);

-- The figures of KOLs. NULL: the answer does not say, or hides it.
create table kol_snapshots (
    kol_key bigint not null,                -- kols.kol_key
    observed_at timestamptz not null,       -- when the answer came
    document_id bigint not null,            -- the answer
    -- fansNum; fansCount, which a search answers with 0, where that is missing
    followers bigint,
    followers_growth_30d bigint,            -- fans30GrowthNum; 0 beside a non-zero rate is NULL
    -- fans30GrowthRate, percent
    followers_growth_rate_30d double precision,
    read_median bigint,                     -- clickMidNum: median reads of a note that is not paid for, 30 days
    -- interMidNum: median engagements of a note that is not paid for, 30 days
    engagement_median bigint,
    picture_read_median bigint,             -- pictureClickMidNum: read_median of picture notes
    picture_engagement_median bigint,       -- pictureInterMidNum: engagement_median of picture notes
    -- videoClickMidNum: read_median of video notes; 0 also where there are none
    video_read_median bigint,
    -- videoInterMidNum: engagement_median of video notes; 0 also where there are none
    video_engagement_median bigint,
    -- accumCommonImpMedinNum30d: median impressions of a note that is not paid for, 30 days
    impression_median_30d bigint,
    -- mEngagementNum: median engagements by which the marketing target "seeding" ranks; upstream does
    -- not say of which days. Its twin mengagementNum differs only by case and is not read
    seeding_engagement_median bigint,
    total_notes bigint,                     -- totalNoteCount
    -- businessNoteCount; 0 is what the search answers for everyone and is NULL
    business_notes bigint,
    picture_price double precision,         -- picturePrice, yuan, as in kols
    video_price double precision,           -- videoPrice, yuan, as in kols
    lower_price double precision,           -- lowerPrice, yuan
    -- pictureReadCost, yuan a read; a decimal text upstream. NULL, as every cost: 0 upstream, or
    -- such notes are not for sale
    picture_read_cost double precision,
    video_read_cost double precision,       -- videoReadCost, yuan a read
    picture_cpm double precision,           -- estimatePictureCpm, yuan a thousand impressions
    video_cpm double precision,             -- estimateVideoCpm, yuan a thousand impressions
    picture_engage_cost double precision,   -- estimatePictureEngageCost, yuan an engagement
    video_engage_cost double precision,     -- estimateVideoEngageCost, yuan an engagement
    -- hundredLikePercent30: notes of 30 days with 100 likes or more, percent
    hundred_like_percent double precision,
    -- thousandLikePercent30: notes of 30 days with 1000 likes or more, percent
    thousand_like_percent double precision,
    -- fansActiveIn28dLv: followers that were active within 28 days, percent
    active_fans_percent double precision,
    -- fansEngageNum30dLv: followers that engaged within 30 days, percent
    engaged_fans_percent double precision,
    -- inviteReply48hNumRatio: invitations that are answered within 48 hours, percent
    invite_reply_percent double precision,
    mcn_read_median bigint,                 -- clickMidNumMcn: median reads of a note, as the MCN gives it
    -- mEngagementNumMcn: median engagements of a note, as the MCN gives it; its twin differs only
    -- by case and is not read
    mcn_engagement_median bigint,
    -- accumPicCommonImpMedinNum30d: impression_median_30d of picture notes
    picture_impression_median_30d bigint,
    -- accumVideoCommonImpMedinNum30d: impression_median_30d of video notes
    video_impression_median_30d bigint,
    coop_notes_30d bigint,                  -- coopNoteNum30d: notes that were paid for, 30 days
    -- accumCoopImpMedinNum30d: median impressions of a paid note, 30 days; 0 also where there are
    -- none
    coop_impression_median_30d bigint,
    -- readMidCoop30: median reads of a paid note, 30 days; 0 also where there are none
    coop_read_median_30d bigint,
    -- interMidCoop30: median engagements of a paid note, 30 days; 0 also where there are none
    coop_engagement_median_30d bigint,
    -- mCpuvNum30d: median visits that a paid note brings to a shop, 30 days; its twin differs only
    -- by case and is not read
    store_visit_median_30d bigint,
    -- estimateCpuv30d, yuan a visit that a paid note brings to a shop, 30 days; 0 is NULL
    store_visit_cost_30d double precision,
    -- pictureHundredLikePercent30: hundred_like_percent of picture notes
    picture_hundred_like_percent double precision,
    -- pictureThousandLikePercent30: thousand_like_percent of picture notes
    picture_thousand_like_percent double precision,
    -- videoHundredLikePercent30: hundred_like_percent of video notes
    video_hundred_like_percent double precision,
    -- videoThousandLikePercent30: thousand_like_percent of video notes
    video_thousand_like_percent double precision,
    video_finish_percent double precision,  -- videoFinishRate: views that reach the end of a video, percent
    -- estimatePictureCpmCompare: KOLs of its kind that picture_cpm compares well with, percent
    picture_cpm_percentile double precision,
    -- estimateVideoCpmCompare: the same of video_cpm; given where no video is sold, too
    video_cpm_percentile double precision,
    -- estimatePictureEngageCostCompare: the same of picture_engage_cost
    picture_engage_cost_percentile double precision,
    -- estimateVideoEngageCostCompare: the same of video_engage_cost
    video_engage_cost_percentile double precision,
    -- nextPicturePrice: the coming price of a picture note, yuan; NULL: no change is announced
    next_picture_price double precision,
    -- nextVideoPrice: the coming price of a video note, yuan; NULL: no change is announced
    next_video_price double precision,
    -- clothingIndustryPrice.picturePrice: a picture note for clothing brands, yuan; NULL when not
    -- for sale
    clothing_picture_price double precision,
    -- clothingIndustryPrice.videoPrice: a video note for clothing brands, yuan; NULL when not for
    -- sale
    clothing_video_price double precision,
    -- pictureCpcBasePrice: the fixed part of a picture note that is paid by the click, yuan; 0 is
    -- NULL
    picture_cpc_base_price double precision,
    picture_cpc_price double precision,     -- pictureCpcPerPrice, yuan a click; 0 is NULL
    picture_cpc_clicks bigint,              -- pictureCpcEstimateNum: clicks that are expected of it
    -- videoCpcBasePrice: the fixed part of a video note that is paid by the click, yuan; 0 is NULL
    video_cpc_base_price double precision,
    video_cpc_price double precision,       -- videoCpcPerPrice, yuan a click; 0 is NULL
    video_cpc_clicks bigint,                -- videoCpcEstimateNum: clicks that are expected of it
    promised_impressions bigint,            -- promiseImpNum: impressions that the KOL promises; 0 is NULL
    -- predictiveExposure: impressions that are expected; 0 also where nothing is
    predicted_impressions bigint,
    -- forecastReadUvLower: readers that are forecast, at least; 0 also without a forecast
    forecast_readers_lower bigint,
    -- forecastReadUvUpper: readers that are forecast, at the most; 0 also without a forecast
    forecast_readers_upper bigint,
    -- forecastGroupCoverRateLower: the part of the audience asked for that is forecast to be
    -- reached, at least, as given
    forecast_coverage_lower double precision,
    -- forecastGroupCoverRateUpper: the same, at the most
    forecast_coverage_upper double precision,
    matched_notes bigint,                   -- matchNoteNumber: notes that match the search
    efficient_users bigint,                 -- efficiencyValidUser, as given
    overflow bigint,                        -- overflowNum, as given
    likes_and_collects bigint,              -- likeCollectCountInfo: likes and collects of all notes
    followers_risen bigint,                 -- fansRiseNum: followers that notes brought
    followers_engaged bigint,               -- fansEngageNum: followers that engaged
    lives_30d bigint,                       -- kliveCnt30d: live broadcasts, 30 days
    live_viewers_mean double precision,     -- avgLiveViewerNum: mean viewers of a live broadcast
    live_sales_mean_90d double precision,   -- avgAgmv90d: mean sales of a live broadcast, yuan, 90 days
    live_sales double precision,            -- liveGMV: sales of live broadcasts, yuan
    seller_income_90d double precision,     -- sellerRealIncomeAmt90d: what the shop took, yuan, 90 days
    primary key (kol_key, observed_at)
);

-- The archive's zone, the `timezone` at the top of jobs.toml: how far its clocks are from UTC, and
-- since when. Written by the daemon, from 2000 to 2100, so that both databases know the same days.
create table archive_zone (
    since timestamptz primary key,          -- until the next row
    zone text not null,                     -- IANA name
    offset_seconds bigint not null          -- ahead of UTC
);
insert into archive_zone (since, zone, offset_seconds)
values ('1970-01-01 00:00:00Z', 'Asia/Shanghai', 28800);

-- Kept with the snapshots by the triggers below, in whatever order they come and go: the latest one
-- of each item, and the last one of each of its days. Both follow from the snapshots alone.

create table latest (
    item_key bigint primary key,
    observed_at timestamptz not null,
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    views bigint,
    granularity bigint,
    suspect text
) with (fillfactor = 80);

create table days (
    item_key bigint not null,
    day text not null,                      -- in the archive's zone, YYYY-MM-DD
    previous_day text,                      -- the last day before it with an observation; NULL: none
    observations bigint not null,           -- snapshots on this day
    observed_at timestamptz not null,       -- of the last of them, as is what follows
    document_id bigint not null,
    likes bigint,
    comments bigint,
    collects bigint,
    shares bigint,
    views bigint,
    granularity bigint,
    suspect text,
    primary key (item_key, day)
) with (fillfactor = 80);

-- Find the snapshots of an hour, and the items of a day, among millions; they come nearly in the order
-- of time.
create index snapshots_by_time on snapshots using brin (observed_at)
    with (pages_per_range = 32, autosummarize = on);
create index days_by_day on days using brin (day)
    with (pages_per_range = 32, autosummarize = on);

create function snapshots_added() returns trigger language plpgsql as $$
begin
    insert into latest (item_key, observed_at, document_id, likes, comments, collects, shares,
        views, granularity, suspect)
    select distinct on (item_key) item_key, observed_at, document_id, likes, comments, collects,
        shares, views, granularity, suspect
    from added order by item_key, observed_at desc
    on conflict (item_key) do update set
        observed_at = excluded.observed_at,
        document_id = excluded.document_id,
        likes = excluded.likes,
        comments = excluded.comments,
        collects = excluded.collects,
        shares = excluded.shares,
        views = excluded.views,
        granularity = excluded.granularity,
        suspect = excluded.suspect
    where excluded.observed_at > latest.observed_at;
    insert into days (item_key, day, observations, observed_at, document_id, likes, comments,
        collects, shares, views, granularity, suspect)
    select distinct on (item_key, day) item_key, day, count(*) over (partition by item_key, day), observed_at,
        document_id, likes, comments, collects, shares, views, granularity, suspect
    from (select a.*, to_char(a.observed_at at time zone 'UTC' + (
              select offset_seconds from archive_zone where since <= a.observed_at
              order by since desc limit 1) * interval '1 second', 'YYYY-MM-DD') as day
          from added a) as of_day
    order by item_key, day, observed_at desc
    on conflict (item_key, day) do update set
        observations = days.observations + excluded.observations,
        observed_at = case when excluded.observed_at > days.observed_at
            then excluded.observed_at else days.observed_at end,
        document_id = case when excluded.observed_at > days.observed_at
            then excluded.document_id else days.document_id end,
        likes = case when excluded.observed_at > days.observed_at
            then excluded.likes else days.likes end,
        comments = case when excluded.observed_at > days.observed_at
            then excluded.comments else days.comments end,
        collects = case when excluded.observed_at > days.observed_at
            then excluded.collects else days.collects end,
        shares = case when excluded.observed_at > days.observed_at
            then excluded.shares else days.shares end,
        views = case when excluded.observed_at > days.observed_at
            then excluded.views else days.views end,
        granularity = case when excluded.observed_at > days.observed_at
            then excluded.granularity else days.granularity end,
        suspect = case when excluded.observed_at > days.observed_at
            then excluded.suspect else days.suspect end;
    return null;
end $$;
create trigger snapshots_added after insert on snapshots
    referencing new table as added for each statement execute function snapshots_added();

create function snapshots_removed() returns trigger language plpgsql as $$
begin
    delete from latest where item_key in (select item_key from removed);
    insert into latest (item_key, observed_at, document_id, likes, comments, collects, shares,
        views, granularity, suspect)
    select distinct on (item_key) item_key, observed_at, document_id, likes, comments, collects,
        shares, views, granularity, suspect
    from snapshots where item_key in (select item_key from removed)
    order by item_key, observed_at desc;
    delete from days where item_key in (select item_key from removed);
    insert into days (item_key, day, observations, observed_at, document_id, likes, comments,
        collects, shares, views, granularity, suspect)
    select distinct on (item_key, day) item_key, day, count(*) over (partition by item_key, day), observed_at,
        document_id, likes, comments, collects, shares, views, granularity, suspect
    from (select s.*, to_char(s.observed_at at time zone 'UTC' + (
              select offset_seconds from archive_zone where since <= s.observed_at
              order by since desc limit 1) * interval '1 second', 'YYYY-MM-DD') as day
          from snapshots s where item_key in (select item_key from removed)) as of_day
    order by item_key, day, observed_at desc;
    return null;
end $$;
create trigger snapshots_removed after delete on snapshots
    referencing old table as removed for each statement execute function snapshots_removed();

-- A new day, whenever its first snapshot comes, is linked with its neighbours; whoever fills in a
-- table of days at once knows them already.
create function link_day() returns trigger language plpgsql as $$
declare
    before text := (select max(day) from days where item_key = new.item_key and day < new.day);
begin
    if before is not null then
        update days set previous_day = before where item_key = new.item_key and day = new.day;
    end if;
    update days set previous_day = new.day
    where item_key = new.item_key and day = (
        select min(day) from days where item_key = new.item_key and day > new.day);
    return null;
end $$;
create trigger days_linked after insert on days
    for each row when (new.previous_day is null) execute function link_day();
