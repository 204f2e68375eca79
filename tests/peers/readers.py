"""What the SDK parsed, as figures by name and a list of names; the fields that rows are made of
have to be there."""

import re
import sys

from expect import expect


def note(data, note_id):
    card = data[0]
    fields(card, user=dict, note_list=list)
    return counts_of_note(card["note_list"][0], card["user"], note_id)


def video_note(data, note_id):
    return counts_of_note(data[0], data[0]["user"], note_id)


def counts_of_note(shown, author, note_id):
    fields(shown, id=str, type=str, title=str, desc=str, time=int, images_list=list, hash_tag=list,
           ip_location=str)
    fields(author, nickname=str, red_id=str)
    expect("the note's id", shown["id"], note_id)
    return counts(shown, likes="liked_count", collects="collected_count",
                  comments="comments_count", shares="shared_count"), []


def suggestions(data, _):
    fields(data, items=list, search_cpl_id=str, word_request_id=str, result=dict)
    for item in data["items"]:
        fields(item, text=str, type=str, search_type=str)
    return {}, [item["text"] for item in data["items"]]


def kols(data, _):
    fields(data, kols=list, total=int)
    for kol in data["kols"]:
        fields(kol, userId=str, name=str, redId=str, fansNum=int, clickMidNum=int)
    followers = {kol["userId"]: kol["fansNum"] for kol in data["kols"]}
    return followers, [kol["userId"] for kol in data["kols"]]


def work(data, work_id):
    fields(data, status_code=int, aweme_detail=dict)
    detail = data["aweme_detail"]
    fields(detail, aweme_id=str, aweme_type=int, desc=str, create_time=int, author=dict,
           statistics=dict, video=dict, text_extra=list)
    expect("the work's id", detail["aweme_id"], work_id)
    return counts(detail["statistics"], likes="digg_count", collects="collect_count",
                  comments="comment_count", shares="share_count"), []


def redirect(data, _):
    """The item behind a link."""
    return {}, [re.search(r"/([0-9a-f]{24}|\d{19})\b", data["redirect_url"])[1]]


def balance(data, _):
    fields(data, balance=str, currency=str)
    expect("the balance as a decimal", f"{float(data['balance']):.4f}", data["balance"])
    return {}, []


def counts(value, **names):
    fields(value, **dict.fromkeys(names.values(), int))
    return {name: value[field] for name, field in names.items()}


def fields(value, **types):
    for name, wanted in types.items():
        if not isinstance(value.get(name), wanted):
            sys.exit(f"peers: {name} is {value.get(name)!r}, and no {wanted.__name__}")
