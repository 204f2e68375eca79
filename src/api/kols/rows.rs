//! Rows of a KOL: itself, its tags, and the notes that are listed with it.

use super::figures;
use super::prices::Prices;
use crate::api::json::{self, Json, Value};
use crate::api::reading::Odd;
use crate::model::{Field, Kol, KolFacts, KolNote, KolTag, TagKind};

/// What the answer says of a KOL.
pub(super) fn of(kol: Json<'_>, kol_id: &str, odd: &mut Odd) -> KolFacts {
    let prices = Prices::of(kol);
    KolFacts {
        row: row(kol, kol_id, &prices),
        content_tags: content_tags(kol, odd),
        feature_tags: tags(kol, TagKind::Feature, odd),
        personal_tags: tags(kol, TagKind::Personal, odd),
        notes: notes(kol, odd),
        figures: figures::of(kol, &prices, odd),
    }
}

fn row(kol: Json<'_>, kol_id: &str, prices: &Prices) -> Kol {
    Kol {
        kol_id: kol_id.to_owned(),
        red_id: json::text(kol, "/redId"),
        nickname: json::text(kol, "/name"),
        avatar_url: json::text(kol, "/headPhoto"),
        gender: json::text(kol, "/gender"),
        location: json::text(kol, "/location"),
        level: level(kol, "/currentLevel"),
        mcn_id: json::text(kol, "/noteSign/userId"),
        mcn_name: json::text(kol, "/noteSign/name"),
        low_active: json::flag(kol, "/lowActive"),
        next_level: level(kol, "/nextLevel"),
        kol_type: json::int(kol, "/kolType"),
        user_type: json::int(kol, "/userType"),
        buyer_type: json::int(kol, "/buyerType"),
        coop_type: json::int(kol, "/cooperType"),
        coop_state: json::int(kol, "/cooperateState"),
        classify_code: json::int(kol, "/classifyCode"),
        head_label: json::int(kol, "/kolHeadLabel"),
        validity: json::int(kol, "/valid"),
        home_page_display: json::int(kol, "/homePageDisplay"),
        new_high_quality: json::int(kol, "/newHighQuality"),
        promise_tag: json::int(kol, "/showPromiseTag"),
        control_state: json::int(kol, "/controlState"),
        fb_state: json::int(kol, "/fbState"),
        price_state: json::int(kol, "/priceState"),
        picture_state: json::int(kol, "/pictureState"),
        video_state: json::int(kol, "/videoState"),
        clothing_picture_state: json::int(kol, "/clothingIndustryPrice/pictureState"),
        clothing_video_state: json::int(kol, "/clothingIndustryPrice/videoState"),
        clothing_industry_id: json::positive(kol, "/clothingIndustryPrice/industryId"),
        intention_type: json::int(kol, "/intentionInfo/intentionType"),
        intention: json::text(kol, "/intentionInfo/intentionText"),
        types: json::list_text(kol, "/type"),
        industry_tags: json::list_text(kol, "/industryTag"),
        trade_types: json::list_text(kol, "/tradeType"),
        top_categories: json::list_text(kol, "/top2CategoryList"),
        travel_areas: json::list_text(kol, "/travelAreaList"),
        live_mcn_id: json::text(kol, "/liveSign/userId"),
        live_mcn_name: json::text(kol, "/liveSign/name"),
        is_star: json::flag(kol, "/isStar"),
        is_buyer: json::flag(kol, "/hasBuyerAuth"),
        may_recommend_goods: json::flag(kol, "/goodRecommendPermission"),
        is_industry_recommended: json::flag(kol, "/isIndustryRecommend"),
        has_industry_limit: json::flag(kol, "/specialIndustryLimit"),
        shows_price: json::flag(kol, "/showPrice"),
        picture_price: prices.picture.clone(),
        video_price: prices.video.clone(),
        lower_price: prices.lower.clone(),
    }
}

/// A level; below zero there is none.
fn level(kol: Json<'_>, path: &str) -> Field<i64> {
    match json::int(kol, path) {
        Field::Value(level) if level < 0 => Field::Empty,
        level => level,
    }
}

/// A category and one of its tags a row; a category without tags is a row, too.
fn content_tags(kol: Json<'_>, odd: &mut Odd) -> Field<Vec<KolTag>> {
    let contents = json::list(kol, "/contentTags");
    let below = odd.rows(contents, "contentTags", |_, content| {
        let category = json::text(content, "/taxonomy1Tag");
        let tags = match json::list(content, "/taxonomy2Tags") {
            Field::Value(tags) => tags.iter().map(as_text).collect::<Option<Vec<_>>>()?,
            Field::Empty if category.value().is_some() => vec![Field::Empty],
            Field::Empty | Field::Absent => return None,
        };
        Some(tags.into_iter().map(move |tag| (category.clone(), tag)))
    });
    below.map(|below| {
        let row = |(position, (category, tag))| KolTag {
            tag_kind: TagKind::Content,
            position,
            category,
            tag,
        };
        (0..).zip(below.into_iter().flatten()).map(row).collect()
    })
}

fn tags(kol: Json<'_>, tag_kind: TagKind, odd: &mut Odd) -> Field<Vec<KolTag>> {
    let list = format!("{tag_kind}Tags");
    odd.rows(json::list(kol, &format!("/{list}")), &list, |position, tag| {
        Some(KolTag { tag_kind, position, category: Field::Empty, tag: as_text(tag)? })
    })
}

fn as_text(tag: &Value<'_>) -> Option<Field<String>> {
    json::text(tag, "").into_value().map(Field::Value)
}

fn notes(kol: Json<'_>, odd: &mut Odd) -> Field<Vec<KolNote>> {
    odd.rows(json::list(kol, "/noteList"), "noteList without noteId", |position, note| {
        Some(KolNote {
            position,
            note_id: json::id(note, "/noteId")?,
            note_type: match json::int(note, "/noteType") {
                Field::Value(1) => Field::Value("normal".to_owned()),
                Field::Value(2) => Field::Value("video".to_owned()),
                _ => json::text(note, "/noteType"),
            },
            content_tag: json::text(note, "/contentTag"),
            image_url: json::text(note, "/imageUrl"),
            is_bound: json::flag(note, "/bind"),
            feature_tags: json::list_text(note, "/featureTags"),
            industry_tags: json::list_text(note, "/industryTags"),
        })
    })
}
