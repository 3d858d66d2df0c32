"""Reads HdrHistogram logs of other tools: V2 histograms of any layout, tagged or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latvar_tui import hdr_codec
from latvar_tui.hdr_layout import COUNTS_LEN, HIGHEST_NS, highest_ns, indices_of, lowest_ns, median_ns
from latvar_tui.session.foreign import MOST_TIME_NS, UNITS_NS, Foreign, Names, Piece, Wanted, text_lines
from latvar_tui.session.hlog import LONGEST_LINE
from latvar_tui.session.layout import SessionError
from latvar_tui.wire import Counts

_MOST_S = 100 * 365.25 * 86_400.0
_STAMP = r"(\d{1,12}(?:\.\d{1,9})?)"
_LINE = re.compile(rf"(?:Tag=([^,\s]+),)?{_STAMP},{_STAMP},\d[\d.eE+-]*,([A-Za-z0-9+/=]+)")


def read_log(path: Path, wanted: Wanted, wall_ns: int) -> Foreign:
    """Intervals as they are, in the order of their beginnings: tools write one tag behind another."""
    if wanted.column is not None:
        raise SessionError(f"'{path}' is an HdrHistogram log and has no columns: leave --column out.")
    names = Names(path, wanted)
    header: dict[str, float] = {}
    intervals: dict[tuple[str, str, str, str, int], dict[str, int]] = {}
    tags: dict[str, None] = {}
    for number, at, line in text_lines(path):
        if line.startswith("#"):
            found = re.match(rf"#\[(BaseTime|StartTime): {_STAMP}", line)
            if found:
                header.setdefault(found[1], float(found[2]))
            continue
        if line.startswith('"StartTimestamp"') or not line.strip():
            continue
        told = _LINE.fullmatch(line)
        if told is None:
            raise SessionError(f"'{path}' cannot be imported: line {number} is none of an HdrHistogram log.")
        tag = told[1] or ""
        tags.setdefault(tag)
        if wanted.tags and tag not in wanted.tags:
            continue
        candidate, condition, quantity = names.of(tag)
        copy = 0
        while quantity in (places := intervals.setdefault((candidate, condition, told[2], told[3], copy), {})):
            copy += 1
        places[quantity] = at
    missing = [tag for tag in wanted.tags if tag not in tags]
    if missing or not intervals:
        told_tags = ", ".join(tag or "(none)" for tag in list(tags)[:10])
        what = f"has no tag '{missing[0]}'" if missing else "holds no interval"
        raise SessionError(f"'{path}' {what}{f': it has {told_tags}' if tags else ', so there is nothing to import'}.")
    if max(float(start) + float(length) for _, _, start, length, _ in intervals) > _MOST_S:
        raise SessionError(f"'{path}' cannot be imported: an interval ends more than a hundred years from its base.")
    first_s = min(float(start) for _, _, start, _, _ in intervals)
    base_s = header.get("BaseTime")
    if base_s is None:  # as HistogramLogReader.java decides whether starts are relative
        began_s = header.get("StartTime", wall_ns / 1e9)
        base_s = began_s if first_s < began_s - 365 * 86_400 else 0.0
    if base_s + first_s > _MOST_S:
        raise SessionError(f"'{path}' cannot be imported: it begins more than a hundred years after 1970.")
    notes = ["Means and extremes are those of the log's buckets: it tells no exact ones."]
    unit_ns = UNITS_NS[wanted.unit or "ns"]
    candidates = list(dict.fromkeys(candidate for candidate, *_ in intervals))
    return Foreign(
        "HdrHistogram log",
        round((base_s + first_s) * 1e9),
        candidates,
        _log_pieces(path, intervals, first_s, unit_ns),
        notes,
    )


def _log_pieces(
    path: Path, intervals: dict[tuple[str, str, str, str, int], dict[str, int]], first_s: float, unit_ns: int
) -> Iterator[Piece]:
    with open(path, "rb") as file:
        for (candidate, condition, start, length, _), places in sorted(
            intervals.items(), key=lambda item: float(item[0][2])
        ):
            counts: dict[str, Counts] = {}
            for quantity, at in places.items():
                file.seek(at)
                text = file.readline(LONGEST_LINE).decode().rstrip("\r\n").rpartition(",")[2]
                try:
                    counts[quantity] = _counts_of_text(text, unit_ns)
                except ValueError as error:
                    raise SessionError(f"'{path}' cannot be imported: at {start} s {error}.") from error
            yield Piece(candidate, condition, round((float(start) - first_s) * 1e9), round(float(length) * 1e9), counts)


def _counts_of_text(text: str, unit_ns: int) -> Counts:
    """A histogram of any layout in ours. Raises ValueError."""
    (lowest, digits), indices, counts = hdr_codec.decode_any(text)
    if not counts.size:
        return Counts()
    if unit_ns == 1 and (lowest, digits) == hdr_codec.LAYOUT and indices[-1] < COUNTS_LEN:
        return _counts(indices, counts)
    # A quantile is the highest value of its bucket, there as here: so it stays what the other tool says.
    values = hdr_codec.highest_of(indices, lowest, digits).astype(np.float64) * unit_ns
    if values.max() >= MOST_TIME_NS:
        raise ValueError("a time is longer than a hundred years")
    exact = values.astype(np.int64)
    ours = indices_of(exact)
    used, place = np.unique(ours, return_inverse=True)
    return _counts(
        used, np.bincount(place, weights=counts).astype(np.int64), int(counts[exact > HIGHEST_NS].sum()), int(exact[-1])
    )


def _counts(indices: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], overflow: int = 0, most: int = 0) -> Counts:
    """Of buckets alone; ``most`` is the longest time where that is known."""
    total = float(median_ns(indices).astype(np.float64) @ counts)
    if total >= MOST_TIME_NS:
        raise ValueError("the times are more than a hundred years together")
    highest = max(int(highest_ns(indices[-1])), most if overflow else 0)
    lowest = int(lowest_ns(indices[0]))
    return Counts(np.column_stack((indices, counts)).tolist(), lowest, highest, round(total), overflow)
