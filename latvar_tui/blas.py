"""NumPy's BLAS with one thread: its pool spins on the other cores for 20 ms after each product of matrices, in a slice.

Imports no NumPy, which reads these variables once, when it is imported.
"""

from __future__ import annotations

import os

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What it takes in a process's environment."""


def keep_to_one_thread() -> None:
    """For this process and its children, unless the user's environment says otherwise; before NumPy is imported."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
