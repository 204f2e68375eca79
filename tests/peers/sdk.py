"""JustOneAPI's own Python SDK against `tidewatch simulate`: an independent judge of its answers.

    sdk.py faults                                    what one of two simulators is to fail with
    sdk.py check TIDEWATCH SIMULATOR TRUTH FAILING   SIMULATOR, FAILING: files of what they print

The simulator without faults writes down in TRUTH what it is asked and what it means.
"""

import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from typing import Callable, NamedTuple

from justoneapi import JustOneAPIClient, ProtocolError, TransportError
from justoneapi.generated import Result

from expect import expect, holds
from readers import balance, kols, note, redirect, suggestions, video_note, work

TOKEN = "rehearsal"

# What the first, second, … call for an item meets, and what the SDK has to make of it: a code
# that is no success, an exception, or, with code 0, a success.
FAULTS = [
    *[(str(code), code) for code in (100, 101, 201, 202, 300, 301, 302, 303, 400, 404, 500, 503)],
    *[(str(code), code) for code in (600, 601, 602)],
    ("risk", 500), ("redirect", 404),
    ("not-json", ProtocolError), ("cut", TransportError), ("drop", TransportError),
    *[(oddity, 0) for oddity in ("empty", "nul", "surrogate", "dup", "echo-token", "slow:20")],
]


class Question(NamedTuple):
    """A method of the SDK, what to give it, and what reads its data."""

    name: str
    method: Callable
    arguments: dict
    read: Callable
    # What Tidewatch is told to fetch for it, and the version of note detail it is set to.
    fetch: tuple | None
    version: str = "v1"


class Simulator:
    """A running simulator, known from its introduction, and a client of it."""

    def __init__(self, introduction):
        with open(introduction, encoding="utf-8") as file:
            said = file.read()
        self.url = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        self.notes, self.works, self.links = (
            re.search(rf"^  {what}: (.*)$", said, re.M)[1].split()
            for what in ("notes", "works", "links"))
        self.client = JustOneAPIClient(TOKEN, base_url=self.url)

    def questions(self, video_id):
        """Every method that stands for an endpoint of ours; v6 only has notes with a video."""
        app, douyin = self.client.xiaohongshu, self.client.douyin
        search = self.client.xiaohongshu_pgy.api_solar_cooperator_blogger_v2_v1
        first, second, third = self.notes
        video = self.works[0]
        # Upstream takes short links with http and with https; Tidewatch writes https.
        of_note, of_work = (re.sub("^http:", "https:", link) for link in self.links)
        return [
            Question("get-note-detail/v1", app.get_note_detail_v1, {"note_id": first}, note,
                     ("note", first), "v1"),
            Question("get-note-detail/v3", app.get_note_detail_v3, {"note_id": second}, note,
                     ("note", second), "v3"),
            Question("get-note-detail/v6", app.get_note_detail_v6, {"note_id": video_id},
                     video_note, ("note", video_id), "v6"),
            Question("get-note-detail/v7", app.get_note_detail_v7, {"note_id": third}, note,
                     ("note", third), "v7"),
            Question("search-recommend/v1", app.search_recommend_v1, {"keyword": "美食"},
                     suggestions, ("keyword", "美食")),
            Question("kol-search/v1", search, every_filter(search), kols, ("kols",)),
            Question("get-video-detail/v2", douyin.get_video_detail_v2, {"video_id": video}, work,
                     ("work", video)),
            Question("share-url-transfer/v1 of a note", app.share_url_transfer_v1,
                     {"share_url": of_note}, redirect, ("note", of_note)),
            Question("share-url-transfer/v1 of a work", douyin.share_url_transfer_v1,
                     {"share_url": of_work}, redirect, ("work", of_work)),
            # The SDK has no method for it, and Tidewatch does not ask it.
            Question("get-balance", lambda: self.client._transport.get("/user/get-balance", {}),
                     {}, balance, None),
        ]

    def find_video(self):
        """The id of a note with a video."""
        for n in range(100):
            note_id = f"{self.notes[0][:22]}{n:02d}"
            data = self.client.xiaohongshu.get_note_detail_v1(note_id=note_id).data
            if data and data[0]["note_list"][0]["type"] == "video":
                return note_id
        sys.exit("peers: the simulator has no note with a video")


def every_filter(method):
    """A value for every parameter of the KOL search: its default, or one that makes sense."""
    chosen = {"industry": "AUTOMOTIVE", "market_target": "estimateCpuv", "fans_number_upper": 9000}
    plain = {"str | None": "1,2", "int | None": 1000, "bool | None": True}
    given = {}
    for one in inspect.signature(method).parameters.values():
        default = plain[one.annotation] if one.default is None else one.default
        given[one.name] = chosen.get(one.name, default)
    return given


def truths(path, since=0):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file][since:]


def asked(row):
    """What a call asked, as the simulator saw it."""
    return row["path"], row["key"], row["page"]


def fetched(tidewatch, simulator, version, what):
    """What Tidewatch stores for a question: figures by name, and a list."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/jobs.toml", "w", encoding="utf-8") as file:
            file.write(f'[justoneapi]\nnote_detail_version = "{version}"\n')
        command = [tidewatch, "--quiet", "fetch", *what, "--json"]
        settings = {"JUSTONEAPI_BASE_URL": simulator.url, "JUSTONEAPI_TOKEN": TOKEN,
                    "DATABASE_URL": f"sqlite:{folder}/archive.db"}
        done = subprocess.run(command, cwd=folder, env=os.environ | settings, timeout=60,
                              capture_output=True, text=True, check=False)
    expect(f"{' '.join(command)} said {done.stderr!r} and ended with", done.returncode, 0)
    seen = json.loads(done.stdout)
    figures = {kol["kol_id"]: kol["followers"] for kol in seen["kols"]}
    for counts in seen["counts"]:
        figures |= {name: counts[name] for name in ("likes", "collects", "comments", "shares")}
    names = [kol["kol_id"] for kol in seen["kols"]]
    return figures, names + [one["suggestion"] for one in seen["suggestions"]]


def check_answer(tidewatch, simulator, truth, question):
    """The SDK accepts an answer and reads what is meant; Tidewatch asks and stores the same."""
    name, method, arguments, read, fetch, version = question
    response = method(**arguments)
    expect(f"{name}: success", (response.success, response.code), (True, 0))
    Result.model_validate(response.raw_json)
    calls = truths(truth)
    meant = calls[-1]
    figures, names = read(response.data, meant["key"])
    expect(f"{name}: figures", (figures, names), (meant["metrics"], meant["items"]))
    if not fetch:
        return holds(f"sdk: {name} is accepted")
    # The filter of a search as the SDK sent it, with every parameter.
    pairs = meant["key"].split("&") if fetch == ("kols",) else []
    stored = fetched(tidewatch, simulator, version, [*fetch, *pairs])
    expect(f"{name}: Tidewatch asks", asked(truths(truth, len(calls))[0]), asked(meant))
    if read is not redirect:
        expect(f"{name}: Tidewatch stores", stored, (figures, names))
    holds(f"sdk: {name} is accepted, and asked and understood alike by Tidewatch")


def check_failures(questions):
    """The SDK takes no failure for a success, and an odd success for one all the same."""
    for name, method, arguments, *_ in questions:
        for fault, wanted in FAULTS:
            try:
                response = method(**arguments)
                got = response.code
                expect(f"{name}: {fault}: success", response.success, wanted == 0)
            except (ProtocolError, TransportError) as error:
                got = type(error)
            expect(f"{name}: {fault}", got, wanted)
        expect(f"{name}: success after the faults", method(**arguments).success, True)
    holds(f"sdk: {len(FAULTS)} faults of {len(questions)} endpoints are seen for what they are")


def check_refusals(simulator):
    """A token that is not accepted, and a question without its parameter."""
    stranger = JustOneAPIClient("another", base_url=simulator.url)
    response = stranger.xiaohongshu.get_note_detail_v1(note_id=simulator.notes[0])
    expect("another token", (response.success, response.code), (False, 100))
    response = simulator.client.xiaohongshu.get_note_detail_v1(note_id="")
    expect("no note id", (response.success, response.code), (False, None))
    expect("no note id: status in the body", response.raw_json["status"], 400)
    holds("sdk: a wrong token and a missing parameter are refused")


def check(tidewatch, introduction, truth, failing):
    simulator = Simulator(introduction)
    video_id = simulator.find_video()
    for question in simulator.questions(video_id):
        check_answer(tidewatch, simulator, truth, question)
    check_refusals(simulator)
    check_failures(Simulator(failing).questions(video_id))


def faults():
    print(";".join(f"*@{nth}={fault}" for nth, (fault, _) in enumerate(FAULTS, 1)))


if __name__ == "__main__":
    {"faults": faults, "check": check}[sys.argv[1]](*sys.argv[2:])
