"""What goes wrong on purpose, for the next so many requests that match."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from integrations.sandbox.kit.stand_in import Answer

KINDS: Final = (
    "429",
    "500",
    "503",
    "401",
    "html_403",
    "not_json",
    "empty",
    "truncated",
    "dropped",
    "slow",
)

UNAUTHORIZED: Final = ("unauthorized access", "Check the token.")
_BLOCKED: Final = (
    b"<!DOCTYPE html><html><head><title>Attention Required!</title></head>"
    b"<body><h1>Sorry, you have been blocked</h1><p>Error 1015: you are being rate limited."
    b"</p></body></html>"
)


@dataclass
class Fault:
    """One kind of trouble.

    `path` is the beginning of a path ("/api/v2/deals" spoils those of products too), `route` is
    exactly one route of the specification; None matches every request. `skip` lets so many
    matching requests through first; `retry_after` is the header of a 429 or 503, in seconds;
    `delay` is how long "slow" waits before it answers properly.
    """

    kind: str
    times: int = 1
    path: str | None = None
    route: str | None = None
    skip: int = 0
    retry_after: float | None = None
    delay: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is none of {', '.join(KINDS)}.")

    @property
    def cuts_the_connection(self) -> bool:
        return self.kind in ("truncated", "dropped")

    def answer(self, refusal: Callable[[int, str, str], Answer]) -> Answer | None:
        """The answer instead of the true one; None for kinds that spoil only its delivery."""
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        match self.kind:
            case "429":
                answer = refusal(429, "request over limit", "Too many requests.")
                answer.headers |= headers
                return answer
            case "500":
                return refusal(500, "Internal server error", "Try again later.")
            case "503":
                html = b"<html><body>503 Service Unavailable</body></html>"
                return Answer(503, html, content_type="text/html", headers=headers)
            case "401":
                return refusal(401, *UNAUTHORIZED)
            case "html_403":
                return Answer(403, _BLOCKED, content_type="text/html; charset=UTF-8")
            case "not_json":
                return Answer(200, b"upstream connect error or disconnect/reset before headers")
            case "empty":
                return Answer(200, b"")
        return None


class Faults:
    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def take(self, path: str, route: str) -> Fault | None:
        """The fault for this request, if one is due."""
        with self._lock:
            for fault in self._waiting:
                if fault.path is not None and not path.startswith(fault.path):
                    continue
                if fault.route is not None and fault.route != route:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None
