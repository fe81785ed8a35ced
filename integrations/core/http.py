"""The only way out: bounded, patient requests to a provider, and errors in words for staff."""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import socket
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError

logger = logging.getLogger(__name__)

Json = dict[str, Any]

TIMEOUT: Final = (5.0, 30.0)
# A body that trickles in is given up after so many seconds, whatever the pauses between its bytes.
LONGEST_BODY_SECONDS: Final = 120.0
MAX_BODY_BYTES: Final = 32 * 2**20
ATTEMPTS: Final = 6
LONGEST_WAIT_SECONDS: Final = 90.0
_LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class ProviderError(Exception):
    """The provider did not give what was asked; the message is a sentence for staff.

    `retryable` means later may be better (timeout, 429, 5xx); `credentials` that only a person can
    mend it, by connecting again.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        status: int | None = None,
        credentials: bool = False,
    ) -> None:
        super().__init__(message)
        self.retryable, self.status, self.credentials = retryable, status, credentials


class AddressRefused(Exception):
    """No request goes to this address; the message says why."""


class _PrivatePeer(OSError):
    """The name led to a machine inside our own network."""


def local_allowed() -> bool:
    return bool(settings.DEBUG or settings.DEMO)


def checked_base_url(text: str) -> str:
    """`text` as scheme, host and port (and path, if any). Raises AddressRefused."""
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", host):
        raise AddressRefused(
            _("That is not a web address. It looks like https://yourcompany.pipedrive.com.")
        )
    if parts.username or parts.password:
        raise AddressRefused(
            _("Leave the name and password out of the address: the token has its own field.")
        )
    local = host in _LOCAL_HOSTS
    if local and not local_allowed():
        raise AddressRefused(_("%(host)s is this machine, not a provider.") % {"host": host})
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise AddressRefused(
            _("The address must begin with https:// so that the token travels encrypted.")
        )
    if not local and _is_inside(host):
        raise AddressRefused(
            _("%(host)s lies inside a private network; a provider is on the internet.")
            % {"host": host}
        )
    if not local and "." not in host:
        raise AddressRefused(
            _("“%(host)s” is not a full host name. It looks like yourcompany.pipedrive.com.")
            % {"host": host}
        )
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _is_inside(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # 127.1, 0x7f.1 and 2130706433 are addresses to the resolver too.
        try:
            address = ipaddress.ip_address(socket.inet_ntoa(socket.inet_aton(host)))
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global or address.is_multicast


def _refuse_private(connected: socket.socket) -> socket.socket:
    """Judge the machine really reached: a name may change its address after it was checked."""
    peer = connected.getpeername()[0]
    if _is_inside(peer):
        connected.close()
        raise _PrivatePeer(peer)
    return connected


class _GuardedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(super()._new_conn())


class _GuardedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _refuse_private(super()._new_conn())


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedAdapter(HTTPAdapter):
    """Connects to machines on the internet only."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _GuardedHTTPPool,
            "https": _GuardedHTTPSPool,
        }


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
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self.provider, self.attempts = provider, attempts
        self.sleep, self.before = sleep, before
        self.requests = 0
        self.host = urlsplit(self.base_url).hostname or ""
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/json", **headers})
        # With a callable here, no password from a .netrc file is ever added.
        self.session.auth = lambda prepared: prepared
        if self.host in _LOCAL_HOSTS:
            self.session.trust_env = False
        else:
            self.session.mount("https://", GuardedAdapter())

    def close(self) -> None:
        self.session.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Json:
        """The JSON object at `path`, numbers with a point as Decimal. Raises ProviderError."""
        for attempt in range(1, self.attempts + 1):
            try:
                answer, body = self._fetch(path, query)
                failure = self._failure(answer, body)
                if failure is None:
                    return self._parsed(body)
                wait = self._asked_wait(answer)
            except ProviderError as error:
                failure, wait = error, None
            if not failure.retryable or attempt == self.attempts:
                raise failure
            if wait is None:
                wait = min(30.0, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.5)  # noqa: S311
            elif wait > LONGEST_WAIT_SECONDS:
                raise failure
            logger.info("%s: attempt %s failed, next in %.1f s", path, attempt, wait)
            self.sleep(wait)
        raise AssertionError("unreachable")

    def _fetch(
        self, path: str, query: Mapping[str, str | int] | None
    ) -> tuple[requests.Response, bytes]:
        names = {"provider": self.provider, "host": self.host}
        self.before()
        self.requests += 1
        begun = time.monotonic()
        try:
            with self.session.get(
                f"{self.base_url}{path}",
                params=query,
                timeout=TIMEOUT,
                stream=True,
                allow_redirects=False,
            ) as answer:
                body = self._bounded(answer, begun)
        except requests.exceptions.SSLError as error:
            raise ProviderError(
                _(
                    "%(host)s has no valid certificate for that name, so nothing was sent. "
                    "Check the address."
                )
                % names,
                retryable=False,
            ) from error
        except requests.exceptions.Timeout as error:
            raise ProviderError(
                _("%(provider)s (%(host)s) did not answer in time. Nothing is lost.") % names,
                retryable=True,
            ) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader) as error:
            raise ProviderError(
                _("The address or the token holds characters that cannot be sent."), retryable=False
            ) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise self._broken(error, names) from error
        logger.debug(
            "GET %s: %s, %.0f ms", path, answer.status_code, 1e3 * (time.monotonic() - begun)
        )
        self._spare(answer)
        return answer, body

    @staticmethod
    def _broken(error: BaseException, names: dict[str, str]) -> ProviderError:
        text = repr(error)
        if "_PrivatePeer" in text:
            return ProviderError(
                _("%(host)s leads into a private network; nothing was sent there.") % names,
                retryable=False,
            )
        if NameResolutionError.__name__ in text:
            return ProviderError(
                _(
                    "There is no machine named %(host)s, or the internet cannot be reached. "
                    "Check the address."
                )
                % names,
                retryable=True,
            )
        if "Refused" in text or "refused" in text:
            return ProviderError(
                _("%(host)s does not accept connections. Check the address; nothing is lost.")
                % names,
                retryable=True,
            )
        return ProviderError(
            _("The connection to %(provider)s (%(host)s) broke off. Nothing is lost.") % names,
            retryable=True,
        )

    def _bounded(self, answer: requests.Response, begun: float) -> bytes:
        pieces, size = [], 0
        for piece in answer.iter_content(65_536):
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise ProviderError(
                    _("%(provider)s sent an answer larger than %(size)s MB; it was not read.")
                    % {"provider": self.provider, "size": MAX_BODY_BYTES // 2**20},
                    retryable=False,
                )
            if time.monotonic() - begun > LONGEST_BODY_SECONDS:
                raise requests.exceptions.ReadTimeout
            pieces.append(piece)
        return b"".join(pieces)

    def _failure(self, answer: requests.Response, body: bytes) -> ProviderError | None:
        status, names = answer.status_code, {"provider": self.provider, "host": self.host}
        if status == 200:
            return self._no_json(body, names)
        web_page = body.lstrip()[:1] == b"<"
        said = "" if web_page else _said(body)
        if 300 <= status < 400:
            elsewhere = urlsplit(answer.headers.get("Location", "")).hostname or "?"
            text = _(
                "%(host)s sends us on to %(elsewhere)s; the token was not sent there. "
                "Enter the final address."
            ) % {**names, "elsewhere": elsewhere[:100]}
        elif status == 401:
            text = _(
                "%(provider)s does not accept the API token any more. Nothing is lost: enter a "
                "new token and the import goes on where it stopped."
            )
        elif status == 402:
            text = _("The %(provider)s account is closed or unpaid. Reopen it, then connect again.")
        elif status == 403 and web_page:
            text = _(
                "%(provider)s’s gatekeeper turned us away for asking too often. Nothing is lost; "
                "wait some minutes."
            )
        elif status == 403:
            text = _(
                "%(provider)s does not let the owner of this token read this: %(said)s Use the "
                "token of a person who may."
            )
        elif status in (404, 410):
            text = _("%(host)s has nothing at this place. Is it the address of your %(provider)s?")
        elif status == 429:
            text = _(
                "%(provider)s’s limit of requests is used up. Nothing is lost; the import goes on "
                "later."
            )
        elif status >= 500:
            text = _("%(provider)s has trouble of its own (%(status)s). Nothing is lost.")
        else:
            text = _("%(provider)s refused the request (%(status)s): %(said)s")
        retryable = status == 429 or status >= 500 or (status == 403 and web_page)
        return ProviderError(
            text % {**names, "status": status, "said": said or _("no reason given.")},
            retryable=retryable,
            status=status,
            credentials=status in (401, 402),
        )

    @staticmethod
    def _no_json(body: bytes, names: dict[str, str]) -> ProviderError | None:
        start = body.lstrip()[:1]
        if start == b"{":
            return None
        if start == b"<":
            text = _("%(host)s answered with a web page instead of data. Check the address.")
        elif not start:
            text = _("%(provider)s (%(host)s) sent an empty answer. Nothing is lost.")
        else:
            text = _("What %(host)s answered is not %(provider)s data. Check the address.")
        # A gateway in trouble says such things too.
        return ProviderError(text % names, retryable=True, status=200)

    def _parsed(self, body: bytes) -> Json:
        try:
            parsed = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ProviderError(
                _("The answer of %(provider)s (%(host)s) broke off or is damaged. Nothing is lost.")
                % {"provider": self.provider, "host": self.host},
                retryable=True,
                status=200,
            ) from error
        assert isinstance(parsed, dict)
        return parsed

    @staticmethod
    def _asked_wait(answer: requests.Response) -> float | None:
        """Seconds that a 429 or 503 asks for, if it does."""
        if answer.status_code not in (429, 503):
            return None
        asked = _seconds(answer.headers.get("Retry-After", ""))
        if asked is None and answer.status_code == 429:
            # The unit of this header is not documented; it looks like seconds.
            asked = _seconds(answer.headers.get("x-ratelimit-reset", ""))
        return None if asked is None else asked + random.uniform(0, 0.25)  # noqa: S311

    def _spare(self, answer: requests.Response) -> None:
        """Slow down before the budget of the present seconds is gone."""
        remaining = _seconds(answer.headers.get("x-ratelimit-remaining", ""))
        limit = _seconds(answer.headers.get("x-ratelimit-limit", "")) or 0.0
        if answer.status_code != 200 or remaining is None or remaining > max(1.0, limit / 20):
            return
        window = _seconds(answer.headers.get("x-ratelimit-reset", "")) or 2.0
        self.sleep(min(window, 10.0) / (remaining + 1.0))


def _seconds(text: str) -> float | None:
    """A number of seconds, or the seconds until a moment in an HTTP date or since 1970."""
    text = text.strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text):
        number = float(text)
        return max(0.0, number - time.time()) if number > 1e9 else number
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - timezone.now()).total_seconds())


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _said(body: bytes) -> str:
    """What a refusal says of itself, short and as plain text."""
    try:
        parsed = json.loads(body[:20_000])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(parsed, dict):
        return ""
    words = [
        str(parsed[key]) for key in ("error", "error_info") if isinstance(parsed.get(key), str)
    ]
    return re.sub(r"\s+", " ", ". ".join(words))[:300]
