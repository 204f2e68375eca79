"""How the checks speak: a line for what holds, the end with a reason for what does not."""

import sys


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"peers: {what}: got {got!r}, wanted {wanted!r}")


def holds(text):
    print(f"peers: {text}", flush=True)
