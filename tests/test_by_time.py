"""The beginning of a recording against its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from latvar_tui import wire
from latvar_tui.session import by_time
from latvar_tui.session.layout import SessionError
from latvar_tui.session.reader import Session
from tests.scripted_link import MS, hello, line_up, slice_frame, state_frame
from tests.session_files import CANDIDATES, recorded

NULL = str(line_up(["null"])[0])
IDS = [str(candidate) for candidate in line_up(["mobilenet_v2", "squeezenet1_1"])]


def heating(rounds: int, hotter: float) -> list[wire.Frame]:
    """The first is 20 % faster, and in the course of the session ``hotter`` times as slow; the second stays."""
    random = np.random.default_rng(5)
    frames: list[wire.Frame] = [hello(), *(state_frame(name, "ready") for name in IDS)]
    now_ns, seq = hello().monotonic_ns, 0
    for number in range(rounds):
        for place in random.permutation(2).tolist():
            seq += 1
            median_ms = 4.0 * hotter ** (number / rounds) if place == 0 else 4.8
            times: npt.NDArray[np.float64] = 1e6 * median_ms * random.lognormal(0.0, 0.1, 50)
            frame = slice_frame(
                seq, IDS[place], "0xcpu@100%", np.round(times), start_ns=now_ns + 5 * MS, round_number=number
            )
            now_ns = frame.end_ns
            frames.append(frame)
    return frames


def test_heat_that_turns_a_ranking_round_is_a_reversal(tmp_path: Path) -> None:
    session = Session(recorded(tmp_path / "s", heating(150, 1.6)))
    text = "\n".join(by_time.tables(session, None, 0.0, None, (50.0,), None))
    assert "mobilenet_v2 beats squeezenet1_1 in the first" in text and "loses to it in the last" in text
    document = by_time.document(session, 20.0, 0.0, None, (50.0,))
    (reversal,) = document["reversals"]
    assert (reversal["a"], reversal["b"], reversal["quantile"]) == (*IDS, 50.0)
    assert reversal["ratio_from"] > 1.1 and reversal["ratio_to"] < 0.9
    assert document["parts"][0]["to_s"] == 20.0


def test_a_control_competes_with_nobody(tmp_path: Path) -> None:
    """It would be overtaken."""
    frames: list[wire.Frame] = [hello(), state_frame(NULL, "ready"), *(state_frame(name, "ready") for name in IDS)]
    for frame in heating(150, 1.6):
        if isinstance(frame, wire.Slice):
            frames.append(replace(frame, candidate=NULL) if frame.candidate == IDS[0] else frame)
    session = Session(recorded(tmp_path / "s", frames, ["null", *CANDIDATES]))
    assert by_time.document(session, 20.0, 0.0, None, (50.0,))["reversals"] == []
    assert "beats" not in "\n".join(by_time.tables(session, 20.0, 0.0, None, (50.0,), None))


def test_a_ranking_that_stays_is_none(tmp_path: Path) -> None:
    session = Session(recorded(tmp_path / "s", heating(150, 1.0)))
    document = by_time.document(session, None, 0.0, None, (50.0,))
    assert document["reversals"] == []
    assert document["kendall_tau"][0]["kendall_tau"] == 1.0
    text = by_time.tables(session, None, 0.0, None, (50.0,), None)
    assert text[0] == "idle" and "1 same order" in "\n".join(text)


def test_parts_that_would_overlap_are_refused(tmp_path: Path) -> None:
    session = Session(recorded(tmp_path / "s", heating(30, 1.0)))
    with pytest.raises(SessionError, match="shorter --part"):
        by_time.tables(session, 12.0, 0.0, None, (50.0,), None)
