"""All rules that turn a number into text, so that a number looks the same wherever it stands."""

from __future__ import annotations

NOTHING = "–"
"""Where there is no number. Never 0."""


def three_digits(value: float) -> str:
    """Three significant digits at least, never an exponent: 0.0412, 4.12, 41.2, 412, 4120."""
    if value <= 0:
        return "0"
    for limit, decimals in ((0.009995, 5), (0.09995, 4), (0.9995, 3), (9.995, 2), (99.95, 1)):
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


def percent(share: float | None) -> str:
    """A share of 1 as whole percent."""
    return NOTHING if share is None else f"{100 * share:.0f} %"


def quantile_name(quantile: float) -> str:
    """p50, p99.9."""
    return f"p{quantile:g}"


def plural(number: int, noun: str) -> str:
    """1 core, 2 cores."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
