"""The approved platform, as far as this app knows it: whether one is connected, and that the outbox
has something for it. Who can say so stands above us, and registers when the app is ready.
"""

from __future__ import annotations

from collections.abc import Callable

_CONNECTED: list[Callable[[], str]] = []
_HURRY: list[Callable[[], None]] = []


def register(name_of_connected: Callable[[], str], hurry: Callable[[], None]) -> None:
    """The name of the connected platform, "" without one; and what to call after a new row."""
    _CONNECTED[:], _HURRY[:] = [name_of_connected], [hurry]


def connected() -> str:
    return _CONNECTED[0]() if _CONNECTED else ""


def hurry() -> None:
    """Inside the transaction of the row: the row is the truth, the queue only makes it sooner."""
    if _HURRY and connected():
        _HURRY[0]()
