"""The cache where there is no Redis: each process has its own, but for the counts of failed logins.

allauth counts them in the default cache. Of one process alone the limit would be multiplied by the
number of processes; here those counts, and their locks, are rows that all processes share.
"""

from __future__ import annotations

from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache

_COUNTS = "allauth:rl:"


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
