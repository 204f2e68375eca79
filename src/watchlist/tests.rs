//! Tests of watchlist entries; every id and code is made up.

use proptest::prelude::*;

use super::links::item_of_url;
use super::parse;
use crate::model::Kind;

const NOTE: &str = "68a1b2c3d4e5f60718293a4b";
const WORK: &str = "7512345678901234567";

fn key(kind: Kind, text: &str) -> String {
    match parse(kind, text) {
        Ok(target) => {
            assert_eq!(target.kind, kind, "{text}");
            target.key
        }
        Err(error) => panic!("{text}: {error}"),
    }
}

fn refused(kind: Kind, text: &str) -> String {
    parse(kind, text).expect_err(text)
}

#[test]
fn note_ids_and_links_give_the_note() {
    for text in [
        "68a1b2c3d4e5f60718293a4b",
        " 68A1B2C3D4E5F60718293A4B ",
        "https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b",
        "https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b?xsec_token=ABq-3_x=&xsec_source=pc_feed",
        "http://www.xiaohongshu.com/discovery/item/68a1b2c3d4e5f60718293a4b?app_platform=ios&share_id=9f",
        "https://www.xiaohongshu.com/user/profile/5e0000000000000001000abc/68a1b2c3d4e5f60718293a4b?xsec_token=x",
        "https://www.xiaohongshu.com/search_result/68a1b2c3d4e5f60718293a4b/",
        "www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b",
        "xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b",
        "HTTPS://WWW.XIAOHONGSHU.COM/explore/68A1B2C3D4E5F60718293A4B",
        "https://www.xiaohongshu.com:443/explore/68a1b2c3d4e5f60718293a4b",
        "12 【露营清单｜第一次就够了 - 山山 | 小红书】 😆 Qw3rTy 😆 https://www.xiaohongshu.com/discovery/item/68a1b2c3d4e5f60718293a4b?source=webshare，点开看看。",
        "看https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b。真的好",
        "https://www.rnote.com/explore/68a1b2c3d4e5f60718293a4b?xsec_token=AB1",
        "https://www.rednote.com/discovery/item/68a1b2c3d4e5f60718293a4b",
        "https://www.xiaohongshu.com/explore#68a1b2c3d4e5f60718293a4b",
        "https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b;jsessionid=1",
        "https://pgy.xiaohongshu.com/solar/pre-trade/note/detail?noteId=68a1b2c3d4e5f60718293a4b",
        "https://www.xiaohongshu.com/website-login/captcha?redirectPath=https%3A%2F%2Fwww.xiaohongshu.com%2Fexplore%2F68a1b2c3d4e5f60718293a4b%3Fa%3D1&verifyType=2",
        "https://www.xiaohongshu.com/login?redirectPath=%2Fexplore%2F68a1b2c3d4e5f60718293a4b",
        "https://www.xiaohongshu.com/404?source=/404/x&redirectPath=https%3A%2F%2Fwww.xiaohongshu.com%2Fdiscovery%2Fitem%2F68a1b2c3d4e5f60718293a4b",
        "xhsdiscover://item/68a1b2c3d4e5f60718293a4b?type=normal",
        "https://www.xiaohongshu.com/explore/\u{200b}68a1b2c3d4e5f60718293a4b",
        "\u{feff}68a1b2c3d4e5f60718293a4b\u{202c}",
        "笔记ID：68a1b2c3d4e5f60718293a4b",
        "(https://www.xiaohongshu.com/explore/68a1b2c3d4e5f60718293a4b), twice: https://www.xiaohongshu.com/discovery/item/68a1b2c3d4e5f60718293a4b",
    ] {
        assert_eq!(key(Kind::Note, text), NOTE, "{text}");
    }
    assert_eq!(key(Kind::Note, "681122334455667788990011"), "681122334455667788990011");
}

#[test]
fn short_note_links_get_one_spelling() {
    for text in [
        "http://xhslink.com/a/Ab3dEfGh1",
        "https://xhslink.com/a/Ab3dEfGh1/",
        "xhslink.com/a/Ab3dEfGh1",
        "34 山山发布了一篇小红书笔记，快来看吧！ 😆 k9Xz 😆 http://xhslink.com/a/Ab3dEfGh1，复制本条信息，打开【小红书】App查看精彩内容！",
        "第一次露营🏕️就够了 http://xhslink.com/a/Ab3dEfGh1 \n复制后打开【小红书】查看笔记！",
    ] {
        assert_eq!(key(Kind::Note, text), "https://xhslink.com/a/Ab3dEfGh1", "{text}");
    }
    assert_eq!(key(Kind::Note, "http://xhslink.com/Zz9"), "https://xhslink.com/Zz9");
    assert_eq!(key(Kind::Note, "www.xhslink.com/a/Ab3dEfGh1"), "https://xhslink.com/a/Ab3dEfGh1");
    let today = "湖边的风... http://xhslink.cn/o/5tQ2JnLmC0x \n复制后打开【小红书】查看笔记！";
    assert_eq!(key(Kind::Note, today), "https://xhslink.cn/o/5tQ2JnLmC0x");
}

#[test]
fn work_ids_and_links_give_the_work() {
    for text in [
        "7512345678901234567",
        "https://www.douyin.com/video/7512345678901234567",
        "https://www.douyin.com/note/7512345678901234567?previous_page=app_code_link",
        "https://www.iesdouyin.com/share/video/7512345678901234567/?region=CN&mid=1",
        "https://www.iesdouyin.com/share/slides/7512345678901234567/",
        "https://m.douyin.com/share/note/7512345678901234567",
        "https://www.douyin.com/discover?modal_id=7512345678901234567",
        "https://www.douyin.com/user/MS4wLjABAAAA_x-y?from=tab&modal_id=7512345678901234567",
        "douyin.com/video/7512345678901234567",
        "https://jingxuan.douyin.com/m/video/7512345678901234567?app=x&utm_source=copy_link",
        "https://www.douyin.com/jingxuan?modal_id=7512345678901234567",
        "https://www.douyin.com/user/MS4wLjABAAAA_x-y?vid=7512345678901234567",
        "https://www.iesdouyin.com/share/article/7512345678901234567/",
        "https://www.douyin.com/light/7512345678901234567",
        "https://open.douyin.com/player/video?vid=7512345678901234567&autoplay=0",
        "snssdk1128://aweme/detail/7512345678901234567?refer=web",
        "'7512345678901234567",
        "=\"7512345678901234567\"",
        "７５１２３４５６７８９０１２３４５６７",
        "\u{a0}7512345678901234567.0,",
    ] {
        assert_eq!(key(Kind::Work, text), WORK, "{text}");
    }
}

#[test]
fn short_work_links_get_one_spelling() {
    for text in [
        "https://v.douyin.com/irQCAn4A/",
        "http://v.douyin.com/irQCAn4A",
        "v.douyin.com/irQCAn4A",
        "7.99 复制打开抖音，看看【山山的作品】第一次露营就够了 # 露营 # 户外 https://v.douyin.com/irQCAn4A/ 12/03 d@B.tE :7pm",
        "0.53 复制打开抖音，看看【图文作品】https://v.douyin.com/irQCAn4A/，直接观看。 q@E.uS 03/21 NWz:/",
    ] {
        assert_eq!(key(Kind::Work, text), "https://v.douyin.com/irQCAn4A/", "{text}");
    }
    assert_eq!(key(Kind::Work, "https://v.douyin.com/i_r-Q9/"), "https://v.douyin.com/i_r-Q9/");
    assert_eq!(key(Kind::Work, "https://jx.douyin.com/i_r-Q9"), "https://jx.douyin.com/i_r-Q9/");
    for text in [
        "https：//v.douyin.com/irQCAn4A/",
        "[湖边](https://v.douyin.com/irQCAn4A/)",
        "源码在 https://example.org/repo 自取 https://v.douyin.com/irQCAn4A/ 10/27 w@F.uF",
        "34.4k star、a.b/c... https://v.douyin.com/irQCAn4A/ Kjp:/ 03/01 [W@m.Qk](mailto:W@m.Qk)",
    ] {
        assert_eq!(key(Kind::Work, text), "https://v.douyin.com/irQCAn4A/", "{text}");
    }
}

#[test]
fn share_text_needs_a_phrase_of_the_app() {
    let text = "湖边的风... http://xhslink.cn/o/5tQ2JnLmC0x 复制后打开【小红书】查看笔记！";
    let note = super::share_text(Kind::Note, text).expect("a note");
    assert_eq!(note.key, "https://xhslink.cn/o/5tQ2JnLmC0x");
    assert_eq!(super::share_text(Kind::Note, "68a1b2c3d4e5f60718293a4b hello"), None);
    assert_eq!(super::share_text(Kind::Keyword, text), None);
}

#[test]
fn ids_of_the_archive_may_end_in_zeros() {
    let id = "7512345678901230000";
    assert!(refused(Kind::Work, id).contains("rounded"));
    assert_eq!(super::parse_exact(Kind::Work, id).map(|it| it.key), Ok(id.to_owned()));
    // One in a thousand ends so by itself.
    assert_eq!(key(Kind::Work, "7512345678901235000"), "7512345678901235000");
}

#[test]
fn entry_of_the_other_platform_gets_a_hint() {
    for text in
        [WORK, "https://v.douyin.com/irQCAn4A/", "https://www.douyin.com/video/7512345678901234567"]
    {
        assert!(refused(Kind::Note, text).contains("kind `works`"), "{text}");
    }
    for text in [NOTE, "http://xhslink.com/a/Ab3dEfGh1"] {
        assert!(refused(Kind::Work, text).contains("kind `notes`"), "{text}");
    }
}

#[test]
fn foreign_and_tricky_links_are_refused() {
    for (text, reason) in [
        ("https://v.douyin.com@evil.example/irQCAn4A/", "user name"),
        ("https://evil.example\\@v.douyin.com/irQCAn4A/", "host is not one of"),
        ("https://v.douyin.com.evil.cn/irQCAn4A/", "host is not one of"),
        ("https://notv.douyin.com/irQCAn4A/", "host is not one of"),
        ("https://v.douyin.com:8443/irQCAn4A/", "port"),
        ("http://127.0.0.1/video/7512345678901234567", "address"),
        ("http://0x7f.1/video/7512345678901234567", "address"),
        ("http://2130706433/video/7512345678901234567", "address"),
        ("http://[::1]/video/7512345678901234567", "address"),
        ("ftp://v.douyin.com/irQCAn4A/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("https://v.douyin.com/", "not complete"),
        ("https://v.douyin.com/a/b/", "not complete"),
        ("https://v.douyin.com/a%2e%2e/", "not complete"),
        ("https://www.douyin.com/user/MS4wLjABAAAA_x-y", "not to a single work"),
        ("https://www.douyin.com/video/12", "not to a single work"),
        ("https://v.douyin.com/aaaa/ https://v.douyin.com/bbbb/", "two different links"),
        ("https://v.douyin.com/aaaa/https://v.douyin.com/bbbb/", "two different links"),
        ("https://www.douyin.com/lvdetail/7512345678901234567", "not to a single work"),
        ("evil.example/video/7512345678901234567", "neither a link nor an id"),
        ("evil.example/?vid=7512345678901234567", "neither a link nor an id"),
        ("【山山】正在直播，来和我一起支持吧 https://v.douyin.com/aaaa/", "live room"),
        ("长按复制此条消息，查看TA的更多作品 https://v.douyin.com/aaaa/", "to a person"),
        ("7.66 B@T.IP 03/03 baN/: :4pm 《湖边》", "neither a link nor an id"),
        ("7512345678901230000", "rounded"),
        ("7.51235E+18", "rounded"),
        ("https://", "invalid link"),
        ("hello", "neither a link nor an id"),
        ("7.99 复制打开抖音", "neither a link nor an id"),
        ("../../etc/passwd", "neither a link nor an id"),
        ("   ", "empty"),
    ] {
        assert!(
            refused(Kind::Work, text).contains(reason),
            "{text}: {}",
            refused(Kind::Work, text)
        );
    }
    let profile = "https://www.xiaohongshu.com/user/profile/5e0000000000000001000abc";
    assert!(refused(Kind::Note, profile).contains("not to a single note"));
    assert!(refused(Kind::Note, &"长".repeat(5000)).contains("longer than"));
}

#[test]
fn item_of_url_knows_redirect_targets_and_leaves_short_links_alone() {
    let item = |text: &str| item_of_url(&url::Url::parse(text).expect("a URL"));
    let work = "https://www.iesdouyin.com/share/video/7512345678901234567/?schema_type=37";
    assert_eq!(item(work), Some((Kind::Work, WORK.to_owned())));
    let note = "https://www.xiaohongshu.com/discovery/item/68a1b2c3d4e5f60718293a4b?x=1";
    assert_eq!(item(note), Some((Kind::Note, NOTE.to_owned())));
    assert_eq!(item("https://v.douyin.com/irQCAn4A/"), None);
    assert_eq!(item("https://www.xiaohongshu.com/404?source=/404/sec_x"), None);
    let login = "https://www.xiaohongshu.com/login?redirectPath=http%3A%2F%2Fevil.example%2Fexplore%2F68a1b2c3d4e5f60718293a4b";
    assert_eq!(item(login), None);
    let app = "snssdk1128://aweme/detail/7512345678901234567";
    assert_eq!(item(app), Some((Kind::Work, WORK.to_owned())));
    assert_eq!(item("https://evil.example/video/7512345678901234567"), None);
}

#[test]
fn links_of_other_sites_and_without_an_item_give_nothing() {
    for link in [
        "https://evil-douyin.com/video/7601234567890123456",
        "https://www.douyin.com.evil.example/video/7601234567890123456",
        "https://www.douyin.com@evil.example/video/7601234567890123456",
        "https://someone@www.douyin.com/video/7601234567890123456",
        "https://www.douyin.com:8443/video/7601234567890123456",
        "https://www.douyin.com./video/7601234567890123456",
        "ftp://www.douyin.com/video/7601234567890123456",
        "https://www.douyin.com/video/",
        "https://www.douyin.com/video/7601234567890123456x",
        "https://www.douyin.com/user/MS4wAbc",
        "https://www.xiaohongshu.com/explore/7601234567890123456",
        "https://www.xiaohongshu.com/404?redirect=/explore/6a01b2c3000000000e00d4e5",
        "https://v.douyin.com/AbCdEf/",
        "data:text/plain,video",
    ] {
        let url = url::Url::parse(link).expect("a URL");
        assert_eq!(item_of_url(&url), None, "{link}");
    }
}

#[test]
fn keywords_are_trimmed_and_bounded() {
    assert_eq!(key(Kind::Keyword, "  露营 装备 "), "露营 装备");
    assert_eq!(key(Kind::Keyword, "a&token=x#?/../"), "a&token=x#?/../");
    assert_eq!(key(Kind::Keyword, &"字".repeat(100)).chars().count(), 100);
    assert!(refused(Kind::Keyword, &"字".repeat(101)).contains("100 characters, this has 101"));
    assert!(refused(Kind::Keyword, "露营\t装备").contains("control characters"));
    assert!(refused(Kind::Keyword, "\u{3000}").contains("empty"));
    for text in
        ["露营　装备", "露营\u{a0}装备", "  露营  装备\u{200b}", "“露营 装备”", "＃露营 装备"]
    {
        assert_eq!(key(Kind::Keyword, text), "露营 装备", "{text}");
    }
    assert_eq!(key(Kind::Keyword, "ＡＩ工具"), "AI工具");
    assert_eq!(key(Kind::Keyword, "月薪1,000元"), "月薪1,000元");
    assert_eq!(key(Kind::Keyword, "C#"), "C#");
    assert_eq!(super::nearly("AI 工具"), super::nearly("ai工具"));
}

#[test]
fn several_keywords_in_one_entry_are_not_made_into_another() {
    for text in [
        "#露营#野餐#",
        "#露营[话题]##野餐[话题]#",
        "露营[话题]#野餐[话题]#",
        "##露营",
        "# 露营",
        "＃露营＃野餐",
    ] {
        assert!(refused(Kind::Keyword, text).contains("each as an entry of its own"), "{text}");
    }
    for text in ["\"露营\" 和 \"野餐\"", "“露营”和“野餐”", "'露营' '野餐'"] {
        assert_eq!(key(Kind::Keyword, text), text);
    }
    for text in ["#“露营”", "“#露营[话题]#”", "#露营#", "「露营」"] {
        assert_eq!(key(Kind::Keyword, text), "露营", "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_is_accepted_again(text in "\\PC{0,80}|(https?://)?(v\\.douyin|xhslink|www\\.douyin)\\.com[/@:\\\\.a-z0-9]{0,40}") {
        for kind in Kind::ALL {
            if let Ok(target) = parse(kind, &text) {
                prop_assert_eq!(parse(kind, &target.key), Ok(target));
            }
        }
    }
}
