"""How many cores there are to run on: usable ones, and physical ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from latvar_tui.device.cores import physical_cores, usable_cores


def tree(folder: Path, siblings: dict[int, str], name: str = "core_cpus_list") -> Path:
    for cpu, text in siblings.items():
        topology = folder / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / name).write_text(text + "\n")
    return folder


@pytest.mark.parametrize("name", ["core_cpus_list", "thread_siblings_list"])
def test_hyper_threads_of_a_core_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    folder = tree(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}, name)
    assert (usable_cores(), physical_cores(folder)) == (4, 2)


def test_only_usable_ones_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 3}, raising=False)
    folder = tree(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert (usable_cores(), physical_cores(folder)) == (3, 2)


def test_where_the_system_tells_nothing_all_usable_ones_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert physical_cores(tmp_path) == 2

    def refuse(pid: int) -> set[int]:
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", refuse, raising=False)
    assert physical_cores(tmp_path) == usable_cores() == (os.cpu_count() or 1)
