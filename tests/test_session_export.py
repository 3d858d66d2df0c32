"""Exports, and that others' tools read our logs: Java's and JavaScript's HdrHistogram, where they are installed."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latvar_tui import wire
from latvar_tui.hdr_layout import highest_ns, indices_of
from latvar_tui.histogram import Histogram
from latvar_tui.session import export, hgrm, hlog
from latvar_tui.session.layout import INTERVALS, SessionError
from latvar_tui.session.reader import Session
from tests.conftest import call_cli, run_cli
from tests.scripted_link import MS, board_of, hello, session, slice_frame, state_frame
from tests.session_files import CANDIDATES, recorded, recorder_of, some_frames
from tests.test_imports import without

JAR = Path("/usr/share/java/hdrhistogram.jar")
java = pytest.mark.skipif(
    not JAR.exists() or shutil.which("java") is None, reason=f"no java, or no {JAR} (Debian's libhdrhistogram-java)"
)
QUANTILES = (50.0, 90.0, 99.0, 99.9, 99.99)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("export") / "a", some_frames())


def whole(folder: Path, form: str, per: str = "cell") -> str:
    return "".join(map(str, export.exported(Session(folder), form, per)))


def processed(*arguments: str | Path) -> str:
    command = ["java", "-cp", str(JAR), "org.HdrHistogram.HistogramLogProcessor", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def uncapped(histogram: Histogram) -> list[int]:
    """Our quantiles (ns) as Java's and JavaScript's tools print them: without an exact maximum to cap a bucket with."""
    shown = histogram.quantiles_ns(QUANTILES)
    return [int(value) for value in highest_ns(indices_of(shown))]


@java
def test_java_reads_our_log_and_finds_our_quantiles(folder: Path, tmp_path: Path) -> None:
    log = folder / INTERVALS
    board = board_of(CANDIDATES, some_frames())
    tags = hlog.Tags()
    found = {tags.of(contender.id, str(condition)): cell for contender, condition, cell in board.cells()}
    listed = processed("-i", log, "-listtags").splitlines()
    assert set(listed[1:]) >= set(found)
    for tag, cell in found.items():
        processed("-i", log, "-tag", tag, "-csv", "-o", tmp_path / "out")
        last = (tmp_path / "out").read_text().splitlines()[-1].split(",")
        # Timestamp, then Int_Count, Int_50%, Int_90%, Int_Max, Total_Count, Total_50% … Total_99.99%, Total_Max
        assert int(last[5]) == cell.service.total
        ours = [f"{value / 1e6:.3f}" for value in uncapped(cell.service)]
        assert [f"{float(text):.3f}" for text in last[6:11]] == ours


@java
def test_java_prints_our_percentile_table(folder: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    cells = [one.histograms["service"] for one in export._cells(Session(folder))]
    for many in (1, 2, 3, 7, 1000, 40_000):
        histogram = Histogram()
        histogram.record((random.lognormal(15, 1.5, many)).astype(np.int64))
        cells.append(histogram)
    for number, histogram in enumerate(cells):
        log = tmp_path / f"{number}.hlog"
        pairs = np.column_stack(histogram.sparse())
        log.write_bytes(hlog.header(10**18, "a test") + hlog.line("x", "1.000", 10**9, 5, pairs))
        processed("-i", log, "-tag", "x", "-o", tmp_path / "out")
        theirs = (tmp_path / "out.hgrm").read_text().splitlines()
        table = theirs[next(place for place, line in enumerate(theirs) if "Percentile" in line and "[" not in line) :]
        assert hgrm.table(histogram).splitlines() == table


@java
def test_java_reads_our_export(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "e.hlog").write_text(whole(folder, "hlog"))
    listed = processed("-i", tmp_path / "e.hlog", "-listtags").splitlines()[1:]
    assert len([tag for tag in listed if not tag.endswith("|wait")]) == len(export._cells(Session(folder)))
    assert any(tag.endswith("|wait") for tag in listed)


def _has_js() -> bool:
    node = shutil.which("node")
    return node is not None and subprocess.run(
        [node, "-e", "require('hdr-histogram-js')"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


JS = """
const fs = require("fs"), hdr = require("hdr-histogram-js");
const reader = new hdr.HistogramLogReader(fs.readFileSync(process.argv[1], "utf8"));
const sums = {};
for (let one = reader.nextIntervalHistogram(); one != null; one = reader.nextIntervalHistogram()) {
  if (one.tag in sums) sums[one.tag].add(one); else sums[one.tag] = one;
}
const told = {};
for (const tag in sums)
  told[tag] = [sums[tag].totalCount].concat([50, 90, 99, 99.9, 99.99].map((q) => sums[tag].getValueAtPercentile(q)));
console.log(JSON.stringify(told));
"""


@pytest.mark.skipif(not _has_js(), reason="node or its hdr-histogram-js is not here (npm install hdr-histogram-js)")
def test_javascript_reads_our_log_and_finds_our_quantiles(folder: Path) -> None:
    told = json.loads(
        subprocess.run(
            ["node", "-e", JS, str(folder / INTERVALS)], check=True, capture_output=True, text=True, env=os.environ
        ).stdout
    )
    tags = hlog.Tags()
    for contender, condition, cell in board_of(CANDIDATES, some_frames()).cells():
        assert told[tags.of(contender.id, str(condition))] == [cell.service.total, *uncapped(cell.service)]


# -- long form ------------------------------------------------------------------------------------------


def test_rows_are_what_the_board_says(folder: Path) -> None:
    document = json.loads(whole(folder, "json"))
    rows = {(row["candidate"], row["condition"]): row for row in document["rows"] if row["quantity"] == "service"}
    board = board_of(CANDIDATES, some_frames())
    assert len(rows) == len(list(board.cells()))
    for contender, condition, cell in board.cells():
        row = rows[contender.id, str(condition)]
        assert (row["n"], row["slices"]) == (cell.service.total, cell.slices)
        assert row["p99_ms"] == cell.service.quantiles_ns([99])[0] / 1e6
        assert row["max_ms"] == (cell.service.max_ns or 0) / 1e6
        assert row["mean_ms"] == pytest.approx(cell.counted_ns / cell.service.total / 1e6)
        assert "p99_99_ms" in row["provisional"]


@pytest.mark.parametrize("per", ["cell", "interval"])
def test_csv_and_json_say_the_same(folder: Path, per: str) -> None:
    rows: list[dict[str, Any]] = json.loads(whole(folder, "json", per))["rows"]
    table = list(csv.DictReader(io.StringIO(whole(folder, "csv", per))))
    assert len(rows) == len(table) > 0
    for row, line in zip(rows, table, strict=True):
        assert list(line) == list(export.COLUMNS)
        for column in export.COLUMNS[:-1]:
            assert line[column] == str(row[column])
    if per == "interval":
        assert {row["slices"] for row in rows} == {1}


@pytest.mark.parametrize("per", ["cell", "interval"])
def test_parquet_says_the_same(folder: Path, tmp_path: Path, per: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (the extra parquet)")
    to = tmp_path / "cells.parquet"
    ended = call_cli("export", str(folder), "--format", "parquet", "--per", per, "-o", str(to))
    assert ended.returncode == 0, ended.stderr
    table = parquet.read_table(to)
    assert table.column_names == list(export.COLUMNS)
    rows: list[dict[str, Any]] = json.loads(whole(folder, "json", per))["rows"]
    assert table.to_pylist() == [row | {"provisional": " ".join(row["provisional"])} for row in rows]


def test_parquet_without_pyarrow_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "cells.parquet"
    absent = without(tmp_path, "pyarrow")
    ended = run_cli("export", str(folder), "--format", "parquet", "-o", str(to), **absent)  # type: ignore[arg-type]
    assert ended.returncode == 2 and "latvar-tui[parquet]" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1 and not to.exists()


def test_a_log_per_interval_is_the_recorded_one(folder: Path) -> None:
    lines = [line for line in whole(folder, "hlog", "interval").splitlines() if "Tag=" in line and "|wait," not in line]
    assert lines == [line for line in (folder / INTERVALS).read_text().splitlines() if line.startswith("Tag=")]


def test_a_percentile_table_per_interval_is_refused(folder: Path) -> None:
    with pytest.raises(SessionError, match="per cell"):
        whole(folder, "hgrm", "interval")


def test_the_command_overwrites_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    to = tmp_path / "out.csv"
    command = ("export", str(folder), "--format", "csv")
    assert run_cli(*command, "-o", str(to)).returncode == 0
    before = to.read_text()
    to.write_text("mine")
    refused = call_cli(*command, "-o", str(to))
    assert refused.returncode == 2 and "--force" in refused.stderr
    assert to.read_text() == "mine"
    assert call_cli(*command, "-o", str(to), "--force").returncode == 0
    assert to.read_text() == before == call_cli(*command, "-o", "-").stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_model_whose_files_changed_is_exported_as_it_is_shown(tmp_path: Path) -> None:
    name = CANDIDATES[0]
    frames: list[wire.Frame] = [hello(), replace(state_frame(name, "ready"), identity="old")]
    frames += [slice_frame(seq, name, "0xcpu@100%", [5 * MS] * 40) for seq in range(1, 5)]
    frames += [hello(), replace(state_frame(name, "ready"), identity="new")]
    frames += [slice_frame(seq, name, "0xcpu@100%", [7 * MS] * 30) for seq in range(5, 8)]
    session = Session(recorded(tmp_path / "a", frames))
    ((_, _, cell),) = session.board().cells()
    (row,) = json.loads("".join(map(str, export.exported(session, "json", "cell"))))["rows"]
    assert (row["n"], row["slices"]) == (cell.service.total, cell.slices) == (90, 3)
    assert row["min_ms"] == cell.service.min_ns / 1e6


def test_a_path_that_is_no_text_is_written_with_escapes(tmp_path: Path) -> None:
    name = "/models/m\udcff.onnx@threads=1"
    recorder = recorder_of(tmp_path / "a", [name])
    for frame in session([name], ["0xcpu@100%"]):
        recorder.take(frame)
    recorder.close("done")
    export_to = ("export", str(tmp_path / "a"), "-o", str(tmp_path / "out"), "--force", "--format")
    for form in ("hlog", "hgrm", "csv", "json"):
        ended = call_cli(*export_to, form)
        assert ended.returncode == 0, ended.stderr
        assert "/models/m" in (tmp_path / "out").read_text()
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    shown = run_cli("show", str(tmp_path / "a"), "--json", **strict)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["cells"][0]["candidate"].startswith("/models/m\udcff")
    assert run_cli("export", str(tmp_path / "a"), "--format", "csv", **strict).returncode == 0


def test_a_pipe_stays_one_and_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    ended = run_cli("export", str(folder), "--format", "csv", "-o", str(pipe))
    assert ended.returncode == 0, ended.stderr
    assert os.read(reading, 1 << 16).startswith(b"candidate,")
    os.close(reading)
    assert pipe.is_fifo() and [path.name for path in tmp_path.iterdir()] == ["pipe"]
    refused = call_cli("export", str(folder), "--format", "csv", "-o", str(tmp_path), "--force")
    assert refused.returncode == 2 and "is a folder" in refused.stderr
