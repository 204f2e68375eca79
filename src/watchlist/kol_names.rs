//! The query parameters of the KOL search, as its vendor documents them.

/// Type of a parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any text; several values are joined by commas.
    Text,
    /// True or false.
    Flag,
    /// A non-negative integer.
    Count,
    /// Two bounds joined by a comma; -1 or null for an open one.
    Range,
    /// One of these.
    Choice(&'static [&'static str]),
}

use Shape::{Choice, Count, Flag, Range, Text};

/// The documented parameters that users may set.
pub(crate) fn known_filters() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name)
}

/// Every documented parameter except `token` and `page`, which users cannot set.
pub(super) const KNOWN: [(&str, Shape); 51] = [
    ("searchType", Choice(&["NICKNAME", "NOTE"])),
    ("keyword", Text),
    (
        "sort",
        Choice(&["DEFAULT", "FANS", "READ_MEDIAN", "ENGAGEMENT_MEDIAN", "PRICE_ASC", "PRICE_DESC"]),
    ),
    ("fansNumberLower", Count),
    ("fansNumberUpper", Count),
    ("fansAge", Choice(&["ALL", "LT_18", "AGE_18_24", "AGE_25_34", "AGE_35_44", "GT_44"])),
    ("fansGender", Choice(&["ALL", "MALE_HIGH", "FE_MALE_HIGH"])),
    ("fansChildAgeInfo", Text),
    ("gender", Choice(&["ALL", "MALE", "FEMALE"])),
    ("location", Text),
    ("contentTag", Text),
    ("contentSceneLabel", Text),
    ("personalTags", Text),
    ("marketTarget", Choice(&MARKET_TARGETS)),
    ("audienceGroup", Text),
    ("top20CrowdsLabel", Text),
    ("industrySpecificCrowdsMotorDom", Text),
    ("featureTags", Text),
    ("contentThemeLabel", Text),
    ("excludeLowActive", Flag),
    ("fansNumUp", Flag),
    ("noteType", Choice(&["ALL", "PHOTO_TEXT", "VIDEO"])),
    ("industry", Choice(&INDUSTRIES)),
    ("accumCommonImpMedinNum30d", Range),
    ("readMidNor30", Range),
    ("interMidNor30", Range),
    ("thousandLikePercent30", Range),
    ("notePrice", Range),
    ("videoPrice", Range),
    ("inviteReply48hNumRatio", Range),
    ("progressOrderCnt", Range),
    ("tradeType", Text),
    ("tradeReportBrandIds", Text),
    ("excludeTradeReportBrandIds", Flag),
    ("accumCoopImpMedinNum30d", Range),
    ("readMidCoop30", Range),
    ("interMidCoop30", Range),
    ("mCpuvNum30d", Range),
    ("estimatePictureCpm", Range),
    ("estimateVideoCpm", Range),
    ("estimatePicReadPrice", Range),
    ("estimateVideoReadPrice", Range),
    ("estimatePictureEngageCost", Range),
    ("estimateVideoEngageCost", Range),
    ("estimateCpuv30d", Range),
    ("kliveCnt30d", Range),
    ("avgLiveViewerNum", Range),
    ("avgAgmv90d", Range),
    ("similarUserId", Text),
    ("similarWord", Text),
    ("fansLocation", Text),
];

/// Values of `marketTarget`.
const MARKET_TARGETS: [&str; 8] = [
    "estimateAllCpm",
    "mAccumImpNum",
    "readCost",
    "mValidRawReadFeedNum",
    "estimateEngageCost",
    "mEngagementNum90d",
    "estimateCpuv",
    "mCpuvNum",
];

/// Values of `industry`.
const INDUSTRIES: [&str; 53] = [
    "BEAUTY_PERSONAL_CARE_BEAUTY",
    "BEAUTY_PERSONAL_CARE_SKINCARE",
    "BEAUTY_PERSONAL_CARE_PERSONAL_CARE",
    "BEAUTY_PERSONAL_CARE_FRAGRANCE",
    "FOOD_BEVERAGE_SNACKS",
    "FOOD_BEVERAGE_DRINKS",
    "FOOD_BEVERAGE_HEALTH_FOOD",
    "FOOD_BEVERAGE_DAIRY",
    "FOOD_BEVERAGE_ALCOHOL",
    "FOOD_BEVERAGE_GRAINS_OIL",
    "FOOD_BEVERAGE_CROSS_BORDER_FOOD",
    "FOOD_BEVERAGE_FRESH_FOOD",
    "FOOD_BEVERAGE_MEAL_REPLACEMENT",
    "FOOD_BEVERAGE_TRADITIONAL_NOURISHMENT",
    "MOTHER_BABY_SUPPLIES",
    "MOTHER_BABY_FORMULA_FOOD",
    "DIGITAL_APPLIANCES_HOME_APPLIANCES",
    "DIGITAL_APPLIANCES_DIGITAL_PRODUCTS",
    "DAILY_GOODS_HOUSEHOLD_DAILY_USE",
    "DAILY_GOODS_PET_SUPPLIES_FOOD",
    "DAILY_GOODS_OFFICE_SUPPLIES",
    "APPAREL_ACCESSORIES_CLOTHING_SHOES_HATS",
    "APPAREL_ACCESSORIES_JEWELRY",
    "APPAREL_ACCESSORIES_BAGS_GLASSES",
    "APPAREL_ACCESSORIES_SPORTS_OUTDOOR",
    "APPAREL_ACCESSORIES_WATCHES",
    "APPAREL_ACCESSORIES_SECOND_HAND_LUXURY",
    "HOME_BUILDING_MATERIALS_HOME_DECOR",
    "HOME_BUILDING_MATERIALS_FURNITURE",
    "HOME_BUILDING_MATERIALS_MAIN_MATERIALS",
    "AUTOMOTIVE",
    "INTERNET_ECOMMERCE",
    "INTERNET_SOFTWARE_TOOLS",
    "HEALTHCARE_MEDICAL_DEVICES",
    "HEALTHCARE_MEDICAL_BEAUTY",
    "CULTURE_SPORTS_ENTERTAINMENT_SPORTS_GOODS",
    "CULTURE_SPORTS_ENTERTAINMENT_STATIONERY_TOYS_GIFTS",
    "CULTURE_SPORTS_ENTERTAINMENT_OUTDOOR_PRODUCTS",
    "CULTURE_SPORTS_ENTERTAINMENT_ART_COLLECTIBLES",
    "LIFE_SERVICES_OFFLINE_RETAIL",
    "LIFE_SERVICES_BEAUTY_HAIR",
    "CATERING_RESTAURANTS",
    "CATERING_DRINKS_DESSERTS",
    "BUSINESS_SERVICES",
    "EDUCATION_TRAINING_LANGUAGE_STUDY_ABROAD",
    "EDUCATION_TRAINING_VOCATIONAL_EDUCATION",
    "EDUCATION_TRAINING_INTEREST_TRAINING",
    "EDUCATION_TRAINING_K12_EDUCATION",
    "EDUCATION_TRAINING_DEGREE_EDUCATION",
    "EDUCATION_TRAINING_CORPORATE_DEVELOPMENT",
    "EDUCATION_TRAINING_OTHER",
    "GAMES",
    "TRAVEL_TOURISM",
];
