"""Counts ⇄ the text of an HdrHistogram log: the one seam to the hdrhistogram library.

The text is the compressed V2 encoding in base64 (it begins "HISTFAAAA"), which the Java, C and JavaScript
tools read too. The library does the work where it is installed. It has no wheel for 64-bit ARM Linux or
Android; there the same encoding in NumPy and zlib stands in. Tests hold the two equal to the last character.

Format (AbstractHistogram.java, encodeIntoCompressedByteBuffer; all integers big endian):

    base64( cookie, length, zlib( cookie, length, offset 0, digits, lowest, highest, ratio 1.0, counts ) )

Counts go up to the last one in use, as ZigZag LEB128 numbers: n ≥ 0 is a count, n < 0 stands for -n zeros.
(Java writes a lone zero as 0, the Python library as -1. We write -1 and read both.)
"""

import base64
import struct
import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from latvar_tui.hdr_layout import COUNTS_LEN, HIGHEST_NS, LOWEST_NS, SIGNIFICANT_DIGITS

try:
    from hdrh.histogram import HdrHistogram
except ImportError:
    HdrHistogram = None

MOST = 2**53
"""Most observations a histogram may hold: beyond, the quantiles' rank arithmetic in doubles would round."""

_ENVELOPE = struct.Struct(">II")
_ENVELOPE_COOKIE = 0x1C849304 | 0x10
_HEADER = struct.Struct(">IIiiqqd")
_HEADER_COOKIE = 0x1C849303 | 0x10
_LAYOUT = (SIGNIFICANT_DIGITS, LOWEST_NS, HIGHEST_NS)

LAYOUT = (LOWEST_NS, SIGNIFICANT_DIGITS)
"""What an index stands for depends on these alone."""

# MOST after ZigZag is 2**54, which eight groups of seven bits hold. The format's ninth byte, a full one, is
# never needed, and the library reads it wrongly (it drops the top bit).
_GROUPS = 8
_LONGEST = _HEADER.size + _GROUPS * COUNTS_LEN
_LONGEST_ANY = 4 << 20
_MOST_DIGITS, _MOST_BITS = 5, 62


def encode(counts: NDArray[np.int64]) -> str:
    """Return counts as the text that an HdrHistogram log holds.

    Args:
        counts: COUNTS_LEN integers ≥ 0, together at most MOST.

    Raises:
        ValueError: they are not.
    """
    return _encode_numpy(counts) if HdrHistogram is None else _encode_library(counts)


def decode(text: str) -> NDArray[np.int64]:
    """Return the COUNTS_LEN counts that `text` encodes.

    Safe on text from anywhere: beside the input's own size it never takes more than some ten megabytes.

    Raises:
        ValueError: the text is no V2 histogram, is damaged, counts more than MOST, or has another layout than
            `hdr_layout`'s (lowest value, highest value, digits). The message is one sentence.
    """
    return _decode_numpy(text) if HdrHistogram is None else _decode_library(text)


def _encode_library(counts: NDArray[np.int64]) -> str:
    # The check comes first, for the library's C code crashes on a negative count.
    total = _checked_total(counts)
    used = np.flatnonzero(counts)
    histogram = HdrHistogram(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
    np.ctypeslib.as_array(histogram.counts)[:] = counts
    if used.size:
        histogram.set_internal_tacking_values(int(used[0]), int(used[-1]), total)
    text: str = histogram.encode().decode("ascii")
    return text


def encode_sparse(indices: NDArray[np.int64], counts: NDArray[np.int64]) -> str:
    """Return sparse counts as `encode` does dense ones: the same text, the cheaper the fewer they are.

    Args:
        indices: strictly ascending, 0 ≤ index < COUNTS_LEN.
        counts: as many integers ≥ 1, together at most MOST.

    Raises:
        ValueError: they are not.
    """
    if indices.shape != counts.shape or indices.ndim != 1:
        raise ValueError(f"{indices.size} indices and {counts.size} counts do not make pairs")
    # Loops, not arrays: each slice is written so, in the gap, and for its few dozen counts NumPy's calls take longer.
    where, many = indices.tolist(), counts.tolist()
    steps = [index - before for before, index in pairwise((-1, *where))]
    if where and (min(steps) < 1 or where[-1] >= COUNTS_LEN):
        raise ValueError(f"indices are not ascending from 0 to {COUNTS_LEN - 1}")
    if many and (min(many) < 1 or sum(many) > MOST):
        raise ValueError(f"a count is below 1, or there are more than {MOST} observations")
    stream = _varints(steps, many)
    payload = _HEADER.pack(_HEADER_COOKIE, len(stream), 0, *_LAYOUT, 1.0) + stream
    # At zlib's default level, like the library's: so the text is equal too, not just what it inflates to.
    packed = zlib.compress(payload)
    return base64.b64encode(_ENVELOPE.pack(_ENVELOPE_COOKIE, len(packed)) + packed).decode("ascii")


def decode_sparse(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ascending indices in use and their counts; otherwise as `decode`, and as safe."""
    return _sparse(_open(text), COUNTS_LEN)


def decode_any(text: str) -> tuple[tuple[int, int], NDArray[np.int64], NDArray[np.int64]]:
    """Return what :func:`decode_sparse` does, of any layout: lowest value and digits, indices, counts.

    What the indices stand for, :func:`highest_of` tells. Safe on text from anywhere.

    Raises:
        ValueError: as :func:`decode`; or the layout is impossible, or reaches beyond 2⁶² units.
    """
    digits, lowest, _, stream = _opened(text, _LONGEST_ANY)
    if not 0 <= digits <= _MOST_DIGITS or not 1 <= lowest < 1 << 40:
        raise ValueError(f"the histogram has {digits} digits from {lowest}, which no histogram has")
    half_bits, unit_bits = _bits(lowest, digits)
    longest = (_MOST_BITS - unit_bits - half_bits + 1) << half_bits
    return (lowest, digits), *_sparse(stream, longest)


def highest_of(indices: NDArray[np.int64], lowest: int, digits: int) -> NDArray[np.int64]:
    """Return the highest value that each index of any layout stands for (AbstractHistogram.java, valueFromIndex)."""
    half_bits, unit_bits = _bits(lowest, digits)
    bucket = np.maximum((indices >> half_bits) - 1, 0)
    shift = bucket + unit_bits
    highest: NDArray[np.int64] = ((indices - (bucket << half_bits) + 1) << shift) - 1
    return highest


def _bits(lowest: int, digits: int) -> tuple[int, int]:
    """How many bits half a bucket's steps take, and the smallest step."""
    return max((2 * 10**digits - 1).bit_length(), 1) - 1, lowest.bit_length() - 1


def _sparse(stream: bytes, most_counts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    numbers = _numbers(stream)
    steps = np.where(numbers < 0, -numbers, 1)
    # Each step is bounded before they are added up, so the sum cannot overflow.
    if steps.size and (steps.max() > most_counts or steps.sum() > most_counts):
        raise ValueError("the histogram has more counts than its layout")
    used = numbers > 0
    counts = numbers[used]
    if counts.sum(dtype=np.float64) > MOST:
        raise ValueError(f"the histogram counts more than {MOST} observations")
    return (np.cumsum(steps) - 1)[used], counts


def _encode_numpy(counts: NDArray[np.int64]) -> str:
    _checked_total(counts)
    used = np.flatnonzero(counts)
    return encode_sparse(used, counts[used])


def _decode_library(text: str) -> NDArray[np.int64]:
    # Opened by us first: the library inflates without bound and believes any layout.
    _open(text)
    try:
        counts = np.ctypeslib.as_array(HdrHistogram.decode(text).counts).astype(np.int64)
    except (ValueError, IndexError, OverflowError):
        raise ValueError("the histogram's counts are damaged") from None
    _checked_total(counts)
    return counts


def _decode_numpy(text: str) -> NDArray[np.int64]:
    counts = np.zeros(COUNTS_LEN, np.int64)
    indices, many = decode_sparse(text)
    counts[indices] = many
    return counts


def _open(text: str) -> bytes:
    """Return the LEB128 stream inside `text`, with everything around it checked."""
    digits, lowest, highest, stream = _opened(text, _LONGEST)
    if (digits, lowest, highest) != _LAYOUT:
        raise ValueError(
            f"the histogram has {digits} digits from {lowest} to {highest}; "
            f"only {SIGNIFICANT_DIGITS} digits from {LOWEST_NS} to {HIGHEST_NS} can be read"
        )
    return stream


def _opened(text: str, longest: int) -> tuple[int, int, int, bytes]:
    """Return digits, lowest and highest value, and the LEB128 stream; as :func:`_open`, of any layout."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("the histogram's text is not base64") from None
    if len(data) < _ENVELOPE.size:
        raise ValueError("the histogram's text is cut short")
    cookie, length = _ENVELOPE.unpack_from(data)
    if cookie != _ENVELOPE_COOKIE:
        raise ValueError("the text is no compressed V2 histogram")
    if length != len(data) - _ENVELOPE.size:
        raise ValueError(f"the histogram says it has {length} bytes, but {len(data) - _ENVELOPE.size} follow")

    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(data[_ENVELOPE.size :], longest)
    except zlib.error:
        raise ValueError("the histogram's compressed part is damaged") from None
    if not inflater.eof or inflater.unused_data or len(payload) < _HEADER.size:
        raise ValueError("the histogram's compressed part is too long or cut short")

    cookie, length, offset, *layout, _ratio = _HEADER.unpack_from(payload)
    if cookie != _HEADER_COOKIE or length != len(payload) - _HEADER.size:
        raise ValueError("the histogram's header is damaged")
    if offset != 0:
        raise ValueError(f"the histogram has the offset {offset}, and only 0 can be read")
    stream = payload[_HEADER.size :]
    ends = np.flatnonzero(np.frombuffer(stream, np.uint8) < 0x80)
    if stream and (stream[-1] >= 0x80 or np.diff(ends, prepend=-1).max() > _GROUPS):
        raise ValueError("a count of the histogram is cut short or too large")
    return layout[0], layout[1], layout[2], stream


def _varints(steps: list[int], counts: list[int]) -> bytes:
    """Write counts (each at most MOST), and minus the number of zeros before each, as ZigZag LEB128.

    That is seven bits a byte, lowest first, 0x80: more. ``steps`` are from one index in use to the next.
    """
    stream = bytearray()
    for step, count in zip(steps, counts, strict=True):
        for zigzag in (2 * (step - 1) - 1, 2 * count) if step > 1 else (2 * count,):
            while zigzag > 0x7F:
                stream.append(zigzag & 0x7F | 0x80)
                zigzag >>= 7
            stream.append(zigzag)
    return bytes(stream)


def _numbers(stream: bytes) -> NDArray[np.int64]:
    """Undo `_varints`; `_open` has seen to it that each number is complete and at most _GROUPS bytes long."""
    groups = np.frombuffer(stream, np.uint8).astype(np.int64)
    if not groups.size:
        return groups
    starts = np.flatnonzero(np.concatenate(([True], groups[:-1] < 0x80)))
    places = np.arange(groups.size) - np.repeat(starts, np.diff(starts, append=groups.size))
    zigzag = np.add.reduceat((groups & 0x7F) << (7 * places), starts)
    numbers: NDArray[np.int64] = (zigzag >> 1) ^ -(zigzag & 1)
    return numbers


def _checked_total(counts: NDArray[np.int64]) -> int:
    if counts.shape != (COUNTS_LEN,):
        raise ValueError(f"a histogram has {COUNTS_LEN} counts, not {counts.size}")
    if counts.min() < 0:
        raise ValueError("a histogram's count cannot be negative")
    # In doubles, for the exact sum of hostile counts could overflow.
    if counts.sum(dtype=np.float64) > MOST:
        raise ValueError(f"the histogram counts more than {MOST} observations")
    return int(counts.sum())
