"""What a terminal is taken to show, and that what is drawn for it can be read and told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.style import Style

from latvar_tui.colours import CANDIDATES
from latvar_tui.preferences import THEME, recall
from latvar_tui.tui.charset import plain
from latvar_tui.tui.looks import DARK, LIGHT, Charset, Depth, Looks, looks_here
from latvar_tui.tui.palette import DIM, SPOTS, bar_styles, candidate_style, letter, spot
from latvar_tui.tui.roles import RolePainter
from latvar_tui.tui.themes import ON_BLACK, ON_LIGHT, OWN, full_name, roles_of, theme_names
from tests.test_screen import IDLE, make_app, settled

HALVES = "▄█"
"""What bars on a live screen are made of."""


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    yield


@pytest.mark.parametrize(
    ("environ", "depth", "charset"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Depth.MANY, Charset.UNICODE),
        ({"TERM": "tmux-256color"}, Depth.MANY, Charset.UNICODE),
        ({"TERM": "xterm"}, Depth.SIXTEEN, Charset.UNICODE),
        ({"TERM": "screen"}, Depth.SIXTEEN, Charset.UNICODE),
        ({"TERM": "linux"}, Depth.SIXTEEN, Charset.CONSOLE),
        ({"TERM": "vt100"}, Depth.NONE, Charset.ASCII),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Depth.NONE, Charset.UNICODE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, Depth.MANY, Charset.UNICODE),
    ],
)
def test_a_terminal_is_taken_for_what_it_says(environ: dict[str, str], depth: Depth, charset: Charset) -> None:
    assert looks_here(environ=environ, encoding="UTF-8") == Looks(depth, charset, "")


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "ANSI_X3.4-1968", "eucJP"])
def test_without_utf_8_there_is_ascii(encoding: str) -> None:
    assert looks_here(environ={"TERM": "xterm"}, encoding=encoding).ascii


def test_wishes_come_before_the_environment() -> None:
    environ = {"TERM": "xterm-256color", "TEXTUAL_THEME": "nord"}
    assert looks_here(environ=environ, encoding="utf-8").theme == "nord"
    assert looks_here("light", True, environ=environ, encoding="utf-8") == Looks(Depth.MANY, Charset.ASCII, LIGHT)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from(list(Charset)))
def test_plainer_characters_take_as_many_cells(text: str, charset: Charset) -> None:
    shown = plain(text, charset)
    assert cell_len(shown) == cell_len(text)
    assert shown.isascii() or charset is not Charset.ASCII


@pytest.mark.parametrize("ascii", [False, True], ids=["unicode", "ascii"])
def test_without_colours_shapes_and_candidates_differ_by_their_characters(ascii: bool) -> None:
    painter = RolePainter(roles_of(OWN[0], {}, Depth.NONE), ascii=ascii, colours=False)
    styles = bar_styles(1)

    def painted(style: Style, text: str) -> Segment:
        return painter.segments([Segment(text, style)], Style.null())[0]

    recent, whole = painted(styles.recent, HALVES).text, painted(styles.whole, HALVES).text
    assert not set(recent) & set(whole) and len(recent) == len(whole) == len(HALVES)
    assert all(each.style is None or each.style.color is None for each in [painted(styles.recent, "x")])
    for slot in (0, 7, 8, 39):
        assert painted(candidate_style(slot), f"{spot(slot)} name").text == f"{letter(slot)} name"


def test_forty_candidates_differ_by_colour_or_sign() -> None:
    seen = {(str(candidate_style(slot)), spot(slot)) for slot in range(len(CANDIDATES) * len(SPOTS))}
    assert len(seen) == 40


# -- colours ----------------------------------------------------------------------------------------


_KINDS = {
    "usual": np.eye(3),
    # Machado, Oliveira and Fernandes 2009, severity 1: what each kind of colour blindness makes of linear RGB.
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


def _linear(text: str) -> npt.NDArray[np.float64]:
    parts = np.array(Color.parse(text).get_truecolor()) / 255
    found: npt.NDArray[np.float64] = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return found


def _lab(linear: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    xyz = _TO_XYZ @ np.clip(linear, 0, 1) / _WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _contrast(one: str, other: str) -> float:
    low, high = sorted(float(_TO_XYZ[1] @ _linear(each)) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("colours", "ground", "least"),
    [(CANDIDATES, "#121212", 3.0), (ON_LIGHT, "#fafafa", 4.5), (ON_BLACK, "#000000", 7.0)],
    ids=["dark", "light", "contrast"],
)
def test_candidates_can_be_read_on_their_ground(colours: Sequence[str], ground: str, least: float) -> None:
    assert len(colours) == len(CANDIDATES)
    assert min(_contrast(colour, ground) for colour in colours) >= least


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize(
    ("colours", "least"), [(CANDIDATES, 7.0), (ON_LIGHT, 19.0), (ON_BLACK, 22.0)], ids=["dark", "light", "contrast"]
)
def test_colour_blind_eyes_tell_candidates_apart(colours: Sequence[str], least: float, kind: str) -> None:
    """Okabe and Ito's grey is the nearest to another one; the other two sets were sought for this."""
    seen = [_lab(np.array(_KINDS[kind]) @ _linear(colour)) for colour in colours]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) >= least


@pytest.mark.parametrize("theme", OWN, ids=lambda theme: theme.name)
def test_shapes_stay_apart_in_256_colours(theme: object) -> None:
    from textual.theme import Theme

    assert isinstance(theme, Theme)
    roles = roles_of(theme, theme.to_color_system().generate(), Depth.MANY)
    recent, whole = [], []
    for place in range(len(CANDIDATES)):
        for found, name in ((recent, f"role-candidate{place}"), (whole, f"role-candidate{place}-whole")):
            colour = roles[name].color
            assert colour is not None
            found.append(colour.downgrade(ColorSystem.EIGHT_BIT).number)
    assert len(set(recent)) == len(recent)
    assert all(front != back for front, back in zip(recent, whole, strict=True))


# -- themes -----------------------------------------------------------------------------------------


def test_every_theme_answers_every_role() -> None:
    app = make_app(IDLE)
    names = {DIM.color.name} if DIM.color else set()
    for name in theme_names():
        app.wear(Looks(theme=name))
        roles = roles_of(app.current_theme, app.current_theme.to_color_system().generate(), Depth.MANY)
        assert names <= set(roles)
    assert full_name("light") == LIGHT and full_name("no such theme") is None


async def test_a_theme_is_chosen_by_key_and_remembered() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("L")
        assert app.theme == LIGHT and recall(THEME) == LIGHT
    again = make_app(IDLE)
    again.wear(Looks())
    assert again.theme == LIGHT
    again.wear(Looks(theme=DARK))
    assert again.theme == DARK


async def test_every_action_and_theme_is_in_the_palette() -> None:
    app = make_app(IDLE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert {f"theme: {name}" for name in theme_names()} <= set(titles)
