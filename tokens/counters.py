"""A cache for counting that all web workers of a machine share without a service: a file mapped into their memory."""

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

# The digest of a key, when it expires (seconds since 1970) and its count.
SLOT = struct.Struct("=16sdq")
SLOTS = 16_384
# A key may be in any of so many slots. Its digest names the first one.
SLOTS_OF_A_KEY = 8


def reserve(file: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:  # macOS
        os.pwrite(file, bytes(size - os.fstat(file).st_size), os.fstat(file).st_size)


class Table:
    def __init__(self, path: Path) -> None:
        # Open until the process ends. Closing any descriptor of the file would free the lock.
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # On a full disk the first write to a hole of a file would end the process by a signal.
            reserve(self.file, SLOTS * SLOT.size)
            self.memory = mmap.mmap(self.file, SLOTS * SLOT.size)
        except BaseException:
            os.close(self.file)
            raise
        self.lock = Lock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Locks out other threads, then other processes. The system frees the lock of a process that dies."""
        with self.lock:
            fcntl.lockf(self.file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self.file, fcntl.LOCK_UN)

    def find(self, digest: bytes) -> tuple[int, float, int | None]:
        """The offset, expiry and count of a key. If it has no count, the offset is of the slot that expires first."""
        now = time.time()
        first = int.from_bytes(digest[:4], "little")
        soonest, free = 0.0, -1
        for number in range(first, first + SLOTS_OF_A_KEY):
            offset = number % SLOTS * SLOT.size
            name, expires, count = SLOT.unpack_from(self.memory, offset)
            if name == digest and expires > now:
                return offset, expires, count
            if free < 0 or expires < soonest:
                soonest, free = expires, offset
        return free, 0.0, None


open_table = cache(Table)


class SharedCounters(BaseCache):
    """What django-ratelimit needs of a cache. LOCATION is the path of the file.

    With very many keys at once, some are forgotten too early. Then the count is too low, never too high. While there is
    no room for the file on the disk, each use raises OSError.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.path = Path(location)

    @property
    def table(self) -> Table:
        return open_table(self.path)

    def digest(self, key: Any, version: int | None) -> bytes:
        return blake2b(self.make_key(key, version).encode(), digest_size=16).digest()

    def add(self, key: Any, value: int, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        digest = self.digest(key, version)
        expires = self.get_backend_timeout(timeout)
        with self.table.alone():
            offset, _, count = self.table.find(digest)
            if count is None:
                SLOT.pack_into(self.table.memory, offset, digest, float("inf") if expires is None else expires, value)
        return count is None

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        digest = self.digest(key, version)
        with self.table.alone():
            offset, expires, count = self.table.find(digest)
            if count is None:
                raise ValueError(f"There is no counter {key!r}.")
            SLOT.pack_into(self.table.memory, offset, digest, expires, count + delta)
        return count + delta

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with self.table.alone():
            count = self.table.find(self.digest(key, version))[2]
        return default if count is None else count

    def clear(self) -> None:
        with self.table.alone():
            self.table.memory[:] = bytes(len(self.table.memory))
