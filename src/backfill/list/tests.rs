use super::*;

const NOTE: &str = "6a01b2c3000000000e00d4e5";
const OTHER: &str = "698877660000000025021234";
const WORK: &str = "7601234567890123456";

fn read(name: &str, text: &str, options: &ListOptions) -> List {
    let mut list = List::default();
    list.read(name, text.as_bytes(), options).unwrap_or_else(|error| panic!("{error}"));
    list
}

fn keys(list: &List) -> Vec<&str> {
    list.targets.iter().map(|target| target.key.as_str()).collect()
}

#[test]
fn plain_lines_are_recognised_and_deduplicated() {
    let text = format!(
        "\u{feff}# mine\n{NOTE}\r\n\nhttps://www.xiaohongshu.com/explore/{NOTE}?x=1\n\
         {WORK}\n看看 https://v.douyin.com/irQCAn4A/ 复制\n"
    );
    let list = read("list.txt", &text, &ListOptions::default());
    assert_eq!(keys(&list), [NOTE, WORK, "https://v.douyin.com/irQCAn4A/"]);
    assert_eq!((list.repeated, list.bad_lines), (1, 0));
}

#[test]
fn invalid_line_has_position_and_reason() {
    let text = format!("{NOTE}\n美食\n{WORK}\n");
    let list = read("list.txt", &text, &ListOptions::default());
    assert_eq!(keys(&list), [NOTE, WORK]);
    assert!(
        list.bad[0].starts_with("list.txt:2: there is neither a link nor an id"),
        "{:?}",
        list.bad
    );
    assert!(list.bad[0].ends_with("keywords need --kind keywords"));
    let notes = ListOptions { kind: Some(Kind::Note), ..ListOptions::default() };
    let list = read("list.txt", &text, &notes);
    assert_eq!(list.bad_lines, 2);
    assert!(list.bad[1].starts_with("list.txt:3: this is a Douyin work"));
    let words = ListOptions { kind: Some(Kind::Keyword), ..ListOptions::default() };
    assert_eq!(keys(&read("-", "美食\n露营\n美食\n", &words)), ["美食", "露营"]);
}

#[test]
fn csv_is_read_with_any_delimiter() {
    let comma = format!("title,Note ID,url\n\"a, b\nc\",{NOTE},x\nd,,{OTHER}\n");
    for text in [comma.clone(), comma.replace(',', ";"), comma.replace(',', "\t")] {
        assert_eq!(keys(&read("export.csv", &text, &ListOptions::default())), [OTHER, NOTE]);
        assert_eq!(keys(&read("-", &text, &ListOptions::default())), [OTHER, NOTE]);
    }
    let list = read("a.csv", "note_id\nabc\n\"\"\n", &ListOptions::default());
    assert_eq!(list.bad_lines, 2);
    assert!(list.bad[0].starts_with("a.csv:2: "), "{:?}", list.bad);
    assert_eq!(list.bad[1], "a.csv:3: the row has no target");
}

#[test]
fn column_can_be_chosen_and_must_exist() {
    let text = format!("标题,内容编号\nx,{NOTE}\n");
    let column = ListOptions { column: Some("内容编号".into()), ..ListOptions::default() };
    assert_eq!(keys(&read("a.csv", &text, &column)), [NOTE]);
    let mut list = List::default();
    let error =
        list.read("a.csv", text.as_bytes(), &ListOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("a.csv:1: no known column with targets"), "{error}");
    assert!(error.contains("--column"), "{error}");
}

#[test]
fn jsonl_keys_are_recognised() {
    let text = format!(
        "{{\"title\":\"x\",\"note_id\":\"{NOTE}\"}}\n{{\"aweme_id\":{WORK}}}\n[1]\n\n\
         {{\"keyword\":\"露营\"}}\n{{\"title\":\"y\"}}\n{{\"note_id\":1.5}}\n"
    );
    let list = read("-", &text, &ListOptions::default());
    assert_eq!(keys(&list), [NOTE, "露营", WORK]);
    let places: Vec<_> = list.bad.iter().filter_map(|bad| bad.split(": ").next()).collect();
    assert_eq!(places, ["-:3", "-:6", "-:7"]);
}

#[test]
fn kind_selects_the_column() {
    let text = format!("note_id,keyword\n{NOTE},露营\n");
    let words = ListOptions { kind: Some(Kind::Keyword), ..ListOptions::default() };
    assert_eq!(keys(&read("a.csv", &text, &words)), ["露营"]);
    assert_eq!(keys(&read("a.csv", &text, &ListOptions::default())), [NOTE]);
}
