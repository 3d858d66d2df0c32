"""All rules that turn a number or a name into text, so that it looks the same wherever it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence

NOTHING = "–"
"""Where there is no number. Never 0."""


def three_digits(value: float) -> str:
    """Three significant digits at least, never an exponent: 0.0412, 4.12, 41.2, 412, 4120."""
    if value <= 0:
        return "0"
    for limit, decimals in ((0.0009995, 6), (0.009995, 5), (0.09995, 4), (0.9995, 3), (9.995, 2), (99.95, 1)):
        if value < limit:
            return f"{value:.{decimals}f}"
    return f"{value:.0f}"


def ms(value_ns: float | None) -> str:
    """A time in milliseconds, without the unit: a column or an axis names that once."""
    return NOTHING if value_ns is None else three_digits(value_ns / 1e6)


def count(value: int) -> str:
    """A count with its thousands apart: 12 345."""
    return f"{value:,}".replace(",", " ")


def ratio(value: float | None) -> str:
    """A ratio: 1.00×, 12.3×."""
    return NOTHING if value is None else f"{three_digits(value)}×"


def amount(count: int | None) -> str:
    """A count to three digits: 512, 4.10 k, 1.24 M, 7.00 G."""
    if count is None:
        return NOTHING
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * size:
            return f"{three_digits(count / size)} {unit}"
    return str(count)


def size(nbytes: int | None) -> str:
    """A number of bytes: 512 B, 4.10 kB, 21.8 MB, 1.50 GB."""
    text = amount(nbytes)
    return text if nbytes is None else f"{text}B" if " " in text else f"{text} B"


def printable(text: str) -> str:
    """Text from a file that somebody else wrote, without what a terminal would obey or cannot show."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def encodable(text: str) -> str:
    """Text with escapes for what is none in it (of a path that is no UTF-8), so that any file takes it; JSON's, too."""
    return text.encode(errors="backslashreplace").decode()


def percent(share: float | None) -> str:
    """A share of 1 as whole percent."""
    return NOTHING if share is None else f"{100 * share:.0f} %"


def share(value: float | None, n: int = 0) -> str:
    """A share of 1 in percent: 12.3 %, 0.42 %.

    Of ``n`` observations none of which was one, less than three in ``n``: what can be said with 95 % confidence.
    """
    if value is None:
        return NOTHING
    if value == 0 and n:
        bound = min(100.0, 300 / n)
        decimals = 0 if bound > 9.9 else 1 if bound > 0.99 else 2
        return f"<{math.ceil(bound * 10**decimals - 1e-9) / 10**decimals:.{decimals}f}%"
    percent = 100 * value
    if 0.995 < value < 1:
        return ">99 %"
    if 0 < percent < 0.005:
        return "<0.01%"
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %" if percent >= 0.95 else f"{percent:.2f} %"


def quantile_name(quantile: float) -> str:
    """p50, p99.9."""
    return f"p{quantile:.10g}"


def clock_time(elapsed_ns: int) -> str:
    """Time since a beginning: ``01:23``, or ``2:01:23`` from an hour on."""
    minutes, seconds = divmod(elapsed_ns // 1_000_000_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def plural(number: int, noun: str) -> str:
    """1 core, 2 cores."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def distinct(names: Sequence[str], cells: int) -> list[str]:
    """Names of at most ``cells`` characters that still differ.

    What differs may stand at the beginning or at the end of long names, or in the settings behind an @: the first
    cut that keeps all of them apart is taken, and if none does they are numbered.
    """
    for cut in (_end, _before_settings, _middle):
        shown = [name if len(name) <= cells else cut(name, cells) for name in names]
        if len(set(shown)) == len(set(names)) and (cut is not _end or not any("@" in name for name in names)):
            return shown
    return [f"{place} {name}"[:cells] for place, name in enumerate(names, 1)]


def _end(name: str, cells: int) -> str:
    return name[: cells - 1] + "…"


def _before_settings(name: str, cells: int) -> str:
    model, at, settings = name.partition("@")
    room = cells - len(at + settings) - 1
    return f"{model[:room]}…{at}{settings}" if room >= 4 else _end(name, cells)


def _middle(name: str, cells: int) -> str:
    tail = max(0, (cells - 1) // 2)
    return f"{name[: cells - 1 - tail]}…{name[len(name) - tail :]}"
