"""The platform's own noise: sleep for a millisecond, and see by how much too late one wakes (the idea of jHiccup).

No model runs. What makes this late makes inferences late, too: no free core, a deep idle state, a hypervisor.
"""

from __future__ import annotations

import time

from latvar_tui.device.workload import Workload

NOMINAL_NS = 1_000_000
"""How long a sleep is meant to be. Whatever it takes beyond is lateness."""


def hiccup() -> Workload:
    """A workload whose times are lateness: whoever times it takes :attr:`Workload.nominal_ns` off."""
    sleep, nominal_s = time.sleep, NOMINAL_NS / 1e9

    def infer() -> None:
        sleep(nominal_s)

    return Workload(
        infer,
        outputs=list,
        keep_places=lambda: None,
        inputs=[],
        notes=["it runs no model: it sleeps for 1 ms at a time, and its times are by how much it wakes late"],
        identity=f"sleep-{NOMINAL_NS}ns",
        nominal_ns=NOMINAL_NS,
    )
