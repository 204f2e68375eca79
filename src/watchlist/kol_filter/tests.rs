//! Tests of filters.

use super::*;

fn filter(text: &str) -> Result<BTreeMap<String, String>, Vec<Complaint>> {
    read(&toml::from_str(text).expect("a table"))
}

fn refused(text: &str) -> String {
    let complaints = filter(text).expect_err(text);
    let lines = complaints.iter().map(|it| format!("{}: {}; {}", it.name, it.message, it.help));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn filter_becomes_query_text_with_pinned_order() {
    let query = filter(
        "searchType = \"NOTE\"\nkeyword = \" 阅读 \"\nfansNumberLower = 1000\nexcludeLowActive = true\n\
         notePrice = [1000, 5000]\nthousandLikePercent30 = [0.4, -1]\ncontentTag = [\"美食\", \"出行\"]\n\
         readMidNor30 = \"100,null\"\nbrandNewFilter = 7",
    )
    .expect("a filter");
    let pairs: Vec<String> = query.iter().map(|(name, text)| format!("{name}={text}")).collect();
    assert_eq!(
        pairs,
        [
            "brandNewFilter=7",
            "contentTag=美食,出行",
            "excludeLowActive=true",
            "fansNumberLower=1000",
            "keyword=阅读",
            "notePrice=1000,5000",
            "readMidNor30=100,null",
            "searchType=NOTE",
            "sort=FANS",
            "thousandLikePercent30=0.4,-1",
        ]
    );
    assert_eq!(filter("sort = \"PRICE_ASC\"").expect("a filter")["sort"], "PRICE_ASC");
    assert!(filter("sort = \"NONE\"").expect("a filter").is_empty());
}

#[test]
fn near_miss_is_refused_and_new_name_passed_on() {
    assert!(refused("fansNumberLowr = 1").contains("did you mean `fansNumberLower`?"));
    assert!(refused("searchtype = \"NOTE\"").contains("did you mean `searchType`?"));
    assert!(refused("\"key word\" = \"x\"").contains("invalid filter name"));
    assert!(filter("readMidNor90 = [1, 2]\ncompletelyNew = \"x\"").is_ok());
}

#[test]
fn commas_and_spaces_of_lists_are_normalised() {
    for (text, sent) in [
        ("notePrice = \"500，5000\"", "500,5000"),
        ("notePrice = \" 500 , 5000\u{3000}\"", "500,5000"),
        ("contentTag = \"美食， 出行、\"", "美食,出行"),
        ("contentTag = [\"美食，出行\", \" 家居 \"]", "美食,出行,家居"),
        ("location = \"中国 广东\"", "中国 广东"),
        ("keyword = \"阅读，露营\"", "阅读，露营"),
    ] {
        let query = filter(text).expect(text);
        assert!(query.values().any(|value| value == sent), "{text}: {query:?}");
    }
    assert!(refused("notePrice = \"500 5000\"").contains("must be a range"));
}

#[test]
fn undocumented_name_is_found() {
    let query = |text| filter(text).expect("a filter");
    assert_eq!(undocumented(&query("foo = 1\nkeyword = \"x\"")), Some("foo"));
    assert_eq!(undocumented(&query("keyword = \"x\"")), None);
}

#[test]
fn closed_sets_are_checked_with_a_suggestion() {
    assert!(refused("gender = \"FEMAL\"").contains("did you mean \"FEMALE\"?"));
    assert!(refused("gender = \"female\"").contains("did you mean \"FEMALE\"?"));
    assert!(refused("sort = \"XXXXXXXX\"").contains("READ_MEDIAN, ENGAGEMENT_MEDIAN"));
    assert!(refused("fansAge = \"AGE_18_25\"").contains("AGE_18_24"));
    assert!(refused("industry = \"GAME\"").contains("GAMES"));
    assert!(refused("marketTarget = \"readcost\"").contains("readCost"));
    assert!(refused("excludeLowActive = \"yes\"").contains("true or false"));
    assert!(refused("fansNumberLower = -5").contains("whole number"));
}

#[test]
fn reserved_parameters_are_refused() {
    assert!(refused("page = 2").contains("max_pages"));
    assert!(refused("Token = \"CANARY\"").contains("JUSTONEAPI_TOKEN"));
    assert!(!refused("token = \"CANARY\"").contains("CANARY"));
}

#[test]
fn parameters_must_agree() {
    assert!(refused("similarUserId = \"5e00\"").contains("without `similarWord`"));
    assert!(refused("similarWord = \"x\"").contains("without `similarUserId`"));
    assert!(refused("fansNumberLower = 10\nfansNumberUpper = 9").contains("swap them"));
    assert!(refused("notePrice = [500, 100]").contains("ends before it begins"));
    assert!(refused("notePrice = 500").contains("notePrice = [1000, -1]"));
    assert!(refused("notePrice = [1, 2, 3]").contains("range of two numbers"));
    assert!(filter("notePrice = [500, -1]").is_ok());
}

#[test]
fn empty_and_odd_values_are_refused() {
    for text in ["keyword = \" \"", "contentTag = []", "keyword = nan", "keyword = 2026-01-01"] {
        assert!(!refused(text).is_empty());
    }
    assert!(refused("keyword = \"a\\u0000b\"").contains("cannot be sent"));
    assert!(refused("a = 1\nkeyword = { b = 1 }\ngender = \"x\"").lines().count() == 2);
}

#[test]
fn every_documented_name_is_known_once() {
    let mut names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KNOWN.len());
}
