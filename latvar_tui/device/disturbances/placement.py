"""Where the model may run, and for how long: cores that are taken away, and quotas of control groups."""

from __future__ import annotations

from pathlib import Path

from latvar_tui.condition import cores_text
from latvar_tui.device.disturbances.detector import (
    NOTHING,
    Detector,
    Device,
    Finding,
    Gap,
    Growing,
    NotHere,
)
from latvar_tui.device.polled import Polled


class AllowedCores(Detector):
    """The cores that the runner may use, against those it had when first seen under this condition.

    ``taskset``, a cpuset (Android moves an app in the background to the little cores) or a core that is switched off
    change them. Under another condition they may be others because the user asked for that.
    """

    mark, what, every_s = "cpuset", "cores that are taken away from the model, or given to it", 0.0

    MOST_KEPT = 256

    def __init__(self, device: Device) -> None:
        if device.affinity is None:
            raise NotHere("this platform does not tell which cores a process may use")
        self._affinity = device.affinity
        try:
            self._affinity(0)
        except OSError as error:
            raise NotHere(f"it is not told which cores a process may use ({error.strerror})") from error
        self._first: dict[tuple[int, str], frozenset[int]] = {}
        self._told: dict[int, frozenset[int]] = {}

    def look(self, gap: Gap) -> Finding:
        try:
            now = frozenset(self._affinity(gap.runner_pid))
        except ProcessLookupError:
            return NOTHING
        if len(self._first) > self.MOST_KEPT:
            self._first.clear()
            self._told.clear()
        key = (gap.runner_pid, gap.condition)
        if key not in self._first:
            self._first[key] = self._told[gap.runner_pid] = now
        first, told = self._first[key], self._told.get(gap.runner_pid, now)
        self._told[gap.runner_pid] = now
        note = ""
        if now != told:
            model = gap.candidate.partition("@")[0].rpartition("/")[2]
            note = f"The cores that {model} may use changed from {cores_text(sorted(told))} to {_text(now)}."
        return Finding(marked=now != first or now != told, note=note)


def _text(cores: frozenset[int]) -> str:
    return cores_text(sorted(cores)) or "none"


class Quota(Detector):
    """A control group's CPU quota that has run out: everything in it stands still until the next period.

    To the model that looks like waiting for a core; here it is told apart from other tasks on the cores.
    """

    mark, what, every_s, calm_s = "quota", "a control group whose CPU quota has run out", 0.25, 60.0

    MOST_LEVELS = 4

    def __init__(self, device: Device) -> None:
        self._files = [
            file for file in (_counting(path) for path in _stat_files(device.root)) if file is not None
        ][: self.MOST_LEVELS]  # fmt: skip
        if not self._files:
            raise NotHere("no control group of ours with a CPU controller can be read")
        self._growing = Growing(self._count(), 1.0, "The CPU quota no longer runs out.")

    def _count(self) -> int:
        return sum(_throttled(file) or 0 for file in self._files)

    def look(self, gap: Gap) -> Finding:
        began = "The CPU quota of our control group runs out: everything stands still until its next period."
        return self._growing.finding(self._count(), gap.now_s, began)


def _counting(path: Path) -> Polled | None:
    """The file, if it counts throttled periods (the root group's does not)."""
    try:
        file = Polled(path)
        return None if _throttled(file) is None else file
    except (OSError, ValueError):
        return None


def _throttled(file: Polled) -> int | None:
    for line in file.text().splitlines():
        name, _, value = line.partition(" ")
        if name == "nr_throttled":
            return int(value)
    return None


def _stat_files(root: Path) -> list[Path]:
    """``cpu.stat`` of our group and of those above it, whose quotas hold for us, too; v1 and v2 (cgroups(7))."""
    try:
        text = (root / "proc/self/cgroup").read_text()
    except (OSError, UnicodeDecodeError):
        return []
    found: list[Path] = []
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mounts = [controllers, "cpu,cpuacct", "cpu"] if controllers else ["", "unified"]
        for mount in dict.fromkeys(mounts):
            base = root / "sys/fs/cgroup" / mount
            # In a container the group's own name is often that of the host, and what is mounted begins at it.
            inside = (base / group.strip("/")).resolve()
            above = [inside, *inside.parents]
            levels = [level for level in above if level == base.resolve() or base.resolve() in level.parents]
            stats = [level / "cpu.stat" for level in levels if (level / "cpu.stat").is_file()]
            if stats:
                found += stats
                break
    return list(dict.fromkeys(found))
