-- Counts over time: one row an item an observation, from one answer, never updated. These tables are
-- narrow and keyed by a number, since they are the ones that grow; the views give people the
-- platforms' ids.
-- Their times are microseconds since 1970, UTC; text in the views.

-- The counts of notes and works. NULL: the answer does not say, or hides it.
create table snapshots (
    item_key integer not null,              -- item_keys.item_key
    observed_at integer not null,           -- when the answer came
    document_id integer not null,           -- the answer
    likes integer,                          -- liked_count (or likes); Douyin statistics.digg_count
    comments integer,                       -- comments_count; Douyin statistics.comment_count
    collects integer,                       -- collected_count; Douyin statistics.collect_count
    shares integer,                         -- shared_count (or share_count); Douyin statistics.share_count
    -- view_count; Douyin statistics.play_count. 0 means hidden and is NULL
    views integer,
    recommends integer,                     -- Douyin statistics.recommend_count
    downloads integer,                      -- Douyin statistics.download_count
    admires integer,                        -- Douyin statistics.admire_count
    -- the coarsest step of a count that was read from a rounded text, in its own unit: 1.2万 gives
    -- 1000, so the count is 12,000 ± 500. NULL: all counts are exact
    granularity integer,
    -- beside the snapshot before: zeros: all counts 0 after higher ones; leapt: a count of 10 or more
    -- grew a thousandfold, or one fell to a thousandth; fell: one is lower; NULL: none of these
    suspect text,
    primary key (item_key, observed_at)
) without rowid;

-- The figures of KOLs. NULL: the answer does not say, or hides it.
create table kol_snapshots (
    kol_key integer not null,               -- kols.kol_key
    observed_at integer not null,           -- when the answer came
    document_id integer not null,           -- the answer
    -- fansNum; fansCount, which a search answers with 0, where that is missing
    followers integer,
    followers_growth_30d integer,           -- fans30GrowthNum; 0 beside a non-zero rate is NULL
    followers_growth_rate_30d real,         -- fans30GrowthRate, percent
    read_median integer,                    -- clickMidNum: median reads of a note that is not paid for, 30 days
    -- interMidNum: median engagements of a note that is not paid for, 30 days
    engagement_median integer,
    picture_read_median integer,            -- pictureClickMidNum: read_median of picture notes
    picture_engagement_median integer,      -- pictureInterMidNum: engagement_median of picture notes
    -- videoClickMidNum: read_median of video notes; 0 also where there are none
    video_read_median integer,
    -- videoInterMidNum: engagement_median of video notes; 0 also where there are none
    video_engagement_median integer,
    -- accumCommonImpMedinNum30d: median impressions of a note that is not paid for, 30 days
    impression_median_30d integer,
    -- mEngagementNum: median engagements by which the marketing target "seeding" ranks; upstream does
    -- not say of which days. Its twin mengagementNum differs only by case and is not read
    seeding_engagement_median integer,
    total_notes integer,                    -- totalNoteCount
    -- businessNoteCount; 0 is what the search answers for everyone and is NULL
    business_notes integer,
    picture_price real,                     -- picturePrice, yuan, as in kols
    video_price real,                       -- videoPrice, yuan, as in kols
    lower_price real,                       -- lowerPrice, yuan
    -- pictureReadCost, yuan a read; a decimal text upstream. NULL, as every cost: 0 upstream, or
    -- such notes are not for sale
    picture_read_cost real,
    video_read_cost real,                   -- videoReadCost, yuan a read
    picture_cpm real,                       -- estimatePictureCpm, yuan a thousand impressions
    video_cpm real,                         -- estimateVideoCpm, yuan a thousand impressions
    picture_engage_cost real,               -- estimatePictureEngageCost, yuan an engagement
    video_engage_cost real,                 -- estimateVideoEngageCost, yuan an engagement
    -- hundredLikePercent30: notes of 30 days with 100 likes or more, percent
    hundred_like_percent real,
    -- thousandLikePercent30: notes of 30 days with 1000 likes or more, percent
    thousand_like_percent real,
    -- fansActiveIn28dLv: followers that were active within 28 days, percent
    active_fans_percent real,
    -- fansEngageNum30dLv: followers that engaged within 30 days, percent
    engaged_fans_percent real,
    -- inviteReply48hNumRatio: invitations that are answered within 48 hours, percent
    invite_reply_percent real,
    mcn_read_median integer,                -- clickMidNumMcn: median reads of a note, as the MCN gives it
    -- mEngagementNumMcn: median engagements of a note, as the MCN gives it; its twin differs only
    -- by case and is not read
    mcn_engagement_median integer,
    -- accumPicCommonImpMedinNum30d: impression_median_30d of picture notes
    picture_impression_median_30d integer,
    -- accumVideoCommonImpMedinNum30d: impression_median_30d of video notes
    video_impression_median_30d integer,
    coop_notes_30d integer,                 -- coopNoteNum30d: notes that were paid for, 30 days
    -- accumCoopImpMedinNum30d: median impressions of a paid note, 30 days; 0 also where there are
    -- none
    coop_impression_median_30d integer,
    -- readMidCoop30: median reads of a paid note, 30 days; 0 also where there are none
    coop_read_median_30d integer,
    -- interMidCoop30: median engagements of a paid note, 30 days; 0 also where there are none
    coop_engagement_median_30d integer,
    -- mCpuvNum30d: median visits that a paid note brings to a shop, 30 days; its twin differs only
    -- by case and is not read
    store_visit_median_30d integer,
    -- estimateCpuv30d, yuan a visit that a paid note brings to a shop, 30 days; 0 is NULL
    store_visit_cost_30d real,
    -- pictureHundredLikePercent30: hundred_like_percent of picture notes
    picture_hundred_like_percent real,
    -- pictureThousandLikePercent30: thousand_like_percent of picture notes
    picture_thousand_like_percent real,
    video_hundred_like_percent real,        -- videoHundredLikePercent30: hundred_like_percent of video notes
    video_thousand_like_percent real,       -- videoThousandLikePercent30: thousand_like_percent of video notes
    video_finish_percent real,              -- videoFinishRate: views that reach the end of a video, percent
    -- estimatePictureCpmCompare: KOLs of its kind that picture_cpm compares well with, percent
    picture_cpm_percentile real,
    -- estimateVideoCpmCompare: the same of video_cpm; given where no video is sold, too
    video_cpm_percentile real,
    picture_engage_cost_percentile real,    -- estimatePictureEngageCostCompare: the same of picture_engage_cost
    video_engage_cost_percentile real,      -- estimateVideoEngageCostCompare: the same of video_engage_cost
    -- nextPicturePrice: the coming price of a picture note, yuan; NULL: no change is announced
    next_picture_price real,
    -- nextVideoPrice: the coming price of a video note, yuan; NULL: no change is announced
    next_video_price real,
    -- clothingIndustryPrice.picturePrice: a picture note for clothing brands, yuan; NULL when not
    -- for sale
    clothing_picture_price real,
    -- clothingIndustryPrice.videoPrice: a video note for clothing brands, yuan; NULL when not for
    -- sale
    clothing_video_price real,
    -- pictureCpcBasePrice: the fixed part of a picture note that is paid by the click, yuan; 0 is
    -- NULL
    picture_cpc_base_price real,
    picture_cpc_price real,                 -- pictureCpcPerPrice, yuan a click; 0 is NULL
    picture_cpc_clicks integer,             -- pictureCpcEstimateNum: clicks that are expected of it
    -- videoCpcBasePrice: the fixed part of a video note that is paid by the click, yuan; 0 is NULL
    video_cpc_base_price real,
    video_cpc_price real,                   -- videoCpcPerPrice, yuan a click; 0 is NULL
    video_cpc_clicks integer,               -- videoCpcEstimateNum: clicks that are expected of it
    promised_impressions integer,           -- promiseImpNum: impressions that the KOL promises; 0 is NULL
    -- predictiveExposure: impressions that are expected; 0 also where nothing is
    predicted_impressions integer,
    -- forecastReadUvLower: readers that are forecast, at least; 0 also without a forecast
    forecast_readers_lower integer,
    -- forecastReadUvUpper: readers that are forecast, at the most; 0 also without a forecast
    forecast_readers_upper integer,
    -- forecastGroupCoverRateLower: the part of the audience asked for that is forecast to be
    -- reached, at least, as given
    forecast_coverage_lower real,
    forecast_coverage_upper real,           -- forecastGroupCoverRateUpper: the same, at the most
    matched_notes integer,                  -- matchNoteNumber: notes that match the search
    efficient_users integer,                -- efficiencyValidUser, as given
    overflow integer,                       -- overflowNum, as given
    likes_and_collects integer,             -- likeCollectCountInfo: likes and collects of all notes
    followers_risen integer,                -- fansRiseNum: followers that notes brought
    followers_engaged integer,              -- fansEngageNum: followers that engaged
    lives_30d integer,                      -- kliveCnt30d: live broadcasts, 30 days
    live_viewers_mean real,                 -- avgLiveViewerNum: mean viewers of a live broadcast
    live_sales_mean_90d real,               -- avgAgmv90d: mean sales of a live broadcast, yuan, 90 days
    live_sales real,                        -- liveGMV: sales of live broadcasts, yuan
    seller_income_90d real,                 -- sellerRealIncomeAmt90d: what the shop took, yuan, 90 days
    primary key (kol_key, observed_at)
) without rowid;

-- The archive's zone, the `timezone` at the top of jobs.toml: how far its clocks are from UTC, and
-- since when. Written by the daemon, from 2000 to 2100, so that both databases know the same days.
create table archive_zone (
    since integer primary key,              -- until the next row; microseconds since 1970, UTC
    zone text not null,                     -- IANA name
    offset_seconds integer not null         -- ahead of UTC
);
insert into archive_zone (since, zone, offset_seconds)
values (0, 'Asia/Shanghai', 28800);

-- Kept with the snapshots by the triggers below, in whatever order they come and go: the latest one
-- of each item, and the last one of each of its days. Both follow from the snapshots alone.

create table latest (
    item_key integer primary key,
    observed_at integer not null,
    document_id integer not null,
    likes integer,
    comments integer,
    collects integer,
    shares integer,
    views integer,
    granularity integer,
    suspect text
);

create table days (
    item_key integer not null,
    day text not null,                      -- in the archive's zone, YYYY-MM-DD
    previous_day text,                      -- the last day before it with an observation; NULL: none
    observations integer not null,          -- snapshots on this day
    observed_at integer not null,           -- of the last of them, as is what follows
    document_id integer not null,
    likes integer,
    comments integer,
    collects integer,
    shares integer,
    views integer,
    granularity integer,
    suspect text,
    primary key (item_key, day)
) without rowid;

create trigger snapshots_added after insert on snapshots begin
    insert into latest (item_key, observed_at, document_id, likes, comments, collects, shares,
        views, granularity, suspect)
    values (new.item_key, new.observed_at, new.document_id, new.likes, new.comments, new.collects,
        new.shares, new.views, new.granularity, new.suspect)
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
    values (new.item_key, strftime('%Y-%m-%d', new.observed_at / 1000000 + (
        select offset_seconds from archive_zone where since <= new.observed_at
        order by since desc limit 1), 'unixepoch'), 1, new.observed_at, new.document_id, new.likes,
        new.comments, new.collects, new.shares, new.views, new.granularity, new.suspect)
    on conflict (item_key, day) do update set
        observations = observations + 1,
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
end;

-- Whoever deletes an item's latest and days with its snapshots, and before them, is spared the rest.
create trigger snapshots_removed after delete on snapshots
when exists (select 1 from latest where item_key = old.item_key) begin
    delete from latest where item_key = old.item_key and observed_at = old.observed_at;
    insert into latest (item_key, observed_at, document_id, likes, comments, collects, shares,
        views, granularity, suspect)
    select item_key, observed_at, document_id, likes, comments, collects, shares, views,
        granularity, suspect
    from snapshots where item_key = old.item_key order by observed_at desc limit 1
    on conflict (item_key) do nothing;
    update days set observations = observations - 1
    where item_key = old.item_key and day = strftime('%Y-%m-%d', old.observed_at / 1000000 + (
        select offset_seconds from archive_zone where since <= old.observed_at
        order by since desc limit 1), 'unixepoch');
    delete from days where item_key = old.item_key and observations = 0;
    -- Where it was the last one of its day, the one before it is now.
    update days set (observed_at, document_id, likes, comments, collects, shares, views,
        granularity, suspect) = (
        select observed_at, document_id, likes, comments, collects, shares, views, granularity,
            suspect
        from snapshots where item_key = old.item_key and observed_at < old.observed_at
        order by observed_at desc limit 1)
    where item_key = old.item_key and observed_at = old.observed_at;
    update days set previous_day = (
        select max(day) from days p where p.item_key = days.item_key and p.day < days.day)
    where item_key = old.item_key and day = (
        select min(day) from days
        where item_key = old.item_key and day > strftime('%Y-%m-%d', old.observed_at / 1000000 + (
        select offset_seconds from archive_zone where since <= old.observed_at
        order by since desc limit 1), 'unixepoch'));
end;

-- A new day, whenever its first snapshot comes, is linked with its neighbours; whoever fills in a
-- table of days at once knows them already.
create trigger days_linked after insert on days when new.previous_day is null begin
    update days set previous_day = (
        select max(day) from days where item_key = new.item_key and day < new.day)
    where item_key = new.item_key and day = new.day and exists (
        select 1 from days where item_key = new.item_key and day < new.day);
    update days set previous_day = new.day
    where item_key = new.item_key and day = (
        select min(day) from days where item_key = new.item_key and day > new.day);
end;
