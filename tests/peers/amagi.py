"""The real amagi server as the provider of `tidewatch run`: what must come of works.json.

    amagi.py jobs URL PARAMETER       a jobs.toml that watches every work
    amagi.py settle ARCHIVE           waits until the first look at each has ended
    amagi.py check ARCHIVE ASKED      what must stand in the archive, and nothing else
    amagi.py check-by-link ARCHIVE    the same after a question by another version's parameter

ASKED has the questions that reached the platform, one a line.
"""

import json
import pathlib
import sqlite3
import sys
import time

from expect import expect, holds

HERE = pathlib.Path(__file__).parent
WORKS = json.loads((HERE / "works.json").read_text(encoding="utf-8"))

# How long the first look at every work may take: two fires, and a few seconds for the calls.
PATIENCE_S = 90

# Columns of work_metrics, and where the platform says them. A count of views is hidden as 0.
COUNTS = {
    "likes": "digg_count", "comments": "comment_count", "collects": "collect_count",
    "shares": "share_count", "recommends": "recommend_count", "downloads": "download_count",
    "admires": "admire_count",
}

JOBS = """\
[amagi]
base_url = "{url}/api"
parameter = "{parameter}"
rate_per_second = 100

[douyin]
provider = "amagi"

[[job]]
name = "works"
kind = "works"
schedule = "*/15 * * * * *"
urls = {works}
"""


def jobs(url, parameter):
    works = json.dumps([work["id"] for work in WORKS])
    print(JOBS.format(url=url, parameter=parameter, works=works))


def rows(archive, sql, *values):
    database = sqlite3.connect(f"file:{archive}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()


def settle(archive):
    """Waits until no look of the first fire is open."""
    sql = """select count(*), count(outcome) from slots
             where due_at = (select min(due_at) from slots)"""
    for _ in range(PATIENCE_S * 2):
        time.sleep(0.5)
        if pathlib.Path(archive).exists():
            try:
                if rows(archive, sql) == [(len(WORKS), len(WORKS))]:
                    return
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
    sys.exit(f"peers: amagi: after {PATIENCE_S} s not every first look has ended: "
             f"{rows(archive, 'select * from slots')}")


def check(archive, asked):
    questions = pathlib.Path(asked).read_text(encoding="utf-8").split()
    for work in WORKS:
        check_work(archive, work, questions)
    seen = {work["id"] for work in WORKS if work["slot"] == "observed"}
    expect("amagi: works", {row[0] for row in rows(archive, "select work_id from works")}, seen)
    fixture = document(WORKS[0])["author"]
    authors = rows(archive, "select author_id, nickname from authors")
    expect("amagi: authors", authors, [(fixture["uid"], fixture["nickname"])])
    paid = "select count(*) from calls where billed <> 'no' or outcome is null"
    expect("amagi: calls that may have been paid for", rows(archive, paid), [(0,)])
    holds(f"amagi: {len(questions)} questions reached the platform, all on the ledger")


def check_work(archive, work, questions):
    """One work: its first look, its calls, its documents, and its counts."""
    name = f"amagi: work {work['is']}"
    looks = rows(archive, """
        select s.due_at, coalesce(s.reason, s.outcome) from slots s join targets t using (target_id)
        where t.key = ? and s.outcome is not null order by s.due_at""", work["id"])
    expect(f"{name}: look", looks[0][1], work["slot"])
    expect(f"{name}: looks", {look for _, look in looks}, {work["slot"]})
    calls = rows(archive, """
        select c.due_at, c.outcome, c.code, c.http_status, c.message, c.call_id
        from calls c join targets t using (target_id) where t.key = ? order by c.call_id""",
        work["id"])
    expect(f"{name}: calls", len(calls), questions.count(work["id"]))
    first = [call[1] for call in calls if call[0] == looks[0][0]]
    if work["calls"] == ["retryable"]:
        expect(f"{name}: tried again", len(first) >= 2, True)
        first = first[:1]
    expect(f"{name}: calls of the first look", first, work["calls"])
    expect(f"{name}: HTTP status", {call[3] for call in calls}, {200})
    expect(f"{name}: code", calls[-1][2], work["code"])
    if "said" in work and work["said"] not in calls[-1][4]:
        sys.exit(f"peers: {name}: {calls[-1][4]!r} does not say {work['said']!r}")
    kept = rows(archive, """
        select d.document_id, d.drift from documents d join targets t using (target_id)
        where t.key = ? order by d.document_id""", work["id"])
    expect(f"{name}: documents", [document_id for document_id, _ in kept],
           [call[5] for call in calls if call[1] != "retryable"])
    if work["slot"] == "unreadable":
        about = work["platform"][0]["about"]
        expect(f"{name}: drift", {drift for _, drift in kept}, {f"asked {work['id']}, got {about}"})
    check_counts(archive, work, name, sum(call[1] == "ok" for call in calls))
    holds(f"{name}: {work['slot']}, calls: {len(calls)}")


def check_counts(archive, work, name, looks):
    """A row of counts for each answer, of what the platform said; none for anything else."""
    columns = ", ".join(COUNTS)
    found = rows(archive, f"""
        select {columns}, plays from work_metrics where work_id = ? order by observed_at""",
        work["id"])
    shown = rows(archive, "select likes from engagement where item_id = ? order by observed_at",
                 work["id"])
    expect(f"{name}: rows of engagement", shown, [row[:1] for row in found])
    if work["slot"] != "observed":
        return expect(f"{name}: rows of counts", found, [])
    detail = document(work)
    said = [detail["statistics"].get(field) for field in COUNTS.values()]
    expect(f"{name}: counts", found, [(*said, None)] * looks)
    stored = rows(archive, "select body, author_id, music_id from works where work_id = ?",
                  work["id"])
    music = detail["music"]["id_str"] if detail.get("music") else None
    expect(f"{name}: row", stored, [(detail["desc"] or None, detail["author"]["uid"], music)])
    images = rows(archive, "select file_id from images where item_id = ? order by position",
                  work["id"])
    expect(f"{name}: images", images, [(image["uri"],) for image in detail["images"] or []])


def document(work):
    body = (HERE.parent / "fixtures" / work["platform"][-1]["file"]).read_text(encoding="utf-8")
    body = json.loads(body)
    return body.get("data", body)["aweme_detail"]


def check_by_link(archive):
    """amagi 5 that is asked with a link, as amagi 3 was."""
    calls = rows(archive, "select http_status, code, outcome, billed from calls")
    expect("amagi: by link: call", calls, [(400, "400", "bad_request", "no")])
    looks = rows(archive, "select outcome, reason from slots")
    expect("amagi: by link: look", looks, [("missed", "bad_request")])
    nothing = "select (select count(*) from works) + (select count(*) from work_metrics)"
    expect("amagi: by link: rows", rows(archive, nothing), [(0,)])
    holds("amagi: asked with a link: 1 call, bad_request")


if __name__ == "__main__":
    verbs = {"jobs": jobs, "settle": settle, "check": check, "check-by-link": check_by_link}
    verbs[sys.argv[1]](*sys.argv[2:])
