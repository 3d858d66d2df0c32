"""What this device is, for the header and for every recorded number to be read with."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

from latvar_tui.device.cores import physical_cores, usable_cores
from latvar_tui.device.session import provider_names
from latvar_tui.device.stress_kinds import stress_kinds


def device_facts() -> dict[str, object]:
    """Name, processor, cores, system and versions; None where the platform does not say."""
    import numpy
    import onnxruntime

    return {
        "name": socket.gethostname() or None,
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "physical_cores": physical_cores(),
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "stress_kinds": stress_kinds(),
        "onnxruntime": onnxruntime.__version__,
        "providers": list(provider_names(onnxruntime.get_available_providers())),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "autogroup": _text("/proc/sys/kernel/sched_autogroup_enabled"),
        "pid": os.getpid(),
    }


def _cpu_name() -> str | None:
    board = _text("/proc/device-tree/model")
    if board:
        return board.rstrip("\0")
    cpuinfo = _text("/proc/cpuinfo") or ""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Hardware", "Model"):
            return value.strip()
    return platform.processor() or None


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace").strip() or None
    except OSError:
        return None
