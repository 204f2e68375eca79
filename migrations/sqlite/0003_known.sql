-- What is known: the items as last seen. A pure function of the documents, so these tables
-- hold no foreign keys: dropping them and reading the documents again gives the same rows.
-- Each column names its JSON path; NULL means that the answer does not say.

create table authors (
    platform text not null,                 -- xiaohongshu, douyin
    author_id text not null,                -- user.userid | author.uid
    sec_uid text,                           -- Douyin author.sec_uid
    handle text,                            -- user.red_id | author.unique_id, else short_id
    nickname text,                          -- nickname
    avatar_url text,                        -- user.image | author.avatar_thumb.url_list[0]
    first_seen_at text not null,
    last_seen_at text not null,             -- when these values were last confirmed or changed
    primary key (platform, author_id)
);

create table notes (
    note_key integer primary key,           -- small key for note_snapshots
    note_id text not null unique,           -- note_list[0].id
    note_type text,                         -- type: normal, video, …
    title text,                             -- title
    body text,                              -- desc
    language text,                          -- text_language_code
    author_id text,                         -- user.userid, else user.id
    published_at text,                      -- time (seconds)
    edited_at text,                         -- last_update_time; 0 means never: NULL
    ip_location text,                       -- ip_location
    pinned boolean,                         -- sticky
    has_goods boolean,                      -- has_related_goods
    share_url text,                         -- share_info.link without its query
    video_duration_ms integer,              -- video_info_v2.media.stream.*.duration, milliseconds
    video_url text,                         -- …master_url; signed, expires
    video_width integer,                    -- pixels
    video_height integer,                   -- pixels
    first_seen_at text not null,
    last_seen_at text not null,
    fingerprint text not null,              -- of all that is not a signed URL: unchanged rows are left alone
    document_id integer not null            -- where these values came from
);

create table note_images (
    note_id text not null,
    position integer not null,              -- place in images_list, from 0 (index is always 0)
    file_id text,                           -- fileid, else trace_id
    width integer,                          -- pixels
    height integer,                         -- pixels
    url text,                               -- url_multi_level.high, …; signed, expires
    is_live boolean not null,               -- live_photo is there
    live_url text,                          -- live_photo.media.stream.h265[0].master_url
    live_duration_ms integer,               -- live_photo.media.stream.h265[0].duration
    live_video_id text,                     -- live_photo.media.video_id
    primary key (note_id, position)
);

create table hashtags (
    platform text not null,
    hashtag_id text not null,               -- hash_tag[].id | text_extra[].hashtag_id
    name text not null,                     -- hash_tag[].name | text_extra[].hashtag_name
    primary key (platform, hashtag_id)
);

create table note_hashtags (
    note_id text not null,
    position integer not null,              -- place in hash_tag, from 0
    hashtag_id text not null,
    primary key (note_id, position)
);

create table note_mentions (
    note_id text not null,
    position integer not null,              -- place in ats, from 0
    user_id text not null,                  -- ats[].id
    nickname text,                          -- ats[].nickname
    primary key (note_id, position)
);

create table kols (
    kol_key integer primary key,
    kol_id text not null unique,            -- kols[].userId
    red_id text,                            -- redId
    nickname text,                          -- name
    avatar_url text,                        -- headPhoto
    gender text,                            -- gender
    location text,                          -- location; empty: NULL
    level integer,                          -- currentLevel
    mcn_id text,                            -- noteSign.userId
    mcn_name text,                          -- noteSign.name
    low_active boolean,                     -- lowActive
    picture_price real,                     -- picturePrice, yuan; NULL: not for sale
    video_price real,                       -- videoPrice, yuan; 9999999 upstream: NULL
    lower_price real,                       -- lowerPrice, yuan
    first_seen_at text not null,
    last_seen_at text not null,
    fingerprint text not null,
    document_id integer not null
);

create table kol_tags (
    kol_id text not null,
    position integer not null,
    tag_kind text not null,                 -- content, feature, personal
    category text,                          -- contentTags[].taxonomy1Tag
    tag text,                               -- contentTags[].taxonomy2Tags[], featureTags[], personalTags[]
    primary key (kol_id, position)
);

create table kol_notes (
    kol_id text not null,
    position integer not null,              -- place in noteList, from 0
    note_id text not null,                  -- noteList[].noteId
    note_type text,                         -- noteList[].noteType: 1 normal, 2 video
    content_tag text,                       -- noteList[].contentTag
    image_url text,                         -- noteList[].imageUrl
    primary key (kol_id, position)
);

-- Which KOLs a page of a search listed, in its order.
create table kol_search_results (
    document_id integer not null,
    position integer not null,              -- place on the page, from 0
    page integer not null,                  -- from 1
    kol_id text not null,
    primary key (document_id, position)
);

create table works (
    work_key integer primary key,
    work_id text not null unique,           -- aweme_id
    work_type text,                         -- video, images
    aweme_type integer,                     -- aweme_type
    title text,                             -- item_title
    body text,                              -- desc
    author_id text,                         -- author.uid
    published_at text,                      -- create_time (seconds)
    duration_ms integer,                    -- duration; 0 (albums): NULL
    region text,                            -- region
    city text,                              -- city: an administrative code
    video_id text,                          -- video.play_addr.uri
    video_width integer,                    -- pixels
    video_height integer,                   -- pixels
    cover_url text,                         -- video.cover.url_list[0]; signed, expires
    share_url text,                         -- built from work_id
    music_id text,                          -- music.id_str, else music.mid
    series_id text,                         -- series_basic_info.series_id
    mix_id text,                            -- mix_info.mix_id
    mix_episode integer,                    -- mix_info.statis.current_episode
    is_deleted boolean,                     -- status.is_delete
    is_prohibited boolean,                  -- status.is_prohibited
    is_private boolean,                     -- status.private_status <> 0
    with_goods boolean,                     -- status.with_goods
    first_seen_at text not null,
    last_seen_at text not null,
    fingerprint text not null,
    document_id integer not null
);

create table work_images (
    work_id text not null,
    position integer not null,              -- place in images, from 0
    file_id text,                           -- uri
    width integer,                          -- pixels
    height integer,                         -- pixels
    url text,                               -- url_list[0]; signed, expires
    is_live boolean not null,               -- video is there
    primary key (work_id, position)
);

create table work_hashtags (
    work_id text not null,
    position integer not null,              -- place among text_extra of type 1, from 0
    hashtag_id text not null,
    primary key (work_id, position)
);

create table work_mentions (
    work_id text not null,
    position integer not null,              -- place among text_extra of type 0, from 0
    user_id text not null,                  -- text_extra[].user_id
    sec_uid text,                           -- text_extra[].sec_uid
    nickname text,                          -- the words of desc between start and end
    primary key (work_id, position)
);

create table work_creators (
    work_id text not null,
    position integer not null,              -- place in cooperation_info.co_creators, from 0
    author_id text not null,                -- uid
    sec_uid text,                           -- sec_uid
    nickname text,                          -- nickname
    role text,                              -- role_title
    primary key (work_id, position)
);

create table music (
    music_id text primary key,              -- music.id_str, else music.mid
    title text,                             -- music.title
    author text,                            -- music.author
    duration_ms integer,                    -- music.duration (seconds upstream)
    is_original boolean                     -- music.is_original_sound
);

-- What the search suggested for a keyword at one look, in its order.
create table keyword_suggestions (
    keyword text not null,
    observed_at text not null,
    rank integer not null,                  -- place in items, from 1
    suggestion text not null,               -- items[].text
    suggestion_type text,                   -- items[].type
    search_type text,                       -- items[].search_type
    link text,                              -- items[].link; empty: NULL
    highlight text,                         -- items[].highlight_flags, one 1 or 0 a character
    is_intervened boolean,                  -- items[].is_intervened
    search_cpl_id text,                     -- search_cpl_id of the answer
    word_request_id text,                   -- word_request_id of the answer
    document_id integer not null,
    primary key (keyword, observed_at, rank)
);
