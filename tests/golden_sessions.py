"""Small sessions that are kept, and what is concluded of each: changed statistics show what they change.

``python -m tests.golden_sessions`` writes ``verdicts.json`` beside each anew; scripted sessions, too, if they are gone.
``recorded`` is a real one: a sweep of three models for 75 s on a virtual machine of two cores.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

from latvar_tui import headless
from latvar_tui.condition import Condition
from latvar_tui.paper_table import as_json, grid_of
from latvar_tui.session.reader import Session
from latvar_tui.session.recorder import SessionRecorder
from latvar_tui.study.plan import Goal, Plan
from latvar_tui.sweeping import Sweep
from tests.scripted_link import board_of, line_up
from tests.scripted_probe import ScriptedProbe, Silent, all_alike, in_order, reversing

FOLDER = Path(__file__).parent / "sessions"
QUANTILES = (50.0, 95.0)
SCRIPTED = {"reverses": reversing, "same_order": in_order, "alike": all_alike}
NAMES = ["squeezenet1_1", "mobilenet_v2"]
LEVELS = [Condition(0), Condition(2)]


def conclusions(folder: Path) -> dict[str, Any]:
    """What is claimed of a session; no number that a better interval would change."""
    board = Session(folder).board()
    grid = grid_of(board)
    first, *others = grid.columns
    study = board.study
    return {
        "order": [
            {"pair": [a, b], "quantile": q, "to": str(c), "is": study.order(a, b, q, first, c)[0]}
            for q in QUANTILES
            for c in others
            for a, b in combinations(grid.rows, 2)
        ],
        "best": [
            {"quantile": q, "condition": str(c), "best": list(study.groups(c, q, list(grid.rows)).best)}
            for q in QUANTILES
            for c in grid.columns
        ],
        "reversals": [
            {"a": one.a, "b": one.b, "quantile": one.quantile, "from": str(one.before), "to": str(one.after)}
            for one in study.reversals(QUANTILES)
        ],
        "tau": [round(tau["kendall_tau"], 2) for tau in as_json(grid, QUANTILES)],
    }


def sessions() -> list[Path]:
    return sorted(path.parent for path in FOLDER.glob("*/session.json"))


def _record(name: str) -> None:
    goal = Goal(25.0) if name == "alike" else Goal(1e6)
    board = board_of(NAMES)
    recorder = SessionRecorder(line_up(NAMES), {"quantile": 95.0, "slice_ms": 250.0}, FOLDER / name)
    course = Sweep(board, Plan(LEVELS, goal, seed=1))
    headless.measure(ScriptedProbe(NAMES, SCRIPTED[name]), board, course, Silent(), recorder)
    recorder.close("done")


def main() -> None:
    for name in SCRIPTED:
        if not (FOLDER / name).exists():
            _record(name)
            (FOLDER / name / "board.json").unlink(missing_ok=True)  # a shortcut of one version of the code
    for folder in sessions():
        (folder / "verdicts.json").write_text(json.dumps(conclusions(folder), indent=1) + "\n")


if __name__ == "__main__":
    main()
