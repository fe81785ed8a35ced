"""The only way out: bounded, patient requests to a provider, and errors as codes for staff."""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import timezone
from urllib3.exceptions import NameResolutionError

from billing_portal.notices import Notice
from integrations.core.addresses import (
    LOCAL_HOSTS,
    AddressRefused,
    GuardedAdapter,
    PrivatePeer,
    checked_base_url,
)

__all__ = [
    "AddressRefused",
    "Bounds",
    "Files",
    "Http",
    "Json",
    "Manners",
    "ProviderError",
    "checked_base_url",
]

logger = logging.getLogger(__name__)

Json = dict[str, Any]
T = TypeVar("T")
Headers = Mapping[str, str]
# Parts of a form: name → (file name or None, content, media type)
Files = Mapping[str, tuple[str | None, bytes, str]]

TIMEOUT: Final = (5.0, 30.0)
# A body that trickles in is given up after so many seconds, whatever the pauses between its bytes.
LONGEST_BODY_SECONDS: Final = 120.0
MAX_BODY_BYTES: Final = 32 * 2**20
ATTEMPTS: Final = 6
LONGEST_WAIT_SECONDS: Final = 90.0


class ProviderError(Exception):
    """The provider did not give what was asked; the notice is for staff.

    `retryable` means later may be better (timeout, 429, 5xx); `credentials` that only a person can
    mend it, by connecting again. `reached` is whether the request may have been carried out;
    `said` is what a refusal says of itself.
    """

    def __init__(
        self,
        notice: Notice,
        *,
        retryable: bool,
        status: int | None = None,
        credentials: bool = False,
        reached: bool = True,
        said: str = "",
    ) -> None:
        super().__init__(notice.code)
        self.notice, self.retryable, self.status = notice, retryable, status
        self.credentials, self.reached, self.said = credentials, reached, said

    def __str__(self) -> str:
        return str(self.notice)


@dataclass(frozen=True)
class Bounds:
    """How long one request is waited for and how much of an answer is read."""

    # Seconds to connect, then of silence.
    timeout: tuple[float, float] = TIMEOUT
    body_seconds: float = LONGEST_BODY_SECONDS
    body_bytes: int = MAX_BODY_BYTES


@dataclass(frozen=True)
class _Asked:
    """One request, as often as it is tried."""

    method: str
    path: str
    query: Mapping[str, str | int] | None = None
    body: Json | None = None
    headers: Headers = field(default_factory=dict)
    files: Files | None = None
    # Fields of a form, as a login takes them.
    form: Headers | None = None
    # The answer is taken as bytes.
    is_file: bool = False


@dataclass(frozen=True)
class Manners:
    """What only one provider does; its client says it, nobody here knows it."""

    # Seconds that a refusal asks for in headers of its own, beside Retry-After.
    asked_wait: Callable[[Headers], float | None] = lambda headers: None
    # Seconds to pause after an answer, so that a budget does not run out.
    pause: Callable[[Headers], float] = lambda headers: 0.0
    # What a refusal says of itself.
    said: Callable[[Json], str] = lambda body: str(body.get("error") or "")
    # The header that makes a write happen once however often it is sent.
    idempotency_header: str = "Idempotency-Key"


class Http:
    """Requests to one provider. `sleep` waits between attempts, `before` is called before each.

    Never logs headers, queries or bodies: tokens and people's data are in them.
    """

    def __init__(
        self,
        base_url: str,
        *,
        provider: str,
        headers: Mapping[str, str],
        manners: Manners | None = None,
        bounds: Bounds | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self.provider, self.attempts = provider, attempts
        self.manners, self.bounds = manners or Manners(), bounds or Bounds()
        self.sleep, self.before = sleep, before
        self.requests = 0
        # The provider's time at the first answer that told it.
        self.clock: datetime | None = None
        self.host = urlsplit(self.base_url).hostname or ""
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/json", **headers})
        # With a callable here, no password from a .netrc file is ever added.
        self.session.auth = lambda prepared: prepared
        # Nor a proxy of the environment: it would connect for us, past the guard below.
        self.session.trust_env = False
        if self.host not in LOCAL_HOSTS:
            self.session.mount("https://", GuardedAdapter())
            if settings.PROVIDER_PROXY:
                self.session.proxies = {"https": settings.PROVIDER_PROXY}

    def close(self) -> None:
        self.session.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Json:
        """The JSON object at `path`, numbers with a point as Decimal. Raises ProviderError."""
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        files: Files | None = None,
        idempotency_key: str = "",
    ) -> Json:
        """Like `get`, for any method; {} for an answer without a body. Raises ProviderError.

        With a key a write may be sent again, whatever became of it; without, only what surely did
        not happen: the connection was refused, or the answer says “not now”.
        """
        headers = {self.manners.idempotency_header: idempotency_key} if idempotency_key else {}
        repeatable = method in ("GET", "DELETE") or bool(headers)
        asked = _Asked(method, path, query, body, headers, files)
        return self._answer(asked, self._json_in, repeatable=repeatable)

    def search(self, path: str, body: Json | None = None, form: Headers | None = None) -> Json:
        """Like `get`, where a provider takes its questions by POST: it changes nothing there."""
        asked = _Asked("POST", path, body=body, form=form)
        return self._answer(asked, self._json_in, repeatable=True)

    def download(
        self, path: str, query: Mapping[str, str | int] | None = None
    ) -> tuple[bytes, str]:
        """The bytes at `path`, whatever they are, and their Content-Disposition."""
        asked = _Asked("GET", path, query, headers={"Accept": "*/*"}, is_file=True)

        def taken(answer: requests.Response, content: bytes) -> tuple[bytes, str]:
            return content, answer.headers.get("Content-Disposition", "")

        return self._answer(asked, taken, repeatable=True)

    def _json_in(self, _answer: requests.Response, content: bytes) -> Json:
        return self._parsed(content) if content else {}

    def _answer(
        self, asked: _Asked, taken: Callable[[requests.Response, bytes], T], *, repeatable: bool
    ) -> T:
        # Not urllib3's Retry: the waits are told to the run, so that it does not look dead.
        for attempt in range(1, self.attempts + 1):
            try:
                answer, content = self._fetch(asked)
                failure = self._failure(answer, content, is_file=asked.is_file)
                if failure is None:
                    return taken(answer, content)
                wait = _asked_wait(answer, self.manners)
            except ProviderError as error:
                failure, wait = error, None
            again = repeatable or not failure.reached or failure.status in (429, 503)
            if not failure.retryable or not again or attempt == self.attempts:
                raise failure
            if wait is None:
                wait = min(30.0, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)  # noqa: S311
            elif wait > LONGEST_WAIT_SECONDS:
                raise failure
            logger.info("%s: attempt %s failed, next in %.1f s", asked.path, attempt, wait)
            self.sleep(wait)
        raise AssertionError("unreachable")

    def _notice(self, code: str, **values: Any) -> Notice:
        return Notice(code, provider=self.provider, host=self.host, **values)

    def _fetch(self, asked: _Asked) -> tuple[requests.Response, bytes]:
        self.before()
        self.requests += 1
        begun = time.monotonic()
        try:
            with self.session.request(
                asked.method,
                f"{self.base_url}{asked.path}",
                params=asked.query,
                json=asked.body,
                data=asked.form,
                files=asked.files,
                headers=asked.headers,
                timeout=self.bounds.timeout,
                stream=True,
                allow_redirects=False,
            ) as answer:
                content = self._bounded(answer, begun)
        except requests.exceptions.SSLError as error:
            raise _unsent(self._notice("http.no_certificate")) from error
        except requests.exceptions.Timeout as error:
            raise ProviderError(self._notice("http.no_answer"), retryable=True) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader) as error:
            raise _unsent(self._notice("http.unsendable")) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise _broken(error, self._notice) from error
        took, status = 1e3 * (time.monotonic() - begun), answer.status_code
        logger.debug("%s %s: %s, %.0f ms", asked.method, asked.path, status, took)
        self.clock = self.clock or _moment(answer.headers.get("Date", ""))
        if answer.ok and (pause := self.manners.pause(answer.headers)):
            self.sleep(pause)
        return answer, content

    def _bounded(self, answer: requests.Response, begun: float) -> bytes:
        pieces, size = [], 0
        for piece in answer.iter_content(65_536):
            size += len(piece)
            if size > self.bounds.body_bytes:
                notice = self._notice("http.too_large", size=self.bounds.body_bytes // 2**20)
                raise ProviderError(notice, retryable=False)
            if time.monotonic() - begun > self.bounds.body_seconds:
                raise requests.exceptions.ReadTimeout
            pieces.append(piece)
        return b"".join(pieces)

    def _failure(
        self, answer: requests.Response, content: bytes, *, is_file: bool = False
    ) -> ProviderError | None:
        status = answer.status_code
        if status in (201, 202, 204) and not content.strip():
            return None
        if 200 <= status < 300:
            return None if is_file else self._no_json(content)
        web_page = content.lstrip()[:1] == b"<"
        values: dict[str, Any] = {"status": status}
        said = "" if web_page else _short(self.manners.said(_object_in(content)))
        if 300 <= status < 400:
            elsewhere = urlsplit(answer.headers.get("Location", "")).hostname or "?"
            code, values = "http.redirect", {"elsewhere": elsewhere[:100]}
        elif status == 403 and web_page:
            code = "http.gatekeeper"
        elif status >= 500:
            code = "http.own_trouble"
        else:
            code = _CODES.get(status, "http.refused")
            values["said"] = said or Notice("http.no_reason")
        return ProviderError(
            self._notice(code, **values),
            retryable=status == 429 or status >= 500 or (status == 403 and web_page),
            status=status,
            credentials=status in (401, 402),
            said=said,
        )

    def _no_json(self, content: bytes) -> ProviderError | None:
        start = content.lstrip()[:1]
        if start == b"{":
            return None
        code = {b"<": "http.web_page", b"": "http.empty"}.get(start, "http.no_data")
        # A gateway in trouble says such things too.
        return ProviderError(self._notice(code), retryable=True, status=200)

    def _parsed(self, content: bytes) -> Json:
        try:
            parsed = json.loads(content, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            notice = self._notice("http.damaged")
            raise ProviderError(notice, retryable=True, status=200) from error
        assert isinstance(parsed, dict)
        return parsed


_CODES: Final = {
    401: "http.token",
    402: "http.unpaid",
    403: "http.forbidden",
    404: "http.not_there",
    410: "http.not_there",
    429: "http.limit",
}


def _asked_wait(answer: requests.Response, manners: Manners) -> float | None:
    """Seconds that a 429 or 503 asks for, if it does."""
    if answer.status_code not in (429, 503):
        return None
    asked = seconds(answer.headers.get("Retry-After", ""))
    if asked is None and answer.status_code == 429:
        asked = manners.asked_wait(answer.headers)
    return None if asked is None else asked + random.uniform(0, 0.25)  # noqa: S311


def _unsent(notice: Notice) -> ProviderError:
    return ProviderError(notice, retryable=False, reached=False)


def _broken(error: BaseException, notice: Callable[[str], Notice]) -> ProviderError:
    text = repr(error)
    if PrivatePeer.__name__ in text:
        return _unsent(notice("http.private"))
    if NameResolutionError.__name__ in text:
        return ProviderError(notice("http.no_machine"), retryable=True, reached=False)
    if "Refused" in text or "refused" in text:
        return ProviderError(notice("http.no_connection"), retryable=True, reached=False)
    return ProviderError(notice("http.broke_off"), retryable=True)


def _short(text: str) -> str:
    """What a refusal says of itself, as plain text."""
    return re.sub(r"\s+", " ", text)[:300]


def _object_in(content: bytes) -> Json:
    try:
        parsed = json.loads(content[:20_000])
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def seconds(text: str) -> float | None:
    """A number of seconds, or the seconds until a moment in an HTTP date or since 1970."""
    text = text.strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text):
        number = float(text)
        return max(0.0, number - time.time()) if number > 1e9 else number
    moment = _moment(text)
    return None if moment is None else max(0.0, (moment - timezone.now()).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _no_number(name: str) -> Any:
    raise ValueError(name)
