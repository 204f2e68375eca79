//! Rows of a KOL: itself, its tags, and the notes that are listed with it.

use super::figures;
use super::prices::Prices;
use crate::api::json::{self, Json};
use crate::api::reading::Odd;
use crate::model::{Field, Kol, KolFacts, KolNote, KolTag};

/// What the answer says of a KOL.
pub(super) fn of(kol: Json<'_>, kol_id: &str, odd: &mut Odd) -> KolFacts {
    let prices = Prices::of(kol);
    KolFacts {
        row: row(kol, kol_id, &prices),
        tags: tags(kol),
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

/// The three lists of tags are one; it is empty only when each of them is.
fn tags(kol: Json<'_>) -> Field<Vec<KolTag>> {
    let lists = [content_tags(kol), tags_of(kol, "feature"), tags_of(kol, "personal")];
    if lists.iter().all(|tags| *tags == Field::Empty) {
        return Field::Empty;
    }
    let tags = lists.into_iter().filter_map(Field::into_value).flatten();
    let tags: Vec<KolTag> =
        (0..).zip(tags).map(|(position, tag)| KolTag { position, ..tag }).collect();
    if tags.is_empty() { Field::Absent } else { Field::Value(tags) }
}

fn content_tags(kol: Json<'_>) -> Field<Vec<KolTag>> {
    let below = |content| {
        let category = json::text(content, "/taxonomy1Tag");
        let tags: Vec<Field<String>> = texts(content, "/taxonomy2Tags").map(Field::Value).collect();
        let tags = match category {
            Field::Value(_) if tags.is_empty() => vec![Field::Empty],
            _ => tags,
        };
        tags.into_iter().map(move |tag| KolTag {
            position: 0,
            tag_kind: "content",
            category: category.clone(),
            tag,
        })
    };
    json::list(kol, "/contentTags").map(|contents| contents.iter().flat_map(below).collect())
}

fn tags_of(kol: Json<'_>, tag_kind: &'static str) -> Field<Vec<KolTag>> {
    let path = format!("/{tag_kind}Tags");
    let tag =
        |tag| KolTag { position: 0, tag_kind, category: Field::Empty, tag: Field::Value(tag) };
    json::list(kol, &path).map(|_| texts(kol, &path).map(tag).collect())
}

fn texts<'v>(value: Json<'v>, path: &str) -> impl Iterator<Item = String> + use<'v> {
    json::items(value, path).iter().filter_map(|item| json::text(item, "").into_value())
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
