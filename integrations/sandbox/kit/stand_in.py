"""What the kit asks of a stand-in: its answers, its refusals, and controls of its own.

The kit is the socket, the faults, the budgets, the counting and the control surface; it knows no
provider. A stand-in is handed to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass
class Answer:
    status: int
    body: bytes
    cost: int = 0
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class StandIn(Protocol):
    def token_of(self, headers: Mapping[str, str]) -> str:
        """The token that a request carries, wherever the provider wants it; "" without one."""

    def answer(self, method: str, path: str, query: str, body: bytes) -> Answer:
        """The token was checked."""

    def route_name(self, path: str) -> str:
        """The specification's path for a real one."""

    def refusal(self, status: int, error: str, info: str) -> Answer:
        """A refusal in the provider's shape."""

    def summary(self) -> dict[str, Any]:
        """What it holds, for `GET /_sandbox/`."""

    def control(self, method: str, parts: list[str], query: str, given: dict[str, Any]) -> Answer:
        """A control of its own. Raises LookupError if it has none such."""
