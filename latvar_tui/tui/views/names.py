"""The views of the live screen: one table feeds their keys, the footer, the help and the README."""

from __future__ import annotations

from dataclasses import dataclass

OVERVIEW = "overview"


@dataclass(frozen=True)
class ViewName:
    """``key`` is the initial of ``title`` as a capital; ``help`` says what is seen."""

    name: str
    title: str
    help: str
    beside_table: bool = False
    """Whether the table of the present condition stands below it."""

    @property
    def key(self) -> str:
        return self.title[0]

    @property
    def keys(self) -> tuple[str, str]:
        """For Textual, and as people read them."""
        return (f"{self.key},escape", f"{self.key} esc") if self.name == OVERVIEW else (self.key, self.key)


VIEWS: tuple[ViewName, ...] = (
    ViewName(OVERVIEW, "Overview", "the histograms and their table"),
    ViewName("compare", "Compare", "two candidates in one histogram, and their difference at each quantile"),
    ViewName("percentiles", "Percentiles", "the percentile curves, out to p99.99", beside_table=True),
    ViewName("timeline", "Timeline", "latency over the session, density as shade, stress beneath", beside_table=True),
    ViewName("matrix", "Matrix", "candidates × conditions at one quantile, with what may be concluded"),
    ViewName("ranks", "Ranks", "how the order changes from one stress level to the next"),
    ViewName("device", "Device", "cores, clock, temperature, who else uses the CPU, and what the probe printed"),
)  # fmt: skip


def view_named(name: str) -> ViewName:
    """The view of that name."""
    return next(view for view in VIEWS if view.name == name)


def next_view(name: str, step: int) -> str:
    """The view so many further on, round and round."""
    names = [view.name for view in VIEWS]
    return names[(names.index(name) + step) % len(names)]
