use super::*;

const NOTE: &str = "6a01b2c3000000000e00d4e5";
const OTHER: &str = "698877660000000025021234";
const WORK: &str = "7601234567890123456";
const SHORT: &str = "https://xhslink.cn/o/9zQ1KmLp";

/// The targets of a list in order, and the refused lines as `line: reason`.
fn read_as(name: &str, text: &str, options: &ListOptions) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut bad) = (Vec::new(), Vec::new());
    read(name, text, options, |line, target| {
        match target {
            Ok(target) => keys.push(target.key),
            Err(why) => bad.push(format!("{line}: {why}")),
        }
        Ok(())
    })
    .unwrap_or_else(|error| panic!("{error}"));
    (keys, bad)
}

fn of(kind: Kind) -> ListOptions {
    ListOptions { kind: Some(kind), ..ListOptions::default() }
}

/// The targets of a list without any bad line.
fn keys(name: &str, text: &str) -> Vec<String> {
    let (keys, bad) = read_as(name, text, &ListOptions::default());
    assert_eq!(bad, Vec::<String>::new(), "{text}");
    keys
}

#[test]
fn plain_lines_are_recognised() {
    let text = format!(
        "# mine\n{NOTE}\n\nhttps://www.xiaohongshu.com/explore/{OTHER}?x=1\n\
         {WORK}\n看看 https://v.douyin.com/irQCAn4A/ 复制\n"
    );
    assert_eq!(keys("list.txt", &text), [NOTE, OTHER, WORK, "https://v.douyin.com/irQCAn4A/"]);
}

#[test]
fn id_may_have_a_name_beside_it() {
    for line in [
        "{}  # 山山 露营",
        "{}\t山山",
        "{},山山",
        "{} 山山",
        "山山：{}",
        "笔记ID：{}",
        "\u{202a}{}\u{a0}",
    ] {
        assert_eq!(keys("list.txt", &line.replace("{}", NOTE)), [NOTE], "{line}");
    }
    let (_, bad) = read_as("list.txt", &format!("{NOTE},{OTHER}\n"), &ListOptions::default());
    assert!(bad[0].starts_with("1: there are two different ids"), "{bad:?}");
}

#[test]
fn invalid_line_has_position_and_reason() {
    let text = format!("{NOTE}\n美食\n{WORK}\n");
    let (found, bad) = read_as("list.txt", &text, &ListOptions::default());
    assert_eq!(found, [NOTE, WORK]);
    assert!(bad[0].starts_with("2: there is neither a link nor an id"), "{bad:?}");
    assert!(bad[0].ends_with("keywords need --kind keywords"));
    let (_, bad) = read_as("list.txt", &text, &of(Kind::Note));
    assert_eq!(bad.len(), 2);
    assert!(bad[1].starts_with("3: this is a Douyin work"));
    let long = format!("{NOTE}\n{}\n{WORK}", "x".repeat(LONGEST_LINE + 1));
    let (found, bad) = read_as("list.txt", &long, &ListOptions::default());
    assert_eq!((found.len(), bad), (2, vec!["2: the line is longer than 64 kB".to_owned()]));
}

#[test]
fn share_text_over_lines_is_one_entry() {
    let work = "https://v.douyin.com/irQCAn4A/";
    let text = format!(
        "傍晚的湖边 风很轻... {SHORT}\n复制后打开【小红书】查看笔记！\n\n\
         第一次看雪\n真的很美 {SHORT}x\n复制后打开【小红书】查看笔记！\n\
         4.17 复制打开抖音，看看【山山的作品】\n\n湖边 # 露营 {work} 03/11 q@R.kL\n{NOTE}\n"
    );
    assert_eq!(keys("-", &text), [SHORT, &format!("{SHORT}x"), work, NOTE]);
    let cell = format!("序号,分享链接\n1,\"4.17 复制打开抖音，看看【山山】\n湖边 {work} 03/11\"\n");
    assert_eq!(keys("a.csv", &cell), [work]);
}

#[test]
fn mistakes_beside_share_text_are_still_refused() {
    let bad = |text: &str| read_as("-", text, &ListOptions::default()).1;
    let cut = NOTE.trim_start_matches('6');
    assert_eq!(bad(&format!("{cut}\n湖边 {SHORT}\n复制后打开【小红书】查看笔记！\n")).len(), 1);
    assert_eq!(bad(&format!("露营\n{SHORT}\n")).len(), 1, "no title: a link on its own");
    assert_eq!(bad(&format!("湖边 {SHORT}\n\n复制后打开【小红书】查看笔记！\n")).len(), 1);
    let phrases = "复制后打开【小红书】\n".repeat(50);
    assert_eq!(bad(&phrases).len(), 50);
}

#[test]
fn csv_is_read_with_any_delimiter() {
    let comma = format!("title,Note ID,url\n\"a, b\nc\",{NOTE},x\n,,\nd,,{OTHER}\n");
    for text in [comma.clone(), comma.replace(',', ";"), comma.replace(',', "\t")] {
        assert_eq!(keys("export.csv", &text), [NOTE, OTHER]);
        assert_eq!(keys("-", &text), [NOTE, OTHER]);
    }
}

#[test]
fn csv_lines_are_numbered_as_editors_do() {
    let text = format!("note_id,t\n\n\"{NOTE}\",\"a\nb\"\nabc,\n\n,x\n");
    let (_, bad) = read_as("a.csv", &text, &ListOptions::default());
    assert!(bad[0].starts_with("5: there is neither"), "{bad:?}");
    assert_eq!(bad[1], "7: the row has no target");
    let open = format!("note_id\n\"{}\n", "x\n".repeat(LONGEST_LINE));
    let (_, bad) = read_as("a.csv", &open, &ListOptions::default());
    assert_eq!(bad, ["2: the line is longer than 64 kB; is a quotation mark missing?"]);
}

#[test]
fn usual_headers_are_known() {
    let note = format!("https://www.xiaohongshu.com/explore/{NOTE}");
    for head in [
        "笔记链接",
        "笔记ID",
        "笔记 Id",
        "笔记url",
        "笔记地址",
        "笔记编号",
        "小红书链接",
        "发布链接",
        "链接地址",
        "原文链接",
        "回链",
        "noteId",
        "NOTE_URL",
        "note-link",
        "*笔记链接（必填）",
        "\u{3000}笔记ID\u{200b}",
        "图文链接",
    ] {
        assert_eq!(keys("a.csv", &format!("序号,{head}\n1,{note}\n")), [NOTE], "{head}");
    }
    for head in
        ["作品链接", "视频ID", "视频地址", "作品编号", "抖音链接", "awemeId", "video_id", "内容ID"]
    {
        assert_eq!(keys("a.csv", &format!("序号,{head}\n1,{WORK}\n")), [WORK], "{head}");
    }
    for head in ["作者ID", "抖音ID", "博主", "备注"] {
        let (_, bad) = read_as("a.csv", &format!("序号,{head}\n1,2\n"), &ListOptions::default());
        assert!(bad[0].starts_with("1: no known column"), "{head} {bad:?}");
    }
}

#[test]
fn title_above_the_header_is_skipped() {
    let text = format!("春季投放清单,,\n,,\n序号,博主,笔记链接\n1,山山,{SHORT}\n2,海海,x\n");
    let (found, bad) = read_as("a.csv", &text, &of(Kind::Note));
    assert_eq!(found, [SHORT]);
    assert!(bad[0].starts_with("5: "), "{bad:?}");
    assert_eq!(keys("a.csv", &format!("{NOTE},山山\n{OTHER},海海\n")), [NOTE, OTHER], "no header");
}

#[test]
fn ids_as_spreadsheets_write_them() {
    for cell in [
        "'{}",
        "\"=\"\"{}\"\"\"",
        "\u{1f}{}",
        "\"\t{}\"",
        "{}.0",
        "“{}”",
        "７６０１２３４５６７８９０１２３４５６",
    ] {
        let text = format!("作品ID,标题\n{},a\n", cell.replace("{}", WORK));
        assert_eq!(keys("a.csv", &text), [WORK], "{cell}");
    }
    for cell in
        ["7601234567890120000", "7.60123E+18", "7.6e18", "6.81122E+23", "7601234567890123776.0"]
    {
        let (found, bad) =
            read_as("a.csv", &format!("aweme_id\n{cell}\n"), &ListOptions::default());
        assert!(found.is_empty() && bad[0].contains("rounded"), "{cell} {bad:?}");
    }
    let text = format!("作品ID,作品链接\n7.60123E+18,https://www.douyin.com/video/{WORK}\n");
    assert_eq!(keys("a.csv", &text), [WORK], "the link is exact");
}

#[test]
fn column_can_be_chosen_and_must_exist() {
    let text = format!("标题,第三列\nx,{NOTE}\n");
    let column = ListOptions { column: Some("第三列".into()), ..ListOptions::default() };
    assert_eq!(read_as("a.csv", &text, &column).0, [NOTE]);
    let (_, bad) = read_as("a.csv", &text, &ListOptions::default());
    assert!(bad[0].starts_with("1: no known column with targets"), "{bad:?}");
    assert!(bad[0].contains("--column"), "{bad:?}");
}

#[test]
fn jsonl_keys_are_recognised() {
    let text = format!(
        "{{\"title\":\"x\",\"note_id\":\"{NOTE}\"}}\n{{\"aweme_id\":{WORK}}}\n[1]\n\n\
         {{\"keyword\":\"露营\"}}\n{{\"title\":\"y\"}}\n{{\"note_id\":1.5}}\n{{\"aweme_id\":7.6e18}}\n"
    );
    let (found, bad) = read_as("-", &text, &ListOptions::default());
    assert_eq!(found, [NOTE, WORK, "露营"]);
    let places: Vec<_> = bad.iter().filter_map(|bad| bad.split(": ").next()).collect();
    assert_eq!(places, ["3", "6", "7", "8"]);
    assert!(bad[3].contains("rounded"), "{bad:?}");
}

#[test]
fn kind_selects_the_column() {
    let text = format!("note_id,keyword\n{NOTE},露营\n");
    assert_eq!(read_as("a.csv", &text, &of(Kind::Keyword)).0, ["露营"]);
    assert_eq!(keys("a.csv", &text), [NOTE]);
}

#[test]
fn hashtag_is_a_keyword_and_not_a_comment() {
    let text = "# 我的词\n#露营\n#徒步[话题]#\n#\n野餐\n";
    assert_eq!(
        read_as("w.txt", text, &of(Kind::Keyword)),
        (vec!["露营".into(), "徒步".into(), "野餐".into()], vec![])
    );
    let (found, bad) =
        read_as("w.txt", "露营,徒步，美食\n露营、徒步\n#露营 #徒步\n", &of(Kind::Keyword));
    assert_eq!((found.len(), bad.len()), (0, 3), "{bad:?}");
    assert!(bad[0].starts_with("1: these are several keywords"), "{bad:?}");
}

#[test]
fn keywords_of_lines_that_begin_with_a_hash_are_told() {
    let notice = |text: &str, kind| {
        read("w.txt", text, &of(kind), |_, _| Ok(())).expect("a list").notice("w.txt")
    };
    let told = notice("# 我的词\n美食\n#露营\n#徒步#\n#露营#野餐#\n", Kind::Keyword);
    assert_eq!(
        told.as_deref(),
        Some(
            "w.txt: 2 keywords from lines that begin with #, such as `露营` in line 3; a comment \
             begins with # and a space"
        )
    );
    assert_eq!(notice("# 我的词\n美食\nC#\n", Kind::Keyword), None);
    assert_eq!(notice(&format!("#mine\n{NOTE}\n"), Kind::Note), None);
}
