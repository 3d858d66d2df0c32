"""A session's folder: its files, their names, and what may go wrong with them.

``session.json``       schema, versions, device, candidates, options, when it began, and when and why it ended
``intervals.hlog``     HdrHistogram log: the service times of each slice
``waits.hlog``         likewise, the waits within them, where the platform tells
``responses.hlog``     likewise, the response times, in open loop only
``frames.jsonl.gz``    everything else of every frame, one JSON object a line
``board.json``         a shortcut: what all frames up to some point add up to

Everything but ``session.json`` and ``board.json`` only ever grows. Nothing in the shortcut is not in the others.

Why gzip: a frame without its histograms is 1.1 kB of JSON, 400 MB a day; compressed and flushed slice by slice it is
300 bytes, at 50 µs a slice. Members follow each other, one a few minutes, so damage costs no more than one; and
``zcat frames.jsonl.gz`` shows it all, also while it grows.
"""

from __future__ import annotations

SCHEMA = "latvar-tui-session/1"
_SCHEMA_NAME, SCHEMA_NUMBER = "latvar-tui-session", 1

ABOUT = "session.json"
MOST_ABOUT_BYTES = 4 << 20
"""It is read whole."""
INTERVALS = "intervals.hlog"
WAITS = "waits.hlog"
RESPONSES = "responses.hlog"
FRAMES = "frames.jsonl.gz"
BOARD = "board.json"

LOGS = {"service": INTERVALS, "wait": WAITS, "response": RESPONSES}
"""Where the pairs of each of a slice's :class:`latvar_tui.wire.Counts` go."""

GROWING = (*LOGS.values(), FRAMES)


class SessionError(Exception):
    """A session cannot be used; the message is one sentence: what, why, what to do."""


def schema_problem(schema: object) -> str | None:
    """Why a session of this schema cannot be read, or None."""
    name, slash, number = str(schema).partition("/")
    if name != _SCHEMA_NAME or not slash or not number.isdecimal() or len(number) > 6:
        return f"its schema is no latvar-tui session's ('{str(schema)[:40]}')"
    if int(number) > SCHEMA_NUMBER:
        return (
            f"it was recorded by a newer latvar-tui (schema {number}, this one reads {SCHEMA_NUMBER}): update this one"
        )
    return None
