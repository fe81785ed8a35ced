"""The stand-in on a real socket: token, budgets, faults, counting, and the control surface."""

import hmac
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from integrations.sandbox.kit.control import control
from integrations.sandbox.kit.faults import UNAUTHORIZED, Fault, Faults
from integrations.sandbox.kit.limits import Limits
from integrations.sandbox.kit.stand_in import Answer, StandIn

DEFAULT_TOKEN: Final = "sandbox-token"  # noqa: S105  the demo's, for this machine only
HOST: Final = "127.0.0.1"
_MAX_BODY: Final = 1_000_000


@dataclass(frozen=True)
class Request:
    """One request to the API as it came in; `route` is its path in the specification."""

    method: str
    route: str
    path: str
    query: str
    status: int


class Sandbox:
    """A running stand-in. Only this machine can reach it."""

    def __init__(
        self,
        stand_in: StandIn,
        *,
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        limits: Limits | None = None,
    ) -> None:
        self.stand_in = stand_in
        self.token = token
        self.limits = limits or Limits()
        self.faults = Faults()
        self.requests: list[Request] = []
        self._server = _Server(self, port)
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def inject(
        self,
        kind: str,
        *,
        times: int = 1,
        path: str | None = None,
        route: str | None = None,
        skip: int = 0,
        retry_after: float | None = None,
        delay: float = 1.0,
    ) -> None:
        """Spoil the next `times` requests that match: see `faults.Fault`."""
        self.faults.add(Fault(kind, times, path, route, skip, retry_after, delay))

    def count(self, route: str | None = None, *, method: str | None = None) -> int:
        """How many requests came in, refused ones too; `route` as in the specification."""
        return sum(
            (route is None or r.route == route) and (method is None or r.method == method)
            for r in list(self.requests)
        )

    def counts(self) -> dict[str, int]:
        """Requests by method and route, most frequent first."""
        return dict(Counter(f"{r.method} {r.route}" for r in list(self.requests)).most_common())

    def reset_counts(self) -> None:
        self.requests.clear()

    def answer(
        self, method: str, target: str, token: str, body: bytes
    ) -> tuple[Answer, Fault | None]:
        """The answer, and the fault that spoils it, if any; the request is counted."""
        path, _, query = target.partition("?")
        route = self.stand_in.route_name(path)
        fault = self.faults.take(path, route)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.delay)
        answer = fault.answer(self.stand_in.refusal) if fault else None
        if answer is None and not self.limits.admit():
            answer = self.stand_in.refusal(429, "request over limit", "Too many requests.")
        if answer is None and not self.takes(token):
            answer = self.stand_in.refusal(401, *UNAUTHORIZED)
        if answer is None:
            answer = self.stand_in.answer(method, path, query, body)
        answer.headers.update(self.limits.headers(answer.cost, writes=method != "GET"))
        self.requests.append(Request(method, route, path, query, answer.status))
        return answer, fault

    def takes(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def serve_forever(self) -> None:
        self._server.serve_forever(poll_interval=0.2)

    def start(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.hang_up()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A clean stop does not wait for clients that keep their connection open.
    block_on_close = False
    request_queue_size = 64

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Connections kept open would otherwise go on being served after the end."""
        for connection in list(self._open):
            # It may have been closed from the other side meanwhile.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is printed by the base class."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  names of the base class

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        sandbox = self.server.sandbox
        if self.path.split("?")[0].rstrip("/").startswith("/_sandbox"):
            kind = self.headers.get("Content-Type", "")
            self._send(control(sandbox, self.command, self.path, kind, body))
            return
        token = sandbox.stand_in.token_of(dict(self.headers))
        answer, fault = sandbox.answer(self.command, self.path, token, body)
        if fault is not None and fault.cuts_the_connection:
            self._cut(answer, fault)
        else:
            self._send(answer)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._send(
                self.server.sandbox.stand_in.refusal(413, "Request too large", "At most 1 MB.")
            )
            return None
        return self.rfile.read(int(length))

    def _head(self, answer: Answer) -> bytes:
        phrase = self.responses.get(answer.status, ("", ""))[0]
        lines = [
            f"HTTP/1.1 {answer.status} {phrase}",
            f"Date: {self.date_time_string()}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        if self.close_connection:
            lines.append("Connection: close")
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    def _send(self, answer: Answer) -> None:
        self.wfile.write(self._head(answer) + answer.body)

    def _cut(self, answer: Answer, fault: Fault) -> None:
        """Hang up before the answer, or in the middle of it."""
        if fault.kind == "truncated":
            self.wfile.write(self._head(answer) + answer.body[: len(answer.body) // 2])
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base class
        """Silent: the requests are kept in `Sandbox.requests`."""
