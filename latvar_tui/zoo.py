"""The model zoo: real architectures whose weights are made up on the device at first use.

``models/`` holds ONNX graphs without their large weights (written by ``models/export.py``). The latency
of a CNN does not depend on what its weights are, as long as everything stays finite, so seeded normal
numbers of the right scale (He et al., arXiv 1502.01852) stand in for them. Predictions mean nothing.

Runs on the measured device too: numpy is all it needs, and only to fill a file.
"""

from __future__ import annotations

import difflib
import errno
import functools
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy

DEFAULT_LINE_UP: tuple[str, ...] = ("squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0")

_FORMAT = 1  # of catalogue.json
_SEAL = "sealed.json"  # in a model's cache folder, written last: what the weights file must look like
_TEMPORARY = ".tmp-"  # prefix of folders under construction
_ABANDONED_S = 3600.0  # an older one belonged to a process that was killed


class ZooError(ValueError):
    """A model cannot be had. The message is one sentence: what, why, and what to do."""


class ModelInput(NamedTuple):
    """The one input of a zoo model."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """As NumPy spells it, e.g. ``float32``."""


class WeightBlock(NamedTuple):
    """One tensor that the graph expects in the weights file."""

    offset: int
    """Bytes from the start of the file, a multiple of 64."""
    size: int
    """How many values."""
    dtype: str
    """As NumPy spells it; ``float32`` is the only one so far."""
    scale: float
    """Standard deviation of the values."""


@dataclass(frozen=True)
class ModelEntry:
    """What the catalogue knows about one model of the zoo."""

    name: str
    source: str
    """Where the architecture's code is from, with its version."""
    licence: str
    """SPDX identifier of that code."""
    input: ModelInput
    output: str
    """Name of the output, 1 × 1000 class scores."""
    parameters: int
    """Trainable numbers of the whole model, those inside the graph included."""
    precision: str
    """``fp32``."""
    opset: int
    sha256: str
    """Of the graph file, in hexadecimal."""
    file: str
    """The graph's file name."""
    weights_file: str
    """The name under which the graph looks for its weights, beside itself."""
    weights_bytes: int
    """Size of that file."""
    seed: int
    weights: tuple[WeightBlock, ...]
    """In the order of the file, which is also the order in which the numbers are drawn."""

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that change whenever the graph or the recipe of its weights does."""
        recipe = repr((self.sha256, self.seed, self.weights_file, self.weights_bytes, self.weights))
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def models_folder() -> Path:
    """Return the folder that holds ``catalogue.json``: in the wheel, else at the top of the repository.

    Raises ZooError if there is none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "models", package.parent / "models"):
        if (folder / "catalogue.json").is_file():
            return folder
    raise ZooError(
        f"there is no model catalogue in {package / 'models'} or {package.parent / 'models'}: "
        "the installation is incomplete, so install latvar-tui again"
    )


@functools.cache
def catalogue() -> dict[str, ModelEntry]:
    """Return the models of the zoo by name, in the catalogue's order, read once. Raises ZooError."""
    path = models_folder() / "catalogue.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            raise ValueError(f"format {document['format']} where {_FORMAT} is needed")
        return {name: _entry(name, fields) for name, fields in document["models"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ZooError(
            f"the model catalogue {path} can't be read ({_reason(error)}): install latvar-tui again"
        ) from error


def _entry(name: str, fields: dict[str, Any]) -> ModelEntry:
    wanted, weights = fields["input"], fields["weights"]
    return ModelEntry(
        name=name,
        source=fields["source"],
        licence=fields["licence"],
        input=ModelInput(wanted["name"], tuple(wanted["shape"]), wanted["dtype"]),
        output=fields["output"],
        parameters=fields["parameters"],
        precision=fields["precision"],
        opset=fields["opset"],
        sha256=fields["sha256"],
        file=fields["file"],
        weights_file=weights["file"],
        weights_bytes=weights["bytes"],
        seed=weights["seed"],
        weights=tuple(WeightBlock(*block) for block in weights["blocks"]),
    )


def find(model: str) -> ModelEntry | Path:
    """Return what a user means by ``model``: a name of the zoo, else a readable model file's path.

    Raises ZooError that says what is wrong with the path, or which names are near.
    """
    known = catalogue()
    if model in known:
        return known[model]
    named_as_path = model.lower().endswith((".onnx", ".ort")) or os.sep in model
    if named_as_path or (model and os.path.exists(model)):
        return _users_file(model)
    near = difflib.get_close_matches(model.lower().replace("-", "_"), known, n=3)
    if near:
        raise ZooError(
            f"there is no model {model!r} in the zoo: did you mean {' or '.join(near)}, or the path of an .onnx file?"
        )
    raise ZooError(
        f"there is no model {model!r} in the zoo, which has {', '.join(known)}: "
        "choose one of these or give the path of an .onnx file"
    )


def _users_file(model: str) -> Path:
    path = Path(model)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ZooError(f"{model!r} is a directory: give the .onnx file inside it")
        if not stat.S_ISREG(found.st_mode):
            raise ZooError(f"{model!r} is not a regular file: give an .onnx file on disk")
        with path.open("rb") as file:
            if not file.read(1):
                raise ZooError(f"{model!r} is empty: export or copy the model again")
    except FileNotFoundError as error:
        raise ZooError(f"there is no file {model!r}: check the path and the folder you are in") from error
    except PermissionError as error:
        raise ZooError(f"{model!r} can't be read (no permission): chmod it or choose another file") from error
    except OSError as error:
        raise ZooError(f"{model!r} can't be read ({_reason(error)}): check the path") from error
    return path


def cache_folder() -> Path:
    """Return the user's cache folder for latvar-tui; it need not exist. Raises ZooError without a home."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(chosen):  # the XDG specification: a relative one is to be ignored
        return Path(chosen) / "latvar-tui"
    try:
        from platformdirs import user_cache_path  # a phone may lack it
    except ImportError:
        with suppress(RuntimeError):
            return Path.home() / ".cache" / "latvar-tui"
        raise ZooError("there is no home folder for the cache: set XDG_CACHE_HOME to a folder") from None
    return user_cache_path("latvar-tui", appauthor=False)


def materialise(entry: ModelEntry, cache_dir: Path | None = None) -> Path:
    """Return the path of a runnable graph with its weights beside it, making both at first use.

    ``cache_dir`` defaults to the user's cache folder. Safe to call from several processes at once: files
    appear whole or not at all, and a damaged copy is made anew. Raises ZooError.
    """
    models = (cache_folder() if cache_dir is None else cache_dir) / "models"
    target = models / f"{entry.name}-{entry.key}"
    if _is_sound(target, entry):
        return target / entry.file
    graph = _graph(entry)
    try:
        models.mkdir(parents=True, exist_ok=True)
        _sweep(models)
        with _temporary_folder(models, entry.name) as built:
            _write(built / entry.file, graph)
            _write(built / _SEAL, _fill(built / entry.weights_file, entry))
            _install(built, target, entry)
    except OSError as error:
        raise ZooError(
            f"the model {entry.name} can't be kept in the cache folder {models} ({_reason(error)}): "
            "make it writable with room to spare, or set XDG_CACHE_HOME to another folder"
        ) from error
    return target / entry.file


def _graph(entry: ModelEntry) -> bytes:
    path = models_folder() / entry.file
    try:
        graph = path.read_bytes()
    except OSError as error:
        raise ZooError(f"the graph {path} can't be read ({_reason(error)}): install latvar-tui again") from error
    if hashlib.sha256(graph).hexdigest() != entry.sha256:
        raise ZooError(f"the graph {path} is damaged (its checksum is wrong): install latvar-tui again")
    return graph


def _is_sound(target: Path, entry: ModelEntry) -> bool:
    """Tell whether the cached copy is whole.

    The graph is hashed each time. The weights, up to 100 MB, only when their time stamp is not the sealed
    one: what changes a file changes that too, and they were on disk before they were sealed.
    """
    try:
        seal = json.loads((target / _SEAL).read_bytes())
        if hashlib.sha256((target / entry.file).read_bytes()).hexdigest() != entry.sha256:
            return False
        found = (target / entry.weights_file).stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.weights_bytes:
            return False
        if found.st_mtime_ns == seal["mtime_ns"]:
            return os.access(target / entry.weights_file, os.R_OK)
        return bool(_crc32(target / entry.weights_file) == seal["crc32"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _install(built: Path, target: Path, entry: ModelEntry) -> None:
    """Move the files of ``built`` to ``target``, unless another process was faster.

    File by file rather than as a folder: when a damaged copy is replaced there is no moment without one,
    and two processes that do so together write the same bytes. The seal goes last.
    """
    with suppress(FileExistsError):
        target.mkdir()
    if not target.is_dir():
        target.unlink()
        target.mkdir()
    if _is_sound(target, entry):
        return
    for name in (entry.weights_file, entry.file, _SEAL):
        os.replace(built / name, target / name)
    _sync(target)
    _sync(target.parent)


def generator(seed: int) -> numpy.random.Generator:
    """Return the source of standard normal numbers that fills a weights file, block after block."""
    import numpy

    return numpy.random.Generator(numpy.random.SFC64(seed))


def _fill(path: Path, entry: ModelEntry) -> bytes:
    """Write the weights file and return its seal."""
    import numpy

    source = generator(entry.seed)
    room = numpy.empty(max((block.size for block in entry.weights), default=0), numpy.float32)
    crc = end = 0
    with open(path, "wb", buffering=0) as file:
        for block in entry.weights:
            if block.dtype != "float32":
                raise ZooError(
                    f"the model {entry.name} needs {block.dtype} weights, which this version can't make: "
                    "install a newer latvar-tui"
                )
            values = room[: block.size]
            source.standard_normal(out=values, dtype=numpy.float32)
            values *= numpy.float32(block.scale)
            for piece in (bytes(block.offset - end), values.view(numpy.uint8).data):
                crc = zlib.crc32(piece, crc)
                _write_all(file.fileno(), piece)
            end = block.offset + 4 * block.size
        os.fsync(file.fileno())  # else it is written back while the first slices are measured
        mtime_ns = os.fstat(file.fileno()).st_mtime_ns
    return json.dumps({"crc32": crc, "mtime_ns": mtime_ns}).encode()


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


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _temporary_folder(models: Path, name: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{name}-", dir=models))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(models: Path) -> None:
    """Remove what killed processes left behind; never a reason to fail."""
    oldest = time.time() - _ABANDONED_S
    for folder in models.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Return the error in words that fit inside a sentence."""
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return "the disk is full"
        return (error.strerror or type(error).__name__).lower()
    if isinstance(error, KeyError):
        return f"no {error.args[0]!r} in it"
    return str(error) or type(error).__name__
