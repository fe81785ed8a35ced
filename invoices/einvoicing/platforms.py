"""The approved platform, as far as this app knows it: whether one is connected, and that the outbox
has something for it. Who can say so stands above us, and registers when the app is ready.
"""

from __future__ import annotations

from collections.abc import Callable

_CONNECTED: list[Callable[[], str]] = []
_HURRY: list[Callable[[], None]] = []
_ASK: list[Callable[[int], None]] = []


def register(
    name_of_connected: Callable[[], str],
    hurry: Callable[[], None],
    ask_about: Callable[[int], None],
) -> None:
    """The name of the connected platform, "" without one; what to call after a new row; and what
    has the directory asked about a client, by and by."""
    _CONNECTED[:], _HURRY[:], _ASK[:] = [name_of_connected], [hurry], [ask_about]


def connected() -> str:
    return _CONNECTED[0]() if _CONNECTED else ""


def hurry() -> None:
    """Inside the transaction of the row: the row is the truth, the queue only makes it sooner."""
    if _HURRY and connected():
        _HURRY[0]()


def ask_about(client_id: int) -> None:
    """The worker asks: nobody waits for a directory."""
    if _ASK and connected():
        _ASK[0](client_id)
