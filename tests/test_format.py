"""Numbers as text, durations from text, the table's columns, and the JSON document."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latvar_tui import wire
from latvar_tui.candidate import UsageError
from latvar_tui.columns import BASE_COLUMN, COLUMNS, Column, TableCell, all_columns, fitting, loading_table, text_table
from latvar_tui.condition import IDLE, Condition
from latvar_tui.format import NOTHING, count, distinct, ms, percent, plural, quantile_name, ratio, share, three_digits
from latvar_tui.quantities import parse_duration_s, parse_megabytes
from latvar_tui.study.table import QUANTILES, Ratio, Row, table
from latvar_tui.summary import summary
from tests.scripted_link import DEVICE, MS, board_of, session, slice_frame, state_frame

NO_STRESS, STRESS = "0xcpu@100%", "4xcpu@100%"

# -- numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00412, "0.00412"), (0.0412, "0.0412"), (0.412, "0.412"), (4.12, "4.12"), (41.2, "41.2"),
        (412, "412"), (4120, "4120"), (100_000, "100000"),
        (0.99949, "0.999"), (0.9996, "1.00"), (9.994, "9.99"), (9.996, "10.0"), (99.94, "99.9"), (99.96, "100"),
        (0, "0"), (1, "1.00"),
    ],
)  # fmt: skip
def test_three_digits_and_never_an_exponent(value: float, text: str) -> None:
    assert three_digits(value) == text


@given(st.floats(0.001, 1e9))
def test_three_digits_are_enough_to_find_the_value_again(value: float) -> None:
    text = three_digits(value)
    assert re.fullmatch(r"\d+(\.\d+)?", text)
    assert len(text.replace(".", "").lstrip("0")) >= 3 or float(text) >= 0.999
    assert float(text) == pytest.approx(value, rel=0.00501)


@given(st.floats(0.001, 1e9), st.floats(0.001, 1e9))
def test_a_larger_value_never_reads_smaller(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert float(three_digits(low)) <= float(three_digits(high))


def test_each_kind_of_number_has_one_form() -> None:
    assert ms(4_120_000) == "4.12"
    assert count(12_345_678) == "12 345 678"
    assert ratio(12.34) == "12.3×"
    assert percent(0.957) == "96 %"
    assert [quantile_name(q) for q in QUANTILES] == ["p50", "p90", "p95", "p99", "p99.9"]
    assert [plural(n, "core") for n in (0, 1, 2)] == ["0 cores", "1 core", "2 cores"]


def test_where_there_is_no_number_there_is_a_dash_and_never_a_zero() -> None:
    assert ms(None) == ratio(None) == percent(None) == NOTHING


@given(st.lists(st.text("ab_", max_size=30), min_size=1, max_size=12, unique=True), st.integers(4, 20))
def test_shortened_names_still_differ(names: list[str], cells: int) -> None:
    shortened = distinct(names, cells)
    assert len(set(shortened)) == len(names)
    assert all(len(name) <= cells for name in shortened)
    if all(len(name) <= cells for name in names):
        assert shortened == names


# -- durations --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10), ("10", 10), ("0.5", 0.5), ("500ms", 0.5), ("1m30s", 90), ("2h", 7200), ("1.5h", 5400),
        ("1h2m3s4ms", 3723.004), (" 30S ", 30), ("5m", 300),
    ],
)  # fmt: skip
def test_durations_as_people_type_them(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "ten", "-3s", "+3s", "1e3", "inf", "nan", "1m30", "1 m", "3d", "10s!", "1,5s", ".5s", "5.s"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"no duration.*1m30s"):
        parse_duration_s(text)


@pytest.mark.parametrize("text", ["0", "0s", "0.0", "0h0m0s", "0ms"])
def test_a_duration_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no time to measure"):
        parse_duration_s(text)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(1, 999))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, seconds: int, millis: int) -> None:
    expected = hours * 3600 + minutes * 60 + seconds + millis / 1000
    assert parse_duration_s(f"{hours}h{minutes}m{seconds}s{millis}ms") == pytest.approx(expected)


# -- columns ----------------------------------------------------------------------------------------

columns = st.lists(
    st.builds(Column, st.uuids().map(str), st.integers(1, 12), st.integers(0, 6), st.just(lambda row: TableCell(""))),
    max_size=10,
) | st.sampled_from([list(COLUMNS), [*COLUMNS, BASE_COLUMN]])


@given(columns, st.integers(-5, 90))
def test_columns_fit_keep_their_order_and_give_way_to_more_telling_ones(offered: list[Column], room: int) -> None:
    shown = fitting(offered, room)
    assert sum(column.width for column in shown) <= max(room, 0)
    titles = [column.title for column in offered]
    assert [titles.index(column.title) for column in shown] == sorted(titles.index(column.title) for column in shown)
    for missing in (column for column in offered if column not in shown):
        telling = [column for column in shown if column.rank <= missing.rank]
        assert missing.width > room - sum(column.width for column in telling)


def test_the_last_column_to_go_is_the_tail() -> None:
    assert [[column.title for column in fitting(COLUMNS, room)] for room in (0, 6, 8, 16)] == [
        [],
        [],
        ["p99"],
        ["p50", "p99"],
    ]
    assert fitting(COLUMNS, 200) == list(COLUMNS)


@given(
    n=st.integers(0, 10**10),
    times=st.lists(st.integers(1000, 10**11), min_size=6, max_size=6),
    ratios=st.lists(st.floats(0.1, 9999.0), min_size=3, max_size=3),
    provisional=st.booleans(),
    shares=st.lists(st.none() | st.floats(0, 1), min_size=3, max_size=3),
    ranked_by=st.sampled_from([50.0, 99.0, 99.9, 99.99]),
)
def test_every_text_leaves_a_blank_in_its_column(
    n: int, times: list[int], ratios: list[float], provisional: bool, shares: list[float | None], ranked_by: float
) -> None:
    """Else two numbers read as one. (A ~ parts them just as well.)"""
    contender = board_of(["a"]).contenders[0]
    quantiles, flags = tuple(times[:5]), (provisional,) * 5
    best, idle, base = (Ratio(value, provisional) for value in ratios)
    row = Row(
        contender, Condition(), n, quantiles, flags, times[5], *shares, tail_wait_ns=times[4],
        tail_wait_provisional=provisional, to_best=best, to_idle=idle, to_base=base,
    )  # fmt: skip
    for column in all_columns(times[5], base=True, ranked_by=ranked_by):
        cell = column.cell(row)
        assert len(cell.text.removeprefix("~")) < column.width
        assert len(cell.text) <= column.width
        assert len(column.title) < column.width


def test_the_split_of_the_ranking_quantile_is_named_after_it() -> None:
    row = table(board_of(["a"], [slice_frame(1, "a", NO_STRESS, [4 * MS] * 2000, waits_ns=[3 * MS] * 2000)]), IDLE)[0]
    for ranked_by, title in ((50.0, "p50wait"), (99.0, "p99wait"), (99.9, "p99.9wait")):
        (column,) = (column for column in all_columns(ranked_by=ranked_by) if column.title == title)
        assert column.cell(row) == TableCell("3.00")
    assert column.cell(replace(row, tail_wait_ns=None)) == TableCell(NOTHING)
    assert column.cell(replace(row, tail_wait_provisional=True)) == TableCell("~3.00", True)


def test_how_much_waited_is_shown_on_a_wide_screen_and_gives_way_on_a_narrow_one() -> None:
    wide, narrow = ([column.title for column in fitting(all_columns(), room)] for room in (94, 54))
    assert "p99wait" in wide and "max" in wide
    assert "p99wait" not in narrow and {"p50", "p99", "÷best"} <= set(narrow)


def test_many_inferences_are_counted_in_millions() -> None:
    contender = board_of(["a"]).contenders[0]
    texts = [COLUMNS[0].cell(Row(contender, Condition(), n)).text for n in (0, 1, 999_999, 1_000_000, 45_678_901)]
    assert texts == [NOTHING, "1", "999 999", "1.00 M", "45.7 M"]


def test_text_table_lines_align() -> None:
    names = ["net2", "a_model_with_a_longer_name"]
    board = board_of(names, session(names, [NO_STRESS, STRESS], slices_per_cell=40))
    head, *lines = text_table(table(board, board.condition), 99.0)
    assert len({len(line) for line in (head, *lines)}) == 1
    ends = [match.end() for match in re.finditer(r"\S+", head)][1:]
    assert len(ends) == len(all_columns())
    for line, row in zip(lines, table(board, board.condition), strict=True):
        assert line.startswith(row.contender.name + " ")
        for column, end in zip(all_columns(), ends, strict=True):
            assert line[end - column.width : end].strip() == column.cell(row).text
            assert line[end - column.width] == " "
    assert head.split()[:7] == ["ms", "n", "p50", "p90", "p95", "p99", "p99.9"]


def test_a_failed_row_shows_the_reason() -> None:
    board = board_of(["a", "b", "c"], [slice_frame(1, "b", NO_STRESS, [MS] * 9)])
    board.take(state_frame("a", "refused", "'a' is no model."))
    board.take(state_frame("b", "failed", "its process was killed"))
    _, a, b, c = text_table(table(board, board.condition), 99.0)
    assert a == "a   refused: 'a' is no model."
    assert "1.00" in b and "killed" not in b  # what it measured before stays
    assert c.split() == ["c", *[NOTHING] * len(all_columns())]


def test_provisional_numbers_are_marked() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS] * 100)])
    _, line = text_table(table(board, board.condition), 99.0)
    assert line.split() == [
        "a",
        "100",
        "1.00",
        "1.00",
        "~1.00",
        "~1.00",
        "~1.00",
        "1.00",
        "<3.0%",
        NOTHING,
        NOTHING,
        "~1.00×",
        NOTHING,
    ]


# -- the JSON document ------------------------------------------------------------------------------

WITHOUT_UNIT = {
    "n", "slices", "settling", "dropped", "disturbed", "stress_threads", "threads", "cores", "physical_cores", "pid",
    "measured_share", "slow_share", "wait_share", "miss_share", "overflow", "load_1min", "ungated_slices",
    "migrations", "involuntary_switches",
}  # fmt: skip
"""Counts, and shares of 1."""


def documented(board: Any) -> dict[str, Any]:
    """The summary after a round through strict JSON."""
    document = summary(board)
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again == document
    return again  # type: ignore[no-any-return]


def numbers(value: Any, name: str = "") -> list[tuple[str, float]]:
    """Every number in a document with the name it goes by."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in numbers(inner, key)]
    if isinstance(value, list):
        return [found for inner in value for found in numbers(inner, name)]
    return [(name, value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_the_document_has_the_fields_of_the_contract() -> None:
    names = ["squeezenet1_1@spin=off", "squeezenet1_1@as=B"]
    document = documented(board_of(names, session(names, [STRESS, NO_STRESS], slices_per_cell=3)))
    assert document["schema"] == "latvar-tui/1"
    assert document["session"] is None
    assert document["device"] == DEVICE
    assert document["reversals"] == document["failed"] == []
    assert all(isinstance(note, str) and note for note in document["notes"])
    assert [(cell["candidate"], cell["condition"]) for cell in document["cells"]] == [
        ("squeezenet1_1@threads=2,spin=off", NO_STRESS),
        ("squeezenet1_1@threads=2,spin=off", STRESS),
        ("squeezenet1_1@threads=2,spin=on,as=B", NO_STRESS),
        ("squeezenet1_1@threads=2,spin=on,as=B", STRESS),
    ]
    cell = document["cells"][1]
    assert cell["model"] == "squeezenet1_1"
    assert cell["settings"] == {
        "threads": 2, "spin": "off", "opt": "all", "provider": "cpu", "precision": "fp32", "arena": "on",
        "execution": "sequential",
    }  # fmt: skip
    assert cell["device"] == "local"
    assert cell["stress_threads"] == 4
    assert cell["slices"] == 3
    assert 0.9 < cell["measured_share"] < 1
    assert cell["settled"] is False
    times = {"mean_ms", "min_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms"}
    for kind in ("service", "wait"):
        assert set(cell[kind]) - {"wait_at", "ci95_more"} == times | {"provisional", "ci95", "overflow"}
    quantiles = {"p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms"}
    assert set(cell["service"]["wait_at"]) == quantiles
    assert all(0 <= cell["service"]["wait_at"][name] <= cell["service"][name] for name in quantiles)
    assert set(cell["counters"]) == {"pool_wait_ms_per_s", "involuntary_switches_per_s", "migrations_per_s"}
    assert cell["counters"]["pool_wait_ms_per_s"] > 0
    assert "no migrations" in cell["counters"]["migrations_per_s"]["unavailable"]


def test_every_number_has_its_unit_in_its_name() -> None:
    names = ["a", "b"]
    for name, _ in numbers(documented(board_of(names, session(names, [NO_STRESS, STRESS], slices_per_cell=2)))):
        assert name in WITHOUT_UNIT or name.endswith(("_s", "_ms", "_ns", "_mb", "_mhz", "_c", "_pct", "_cores")), name


def test_the_numbers_of_a_cell_are_those_of_its_inferences() -> None:
    values = [k * MS // 5 for k in range(1, 1001)]  # 0.2 to 200 ms
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, values, waits_ns=[0] * 995 + [5 * MS] * 5)])
    (cell,) = documented(board)["cells"]
    assert cell["n"] == 1000
    service = cell["service"]
    assert (service["min_ms"], service["max_ms"]) == (0.2, 200.0)
    assert service["mean_ms"] == pytest.approx(100.1)
    assert [service[f"p{name}_ms"] for name in ("50", "90", "95", "99", "99_9")] == pytest.approx(
        [100, 180, 190, 198, 199.8], rel=1e-3
    )
    assert service["provisional"] == ["p99_9_ms"]  # the 99th has just ten beyond it
    assert cell["wait"]["mean_ms"] == pytest.approx(0.025)
    assert (cell["wait"]["p50_ms"], cell["wait"]["max_ms"]) == (0, 5)
    # The five that waited are the longest, 199.2 to 200 ms; within a tenth of p99.9 there are some hundred others.
    assert service["wait_at"]["p50_ms"] == 0
    assert 0 < service["wait_at"]["p99_9_ms"] < 5


def test_quantiles_on_few_observations_are_listed_and_given_all_the_same() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS] * 9)])
    service = documented(board)["cells"][0]["service"]
    assert service["provisional"] == ["p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms"]
    assert all(service[name] == pytest.approx(1.0, rel=1e-3) for name in service["provisional"])


def test_a_wait_that_cannot_be_measured_is_its_reason() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS], wait_unavailable="no counter here")])
    (cell,) = documented(board)["cells"]
    assert cell["wait"] == cell["service"]["wait_at"] == {"unavailable": "no counter here"}


def test_a_cell_without_inferences_says_so() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [], waits_ns=[], dropped=3)])
    (cell,) = documented(board)["cells"]
    assert (cell["n"], cell["dropped"]) == (0, 3)
    assert list(cell["service"]) == list(cell["wait"]) == ["unavailable"]


def test_longer_than_the_layout_reaches_is_counted_as_overflow() -> None:
    board = board_of(["a"], [slice_frame(1, "a", NO_STRESS, [MS, 150_000 * MS])])
    service = documented(board)["cells"][0]["service"]
    assert service["overflow"] == 1
    assert service["max_ms"] == 150_000
    assert service["mean_ms"] == pytest.approx(75_000.5)


def test_failures_and_missing_sensors_come_with_their_reasons() -> None:
    board = board_of(["a", "b", "c"], [slice_frame(1, "a", NO_STRESS, [MS]), state_frame("a", "ready")])
    board.take(state_frame("b", "failed", "its process was killed"))
    board.take(state_frame("c", "refused", "'c' is no model."))
    board.take(wire.Note("twice"))
    board.take(wire.Note("twice"))
    document = documented(board)
    assert [(failed["candidate"], failed["reason"]) for failed in document["failed"]] == [
        ("b@threads=2,spin=on", "its process was killed"),
        ("c@threads=2,spin=on", "'c' is no model."),
    ]
    assert document["sensors"]["cpu_pct"] == 87.5
    assert document["sensors"]["temperature_c"] == {"unavailable": "no thermal zone can be read"}
    assert document["notes"].count("twice") == 1


def test_a_board_that_has_measured_nothing_is_a_document_too() -> None:
    document = documented(board_of(["a"]))
    assert document["cells"] == []
    assert document["device"] == document["sensors"] == {}


@pytest.mark.parametrize(
    ("text", "megabytes"), [("500MB", 500), ("1.5GB", 1500), ("64", 64), (" 2 gib ", 2147.483648), ("800 kB", 0.8)]
)
def test_sizes_of_memory_as_people_type_them(text: str, megabytes: float) -> None:
    assert parse_megabytes(text) == pytest.approx(megabytes)


@pytest.mark.parametrize("text", ["", "MB", "0", "0MB", "-1GB", "1XB", "1,5GB", "1e3", "nan", "1GB 2MB"])
def test_other_text_is_no_size_of_memory(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_megabytes(text)
    assert "500MB" in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_name_keeps_its_settings_where_room_is_short() -> None:
    names = ["mobilenet_v3_large", "mobilenet_v3_large@int8", "mobilenet_v2@spin=off"]
    assert distinct(names, 20) == ["mobilenet_v3_large", "mobilenet_v3_l…@int8", "mobilenet_…@spin=off"]
    assert all(len(name) <= 12 for name in distinct(names, 12)) and len(set(distinct(names, 12))) == 3


def test_what_loading_took_is_a_table_of_its_own() -> None:
    names = ["squeezenet1_1", "resnet18"]
    frames = session(names, [NO_STRESS], slices_per_cell=1)
    contenders = board_of(names, frames).contenders
    title, first, second = loading_table(contenders)
    assert title.split() == ["loading", "load", "ms", "cold", "ms", "warm", "ms", "memory", "MB"]
    assert first.split() == ["squeezenet1_1@threads=2,spin=on", "41.5", "12.3", "3.90", "20.0"]
    assert len(title) == len(first) == len(second)
    assert loading_table(board_of(names).contenders) == []


def test_the_document_tells_loading_apart() -> None:
    names = ["squeezenet1_1"]
    (candidate,) = documented(board_of(names, session(names, [NO_STRESS], slices_per_cell=1)))["candidates"]
    assert candidate["cold_ms"][0] == 12.3 and candidate["warm_ms"] == 3.9 and candidate["load_ms"] == 41.5
    assert candidate["inputs"] == ["input float32 1x3x224x224"] and candidate["state"] == "ready"


@pytest.mark.parametrize(
    ("value", "n", "text"),
    [(None, 0, "–"), (0.0, 0, "0.00 %"), (0.0, 2000, "<0.15%"), (0.0, 2, "<100%"), (0.0, 10**9, "<0.01%"),
     (0.0, 8700, "<0.04%"), (0.0, 100, "<3.0%"), (0.0, 20, "<15%"), (0.9996, 9, ">99 %"),
     (0.0042, 9, "0.42 %"), (0.123, 9, "12 %"), (0.05, 9, "5.0 %"), (1.0, 9, "100 %"), (1e-7, 9, "<0.01%")],
)  # fmt: skip
def test_shares(value: float | None, n: int, text: str) -> None:
    assert share(value, n) == text


def test_a_deadline_has_a_column_and_a_number_in_the_document() -> None:
    names = ["squeezenet1_1"]
    board = board_of(names, session(names, [NO_STRESS], slices_per_cell=3))
    rows = table(board, Condition(), deadline_ns=2 * MS)
    head, line = text_table(rows, 99.0, deadline_ns=2 * MS)
    assert ">2.00" in head and line.rstrip().endswith("%")
    assert ">" not in text_table(rows, 99.0)[0]
    document = json.loads(json.dumps(summary(board, 2 * MS)))
    assert 0 < document["cells"][0]["miss_share"] < 1
    assert document["cells"][0]["slow_share"] == rows[0].slow_share
    assert "miss_share" not in documented(board)["cells"][0]


def test_a_wait_of_next_to_nothing_does_not_run_into_the_column_before_it() -> None:
    frame = slice_frame(1, "a", NO_STRESS, [5_000_000] * 40, waits_ns=[2_860] * 40)
    board = board_of(["a"], [frame])
    _, line = text_table(table(board, board.condition), 99.0)
    assert " ~<0.01 " in line
