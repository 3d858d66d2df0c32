"""Files that only ever grow, on a disk that may be full, read-only, slow or gone.

What cannot be written is kept in memory, up to a limit, and written when it can be. Nothing here raises once the
files have been opened: :attr:`GrowingFiles.trouble` says in words what is wrong.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

MOST_PENDING_BYTES = 16 << 20
RETRY_S = 1.0
SYNC_S = 1.0

_SYNC_COST = 50.0
"""Waiting for the disk may take 2 % of the time at most, however slow it is."""

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "the folder may not be written to",
    errno.EPERM: "the folder may not be written to",
    errno.ENOENT: "its folder has vanished",
    errno.EIO: "the disk fails",
    errno.EFBIG: "files may not grow any further",
}


def in_words(error: OSError) -> str:
    """What is wrong, for a sentence."""
    return _WORDS.get(error.errno or 0, (error.strerror or str(error)).lower())


@dataclass
class _Growing:
    """``written`` bytes are the kernel's, ``pending`` ones are to follow."""

    fd: int = -1
    written: int = 0
    pending: bytearray = field(default_factory=bytearray)


class _Syncing(threading.Thread):
    """Waits for the disk, and for nothing else."""

    def __init__(self, fds: Sequence[int]) -> None:
        super().__init__(name="sync", daemon=True)
        self._fds = fds
        self.took_s = 0.0
        self.is_gone = False
        """Whether somebody has removed a file."""
        self.error: OSError | None = None

    def run(self) -> None:
        began_s = time.monotonic()
        try:
            for fd in self._fds:
                os.fsync(fd)
                self.is_gone |= not os.fstat(fd).st_nlink
        except OSError as error:
            self.error = error
        self.took_s = time.monotonic() - began_s


class GrowingFiles:
    """The files of one folder, by name; each comes to be with its first bytes."""

    def __init__(self, make_folder: Callable[[], Path]) -> None:
        """``make_folder`` makes one without any of the files, once there is something to write; may raise OSError."""
        self._make_folder = make_folder
        self.folder: Path | None = None
        """Where the files are; None before they are anywhere."""
        self.trouble: str | None = None
        self.sync_s = SYNC_S
        """How often the disk is waited for."""
        self.sync_took_s = 0.0
        """How long it took the last time."""
        self._files: dict[str, _Growing] = {}
        self._retry_at_s = self._synced_s = time.monotonic()
        self._unsynced = False
        self._syncing: _Syncing | None = None

    @property
    def has_room(self) -> bool:
        """Whether more may be kept in memory."""
        return sum(len(file.pending) for file in self._files.values()) < MOST_PENDING_BYTES

    @property
    def sizes(self) -> dict[str, int] | None:
        """How long each file is; None while something is still to be written."""
        if any(file.pending for file in self._files.values()):
            return None
        return {name: file.written for name, file in self._files.items()}

    def has(self, name: str) -> bool:
        """Whether there is anything in a file, or about to be."""
        return name in self._files

    def append(self, name: str, data: bytes) -> None:
        """Let a file grow; :meth:`write` makes it so."""
        self._files.setdefault(name, _Growing()).pending += data

    def write(self) -> bool:
        """Hand everything pending to the kernel, as far as it takes it.

        A process that is killed from here on loses nothing; a power cut may, until the disk is asked next:
        :meth:`begin_sync`.

        Returns:
            False if the files are gone: they begin anew, and what was pending for the old ones is dropped, for it
            was the continuation of what nobody has any more.
        """
        if not self._end_sync():
            return False
        if self.trouble is not None and time.monotonic() < self._retry_at_s:
            return True
        try:
            if self.folder is None:
                self.folder = self._make_folder()
            elif self.trouble is not None and not self._found_again(self.folder):
                return self._begin_anew()
            for name, file in self._files.items():
                if file.pending:
                    self._write(self.folder, name, file)
            self.trouble = None
        except OSError as error:
            self._fail(error)
        return True

    def begin_sync(self) -> None:
        """Let the disk have what has been written, if it is time to, while others work; :meth:`write` waits for it.

        Call at the beginning of a gap, and not while a slice runs: it is the disk's work that would disturb, and the
        kernel's. The kernel writes on its own, too, every five seconds or so; with this there is little left for it to
        do. A slow disk (an SD card takes 10 to 500 ms) is asked less often, for the probe is kept waiting as well.
        """
        due = time.monotonic() - self._synced_s >= self.sync_s
        if due and self._unsynced and self.trouble is None and self._syncing is None:
            self._unsynced = False
            self._syncing = _Syncing([file.fd for file in self._files.values() if file.fd >= 0])
            self._syncing.start()

    def retry_now(self) -> None:
        """Let the next :meth:`write` try again at once: there may be no other."""
        self._retry_at_s = time.monotonic()

    def close(self) -> None:
        """Wait for the disk once more, and let the files go. Safe to call twice."""
        self.sync_s = 0.0
        self.begin_sync()
        self._end_sync()
        self._let_go()

    # -- inside --------------------------------------------------------------------------------------------

    def _end_sync(self) -> bool:
        """Wait for the disk, if it was asked; what :meth:`write` returns."""
        asked, self._syncing = self._syncing, None
        if asked is None:
            return True
        asked.join()
        if asked.is_gone:
            return self._begin_anew()
        if asked.error is not None:
            self._fail(asked.error)
        self._synced_s, self.sync_took_s = time.monotonic(), asked.took_s
        self.sync_s = max(SYNC_S, min(60.0, _SYNC_COST * self.sync_took_s))
        return True

    def _write(self, folder: Path, name: str, file: _Growing) -> None:
        if file.fd < 0:
            is_new = 0 if file.written else os.O_CREAT
            file.fd = os.open(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | is_new, 0o644)
            with suppress(OSError):  # others see by this that it is being recorded; not every file system knows it
                fcntl.flock(file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        while file.pending:
            taken = os.write(file.fd, file.pending)
            file.written += taken
            del file.pending[:taken]
            self._unsynced = True

    def _fail(self, error: OSError) -> None:
        self.trouble = in_words(error)
        self._retry_at_s = time.monotonic() + RETRY_S

    def _found_again(self, folder: Path) -> bool:
        """Whether the files are there by their names: what was unplugged and is back is another file to the kernel."""
        self._let_go()
        try:
            return all(
                os.stat(folder / name).st_size == file.written for name, file in self._files.items() if file.written
            )
        except FileNotFoundError:
            return False

    def _begin_anew(self) -> bool:
        self._let_go()
        self._files.clear()
        self.folder = None
        self.trouble = _WORDS[errno.ENOENT]
        self._retry_at_s = time.monotonic() + RETRY_S
        return False

    def _let_go(self) -> None:
        for file in self._files.values():
            if file.fd >= 0:
                with suppress(OSError):
                    os.close(file.fd)
                file.fd = -1


def is_held(path: Path) -> bool:
    """Whether somebody lets a file grow just now; False where the file system does not tell."""
    with suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
    return False


def replace_file(path: Path, data: Mapping[str, object] | bytes, *, sync: bool = False) -> None:
    """Write a small file so that it is there whole or as before; with ``sync`` after a power cut, too. Raises OSError.

    Without, some file systems (XFS, F2FS) may leave an empty file under the new name.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    content = data if isinstance(data, bytes) else json.dumps(data, indent=1).encode()
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
        if sync:
            _sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Let what its files are called outlive a power cut, where the file system knows that."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
