"""Candidates that are no models to compare: what they measure is the instrument, and the platform.

They run like any other candidate, in slices of their own.
"""

from __future__ import annotations

NULL = "null"
HICCUP = "hiccup"

IMPORTED = "imported"
"""What a candidate is a measurement of that another tool has made: neither model nor settings are known."""

CONTROLS = {
    NULL: "a graph that does nothing: what a call of the runtime and the instrument cost",
    HICCUP: "no model: sleeps 1 ms and counts by how much it wakes late, the platform's own noise",
}
"""Name, and in words what it is for."""

NULL_FILE = "null.onnx"
"""The graph's file in ``models/``; ``models/null.py`` makes it."""
