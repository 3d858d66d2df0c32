"""The log encoding: equal with and without the library, and safe to decode from strangers."""

import base64
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from latvar_tui import hdr_codec
from latvar_tui.hdr_layout import COUNTS_LEN, HIGHEST_NS

Encode = Callable[[NDArray[np.int64]], str]
Decode = Callable[[str], NDArray[np.int64]]

needs_library = pytest.mark.skipif(
    hdr_codec.HdrHistogram is None,
    reason="hdrhistogram is not installed, so there is nothing to compare with",
)
both = pytest.mark.parametrize(
    "decode",
    [hdr_codec._decode_numpy, pytest.param(hdr_codec._decode_library, marks=needs_library)],
)

# A shared machine may take its time over any one example; that says nothing about the code.
unhurried = settings(deadline=None)

LARGE = 2**46
sparse = st.dictionaries(st.integers(0, COUNTS_LEN - 1), st.integers(1, 300) | st.integers(1, LARGE), max_size=100)


def dense(pairs: dict[int, int]) -> NDArray[np.int64]:
    counts = np.zeros(COUNTS_LEN, np.int64)
    counts[list(pairs)] = list(pairs.values())
    return counts


def packed(payload: bytes, cookie: int = 0x1C849314) -> str:
    inside = zlib.compress(payload)
    return base64.b64encode(struct.pack(">II", cookie, len(inside)) + inside).decode()


def payload(
    stream: bytes,
    cookie: int = 0x1C849313,
    length: int | None = None,
    offset: int = 0,
    digits: int = 3,
    lowest: int = 1,
    highest: int = HIGHEST_NS,
) -> bytes:
    length = len(stream) if length is None else length
    return struct.pack(">IIiiqqd", cookie, length, offset, digits, lowest, highest, 1.0) + stream


@unhurried
@given(sparse)
def test_numpy_round_trip(pairs: dict[int, int]) -> None:
    counts = dense(pairs)
    text = hdr_codec._encode_numpy(counts)
    assert text.startswith("HISTFAAAA")
    np.testing.assert_array_equal(hdr_codec._decode_numpy(text), counts)


@needs_library
@unhurried
@given(sparse)
@example({})
@example({0: 1})
@example({COUNTS_LEN - 1: 1})
@example({0: 63, 1: 64, 2: 8191, 4: 8192, 6: 2**20 - 1, 9: 2**20, 100: 2**27, 8292: 2**41, 16485: LARGE})
@example({0: hdr_codec.MOST})
def test_both_write_the_same_text_and_read_each_other(pairs: dict[int, int]) -> None:
    counts = dense(pairs)
    text = hdr_codec._encode_numpy(counts)
    assert text == hdr_codec._encode_library(counts)
    np.testing.assert_array_equal(hdr_codec._decode_library(text), counts)


@needs_library
def test_both_agree_where_every_count_is_used() -> None:
    counts = np.random.default_rng(1).integers(1, 10**6, COUNTS_LEN)
    text = hdr_codec._encode_library(counts)
    assert hdr_codec._encode_numpy(counts) == text
    np.testing.assert_array_equal(hdr_codec._decode_numpy(text), counts)


@both
def test_javas_lone_zero_is_read(decode: Decode) -> None:
    np.testing.assert_array_equal(decode(packed(payload(b"\x02\x00\x04"))), dense({0: 1, 2: 2}))


@pytest.mark.parametrize("encode", [hdr_codec._encode_numpy, hdr_codec.encode])
def test_impossible_counts_are_not_encoded(encode: Encode) -> None:
    for pairs in ({5: -1}, {5: hdr_codec.MOST, 6: 2}, {5: 2**62, 6: 2**62}):
        with pytest.raises(ValueError):
            encode(dense(pairs))
    with pytest.raises(ValueError):
        encode(np.zeros(COUNTS_LEN - 1, np.int64))


GOOD = hdr_codec._encode_numpy(dense({1000: 3, 1001: 2, 2000: 70}))

HOSTILE = {
    "empty": "",
    "no base64": "HIST!!!!",
    "no ASCII": "HISTFÄÄÄ",
    "line break": GOOD + "\n",
    "too short": "HISTF",
    "V1 cookie": packed(payload(b""), cookie=0x1C849302),
    "other length": base64.b64encode(struct.pack(">II", 0x1C849314, 99) + zlib.compress(payload(b""))).decode(),
    "no zlib": base64.b64encode(struct.pack(">II", 0x1C849314, 4) + b"abcd").decode(),
    "no header": packed(b"\x1c\x84\x93\x13"),
    "inner cookie": packed(payload(b"", cookie=7)),
    "inner length": packed(payload(b"\x02", length=2)),
    "negative length": packed(payload(b"\x02", length=2**32 - 1)),
    "offset": packed(payload(b"\x02", offset=1)),
    "digits": packed(payload(b"\x02", digits=2)),
    "huge digits": packed(payload(b"\x02", digits=2**31 - 1)),
    "negative digits": packed(payload(b"\x02", digits=-1)),
    "lowest": packed(payload(b"\x02", lowest=1000)),
    "zero lowest": packed(payload(b"\x02", lowest=0)),
    "highest": packed(payload(b"\x02", highest=2**63 - 1)),
    "number cut short": packed(payload(b"\x02\x80")),
    "number too long": packed(payload(b"\x82" + b"\x80" * 8 + b"\x00")),
    "endless number": packed(payload(b"\xff" * 1000)),
    "huge count": packed(payload(b"\xfe" + b"\xff" * 6 + b"\x7f")),
    "zeros beyond the end": packed(payload(b"\xff\xff\xff\x7f\x02")),
    "huge run of zeros": packed(payload(b"\xff" * 7 + b"\x7f\x02")),
    "many huge runs": packed(payload((b"\xff" * 7 + b"\x7f") * 1000)),
    "more counts than indices": packed(payload(b"\x02" * (COUNTS_LEN + 1))),
    "bomb": packed(payload(b"\x00" * 50_000_000)),
    "bomb of counts": packed(payload(b"\x02" * 1_000_000)),
}


@both
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_with_a_sentence(decode: Decode, text: str) -> None:
    with pytest.raises(ValueError, match="histogram"):
        decode(text)


@unhurried
@given(st.binary(max_size=200))
def test_any_stream_is_refused_or_read_alike(stream: bytes) -> None:
    text = packed(payload(stream))
    results = []
    for decode in (hdr_codec._decode_numpy, hdr_codec.decode):
        try:
            results.append(decode(text))
        except ValueError:
            continue
    for counts in results:
        assert counts.min() >= 0
        np.testing.assert_array_equal(counts, results[0])


@both
@unhurried
@given(at=st.integers(0, len(GOOD) - 1), letter=st.sampled_from("A/z9+="), cut=st.booleans())
def test_damaged_text_raises_nothing_but_value_error(decode: Decode, at: int, letter: str, cut: bool) -> None:
    text = GOOD[:at] if cut else GOOD[:at] + letter + GOOD[at + 1 :]
    try:
        counts = decode(text)
    except ValueError:
        return
    np.testing.assert_array_equal(counts, decode(GOOD))
