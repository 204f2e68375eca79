use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn any_time() -> impl Strategy<Value = Time> {
    (0..4_000_000_000_000_000_i64).prop_map(|it| Time::from_micros(it).expect("a time"))
}

prop_compose! {
    fn any_row()(
        document_id in any::<i64>(), kind in ".{0,8}", key in ".{0,8}", asked: String,
        page in any::<i32>(), fetched_at in any_time(), http_status in any::<i32>(),
        outcome in ".{0,8}", imported_at in prop::option::of(any_time()),
        redacted_at in prop::option::of(any_time()), cleaned in prop::option::of(".{0,8}"),
        exact in prop::option::of(vec(any::<u8>(), 0..40)), body: String,
    ) -> Row {
        Row {
            document_id, kind, key, asked, page, fetched_at, http_status, outcome, imported_at,
            redacted_at, cleaned, exact, body,
        }
    }
}

fn written(groups: &[Vec<Row>]) -> Written {
    let mut writer = Writer::new("some/endpoint").expect("a writer");
    groups.iter().for_each(|rows| writer.group(rows).expect("a group"));
    writer.finish().expect("a file")
}

fn text(row: &Row) -> Text {
    Text { document_id: row.document_id, body: row.body.clone(), exact: row.exact.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_come_out_as_they_went_in_together_and_alone(
        groups in vec(vec(any_row(), 1..12), 1..4),
    ) {
        let written = written(&groups);
        let file = ColdFile::open(written.content.clone()).expect("it opens");
        file.require_texts(&written.texts).expect("the same texts");
        let all: Vec<_> = groups.concat();
        let read: Vec<_> = (0..file.groups())
            .flat_map(|it| file.rows_of_group(it).expect("a group"))
            .collect();
        prop_assert_eq!(&read, &all);
        let ids: Vec<_> = all.iter().map(|it| it.document_id).collect();
        prop_assert_eq!(file.documents().expect("ids"), ids.clone());
        prop_assert_eq!(&written.documents, &ids);
        for (nth, row) in all.iter().enumerate() {
            prop_assert_eq!(file.texts(&[nth]).expect("a text"), vec![text(row)]);
        }
        let odd: Vec<_> = (1..all.len()).step_by(2).collect();
        let expected: Vec<_> = odd.iter().map(|nth| text(&all[*nth])).collect();
        prop_assert_eq!(file.texts(&odd).expect("texts"), expected);
        prop_assert!(file.texts(&[all.len()]).is_err());
    }
}

fn row(document_id: i64, body: &str) -> Row {
    let at: Time = "2026-03-02 00:00:00".parse().expect("a time");
    Row {
        document_id,
        kind: "note".into(),
        key: "a".into(),
        asked: "a".into(),
        page: 1,
        fetched_at: at,
        http_status: 200,
        outcome: "ok".into(),
        imported_at: None,
        redacted_at: None,
        cleaned: Some("null character".into()),
        exact: Some(b"{}\0".to_vec()),
        body: body.into(),
    }
}

#[test]
fn an_answer_alone_is_read_from_any_page() {
    let rows: Vec<_> = (0..10).map(|nth| row(nth, &nth.to_string().repeat(3 << 20))).collect();
    let file = ColdFile::open(written(&[rows[..7].to_vec(), rows[7..].to_vec()]).content);
    let file = file.expect("it opens");
    for (nth, row) in rows.iter().enumerate().rev() {
        assert_eq!(file.texts(&[nth]).expect("a text"), [text(row)], "{nth}");
    }
    assert_eq!(file.texts(&[2, 6, 9]).expect("texts"), [2, 6, 9].map(|nth| text(&rows[nth])));
}

#[test]
fn an_answer_of_16_mib_and_an_empty_one_fit() {
    let rows = [row(1, &"ab\"".repeat((16 << 20) / 3)), row(2, ""), row(3, "{}")];
    let file = ColdFile::open(written(&[rows.to_vec()]).content).expect("it opens");
    assert_eq!(file.texts(&[2]).expect("texts"), [text(&rows[2])]);
    assert_eq!(file.texts(&[0, 1]).expect("texts"), [text(&rows[0]), text(&rows[1])]);
}

#[test]
fn a_file_that_is_damaged_or_of_another_kind_is_an_error() {
    let written = written(&[vec![row(1, &"[1, 2]".repeat(100)), row(2, "{}")]]);
    let other = written.texts.iter().rev().copied().collect::<Vec<_>>();
    let file = ColdFile::open(written.content.clone()).expect("it opens");
    assert!(file.require_texts(&other).is_err());
    assert!(file.require_texts(&written.texts[..1]).is_err());
    assert!(ColdFile::open(b"PAR1".to_vec()).is_err());
    for cut in [1, 9, 100] {
        assert!(ColdFile::open(written.content[..written.content.len() - cut].to_vec()).is_err());
    }
    let mut content = written.content.clone();
    content[300] ^= 1;
    if let Ok(flipped) = ColdFile::open(content) {
        assert_ne!(flipped.sha256(), written.sha256);
    }
}

#[test]
fn a_file_written_anew_lacks_what_is_gone_and_has_what_is_left() {
    let file =
        ColdFile::open(written(&[vec![row(1, "1"), row(2, "2")], vec![row(3, "3")]]).content);
    let file = file.expect("it opens");
    let left = [(3, ("null".to_owned(), Some(row(0, "").fetched_at)))].into();
    let written = rewrite(&file, "some/endpoint", &[1].into(), &left);
    let written = written.expect("it is read").expect("two are left");
    let anew = ColdFile::open(written.content).expect("it opens");
    assert_eq!(anew.documents().expect("ids"), [2, 3]);
    assert_eq!(anew.rows_of_group(0).expect("rows"), [row(2, "2")]);
    let redacted = &anew.rows_of_group(1).expect("rows")[0];
    assert_eq!(
        (redacted.body.as_str(), &redacted.exact, &redacted.cleaned),
        ("null", &None, &None)
    );
    assert!(redacted.redacted_at.is_some());
    let nothing = rewrite(&file, "some/endpoint", &[1, 2, 3].into(), &[].into());
    assert!(nothing.expect("it is read").is_none());
}
