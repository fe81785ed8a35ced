"""Whether an approved platform is connected: who can say so registers when the app is ready."""

from __future__ import annotations

from collections.abc import Callable

_CONNECTED: list[Callable[[], str]] = []


def register(name_of_connected: Callable[[], str]) -> None:
    """The name of the connected platform, "" without one."""
    _CONNECTED[:] = [name_of_connected]


def connected() -> str:
    return _CONNECTED[0]() if _CONNECTED else ""
