"""Which note the banner shows, and for how long."""

from __future__ import annotations

from latvar_tui.tui.notices import LEAST_S, MOST_S, Notices


def test_a_note_is_shown_for_a_while() -> None:
    notices = Notices()
    assert notices.shown([], 0.0) == ""
    assert notices.shown(["held for 3 s"], 1.0) == "held for 3 s"
    assert notices.shown(["held for 3 s"], 1.0 + MOST_S - 0.1) == "held for 3 s"
    assert notices.shown(["held for 3 s"], 1.0 + MOST_S) == ""


def test_one_that_follows_at_once_waits_its_turn() -> None:
    notices = Notices()
    notes = ["held for 3 s"]
    assert notices.shown(notes, 0.0) == "held for 3 s"
    notes.append("others take 1 core")
    assert notices.shown(notes, 0.3) == "held for 3 s"
    assert notices.shown(notes, LEAST_S) == "others take 1 core"


def test_the_same_words_may_be_said_again() -> None:
    notices = Notices()
    first, again = "".join(["he", "ld"]), "".join(["h", "eld"])
    assert notices.shown([first], 0.0) == "held"
    assert notices.shown([first], 20.0) == ""
    assert notices.shown([first, again], 21.0) == "held"
