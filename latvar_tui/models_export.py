"""A model as one file that other tools can read: it appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from latvar_tui.candidate import UsageError
from latvar_tui.zoo.entries import reason_of
from latvar_tui.zoo.onnx_inline import inlined

STDOUT = "-"


def export(model: Path, output: str, force: bool) -> int:
    """Write the model with its weights inside to ``output``, or to standard output for ``-``.

    Returns the number of bytes.

    Raises:
        UsageError: there is a file already and no ``force``, or it cannot be written.
        ZooError: the model or its weights cannot be used.
    """
    if output == STDOUT:
        return _to_stdout(model)
    target = Path(output)
    _check(target, force)
    try:
        return _write(model, target)
    except OSError as error:
        raise UsageError(f"'{output}' cannot be written ({reason_of(error)}): choose another place.") from error


def _to_stdout(model: Path) -> int:
    if sys.stdout.isatty():
        raise UsageError("A model is no text for a terminal: give a file with -o, or send the output to one.")
    written = 0
    try:
        for chunk in inlined(model):
            view = memoryview(chunk)
            while view:
                view = view[os.write(sys.stdout.fileno(), view) :]
            written += len(chunk)
    except BrokenPipeError:
        raise  # whoever reads has had enough
    except OSError as error:
        raise UsageError(f"The output cannot be written ({reason_of(error)}): send it elsewhere.") from error
    return written


def _check(target: Path, force: bool) -> None:
    try:
        found = target.stat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise UsageError(f"'{target}' cannot be written ({reason_of(error)}): choose another place.") from error
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"'{target}' is not a regular file: choose a file to write, or - for standard output.")
    if not force:
        raise UsageError(f"'{target}' is there already: choose another name, or overwrite it with --force.")


def _write(model: Path, target: Path) -> int:
    written = 0
    real = target.resolve()  # a link stays one
    fd, temporary = tempfile.mkstemp(prefix=f".{real.name[:64]}-", dir=real.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            for chunk in inlined(model):
                file.write(chunk)
                written += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp's is for its owner alone
        os.replace(temporary, real)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return written


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
