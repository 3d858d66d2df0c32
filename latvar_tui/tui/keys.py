"""The keys of the live screen: one table feeds the bindings, the footer, the help and the README."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

from latvar_tui.tui.views.names import VIEWS


@dataclass(frozen=True)
class Key:
    """``keys`` are Textual's names; ``shown`` is what people read; an empty ``label`` is not in the footer.

    ``replay`` is the label while a recording is played, where it is another one.
    """

    keys: str
    shown: str
    action: str
    label: str
    help: str
    replay: str | None = None


KEYS: tuple[Key, ...] = (
    Key("left,minus", "← -", "stress(-1)", "", "one stress thread less"),
    Key("right,plus,equals_sign", "→ +", "stress(1)", "← → 0-9 stress", "one stress thread more", ""),
    Key("0,1,2,3,4,5,6,7,8,9", "0 … 9", "stress_to_key", "", "that many stress threads at once"),
    Key("tab", "tab", "next_view(1)", "tab view", "next view, round and round"),
    Key("shift+tab", "shift+tab", "next_view(-1)", "", "the view before"),
    *(Key(*view.keys, f"view('{view.name}')", "", f"{view.title}: {view.help}") for view in VIEWS),
    Key("x", "x", "sweep", "x sweep", "sweep: stress levels and candidates by plan, until it is known who wins where; again: pause, go on", ""),
    Key("v", "v", "next_rival", "", "in the compare view: another rival, and after the last one the fastest again"),
    Key("m,slash", "m /", "choose_models", "m models", "choose models: filter the list by typing, add and remove candidates, with their settings", ""),
    Key("t", "t", "next_kind", "t kind", "next kind of stress: integer, floating-point or memory work, and stress-ng's where it is installed", ""),
    Key("left_square_bracket", "[", "load(-10)", "", "load down: each stress thread is busy 10 % less of the time"),
    Key("right_square_bracket", "]", "load(10)", "[ ] load", "load up", ""),
    Key("down,j", "↓ j", "select(1)", "", "select the next candidate"),
    Key("up,k", "↑ k", "select(-1)", "", "select the candidate before"),
    Key("enter", "enter", "detail", "", "the selected candidate: settings, inputs, memory, first inferences; starts a probe again that has died"),
    Key("o", "o", "outliers", "", "outliers: the ten slowest inferences of the selected candidate, and what likely made each slow"),
    Key("a", "a", "alone", "a alone", "run the selected candidate alone, or all again", ""),
    Key("less_than_sign", "<", "leaf(-1)", "", "show the condition before beside the present one, or instead where room is short"),
    Key("greater_than_sign", ">", "leaf(1)", "< > leaf", "show the next condition visited, and past the last none in particular"),
    Key("p", "p", "next_quantile", "p quantile", "next quantile that ratios compare"),
    Key("w", "w", "window", "w window", "the numbers of the table and the curves: of the whole condition, or of its last 10 s"),
    Key("l", "l", "axis", "", "histograms over a linear axis, or a logarithmic one again"),
    Key("b", "b", "keep_base", "b base", "keep these histograms as outline behind the live ones and as base; again: drop"),
    Key("c", "c", "clear", "c clear", "clear all counts, those of every condition: pressed twice; the session keeps them", ""),
    Key("r", "r", "record", "", "recording off, or on again; measuring goes on"),
    Key("n", "n", "mark", "", "a named mark, kept in the session and on its line of dots"),
    Key("e", "e", "export", "", "export every cell: HdrHistogram log, percentile tables, CSV or JSON"),
    Key("s", "s", "picture", "", "save a picture of the screen, as SVG and as text"),
    Key("y", "y", "copy", "", "copy the table to your own clipboard, also over SSH (tab-separated; the terminal must allow OSC 52)"),
    Key("g", "g", "large_print", "", "the selected candidate alone in large print, for a hall; again: back"),
    Key("space", "space", "freeze", "space freeze", "freeze the picture; measuring goes on (in a recording: hold the playing, or go on)", "space holds"),
    Key("comma", ",", "jump(-10)", "", "in a recording (show --live): 10 s back"),
    Key("full_stop", ".", "jump(10)", "", "in a recording: 10 s forward", ", . jump"),
    Key("f", "f", "faster", "", "in a recording: play faster (4×, 16×, as fast as can be drawn), then at its own pace again", "f faster"),
    Key("i", "i", "show_device", "i device", "this device: facts, sensors, and what the probe printed"),
    Key("L", "L", "next_theme", "", "looks: dark, light, high contrast; ctrl+p has Textual's themes, too; it is remembered"),
    Key("ctrl+l", "ctrl+l", "redraw_screen", "", "draw the whole screen again"),
    Key("ctrl+p", "ctrl+p", "command_palette", "", "every command by name"),
    Key("ctrl+z", "ctrl+z", "hold", "", "back to the shell; the measurement is held until fg"),
    Key("question_mark", "?", "show_help", "? help", "this help"),
    Key("q", "q", "leave", "q quit", "quit (ctrl+c too)"),
)  # fmt: skip


def bindings() -> list[Binding]:
    """The table as Textual wants it."""
    found: list[Binding] = []
    for key in KEYS:
        for name in key.keys.split(","):
            action = f"stress_to({name})" if key.action == "stress_to_key" else key.action
            # Textual's own screens take tab for the focus, which nothing here has.
            first = name.startswith("ctrl") or name.endswith("tab")
            found.append(Binding(name, action, key.help, show=False, priority=first))
    found.append(Binding("ctrl+c", "interrupt", "quit", show=False, priority=True))
    return found


def footer_keys(in_replay: bool) -> list[tuple[str, str]]:
    """(label, action) of the keys that the footer names; in a replay those that play it come first."""
    if not in_replay:
        return [(key.label, key.action) for key in KEYS if key.label]
    played = [(key.replay, key.action) for key in KEYS if key.replay]
    return played + [(key.label, key.action) for key in KEYS if key.label and key.replay is None]


def help_lines() -> list[tuple[str, str]]:
    """(keys, what they do), for the help screen and the README."""
    return [(key.shown, key.help) for key in KEYS]
