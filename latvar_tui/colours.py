"""The candidates' colours, on the screen and in reports: told apart by colour-blind eyes (Okabe and Ito's set)."""

from __future__ import annotations

CANDIDATES = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#d55e00", "#0072b2", "#999999")
"""By slot; with more candidates they begin again."""
