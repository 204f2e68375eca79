"""dlt: appends each note with its lists as child tables, and the raw answer as JSON.

With `whole` as last argument the note is handed over as it came, for dlt to make columns and
tables of; without, the values that the other contestants keep are picked first.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"

import dlt
import requests

THREADS = 8


def fetch(http, upstream, note_id):
    answer = http.get(
        f"{upstream}/api/xiaohongshu/get-note-detail/v1",
        params={"token": "of-the-benchmark", "noteId": note_id},
        timeout=60,
    ).json()
    card = answer["data"][0]
    note, user = card["note_list"][0], card["user"]
    return note, user, answer


def whole(note, user, answer):
    return {**note, "observed_at": datetime.now(timezone.utc), "author": user, "raw": answer}


def picked(note, user, answer):
    return {
        "note_id": note["id"],
        "observed_at": datetime.now(timezone.utc),
        "title": note.get("title"),
        "body": note.get("desc"),
        "note_type": note.get("type"),
        "published_at": note["time"],
        "ip_location": note.get("ip_location"),
        "author": {key: user.get(key) for key in ("userid", "nickname", "red_id", "image")},
        "likes": note["liked_count"],
        "collects": note["collected_count"],
        "comments": note["comments_count"],
        "shares": note["shared_count"],
        "images": [
            {key: image.get(key) for key in ("fileid", "width", "height", "url")}
            for image in note.get("images_list") or []
        ],
        "hashtags": [{"id": tag["id"], "name": tag["name"]} for tag in note.get("hash_tag") or []],
        "raw": answer,
    }


def main():
    database, upstream, ids = sys.argv[1:4]
    shape = whole if "whole" in sys.argv[4:] else picked
    ids = open(ids).read().split()

    @dlt.resource(name="notes", write_disposition="append", columns={"raw": {"data_type": "json"}})
    def notes():
        http = requests.Session()
        with ThreadPoolExecutor(THREADS) as pool:
            for answer in pool.map(lambda note_id: fetch(http, upstream, note_id), ids):
                yield shape(*answer)

    # dlt requires a password; the server does not.
    database = database.replace("@", ":none@")
    pipeline = dlt.pipeline(
        pipeline_name="peer_bench",
        pipelines_dir=os.path.join(os.getcwd(), f"dlt-{os.getpid()}"),
        destination=dlt.destinations.postgres(database),
        dataset_name="peer",
    )
    print("begin", flush=True)
    pipeline.run(notes())
    print(f"end {len(ids)}", flush=True)
    sys.stdin.readline()


main()
