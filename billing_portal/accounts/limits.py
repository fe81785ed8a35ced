"""The cache where there is no Redis: each process has its own, but for what is counted to limit it.

allauth counts failed logins in the default cache, and `too_many` the requests of strangers. Of one
process alone the limit would be multiplied by the number of processes; here those counts, and their
locks, are rows that all processes share.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.core.cache import BaseCache, cache, caches
from django.core.cache.backends.locmem import LocMemCache

_OURS = "limit:"
_COUNTS = ("allauth:rl:", _OURS)


def too_many(what: str, who: str, *, most: int, seconds: int) -> bool:
    """Counts this request of `who`, an address or a key; True when it passes `most` in a span.

    Spans follow each other without sliding: at their border twice as many pass, which is enough
    against floods and guesses. Two at the same moment may count as one.
    """
    source = hashlib.sha256(who.encode()).hexdigest()[:32]
    key = f"{_OURS}{what}:{source}:{int(time.time() // seconds)}"
    count = int(cache.get(key, 0)) + 1
    cache.set(key, count, 2 * seconds)
    return count > most


class CacheOfOneProcess(LocMemCache):
    def add(self, key: Any, value: Any, *args: Any, **options: Any) -> bool:
        return _place(key, super()).add(key, value, *args, **options)

    def get(self, key: Any, *args: Any, **options: Any) -> Any:
        return _place(key, super()).get(key, *args, **options)

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        _place(key, super()).set(key, value, *args, **options)

    def delete(self, key: Any, *args: Any, **options: Any) -> bool:
        return _place(key, super()).delete(key, *args, **options)

    def clear(self) -> None:
        super().clear()
        caches["limits"].clear()


def _place(key: Any, own: Any) -> BaseCache | Any:
    return caches["limits"] if str(key).startswith(_COUNTS) else own
