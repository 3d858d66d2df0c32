"""The kinds of stress, one file each: a kind makes a function that does about a millisecond of its work.

The work must hold no interpreter lock, or the threads would run one at a time. To add a kind: a file, and a line
in :data:`KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable

from latvar_tui.device.burns.burn import Burn
from latvar_tui.device.burns.cpu import cpu
from latvar_tui.device.burns.fp import fp
from latvar_tui.device.burns.mem import mem

KINDS: dict[str, Callable[[], Burn]] = {"cpu": cpu, "fp": fp, "mem": mem}
