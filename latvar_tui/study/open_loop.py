"""What a schedule of arrivals adds to a cell: how many were asked for and served, and how long the queue was."""

from __future__ import annotations

from dataclasses import dataclass, field

from latvar_tui import wire
from latvar_tui.condition import Arrivals
from latvar_tui.histogram import Histogram


@dataclass
class OpenLoop:
    """Added up over slices, each of which serves a schedule of its own from an empty queue.

    ``span_ns``: what was served was due within so long a time, plus how late the last one of a slice began: as long
    as the schedule, and longer where it was not kept up with.
    """

    response: Histogram = field(default_factory=Histogram)
    response_ns: int = 0
    offered: int = 0
    unserved: int = 0
    served: int = 0
    service_ns: int = 0
    span_ns: float = 0.0
    queue_max: int = 0

    def add(self, frame: wire.Slice, arrivals: Arrivals) -> None:
        """Take in a slice that has ``response`` times."""
        assert frame.response is not None
        self.response.add_counts(frame.response)
        self.response_ns += frame.response.sum_ns
        self.offered += frame.offered
        self.unserved += frame.unserved
        self.served += frame.inferences
        self.service_ns += frame.service.sum_ns
        self.span_ns += frame.inferences * arrivals.period_ns + frame.lag_ns
        self.queue_max = max(self.queue_max, frame.queue_max)

    @property
    def achieved_hz(self) -> float | None:
        """Inferences served a second, while their schedule or its end lasted; None before any."""
        return 1e9 * self.served / self.span_ns if self.span_ns else None

    @property
    def queue_mean(self) -> float | None:
        """How many were there on average, waiting or being served: Little's law, L = λW."""
        return self.response_ns / self.span_ns if self.span_ns else None

    def utilisation(self, arrivals: Arrivals) -> float | None:
        """ρ = λ·E[S]: the share of the time that serving them all takes. From 1 on the queue grows without end."""
        return arrivals.rate_hz * self.service_ns / self.served / 1e9 if self.served else None

    def is_saturated(self, arrivals: Arrivals) -> bool:
        """Whether more is asked for than can be served."""
        return (self.utilisation(arrivals) or 0.0) >= 1.0

    def words(self, arrivals: Arrivals) -> str:
        """Saturation in a sentence; empty where there is none."""
        if not self.is_saturated(arrivals) or not self.served:
            return ""
        mean_ms = self.service_ns / self.served / 1e6
        return (
            f"saturated: a service time of {mean_ms:.3g} ms (mean) allows {1000 / mean_ms:.3g}/s and "
            f"{arrivals.rate_hz:g}/s are asked for, so response times grow with the length of a slice"
        )
