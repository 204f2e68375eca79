//! Rows for tests that do not care how an answer is read.

use tidewatch::model::Field::{self, Value};
use tidewatch::model::{
    Author, Counts, Creator, Facts, Image, Item, ItemHashtag, KeywordSuggestion, Kol, KolFacts,
    KolFigures, KolNote, KolSearchResult, KolTag, Mention, Music, Note, TagKind, Work,
};

/// Facts with a row for every table; their note has this id, their KOL `kol-` and their work
/// `work-` before it.
pub(crate) fn one_of_each(id: &str) -> Facts {
    let kol_id = format!("kol-{id}");
    Facts {
        notes: vec![note(id)],
        works: vec![work(format!("work-{id}"))],
        authors: vec![Author {
            author_id: "u1".into(),
            handle: Value("xm0907".into()),
            nickname: Value("小满".into()),
            ..Author::default()
        }],
        kols: vec![kol(kol_id.clone())],
        music: vec![Music {
            music_id: "m1".into(),
            title: Value("海".into()),
            duration_ms: Value(61_000),
            is_original: Value(true),
            ..Music::default()
        }],
        keyword_suggestions: vec![KeywordSuggestion {
            keyword: "露营".into(),
            rank: 1,
            suggestion: "露营装备".into(),
            suggestion_type: Some("top_note".into()),
            search_type: Some("notes".into()),
            highlight: Some("1100".into()),
            is_intervened: Some(false),
            search_cpl_id: Some("cpl".into()),
            ..KeywordSuggestion::default()
        }],
        kol_search_results: vec![KolSearchResult { page: 1, kol_id, ..KolSearchResult::default() }],
    }
}

fn note(id: &str) -> Item<Note> {
    let tag = |position| ItemHashtag {
        position,
        hashtag_id: Value("t1".into()),
        name: "露营".into(),
        ..ItemHashtag::default()
    };
    Item {
        row: Note {
            note_id: id.to_owned(),
            note_type: Value("normal".into()),
            title: Value("周末去露营⛺️".into()),
            body: Value("'); drop table notes; --".into()),
            language: Value("zh".into()),
            author_id: Value("u1".into()),
            published_at: Value("2026-03-01 02:03:04".parse().unwrap()),
            ip_location: Value("浙江".into()),
            pinned: Value(false),
            ..Note::default()
        },
        images: Value(vec![Image {
            file_id: Value("f1".into()),
            width: Value(1080),
            height: Value(1440),
            url: Value("https://img.example/f1?sign=1".into()),
            is_live: Value(true),
            live_duration_ms: Value(2500),
            ..Image::default()
        }]),
        hashtags: Value(vec![tag(0), tag(1)]),
        mentions: Value(vec![Mention {
            user_id: "u2".into(),
            nickname: Value("阿禾".into()),
            ..Mention::default()
        }]),
        counts: Some(Counts {
            likes: Some(11),
            collects: Some(1),
            comments: Some(0),
            shares: Some(0),
            ..Counts::default()
        }),
        ..Item::default()
    }
}

fn kol(kol_id: String) -> KolFacts {
    KolFacts {
        row: Kol {
            kol_id,
            red_id: Value("xm0907".into()),
            nickname: Value("小满".into()),
            gender: Value("女".into()),
            level: Value(2),
            low_active: Value(false),
            picture_price: Value(158.0),
            lower_price: Value(158.0),
            ..Kol::default()
        },
        content_tags: Value(vec![KolTag {
            tag_kind: TagKind::Content,
            category: Value("出行".into()),
            tag: Value("户外".into()),
            ..KolTag::default()
        }]),
        feature_tags: Field::Empty,
        personal_tags: Field::Absent,
        notes: Value(vec![KolNote {
            note_id: "n9".into(),
            note_type: Value("normal".into()),
            ..KolNote::default()
        }]),
        figures: KolFigures {
            followers: Some(4544),
            followers_growth_rate_30d: Some(130.9),
            read_median: Some(7972),
            engagement_median: Some(1138),
            picture_price: Some(158.0),
            lower_price: Some(158.0),
            picture_read_cost: Some(0.31),
            ..KolFigures::default()
        },
    }
}

fn work(work_id: String) -> Item<Work> {
    Item {
        row: Work {
            work_id,
            work_type: Value("images".into()),
            aweme_type: Value(68),
            body: Value("海边 #日落".into()),
            author_id: Value("9".into()),
            city: Value("330100".into()),
            music_id: Value("m1".into()),
            is_deleted: Value(false),
            is_prohibited: Value(false),
            is_private: Value(false),
            with_goods: Value(false),
            ..Work::default()
        },
        images: Value(vec![Image { width: Value(1080), height: Value(1440), ..Image::default() }]),
        hashtags: Value(vec![ItemHashtag {
            hashtag_id: Value("t1".into()),
            name: "日落".into(),
            ..ItemHashtag::default()
        }]),
        mentions: Value(vec![Mention { user_id: "8".into(), ..Mention::default() }]),
        creators: Value(vec![Creator {
            author_id: "8".into(),
            nickname: Value("阿禾".into()),
            ..Creator::default()
        }]),
        counts: Some(Counts {
            likes: Some(100),
            comments: Some(2),
            shares: Some(3),
            ..Counts::default()
        }),
    }
}
