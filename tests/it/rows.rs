//! Rows for tests that do not care how an answer is read.

use tidewatch::model::{
    Author, Batch, Hashtag, KeywordSuggestion, Kol, KolMetrics, KolNote, KolSearchResult, KolTag,
    Music, Note, NoteHashtag, NoteImage, NoteMention, NoteMetrics, Platform, Work, WorkCreator,
    WorkHashtag, WorkImage, WorkMention, WorkMetrics,
};

/// A batch with a row for every table; its note has this id, its KOL `kol-` and its work `work-`
/// before it.
pub(crate) fn one_of_each(id: &str) -> Batch {
    let mut batch = about_note(id);
    add_kol(&mut batch, format!("kol-{id}"));
    add_work(&mut batch, format!("work-{id}"));
    batch.keyword_suggestions.push(KeywordSuggestion {
        keyword: "露营".into(),
        rank: 1,
        suggestion: "露营装备".into(),
        suggestion_type: Some("top_note".into()),
        search_type: Some("notes".into()),
        link: None,
        highlight: Some("1100".into()),
        is_intervened: Some(false),
        search_cpl_id: Some("cpl".into()),
        word_request_id: None,
    });
    batch
}

fn about_note(id: &str) -> Batch {
    let note_id = id.to_owned();
    let tag =
        |position| NoteHashtag { note_id: note_id.clone(), position, hashtag_id: "t1".into() };
    Batch {
        authors: vec![Author {
            platform: Platform::Xiaohongshu,
            author_id: "u1".into(),
            sec_uid: None,
            handle: Some("xm0907".into()),
            nickname: Some("小满".into()),
            avatar_url: None,
        }],
        notes: vec![Note {
            note_id: note_id.clone(),
            note_type: Some("normal".into()),
            title: Some("周末去露营⛺️".into()),
            body: Some("'); drop table notes; --".into()),
            language: Some("zh".into()),
            author_id: Some("u1".into()),
            published_at: "2026-03-01 02:03:04".parse().ok(),
            edited_at: None,
            ip_location: Some("浙江".into()),
            pinned: Some(false),
            has_goods: None,
            share_url: None,
            video_duration_ms: None,
            video_url: None,
            video_width: None,
            video_height: None,
        }],
        note_images: vec![NoteImage {
            note_id: note_id.clone(),
            position: 0,
            file_id: Some("f1".into()),
            width: Some(1080),
            height: Some(1440),
            url: Some("https://img.example/f1?sign=1".into()),
            is_live: true,
            live_url: None,
            live_duration_ms: Some(2500),
            live_video_id: None,
        }],
        hashtags: vec![
            Hashtag {
                platform: Platform::Xiaohongshu,
                hashtag_id: "t1".into(),
                name: "露营".into()
            };
            2
        ],
        note_hashtags: vec![tag(0), tag(1)],
        note_mentions: vec![NoteMention {
            note_id: note_id.clone(),
            position: 0,
            user_id: "u2".into(),
            nickname: Some("阿禾".into()),
        }],
        note_metrics: vec![NoteMetrics {
            note_id,
            likes: Some(11),
            collects: Some(1),
            comments: Some(0),
            shares: Some(0),
            views: None,
            exact: true,
        }],
        ..Batch::default()
    }
}

fn add_kol(batch: &mut Batch, kol_id: String) {
    batch.kols.push(Kol {
        kol_id: kol_id.clone(),
        red_id: Some("xm0907".into()),
        nickname: Some("小满".into()),
        avatar_url: None,
        gender: Some("女".into()),
        location: None,
        level: Some(2),
        mcn_id: None,
        mcn_name: None,
        low_active: Some(false),
        picture_price: Some(158.0),
        video_price: None,
        lower_price: Some(158.0),
    });
    batch.kol_tags.push(KolTag {
        kol_id: kol_id.clone(),
        position: 0,
        tag_kind: "content",
        category: Some("出行".into()),
        tag: Some("户外".into()),
    });
    batch.kol_notes.push(KolNote {
        kol_id: kol_id.clone(),
        position: 0,
        note_id: "n9".into(),
        note_type: Some("normal".into()),
        content_tag: None,
        image_url: None,
    });
    batch.kol_search_results.push(KolSearchResult { position: 0, page: 1, kol_id: kol_id.clone() });
    batch.kol_metrics.push(KolMetrics {
        kol_id,
        followers: Some(4544),
        followers_growth_30d: None,
        followers_growth_rate_30d: Some(130.9),
        read_median: Some(7972),
        engagement_median: Some(1138),
        picture_read_median: None,
        picture_engagement_median: None,
        video_read_median: None,
        video_engagement_median: None,
        impression_median_30d: None,
        monthly_engagements: None,
        total_notes: None,
        business_notes: None,
        picture_price: Some(158.0),
        video_price: None,
        lower_price: Some(158.0),
        picture_read_cost: Some(0.31),
        video_read_cost: None,
        picture_cpm: None,
        video_cpm: None,
        picture_engage_cost: None,
        video_engage_cost: None,
        hundred_like_percent: None,
        thousand_like_percent: None,
        active_fans_percent: None,
        engaged_fans_percent: None,
        invite_reply_percent: None,
    });
}

fn add_work(batch: &mut Batch, work_id: String) {
    batch.works.push(Work {
        work_id: work_id.clone(),
        work_type: Some("images".into()),
        aweme_type: Some(68),
        title: None,
        body: Some("海边 #日落".into()),
        author_id: Some("9".into()),
        published_at: None,
        duration_ms: None,
        region: None,
        city: Some("330100".into()),
        video_id: None,
        video_width: None,
        video_height: None,
        cover_url: None,
        share_url: None,
        music_id: Some("m1".into()),
        series_id: None,
        mix_id: None,
        mix_episode: None,
        is_deleted: Some(false),
        is_prohibited: Some(false),
        is_private: Some(false),
        with_goods: Some(false),
    });
    batch.work_images.push(WorkImage {
        work_id: work_id.clone(),
        position: 0,
        file_id: Some("i1".into()),
        width: Some(1080),
        height: Some(1440),
        url: None,
        is_live: false,
    });
    batch.hashtags.push(Hashtag {
        platform: Platform::Douyin,
        hashtag_id: "t1".into(),
        name: "日落".into(),
    });
    let hashtag_id = "t1".to_owned();
    batch.work_hashtags.push(WorkHashtag { work_id: work_id.clone(), position: 0, hashtag_id });
    batch.work_mentions.push(WorkMention {
        work_id: work_id.clone(),
        position: 0,
        user_id: "8".into(),
        sec_uid: None,
        nickname: None,
    });
    batch.work_creators.push(WorkCreator {
        work_id: work_id.clone(),
        position: 0,
        author_id: "8".into(),
        sec_uid: None,
        nickname: Some("阿禾".into()),
        role: None,
    });
    batch.music.push(Music {
        music_id: "m1".into(),
        title: Some("海".into()),
        author: None,
        duration_ms: Some(61_000),
        is_original: Some(true),
    });
    batch.work_metrics.push(WorkMetrics {
        work_id,
        likes: Some(100),
        comments: Some(2),
        collects: None,
        shares: Some(3),
        plays: None,
        recommends: None,
        downloads: None,
        admires: None,
        exact: true,
    });
}
