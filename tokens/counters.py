"""Counting for all web workers of one machine, without a service: in a file that each of them maps into its memory."""

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
# A key may stand in so many slots, the first of which its digest names.
PLACES = 8


class Table:
    def __init__(self, path: Path) -> None:
        # Open as long as the process lives: to close any descriptor of the file would free the lock.
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self.file, SLOTS * SLOT.size)
        self.memory = mmap.mmap(self.file, SLOTS * SLOT.size)
        self.lock = Lock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other threads out, then other processes; the system frees the lock of one that dies."""
        with self.lock:
            fcntl.lockf(self.file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self.file, fcntl.LOCK_UN)

    def find(self, digest: bytes) -> tuple[int, float, int | None]:
        """The key's place, expiry and count; with no count, a place for it: a free one, or what soonest will be."""
        now = time.time()
        first = int.from_bytes(digest[:4], "little")
        soonest, place = 0.0, -1
        for number in range(first, first + PLACES):
            offset = number % SLOTS * SLOT.size
            name, expires, count = SLOT.unpack_from(self.memory, offset)
            if name == digest and expires > now:
                return offset, expires, count
            if place < 0 or expires < soonest:
                soonest, place = expires, offset
        return place, 0.0, None


open_table = cache(Table)


class SharedCounters(BaseCache):
    """As much of a cache as django-ratelimit counts with. LOCATION is the file's path.

    With very many keys at once one is forgotten before its time: then too little is counted, never too much.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.table = open_table(Path(location))

    def digest(self, key: Any, version: int | None) -> bytes:
        return blake2b(self.make_key(key, version).encode(), digest_size=16).digest()

    def add(self, key: Any, value: int, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        digest = self.digest(key, version)
        expires = self.get_backend_timeout(timeout)
        with self.table.alone():
            place, _, count = self.table.find(digest)
            if count is None:
                SLOT.pack_into(self.table.memory, place, digest, float("inf") if expires is None else expires, value)
        return count is None

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        digest = self.digest(key, version)
        with self.table.alone():
            place, expires, count = self.table.find(digest)
            if count is None:
                raise ValueError(f"There is no counter {key!r}.")
            SLOT.pack_into(self.table.memory, place, digest, expires, count + delta)
        return count + delta

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        with self.table.alone():
            count = self.table.find(self.digest(key, version))[2]
        return default if count is None else count

    def clear(self) -> None:
        with self.table.alone():
            self.table.memory[:] = bytes(len(self.table.memory))
