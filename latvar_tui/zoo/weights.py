"""Weights that are made up on the device at first use.

The latency of a CNN does not depend on what its weights are, as long as everything stays finite, so seeded
normal numbers of the right scale (He et al., arXiv 1502.01852) stand in for them. Predictions mean nothing.

Runs on the measured device too: numpy is all it needs, and only to fill a file.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from latvar_tui.zoo.entries import ModelEntry, WeightBlock, ZooError, models_folder, reason_of
from latvar_tui.zoo.folders import cache_folder, sweep, sync, temporary_folder

if TYPE_CHECKING:
    import numpy
    import numpy.typing as npt

_SEAL = "sealed.json"  # in a model's cache folder, written last: what the weights file must look like


def materialise(entry: ModelEntry, cache_dir: Path | None = None, *, rehash: bool = False) -> Path:
    """Return the path of a runnable graph with its weights beside it, making both at first use.

    ``cache_dir`` defaults to the user's cache folder. With ``rehash`` the weights are read even if their time stamp is
    the one they were sealed with. Safe to call from several processes at once: files appear whole or not at all, and
    a damaged copy is made anew. Raises ZooError.
    """
    models = (cache_folder() if cache_dir is None else cache_dir) / "models"
    target = models / f"{entry.name}-{entry.key}"
    if _is_sound(target, entry, rehash):
        return target / entry.file
    graph = _graph(entry)
    try:
        models.mkdir(parents=True, exist_ok=True)
        sweep(models)
        with temporary_folder(models, entry.name) as built:
            _write(built / entry.file, graph)
            _write(built / _SEAL, _fill(built / entry.weights_file, entry))
            _install(built, target, entry, rehash)
    except OSError as error:
        raise ZooError(
            f"the model {entry.name} can't be kept in the cache folder {models} ({reason_of(error)}): "
            "make it writable with room to spare, or set XDG_CACHE_HOME to another folder"
        ) from error
    return target / entry.file


def _graph(entry: ModelEntry) -> bytes:
    path = models_folder() / entry.file
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ZooError(f"the graph {path} can't be read ({reason_of(error)}): install latvar-tui again") from error
    if hashlib.sha256(graph).hexdigest() != entry.sha256:
        raise ZooError(f"the graph {path} is damaged (its checksum is wrong): install latvar-tui again")
    return graph


def _is_sound(target: Path, entry: ModelEntry, rehash: bool = False) -> bool:
    """Tell whether the cached copy is whole.

    The graph is hashed each time. The weights, up to 100 MB, only when their time stamp is not the sealed
    one, or with ``rehash``: what changes a file changes that too, and they were on disk before they were sealed.
    """
    try:
        seal = json.loads((target / _SEAL).read_bytes())
        if hashlib.sha256((target / entry.file).read_bytes()).hexdigest() != entry.sha256:
            return False
        found = (target / entry.weights_file).stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.weights_bytes:
            return False
        if found.st_mtime_ns == seal["mtime_ns"] and not rehash:
            return os.access(target / entry.weights_file, os.R_OK)
        return bool(_crc32(target / entry.weights_file) == seal["crc32"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _install(built: Path, target: Path, entry: ModelEntry, rehash: bool) -> None:
    """Move the files of ``built`` to ``target``, unless another process was faster.

    File by file rather than as a folder: when a damaged copy is replaced there is no moment without one,
    and two processes that do so together write the same bytes. The seal goes last.
    """
    with suppress(FileExistsError):
        target.mkdir()
    if not target.is_dir():
        target.unlink()
        target.mkdir()
    if _is_sound(target, entry, rehash):
        return
    for name in (entry.weights_file, entry.file, _SEAL):
        os.replace(built / name, target / name)
    sync(target)
    sync(target.parent)


def generator(seed: int) -> numpy.random.Generator:
    """Return the source of standard normal numbers that fills a weights file, block after block."""
    import numpy

    return numpy.random.Generator(numpy.random.SFC64(seed))


def _fill(path: Path, entry: ModelEntry) -> bytes:
    """Write the weights file and return its seal."""
    source = generator(entry.seed)
    crc = end = 0
    with open(path, "wb", buffering=0) as file:
        for block in entry.weights:
            values = draw(source, block)
            for piece in (bytes(block.offset - end), values.view("uint8").data):
                crc = zlib.crc32(piece, crc)
                _write_all(file.fileno(), piece)
            end = block.offset + block.nbytes
        os.fsync(file.fileno())  # else it is written back while the first slices are measured
        mtime_ns = os.fstat(file.fileno()).st_mtime_ns
    return json.dumps({"crc32": crc, "mtime_ns": mtime_ns}).encode()


def draw(source: numpy.random.Generator, block: WeightBlock) -> npt.NDArray[numpy.generic]:
    """Draw one block's values, shape ``(block.size,)``: normal, times the scale; int8 codes rounded, at most ±127.

    Raises ZooError for a dtype that this version can't make.
    """
    import numpy

    values = source.standard_normal(block.size, dtype=numpy.float32)
    values *= numpy.float32(block.scale)
    if block.dtype == "float32":
        return values
    if block.dtype == "int8":
        numpy.rint(values, out=values)
        return numpy.clip(values, -127, 127, out=values).astype(numpy.int8)
    raise ZooError(f"a model needs {block.dtype} weights, which this version can't make: install a newer latvar-tui")


def _write_all(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(fd, view) :]  # a full disk first writes less, then fails


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _crc32(path: Path) -> int:
    crc = 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            crc = zlib.crc32(piece, crc)
    return crc
