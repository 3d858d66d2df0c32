"""The table as tab-separated text, for a spreadsheet: names with their units, numbers without."""

from __future__ import annotations

from collections.abc import Sequence

from latvar_tui.format import printable, quantile_name
from latvar_tui.study.table import QUANTILES, Ratio, Row


def tab_separated(rows: Sequence[Row], ranked_by: float) -> str:
    """A line a row under a line of names. What there is no number for is empty; ratios are of ``ranked_by`` (percent).

    ``provisional`` names the columns whose number rests on too few observations for a claim.
    """
    ranked = quantile_name(ranked_by).replace(".", "_")
    quantiles = [f"{quantile_name(quantile).replace('.', '_')}_ms" for quantile in QUANTILES]
    names = [
        "candidate", "condition", "n", *quantiles, "max_ms", "slow_share", "wait_share",
        f"{ranked}_to_best", f"{ranked}_to_idle", f"{ranked}_to_base", "provisional",
    ]  # fmt: skip
    lines = ["\t".join(names)]
    for row in rows:
        ratios = (row.to_best, row.to_idle, row.to_base)
        unsure = [name for name, is_so in zip(quantiles, row.provisional, strict=True) if is_so and row.n]
        unsure += [name for name, ratio in zip(names[-4:-1], ratios, strict=True) if ratio and ratio.provisional]
        values = [
            printable(row.contender.name), str(row.condition), str(row.n),
            *map(_ms, row.quantiles_ns), _ms(row.max_ns), _number(row.slow_share), _number(row.wait_share),
            *map(_ratio, ratios), " ".join(unsure),
        ]  # fmt: skip
        lines.append("\t".join(values))
    return "\n".join([*lines, ""])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _ms(value_ns: float | None) -> str:
    return _number(None if value_ns is None else value_ns / 1e6)


def _ratio(value: Ratio | None) -> str:
    return _number(None if value is None else value.value)
