-- What is known, as last seen: a pure function of the documents, so these tables hold no foreign
-- keys. A column names its JSON path and its unit. NULL: no answer says it, or the newest one that
-- speaks of it says that there is none. An answer that does not speak of a column leaves it as it is.

-- Every note and work with its small key, by which its snapshots are found.
create table item_keys (
    item_key bigint primary key,            -- given by its first document
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,                  -- notes.note_id, works.work_id
    unique (item_id, platform)
);

-- Xiaohongshu notes.
create table notes (
    item_key bigint primary key,            -- as in item_keys
    -- note_list[0].id: 24 hexadecimal digits, sometimes all of them decimal
    note_id text not null unique,
    note_type text,                         -- type: normal, video, or whatever comes next
    title text,                             -- title; often missing
    body text,                              -- desc, with its #name[话题]# marks
    language text,                          -- text_language_code
    author_id text,                         -- user.userid, else user.id
    published_at timestamptz,               -- time, seconds (milliseconds on the web)
    edited_at timestamptz,                  -- last_update_time; 0 means never edited
    ip_location text,                       -- ip_location: the place shown beside the note
    pinned boolean,                         -- sticky
    has_goods boolean,                      -- has_related_goods
    -- cooperate_binds: brands that it is marked as made for, a JSON array of objects
    cooperations text,
    goods text,                             -- goods_info, a JSON object without its links; {} is NULL
    has_brand_lottery boolean,              -- enable_brand_lottery
    is_red_envelope boolean,                -- red_envelope_note
    may_have_red_packet boolean,            -- may_have_red_packet
    in_censor boolean,                      -- in_censor: whether upstream still reviews it
    privacy_type bigint,                    -- privacy.type: 0 is public
    -- topics[]: id, name and discuss_num, a running number; a JSON array of objects. Only some of
    -- the hashtags
    topics text,
    has_music boolean,                      -- has_music
    sound_id text,                          -- native_voice_info.sound_id: the sound of its video
    sound_name text,                        -- native_voice_info.name
    sound_duration_ms bigint,               -- native_voice_info.duration, milliseconds
    -- native_voice_info.use_count: notes with this sound, a running number
    sound_uses bigint,
    is_co_produced boolean,                 -- has_co_produce: whether it was made together with others
    may_be_co_produced boolean,             -- enable_co_produce: whether others may make theirs of it
    -- share_info.image, else video_info_v2.image.thumbnail, .first_frame. May be signed
    cover_url text,
    share_url text,                         -- share_info.link without its query (which carries tokens)
    -- video_info_v2.media.stream.h264[0]/h265[0] .duration (ms), else .media.video.duration or
    -- video.duration (s). Milliseconds
    video_duration_ms bigint,
    -- video_info_v2.media.stream.*[0].master_url, else video.url. Signed; expires
    video_url text,
    video_width bigint,                     -- Pixels, from the same stream
    video_height bigint,                    -- Pixels, from the same stream
    video_id text,                          -- video_info_v2.media.video_id, text or number upstream
    video_codec text,                       -- .video_codec of the same stream, as given (h264, hevc)
    video_bytes bigint,                     -- .size of the same stream, bytes
    video_bit_rate bigint,                  -- .avg_bitrate of the same stream, bits a second
    first_seen_at timestamptz not null,     -- when its first answer came
    last_seen_at timestamptz not null,      -- when its newest answer came
    changed_at timestamptz not null,        -- when the newest answer came that changed anything here
    document_id bigint not null,            -- that answer
    last_document_id bigint not null,       -- the newest answer
    refreshed_at timestamptz not null,      -- when the answer came that the signed URLs are from
    fingerprint text not null,              -- digest of what the newest answer says, signed URLs left out
    -- JSON: recorded facts that the newest answer does not speak of, and when they were last seen,
    -- {"title": [document_id, "time"]}; null there: never; NULL: none
    unconfirmed text
);
create index notes_by_author on notes (author_id);

-- Douyin works.
create table works (
    item_key bigint primary key,            -- as in item_keys
    work_id text not null unique,           -- aweme_id: 19 digits
    -- video, or images for an album (aweme_type 68, or media_type 2, or images without a video)
    work_type text,
    aweme_type bigint,                      -- aweme_type, as given
    title text,                             -- item_title; empty: NULL
    body text,                              -- desc
    -- caption, the text without its title, where it is not the same as desc; the same: NULL
    caption text,
    language text,                          -- desc_language
    ocr_text text,                          -- seo_info.ocr_content: the words that are read from its pictures
    category_1 text,                        -- video_tag[].tag_name of level 1; "" is NULL
    category_2 text,                        -- the same of level 2
    category_3 text,                        -- the same of level 3
    category_1_id bigint,                   -- video_tag[].tag_id of level 1; 0 is NULL
    category_2_id bigint,                   -- the same of level 2
    category_3_id bigint,                   -- the same of level 3
    -- suggest_words.suggest_words[].words[].word: what is suggested to search beside it, a JSON
    -- array. Differs from answer to answer
    suggested_words text,
    chapters text,                          -- chapter_list[]: desc, detail, timestamp; a JSON array of objects
    -- anchors[]: id, type, keyword, title: what its link leads to (a place, goods, a game); a JSON
    -- array of objects
    anchors text,
    -- promotions[]: promotion_id, product_id, title, price: goods that it sells; a JSON array of
    -- objects
    promotions text,
    author_id text,                         -- author.uid
    published_at timestamptz,               -- create_time, seconds
    duration_ms bigint,                     -- duration, else video.duration, milliseconds; 0 (albums) is NULL
    region text,                            -- region; empty: NULL
    city text,                              -- city: an administrative code such as 310000
    video_id text,                          -- video.play_addr.uri: the stable id of the video
    video_width bigint,                     -- video.width, pixels
    video_height bigint,                    -- video.height, pixels
    video_ratio text,                       -- video.ratio, as given (720p)
    video_bytes bigint,                     -- video.play_addr.data_size, bytes
    video_hash text,                        -- video.play_addr.file_hash
    -- video.bit_rate[].bit_rate: the qualities on offer, bits a second; a JSON array
    video_bit_rates text,
    video_url text,                         -- video.play_addr.url_list[0]. Signed; expires
    cover_url text,                         -- video.cover.url_list[0]. Signed; expires
    -- https://www.douyin.com/video/{work_id} (/note/ for an album), built, without tokens
    share_url text,
    music_id text,                          -- music.id_str, else music.mid
    series_id text,                         -- series_basic_info.series_id
    mix_id text,                            -- mix_info.mix_id
    mix_name text,                          -- mix_info.mix_name
    mix_episode bigint,                     -- mix_info.statis.current_episode
    is_deleted boolean,                     -- status.is_delete
    is_prohibited boolean,                  -- status.is_prohibited
    is_private boolean,                     -- status.private_status is not 0
    with_goods boolean,                     -- status.with_goods
    pinned boolean,                         -- is_top
    is_ad boolean,                          -- is_ads, else commerce_info.is_ad
    allows_comments boolean,                -- comment_permission_info.can_comment, else status.allow_comment
    -- comment_permission_info.comment_permission_status: who may comment, a code as given; 0 is
    -- everybody
    comment_permission bigint,
    allows_sharing boolean,                 -- status.allow_share
    allows_download boolean,                -- video_control.allow_download
    allows_duet boolean,                    -- video_control.allow_duet
    in_review boolean,                      -- status.in_reviewing
    review_status bigint,                   -- status.review_result.review_status, a code as given
    reviewed bigint,                        -- status.reviewed, a code as given
    is_self_see boolean,                    -- status.self_see: whether only its author sees it
    part_see bigint,                        -- status.part_see: whether only some see it, a code as given
    risk_type bigint,                       -- risk_infos.type, a code as given; 0 is none
    risk_text text,                         -- risk_infos.content: the warning shown with it
    risk_warns boolean,                     -- risk_infos.warn
    risk_sinks boolean,                     -- risk_infos.risk_sink: whether it is shown to fewer people
    risk_votes boolean,                     -- risk_infos.vote
    -- cooperation_info.co_creator_nums: how many made it together; 0 is NULL
    creator_count bigint,
    cooperation_tag text,                   -- cooperation_info.tag
    first_seen_at timestamptz not null,     -- when its first answer came
    last_seen_at timestamptz not null,      -- when its newest answer came
    changed_at timestamptz not null,        -- when the newest answer came that changed anything here
    document_id bigint not null,            -- that answer
    last_document_id bigint not null,       -- the newest answer
    refreshed_at timestamptz not null,      -- when the answer came that the signed URLs are from
    fingerprint text not null,              -- digest of what the newest answer says, signed URLs left out
    -- JSON: recorded facts that the newest answer does not speak of, and when they were last seen,
    -- {"title": [document_id, "time"]}; null there: never; NULL: none
    unconfirmed text
);
create index works_by_author on works (author_id);
create index works_by_music on works (music_id);

-- Who published notes and works.
create table authors (
    platform text not null,                 -- which platform the id belongs to
    author_id text not null,                -- Xiaohongshu user.userid, else user.id; Douyin author.uid
    sec_uid text,                           -- Douyin author.sec_uid
    -- Xiaohongshu user.red_id; Douyin author.unique_id, else author.short_id. May hold letters
    handle text,
    nickname text,                          -- nickname
    -- Xiaohongshu user.image or user.images; Douyin author.avatar_thumb.url_list[0]
    avatar_url text,
    is_verified boolean,                    -- xiaohongshu user.red_official_verified; Douyin author.is_verified
    -- xiaohongshu user.red_official_verify_type; Douyin author.verification_type; a code as given
    verification_type bigint,
    -- douyin author.custom_verify, else author.enterprise_verify_reason: as what it is verified
    verification text,
    signature text,                         -- douyin author.signature: what it says of itself
    -- douyin author.follower_count, a running number; 0 hides it and is NULL
    followers bigint,
    -- douyin author.following_count, a running number; 0 hides it and is NULL
    following bigint,
    -- douyin author.total_favorited, a running number; 0 hides it and is NULL
    likes_received bigint,
    -- douyin author.aweme_count, a running number; 0 hides it and is NULL
    works bigint,
    first_seen_at timestamptz not null,     -- when its first answer came
    last_seen_at timestamptz not null,      -- when its newest answer came
    changed_at timestamptz not null,        -- when the newest answer came that changed anything here
    document_id bigint not null,            -- that answer
    last_document_id bigint not null,       -- the newest answer
    refreshed_at timestamptz not null,      -- when the answer came that the signed URLs are from
    fingerprint text not null,              -- digest of what the newest answer says, signed URLs left out
    -- JSON: recorded facts that the newest answer does not speak of, and when they were last seen,
    -- {"title": [document_id, "time"]}; null there: never; NULL: none
    unconfirmed text,
    primary key (platform, author_id)
);

-- KOLs of Pugongying.
create table kols (
    kol_key bigint primary key,             -- small key for kol_snapshots, given by its first document
    kol_id text not null unique,            -- userId
    red_id text,                            -- redId; may hold letters
    nickname text,                          -- name
    avatar_url text,                        -- headPhoto
    gender text,                            -- gender, as given (女, 男)
    location text,                          -- location; empty: NULL
    level bigint,                           -- currentLevel
    mcn_id text,                            -- noteSign.userId: the agency (MCN)
    mcn_name text,                          -- noteSign.name
    low_active boolean,                     -- lowActive
    next_level bigint,                      -- nextLevel; -1 means none and is NULL
    kol_type bigint,                        -- kolType, a code as given
    user_type bigint,                       -- userType, a code as given
    buyer_type bigint,                      -- buyerType: whether it recommends goods, a code as given
    coop_type bigint,                       -- cooperType, a code as given
    coop_state bigint,                      -- cooperateState, a code as given
    classify_code bigint,                   -- classifyCode, a code as given
    head_label bigint,                      -- kolHeadLabel, a code as given
    validity bigint,                        -- valid, a code as given
    home_page_display bigint,               -- homePageDisplay, a code as given
    new_high_quality bigint,                -- newHighQuality, a code as given
    promise_tag bigint,                     -- showPromiseTag: whether it promises impressions, a code as given
    control_state bigint,                   -- controlState, a code as given; 0 means not restricted
    fb_state bigint,                        -- fbState, a code as given
    price_state bigint,                     -- priceState, a code as given
    -- pictureState: whether picture notes are for sale, a code as given; 0 means no
    picture_state bigint,
    video_state bigint,                     -- videoState: the same of video notes
    -- clothingIndustryPrice.pictureState: the same of picture notes for clothing brands
    clothing_picture_state bigint,
    -- clothingIndustryPrice.videoState: the same of video notes for clothing brands
    clothing_video_state bigint,
    clothing_industry_id bigint,            -- clothingIndustryPrice.industryId; 0 means none and is NULL
    intention_type bigint,                  -- intentionInfo.intentionType, a code as given
    intention text,                         -- intentionInfo.intentionText
    types text,                             -- type, a JSON array
    industry_tags text,                     -- industryTag, a JSON array
    trade_types text,                       -- tradeType: industries of its latest paid notes, a JSON array
    -- top2CategoryList: the two categories of goods that it sells most, a JSON array
    top_categories text,
    travel_areas text,                      -- travelAreaList: where it would travel to for a note, a JSON array
    live_mcn_id text,                       -- liveSign.userId: the agency (MCN) of its live broadcasts
    live_mcn_name text,                     -- liveSign.name
    is_star boolean,                        -- isStar
    is_buyer boolean,                       -- hasBuyerAuth: whether it may recommend goods in live broadcasts
    may_recommend_goods boolean,            -- goodRecommendPermission
    is_industry_recommended boolean,        -- isIndustryRecommend
    has_industry_limit boolean,             -- specialIndustryLimit
    shows_price boolean,                    -- showPrice
    picture_price double precision,         -- picturePrice, yuan; NULL when not for sale
    video_price double precision,           -- videoPrice, yuan; 9999999 means not for sale and is NULL
    lower_price double precision,           -- lowerPrice, yuan
    first_seen_at timestamptz not null,     -- when its first answer came
    last_seen_at timestamptz not null,      -- when its newest answer came
    changed_at timestamptz not null,        -- when the newest answer came that changed anything here
    document_id bigint not null,            -- that answer
    last_document_id bigint not null,       -- the newest answer
    refreshed_at timestamptz not null,      -- when the answer came that the signed URLs are from
    fingerprint text not null,              -- digest of what the newest answer says, signed URLs left out
    -- JSON: recorded facts that the newest answer does not speak of, and when they were last seen,
    -- {"title": [document_id, "time"]}; null there: never; NULL: none
    unconfirmed text
);

-- The music of works.
create table music (
    -- music.id_str, else music.mid (music.id is beyond what JavaScript keeps)
    music_id text not null,
    title text,                             -- music.title
    author text,                            -- music.author
    duration_ms bigint,                     -- music.duration, seconds upstream, milliseconds here
    is_original boolean,                    -- music.is_original_sound
    album text,                             -- music.album
    is_commerce boolean,                    -- music.is_commerce_music: whether it is licensed for advertising
    owner_id text,                          -- music.owner_id: the author whose sound it is
    owner_name text,                        -- music.owner_nickname
    -- music.user_count: works with this music, a running number; 0 hides it and is NULL
    users bigint,
    first_seen_at timestamptz not null,     -- when its first answer came
    last_seen_at timestamptz not null,      -- when its newest answer came
    changed_at timestamptz not null,        -- when the newest answer came that changed anything here
    document_id bigint not null,            -- that answer
    last_document_id bigint not null,       -- the newest answer
    refreshed_at timestamptz not null,      -- when the answer came that the signed URLs are from
    fingerprint text not null,              -- digest of what the newest answer says, signed URLs left out
    -- JSON: recorded facts that the newest answer does not speak of, and when they were last seen,
    -- {"title": [document_id, "time"]}; null there: never; NULL: none
    unconfirmed text,
    primary key (music_id)
);

-- Images of notes and works.
create table images (
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,                  -- notes.note_id, works.work_id
    -- place in images_list or images, from 0 (index is 0 for every image upstream)
    position bigint not null,
    file_id text,                           -- fileid, else trace_id; Douyin uri
    width bigint,                           -- width, pixels
    height bigint,                          -- height, pixels
    -- url_multi_level.high, else url_size_large, url, original; Douyin url_list[0]. Signed;
    -- expires
    url text,
    original_url text,                      -- original: the picture as it was uploaded. Signed; expires
    largest_url text,                       -- url_8k. Signed; expires
    latitude double precision,              -- latitude, degrees; 0 is NULL
    longitude double precision,             -- longitude, degrees; 0 is NULL
    -- whether it is a live photo: live_photo_file_id or live_photo holds something; Douyin video.
    -- NULL: the keys are missing, as they are from most still images
    is_live boolean,
    -- live_photo.media.stream.h265[0].master_url (or h264); Douyin video.play_addr.url_list[0].
    -- Signed; expires
    live_url text,
    -- live_photo.media.stream.h265[0].duration; Douyin video.duration. Milliseconds
    live_duration_ms bigint,
    -- live_photo.media.video_id, text or number upstream; Douyin video.play_addr.uri
    live_video_id text,
    live_codec text,                        -- live_photo.media.stream.h265[0].video_codec
    -- live_photo.media.stream.h265[0].size; Douyin video.play_addr.data_size. Bytes
    live_bytes bigint,
    live_width bigint,                      -- live_photo.media.stream.h265[0].width; Douyin video.width. Pixels
    -- live_photo.media.stream.h265[0].height; Douyin video.height. Pixels
    live_height bigint,
    primary key (platform, item_id, position)
);

-- Hashtags at their places in notes and works; the same tag may stand there twice.
create table item_hashtags (
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,                  -- notes.note_id, works.work_id
    position bigint not null,               -- place in hash_tag, or among the hashtags of text_extra, from 0
    -- hash_tag[].id; Douyin text_extra[].hashtag_id; NULL: a tag without a page of its own
    hashtag_id text,
    name text not null,                     -- hash_tag[].name; Douyin text_extra[].hashtag_name
    tag_type text,                          -- hash_tag[].type, as given (topic); NULL on Douyin
    is_commerce boolean,                    -- douyin text_extra[].is_commerce; NULL on Xiaohongshu
    primary key (platform, item_id, position)
);
create index item_hashtags_by_id on item_hashtags (platform, hashtag_id, name);
create index item_hashtags_by_name on item_hashtags (name);

-- Whom notes and works mention.
create table mentions (
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,                  -- notes.note_id, works.work_id
    position bigint not null,               -- place in ats, or among the mentions of text_extra, from 0
    user_id text not null,                  -- ats[].id, else user_id; Douyin text_extra[].user_id
    sec_uid text,                           -- Douyin text_extra[].sec_uid
    -- ats[].nickname; Douyin: the words of desc between start and end, in UTF-16 units
    nickname text,
    primary key (platform, item_id, position)
);

-- Who made notes and works together with their authors.
create table creators (
    platform text not null,                 -- xiaohongshu, douyin
    item_id text not null,                  -- notes.note_id, works.work_id
    position bigint not null,               -- place in cooperation_info.co_creators, from 0
    author_id text not null,                -- uid
    sec_uid text,                           -- sec_uid
    nickname text,                          -- nickname
    role text,                              -- role_title
    role_id bigint,                         -- role_id
    invite_status bigint,                   -- invite_status, a code as given; 1 is accepted
    primary key (platform, item_id, position)
);

-- Tags of KOLs.
create table kol_tags (
    kol_id text not null,                   -- kols.kol_id
    -- content (contentTags), feature (featureTags) or personal (personalTags)
    tag_kind text not null,
    position bigint not null,               -- place among its tags of this kind, from 0
    category text,                          -- contentTags[].taxonomy1Tag
    tag text,                               -- contentTags[].taxonomy2Tags[], or the feature or personal tag
    primary key (kol_id, tag_kind, position)
);

-- Notes listed with KOLs.
create table kol_notes (
    kol_id text not null,                   -- kols.kol_id
    position bigint not null,               -- place in noteList, from 0
    note_id text not null,                  -- noteList[].noteId
    note_type text,                         -- noteList[].noteType: 1 is normal, 2 is video, others as given
    content_tag text,                       -- noteList[].contentTag
    image_url text,                         -- noteList[].imageUrl
    is_bound boolean,                       -- noteList[].bind
    feature_tags text,                      -- noteList[].featureTags, a JSON array
    industry_tags text,                     -- noteList[].industryTags, a JSON array
    primary key (kol_id, position)
);

-- Which KOLs a page of a search listed, in its order.
create table kol_search_results (
    document_id bigint not null,            -- the page
    position bigint not null,               -- place in kols of this page, from 0
    page bigint not null,                   -- the page, from 1
    kol_id text not null,                   -- the KOL
    -- total: a limit for paging, not a count of hits; the same for every KOL of a page
    total bigint,
    primary key (document_id, position)
);
create index kol_search_results_by_kol on kol_search_results (kol_id);

-- What the search suggested for a keyword at one observation, in its order.
create table keyword_suggestions (
    keyword text not null,                  -- the keyword asked for
    observed_at timestamptz not null,       -- when the answer came
    document_id bigint not null,            -- the answer
    rank bigint not null,                   -- place in items (or sug_items), from 1
    suggestion text not null,               -- items[].text
    suggestion_type text,                   -- items[].type
    search_type text,                       -- items[].search_type
    link text,                              -- items[].link; empty: NULL
    highlight text,                         -- items[].highlight_flags: one 1 or 0 a character
    is_intervened boolean,                  -- items[].is_intervened
    icon_url text,                          -- items[].icon: the badge shown beside it
    message text,                           -- result.message of the answer
    search_cpl_id text,                     -- search_cpl_id of the answer
    word_request_id text,                   -- word_request_id of the answer
    primary key (keyword, observed_at, document_id, rank)
);
create index keyword_suggestions_by_document on keyword_suggestions (document_id);

-- Facts that were replaced: one row a fact. Between previous_seen_at and seen_at it changed. Lists are
-- JSON arrays of text (images: file ids; hashtags: names; mentions and creators: nicknames, else ids;
-- tags of a KOL: their names), times are written 2026-03-09 14:10:42[.ffffff].
create table changes (
    platform text not null,                 -- xiaohongshu, douyin
    kind text not null,                     -- note, work, author, kol, music
    item_id text not null,                  -- the id in the table of that kind
    -- a column of that table, or images, hashtags, mentions, creators, content_tags,
    -- feature_tags, personal_tags
    field text not null,
    old_value text,                         -- NULL: there was none
    new_value text,                         -- NULL: there is none
    previous_seen_at timestamptz not null,  -- when the old value was last seen
    previous_document_id bigint not null,   -- in which answer
    seen_at timestamptz not null,           -- when the new value was first seen
    document_id bigint not null,            -- in which answer
    primary key (item_id, platform, kind, seen_at, document_id, field)
);
create index changes_by_old_value on changes (field, old_value)
    where field in ('author_id', 'music_id');
