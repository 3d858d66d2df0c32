"""``python -m latvar_tui.device``: the probe alone; needs numpy and onnxruntime only."""

from __future__ import annotations

import sys

from latvar_tui.blas import keep_to_one_thread

keep_to_one_thread()  # they would be threads of the probe's own


def main(arguments: list[str]) -> int:
    """Serve one screen. ``--force`` goes on beside another probe; ``--parent PID`` dies with that process."""
    from latvar_tui.device.lifeline import die_with

    if "--parent" in arguments:
        die_with(int(arguments[arguments.index("--parent") + 1]))
    from latvar_tui.device.serve import serve

    return serve(force="--force" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
