"""How often a trend is claimed where there is none, and where there is one.

    python -m benchmarks.drift [--sessions N] [--slices N]

Stationary slice medians whose mood lasts (AR(1) with correlation phi from slice to slice, 10 % wide, and 5 % of
noise of each slice's own), alike but jumping between two humps a factor of two apart, and the first with a steady
drift of 20 % over the session. Each session is looked at whenever the board would look; one false claim at any of
them counts. A claim on stationary slices must come in less than 5 % of sessions for phi up to 0.95.
"""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from latvar_tui import wire
from latvar_tui.hdr_layout import indices_of
from latvar_tui.study.drift import Series

PHIS = (0.0, 0.5, 0.9, 0.95, 0.98)
Logs = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sessions", type=int, default=200, help="of each kind (default %(default)s)")
    parser.add_argument("--slices", type=int, default=4000, help="of each session (default %(default)s)")
    options = parser.parse_args()
    print(f"{'sessions with a claim':<24}" + "".join(f"{f'phi {phi}':>10}" for phi in PHIS))
    for name, kind in KINDS.items():
        shares = [share_claimed(kind, phi, options.sessions, options.slices) for phi in PHIS]
        print(f"{name:<24}" + "".join(f"{100 * share:>8.1f} %" for share in shares))


def share_claimed(
    kind: Callable[[np.random.Generator, float, int], Logs], phi: float, sessions: int, slices: int, seed: int = 0
) -> float:
    """The share of simulated sessions in which a trend of the median is claimed at any look."""
    random = np.random.default_rng(seed)
    return sum(is_claimed(kind(random, phi, slices)) for _ in range(sessions)) / sessions


def is_claimed(logs: Logs) -> bool:
    """Whether a trend is claimed at any look, of slices with these logarithms of their medians (of 10 ms)."""
    series = Series()
    indices = indices_of(np.round(1e7 * np.exp(logs)).astype(np.int64))
    for index in indices.tolist():
        if series.add(wire.Counts(pairs=[[index, 1]])):
            trend = series.trend(50.0)
            if trend is not None and trend.real:
                return True
    return False


def moody(random: np.random.Generator, phi: float, slices: int, sd: float = 0.1) -> Logs:
    """AR(1) of that standard deviation."""
    memory = 400
    noise = random.normal(0, sd * np.sqrt(1 - phi**2), slices + memory)
    weights = phi ** np.arange(memory + 1)
    return np.convolve(noise, weights, "valid")[:slices]


def stationary(random: np.random.Generator, phi: float, slices: int) -> Logs:
    return moody(random, phi, slices) + random.normal(0, 0.05, slices)


def two_humps(random: np.random.Generator, phi: float, slices: int) -> Logs:
    return np.where(moody(random, phi, slices, 1.0) > 0.3, np.log(2), 0.0) + random.normal(0, 0.03, slices)


def drifting(random: np.random.Generator, phi: float, slices: int) -> Logs:
    return stationary(random, phi, slices) + np.linspace(0, np.log(1.2), slices)


KINDS: dict[str, Callable[[np.random.Generator, float, int], Logs]] = {
    "stationary": stationary,
    "stationary, two humps": two_humps,
    "drifts by 20 %": drifting,
}


if __name__ == "__main__":
    main()
