"""The simulator's amagi against the real one: the same questions get the same answers.

    alike.py faults                  what the simulator is to fail with
    alike.py check REAL SIMULATED    the addresses of both
"""

import json
import re
import sys
import urllib.error
import urllib.request
from decimal import Decimal

from expect import expect, holds

# Of works.json.
VIDEO, HIDDEN = "7601234567890123456", "7600000000000000001"

# What the simulator fails with to be held against the platform's answer for the same work.
FAULTS = {
    "7600000000000000003": "empty", "7600000000000000005": "dead-cookie",
    "7600000000000000006": "risk", "7600000000000000008": "500",
}


def faults():
    print(";".join(f"amagi#{work}={fault}" for work, fault in FAULTS.items()))


def check(real, simulated):
    """Statuses, codes, words and keys around the work are the same, and so are its numbers."""
    pairs = {fault: both(real, simulated, f"aweme_id={work}") for work, fault in FAULTS.items()}
    pairs["no parameter"] = both(real, simulated, "")
    pairs["a link"] = both(real, simulated, "url=https%3A%2F%2Fv.douyin.com%2FInvented1%2F")
    pairs["a video"] = both(real, simulated, f"aweme_id={VIDEO}")
    pairs["a hidden work"] = [answer(real, f"aweme_id={HIDDEN}"), deleted(simulated)]
    for name, (theirs, ours) in pairs.items():
        expect(f"amagi: simulated as the real one: {name}", form(ours), form(theirs))
    for server, body in zip(("real", "simulated"), pairs["a video"]):
        exact = [number for number in numbers(body) if number != Decimal(repr(float(number)))]
        expect(f"amagi: numbers of the {server} one that JavaScript would round", exact, [])
    holds(f"amagi: simulated as the real one: {', '.join(pairs)}")


def both(real, simulated, question):
    return [answer(server, question) for server in (real, simulated)]


def answer(server, question):
    """Status and body of an answer."""
    url = f"{server}/api/douyin/fetch_one_work{'?' if question else ''}{question}"
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def deleted(simulated):
    """The simulator's answer for a work that is no more: some of its works are."""
    for n in range(1000):
        status, body = answer(simulated, f"aweme_id={7600000000000001000 + n}")
        if "error" in body:
            return status, body
    sys.exit("peers: amagi: none of 1,000 simulated works is deleted")


def form(reply):
    """An answer without what differs from work to work and from call to call."""
    status, body = reply
    around = dict(body)
    around["requestPath"] = re.sub(r"\d{19}", "…", body["requestPath"])
    if body.get("data"):
        kinds = {key: type(body["data"][key]).__name__ for key in ("status_code", "aweme_detail")}
        around["data"] = kinds
    if "error" in body:
        around["error"] = body["error"] | {
            "requestUrl": body["error"]["requestUrl"].partition("?")[0],
            "errorDescription": re.sub(r"status_\w+", "…", body["error"]["errorDescription"])}
    return status, around


def numbers(value):
    """Every whole number in a document."""
    if isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int):
        yield value


if __name__ == "__main__":
    {"faults": faults, "check": check}[sys.argv[1]](*sys.argv[2:])
