"""``import``: what other tools measured becomes a session, or is refused in one sentence and leaves nothing behind."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latvar_tui import hdr_codec, wire
from latvar_tui.hdr_layout import COUNTS_LEN
from latvar_tui.histogram import Histogram
from latvar_tui.session import export, hlog
from latvar_tui.session.foreign import Wanted, candidate_text
from latvar_tui.session.imported import import_file, read_foreign
from latvar_tui.session.layout import SessionError
from latvar_tui.session.places import sessions_folder
from latvar_tui.session.reader import Session
from tests.conftest import call_cli, run_cli
from tests.session_files import recorded, some_frames

HEAD = hlog.header(1_700_000_000 * 10**9, "a test").decode()


@pytest.fixture(autouse=True)
def own_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return sessions_folder()


def imported(path: Path, name: str = "it", **wanted: object) -> Session:
    folder, _ = import_file(path, name, Wanted(**wanted))  # type: ignore[arg-type]
    return Session(folder)


def slices(session: Session) -> list[wire.Slice]:
    found = [frame for frame in session.frames() if isinstance(frame, wire.Slice)]
    assert session.notes == []
    return found


def counts_of(session: Session) -> dict[tuple[str, str, str], list[list[int]]]:
    return {
        (one.candidate, one.condition, name): np.column_stack(histogram.sparse()).tolist()
        for one in export._cells(session)
        for name, histogram in one.histograms.items()
    }


# -- logs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("per", ["cell", "interval"])
def test_what_is_exported_is_imported_again(tmp_path: Path, per: str) -> None:
    ours = Session(recorded(tmp_path / "ours", some_frames()))
    (tmp_path / "e.hlog").write_text("".join(map(str, export.exported(ours, "hlog", per))))
    again = imported(tmp_path / "e.hlog")
    assert counts_of(again) == counts_of(ours)
    if per == "interval":
        before = [(one.candidate, one.condition, one.service.pairs, one.wait.pairs) for one in slices(ours)]
        assert [(one.candidate, one.condition, one.service.pairs, one.wait.pairs) for one in slices(again)] == before
    assert again.base_wall_ns // 10**9 == 1_700_000_000


pairs = st.lists(
    st.tuples(st.integers(0, COUNTS_LEN - 1), st.integers(1, 10**6)), min_size=1, max_size=6, unique_by=lambda p: p[0]
).map(sorted)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.integers(0, 10**6), pairs), min_size=1, max_size=8))
def test_any_log_of_our_layout_keeps_its_counts(tmp_path_factory: pytest.TempPathFactory, drawn: list) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    lines = [
        hlog.line(tag, f"{start / 1000:.3f}", 10**9, 5, np.array(sparse)).decode().removeprefix("Tag=,")
        for tag, start, sparse in drawn
    ]
    (tmp_path / "x.hlog").write_text(HEAD + "".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path))
        session = imported(tmp_path / "x.hlog")
    want: dict[str, Histogram] = {}
    for tag, _, sparse in drawn:
        part = np.array(sparse)
        name = f"imported@as={tag or 'x'}"
        want.setdefault(name, Histogram()).add_sparse(part[:, 0], part[:, 1], min_ns=0, max_ns=1)
    found = {key[0]: counts for key, counts in counts_of(session).items()}
    assert found == {name: np.column_stack(histogram.sparse()).tolist() for name, histogram in want.items()}
    starts = [one.start_ns for one in slices(session)]
    assert starts == sorted((start - min(s for _, s, _ in drawn)) * 10**6 for _, start, _ in drawn)


@pytest.mark.parametrize(
    "layout", [(1, 3_600_000_000_000, 2), (1, 3_600_000_000_000, 3), (1000, 10**10, 1), (1, 10**7, 5)]
)
@pytest.mark.parametrize("unit", ["ns", "us"])
def test_quantiles_of_other_layouts_stay(tmp_path: Path, layout: tuple[int, int, int], unit: str) -> None:
    """The library's own histograms, of layouts that are not ours."""
    histogram = HdrHistogram(*layout)
    scale = 1000 if unit == "us" else 1
    for value in np.random.default_rng(1).lognormal(14, 0.7, 3000) / scale:
        histogram.record_value(int(value))
    text = histogram.encode().decode()
    (tmp_path / "j.hlog").write_text(f"#[Logged with jHiccup version 2.0.10]\n0.127,1.007,2.769,{text}\n")
    (one,) = slices(imported(tmp_path / "j.hlog", unit=unit))
    found = Histogram()
    found.add_counts(one.service)
    assert found.total == histogram.get_total_count() == one.inferences
    for quantile in (10.0, 50.0, 90.0, 99.0, 99.9):
        theirs = histogram.get_value_at_percentile(quantile) * scale
        assert found.quantile_ns(quantile) == pytest.approx(theirs, rel=0.002)
    assert one.end_ns - one.start_ns == 1_007_000_000


def test_values_of_any_layout_are_the_library_s() -> None:
    for lowest, digits in ((1, 3), (1, 0), (1000, 2), (7, 5)):
        histogram = HdrHistogram(lowest, 10**11, max(digits, 1))
        indices = np.arange(0, histogram.counts_len, 97)
        theirs = [
            histogram.get_highest_equivalent_value(histogram.get_value_from_index(int(index))) for index in indices
        ]
        assert hdr_codec.highest_of(indices, lowest, max(digits, 1)).tolist() == theirs


def test_tags_are_chosen_and_named(tmp_path: Path) -> None:
    one = np.array([[5000, 3]])
    log = tmp_path / "x.hlog"
    log.write_text(
        HEAD + hlog.line("a", "1.000", 10**9, 5, one).decode() + hlog.line("b", "1.000", 10**9, 5, one).decode()
    )
    both = slices(imported(log, "both"))
    assert [one.candidate for one in both] == ["imported@as=a", "imported@as=b"]
    (chosen,) = slices(
        imported(log, "one", tags=["b"], candidate="squeezenet1_1@threads=2,spin=on", condition="2xcpu@100%")
    )
    assert chosen.candidate.startswith("squeezenet1_1@") and "threads=2" in chosen.candidate
    assert chosen.condition == "2xcpu@100%"
    with pytest.raises(SessionError, match="--tag"):
        imported(log, "c", candidate="x")
    with pytest.raises(SessionError, match="no tag 'c': it has a, b"):
        imported(log, "d", tags=["c"])


# -- times --------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.integers(0, 4 * 10**11), min_size=1, max_size=60))
def test_times_are_counted_as_they_are(tmp_path_factory: pytest.TempPathFactory, times_ns: list[int]) -> None:
    folder = tmp_path_factory.mktemp("times")
    (folder / "t.txt").write_text("# ms\n" + "".join(f"{time / 1e6:.6f}\n" for time in times_ns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        found = slices(imported(folder / "t.txt"))
    want = Histogram()
    want.record(times_ns)
    got = Histogram()
    for one in found:
        got.add_counts(one.service)
    assert got.counts.tolist() == want.counts.tolist()
    assert (got.min_ns, got.max_ns, got.overflow) == (want.min_ns, want.max_ns, want.overflow)
    assert sum(one.service.sum_ns for one in found) == sum(times_ns)
    assert all(one.service.sum_ns - one.service.max_ns < 250_000_000 for one in found)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("frame,latency_ms\n0,1.5\n1,2.5\n", {}),
        ("time_us\r\n1500\r\n2500\r\n", {}),
        ("a,b\n1500000,0\n2500000,0\n", {"column": "a", "unit": "ns"}),
        ("time_s\n0.0015\n0.0025\n", {}),
        ("latency (µs),fps\n1500,0\n2500,0\n", {"column": "latency (µs)"}),
        ("Latency [ms]\n1.5\n2.5\n", {}),
        ("seconds\n0.0015\n0.0025\n", {}),
        ("times\n1.5\n2.5\n", {}),
        ("\n1.5e0\n# note\n2.5\n", {}),
    ],
)
def test_columns_and_units(tmp_path: Path, text: str, wanted: dict[str, str]) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    (one,) = slices(imported(tmp_path / "t.csv", **wanted))
    assert (one.service.min_ns, one.service.max_ns, one.service.sum_ns) == (1_500_000, 2_500_000, 4_000_000)
    assert one.candidate == "imported@as=t" and one.condition == "0xcpu@100%"


# -- profiles -----------------------------------------------------------------------------------------------


def test_onnxruntime_s_own_profile(tmp_path: Path, small_model: str) -> None:
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = onnxruntime.InferenceSession(small_model, options, providers=["CPUExecutionProvider"])
    feed = {
        one.name: np.zeros([d if isinstance(d, int) else 1 for d in one.shape], np.float32)
        for one in session.get_inputs()
    }
    for _ in range(25):
        session.run(None, feed)
    profile = Path(session.end_profiling())
    runs = [event["dur"] for event in json.loads(profile.read_bytes()) if event["name"] == "model_run"]
    found = slices(imported(profile, candidate="small", condition="idle"))
    assert sum(one.inferences for one in found) == len(runs) == 25
    assert sum(one.service.sum_ns for one in found) == 1000 * sum(runs)
    assert {one.candidate for one in found} == {"imported@as=small"}


# -- garbage ------------------------------------------------------------------------------------------------

GOOD = hlog.line("a", "1.000", 10**9, 5, np.array([[5000, 3]])).decode()


GARBAGE = [
        "", "hello\n", "1\n2\nthree\n", "1\nnan\n", "1\n-2\n", "1\ninf\n", "1\n1e300\n", "1,2\n3,4\n", "a,b\n1,2\n",
        "ms\n1,2\n", "1\n\x00\n", "[", "[]", '[{"name": "model_run"}]', '[{"name": "model_run", "ts": 0, "dur": NaN}]',
        '{"a": 1}', "[" * 100_000, HEAD, HEAD + "garbage\n" + GOOD, HEAD + GOOD[:-9] + "\n",
        HEAD + GOOD.replace("HISTFAAA", "HISTFAAB"), HEAD + GOOD + GOOD.replace("1.000", "1e5"), 
        HEAD + GOOD.replace("1.000", "9" * 12), HEAD + GOOD.replace("1.000", "1.000,9"),
]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_one_sentence_and_leaves_nothing(tmp_path: Path, own_sessions: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(SessionError) as refused:
        imported(tmp_path / "x")
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")
    assert not own_sessions.exists() or list(own_sessions.iterdir()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.data())
def test_damaged_logs_are_refused_or_read(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray((HEAD + GOOD * 2).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.hlog").write_bytes(raw)
    with suppress(SessionError):
        list(read_foreign(tmp_path / "x.hlog", Wanted()).pieces)


def test_a_disk_that_takes_nothing_is_one_sentence(tmp_path: Path, own_sessions: Path) -> None:
    own_sessions.parent.mkdir(parents=True)
    own_sessions.write_text("no folder")
    (tmp_path / "t").write_text("1\n")
    with pytest.raises(SessionError, match="cannot be written") as refused:
        imported(tmp_path / "t")
    assert "\n" not in str(refused.value)


def test_names_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("1\n")
    imported(tmp_path / "t")
    for name in ("it", "../x", "last", "", "a b"):
        with pytest.raises(SessionError):
            imported(tmp_path / "t", name)
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(SessionError):
            imported(missing, "other")


def test_candidates_keep_only_what_is_known() -> None:
    assert candidate_text("my model") == candidate_text("my-model") == "imported@as=my-model"
    assert candidate_text("imported@as=x") == "imported@as=x"
    with pytest.raises(SessionError):
        candidate_text("m@threads=0")


# -- the commands -------------------------------------------------------------------------------------------


def test_an_imported_session_is_shown_compared_and_exported(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for name, median in (("before", 2.0), ("after", 2.6)):
        times = median * random.lognormal(0, 0.1, 8000)
        (tmp_path / f"{name}.csv").write_text("ms\n" + "".join(f"{time:.4f}\n" for time in times))
        done = run_cli("import", str(tmp_path / f"{name}.csv"), "--as", name, "--candidate", "net")
        assert done.returncode == 0, done.stderr
    shown = json.loads(call_cli("show", "before", "--json").stdout)
    (cell,) = shown["cells"]
    assert cell["n"] == 8000 and cell["settings"] == {} and cell["label"] == "net"
    assert cell["measured_share"] is None and "unavailable" in cell["wait"]
    assert shown["device"] == {"name": "imported from before.csv"}
    assert "net" in call_cli("show", "before").stdout
    assert [one["candidates"] for one in json.loads(call_cli("sessions", "--json").stdout)] == [["imported@as=net"]] * 2
    assert call_cli("compare", "before", "after", "--fail-if-worse", "10%").returncode == 1
    exported = call_cli("export", "after", "--format", "csv")
    assert exported.returncode == 0 and len(exported.stdout.splitlines()) == 2
    refused = run_cli("live", "imported@as=net", "--plain")
    assert refused.returncode == 2 and "cannot be run" in refused.stderr


def test_a_log_of_another_century_is_refused(tmp_path: Path) -> None:
    """Its beginning could be in no session.json."""
    (tmp_path / "late.hlog").write_text("#[StartTime: 99999999999.0 (x)]\n" + GOOD)
    with pytest.raises(SessionError, match="a hundred years after 1970"):
        imported(tmp_path / "late.hlog")
    assert not list(sessions_folder().glob("*"))
