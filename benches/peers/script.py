"""A typical script: requests in eight threads, one connection and one transaction a note."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import psycopg
import requests
from psycopg.types.json import Jsonb

THREADS = 8

SCHEMA = """
create table documents (id bigserial primary key, note_id text not null,
    fetched_at timestamptz not null, body jsonb not null);
create index on documents (note_id, fetched_at);
create table authors (author_id text primary key, nickname text, handle text, avatar text);
create table notes (note_id text primary key, title text, body text, note_type text,
    author_id text, published_at timestamptz, ip_location text, last_seen_at timestamptz);
create table note_images (note_id text, position int, file_id text, width int, height int,
    url text, primary key (note_id, position));
create table hashtags (hashtag_id text primary key, name text);
create table note_hashtags (note_id text, position int, hashtag_id text,
    primary key (note_id, position));
create table note_metrics (note_id text, observed_at timestamptz, likes bigint, collects bigint,
    comments bigint, shares bigint, primary key (note_id, observed_at));
"""

local = threading.local()


def archive(database, upstream, note_id):
    if not hasattr(local, "http"):
        local.http = requests.Session()
        local.db = psycopg.connect(database)
    answer = local.http.get(
        f"{upstream}/api/xiaohongshu/get-note-detail/v1",
        params={"token": "of-the-benchmark", "noteId": note_id},
        timeout=60,
    ).json()
    card = answer["data"][0]
    note, user = card["note_list"][0], card["user"]
    now = datetime.now(timezone.utc)
    with local.db.transaction(), local.db.cursor() as db:
        db.execute(
            "insert into documents (note_id, fetched_at, body) values (%s, %s, %s)",
            (note_id, now, Jsonb(answer)),
        )
        db.execute(
            "insert into authors values (%s, %s, %s, %s) on conflict (author_id) do update set"
            " nickname = excluded.nickname, handle = excluded.handle, avatar = excluded.avatar",
            (user["userid"], user["nickname"], user["red_id"], user.get("image")),
        )
        db.execute(
            "insert into notes values (%s, %s, %s, %s, %s, to_timestamp(%s), %s, %s)"
            " on conflict (note_id) do update set title = excluded.title, body = excluded.body,"
            " last_seen_at = excluded.last_seen_at",
            (note_id, note.get("title"), note.get("desc"), note.get("type"), user["userid"], note["time"],
             note.get("ip_location"), now),
        )
        for position, image in enumerate(note.get("images_list") or []):
            db.execute(
                "insert into note_images values (%s, %s, %s, %s, %s, %s)"
                " on conflict (note_id, position) do update set url = excluded.url",
                (note_id, position, image.get("fileid"), image.get("width"), image.get("height"),
                 image.get("url")),
            )
        tags = note.get("hash_tag") or []
        # In a fixed order, to avoid a deadlock of two threads.
        for tag in sorted(tags, key=lambda tag: tag["id"]):
            db.execute(
                "insert into hashtags values (%s, %s) on conflict do nothing",
                (tag["id"], tag["name"]),
            )
        for position, tag in enumerate(tags):
            db.execute(
                "insert into note_hashtags values (%s, %s, %s) on conflict do nothing",
                (note_id, position, tag["id"]),
            )
        db.execute(
            "insert into note_metrics values (%s, %s, %s, %s, %s, %s)",
            (note_id, now, note["liked_count"], note["collected_count"],
             note["comments_count"], note["shared_count"]),
        )


def main():
    database, upstream, ids = sys.argv[1:]
    ids = open(ids).read().split()
    with psycopg.connect(database) as db:
        db.execute(SCHEMA)
    print("begin", flush=True)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda note_id: archive(database, upstream, note_id), ids):
            pass
    print(f"end {len(ids)}", flush=True)
    sys.stdin.readline()


main()
