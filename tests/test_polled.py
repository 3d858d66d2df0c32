"""The kernel's files, read with few system calls: a short one at once, a long one to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from latvar_tui.device.polled import MOST_BYTES, Polled, read_once, read_whole

needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc here")


@needs_proc
def test_a_file_that_one_read_does_not_hold_is_read_to_its_end() -> None:
    """The children of a busy stress-ng are such a file; every process has one in its mappings, whose last are these."""
    assert len(read_once("/proc/self/maps")) <= MOST_BYTES
    assert b"[stack]" not in read_once("/proc/self/maps")
    assert len(read_whole("/proc/self/maps")) > MOST_BYTES
    assert b"[stack]" in read_whole("/proc/self/maps")


def test_each_way_reads_a_short_file_and_says_when_it_is_gone(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_text("12\n")
    polled = Polled(short)
    assert read_once(str(short)) == read_whole(str(short)) == b"12\n"
    assert polled.number() == 12
    short.write_text("7\n")
    assert polled.number() == 7
    short.unlink()
    for read in (read_once, read_whole):
        with pytest.raises(FileNotFoundError):
            read(str(short))
